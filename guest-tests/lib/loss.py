# SPDX-License-Identifier: GPL-2.0-or-later
"""Loss of exactly one chosen segment, by means of tc, with any NIC.

Responsible for: a filter that drops only the n-th full-size segment of a connection, and proof of
that by its counter.
State: the clsact qdisc and its filter, for the block.
Callers: tests with loss.

Two places:
  egress of the sender     the segment never reaches the sender's device. The action is "trap", for
                           which the stack considers it sent. ("drop" would be reported to TCP,
                           which would then send the segment later as a new one: no loss at all.)
  ingress of the receiver  both devices see it, the receiver's stack does not.
"""

import contextlib
import json

from .case import expect

IPV4_TCP, IPV6_TCP = 20 + 20, 40 + 20
TIMESTAMPS = 12


@contextlib.contextmanager
def single_segments(*ends):
    """For the block, these ends send segments one by one and do not merge them on receive.

    Connections adopt the limit when opened, so they must be opened inside.
    """
    with contextlib.ExitStack() as stack:
        for host in ends:
            stack.enter_context(host.nic.with_link_option("gso_max_segs", 1))
            off = {name: False for name in ("generic-receive-offload", "large-receive-offload",
                                            "rx-gro-hw") if host.nic.can(name)}
            stack.enter_context(host.nic.with_features(**off))
        yield


class Lost:
    """The filter's counters."""

    def __init__(self, host, ifname, at):
        self._host, self._ifname, self._at = host, ifname, at

    def counts(self):
        """Return (full-size segments seen, segments lost)."""
        found = json.loads(self._host.out("tc", "-s", "-j", "filter", "show", "dev", self._ifname,
                                          self._at))
        for entry in found:
            actions = entry.get("options", {}).get("actions", [])
            if len(actions) == 2:
                seen, lost = (action["stats"]["packets"] for action in actions)
                return seen, lost
        raise AssertionError(f"the filter is not there: {found}")

    def check_one(self):
        """Check that exactly one segment was lost."""
        seen, lost = self.counts()
        expect(lost == 1, f"the filter has lost {lost} segments of {seen} full-size ones; exactly "
                          "1 was meant to be lost")


@contextlib.contextmanager
def lose(connection, direction, nth, at):
    """Drop the nth (from 1) full-size segment sent by `direction` from now on, and every further
    nth. Yields a Lost.

    at  "egress" of the sender or "ingress" of the receiver

    The connection must be idle and have been opened inside single_segments().
    """
    sender, receiver = direction.sender, direction.receiver
    host = sender if at == "egress" else receiver
    ifname = host.nic.name
    port = (connection.server_port if receiver is connection.server else connection.client_port)
    mss = segment_size(connection, direction)
    if connection.family == 4:
        match = ["protocol", "ip", "prio", 1, "u32",
                 "match", "ip", "protocol", 6, "0xff",
                 "match", "u16", hex(IPV4_TCP + TIMESTAMPS + mss), "0xffff", "at", 2,
                 "match", "u16", hex(port), "0xffff", "at", 22]
    else:
        match = ["protocol", "ipv6", "prio", 1, "u32",
                 "match", "u16", hex(20 + TIMESTAMPS + mss), "0xffff", "at", 4,
                 "match", "u8", 6, "0xff", "at", 6,
                 "match", "u16", hex(port), "0xffff", "at", 42]
    host.run("tc", "qdisc", "add", "dev", ifname, "clsact")
    try:
        host.run("tc", "filter", "add", "dev", ifname, at, *match,
                 "action", "pass", "random", "determ", "pipe", nth,
                 "action", "trap" if at == "egress" else "drop")
        yield Lost(host, ifname, at)
    finally:
        host.run("tc", "qdisc", "del", "dev", ifname, "clsact", check=False)


def segment_size(connection, direction):
    """Return the payload bytes of a full-size segment."""
    info = connection.info(direction.sender)
    link = direction.sender.nic.mtu
    head = IPV4_TCP if connection.family == 4 else IPV6_TCP
    # the filter recognises full-size segments by their length, which depends on the options
    expect(info["snd_mss"] == link - head - TIMESTAMPS,
           f"segments have {info['snd_mss']} bytes at MTU {link}: TCP timestamps are needed "
           "(sysctl net.ipv4.tcp_timestamps=1)")
    return info["snd_mss"]
