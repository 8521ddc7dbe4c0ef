# SPDX-License-Identifier: GPL-2.0-or-later
"""A GRE tunnel with checksums is used while the interface says that it computes any checksum.

Responsible for: the tunnel, and the checksum in the GRE headers that leave;
docs/driver-bugs/gre-checksum.md.
State: none.
Callers: bug.py.
"""

import contextlib
import struct

from agent import pcap
from lib.case import Failure, expect
from lib.net import Nic, ping

from . import NEEDS as ALL, Shown, say

__all__ = ("NEEDS", "run")
NEEDS = (*ALL, "lab")
FEATURE = "tx-checksum-ip-generic"
NAME, CAPTURE = "grecsum", "gre-checksum"
ADDRESSES = {"local": "10.79.0.1", "remote": "10.79.0.2"}
PINGS = 3
GRE, HAS_CHECKSUM = 47, 0x8000


def run(env):
    """See the module's text."""
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            _tunnel(env, host)
            stack.callback(host.run, "ip", "link", "del", "dev", NAME)
        found = {on: _tried(env, on) for on in (False, True)}
    answered, sums, wrong = found[False]
    expect(answered == PINGS and sums and not wrong,
           f"with {FEATURE} off {answered} of {PINGS} pings are answered, {wrong} of {sums} "
           "checksums are wrong: expected all, and none")
    answered, sums, wrong = found[True]
    if wrong:
        raise Shown(f"with {FEATURE} on {wrong} of {sums} GRE packets leave with a wrong checksum, "
                    f"and {answered} of {PINGS} pings are answered; off, all are right")
    expect(answered == PINGS, f"{answered} of {PINGS} pings are answered, and no checksum is wrong")


def _tunnel(env, host):
    made = host.run("ip", "link", "add", NAME, "type", "gretap", "csum", "local", host.address(4),
                    "remote", env.other(host).address(4), "dev", host.nic.name, check=False)
    if made.rc != 0:
        raise Failure(f"no GRE tunnel on the {host.name} end: {made.err.strip()}")
    host.run("ip", "-batch", "-", data=f"addr add {ADDRESSES[host.name]}/24 dev {NAME}\n"
                                       f"link set dev {NAME} up\n")
    Nic(host, NAME).wait_usable()


def _tried(env, on):
    """(pings answered, GRE packets that left the local NIC, those with a wrong checksum)."""
    client = env.lab.client
    with env.local.nic.with_features(**{FEATURE: on}), \
            env.remote.nic.with_features(**{FEATURE: False}), env.local.directory() as place:
        client.capture_start(CAPTURE, env.lab.netdev)
        answered = ping(env.local, ADDRESSES["remote"], count=PINGS, wait=2)
        client.capture_stop(CAPTURE)
        client.capture_fetch(CAPTURE, f"{place}/pcap")
        sums = [_right(body) for body in _from(f"{place}/pcap", env.local.address(4))]
    say(f"{FEATURE} {'on' if on else 'off'}: {answered} of {PINGS} pings are answered, "
        f"{sums.count(False)} of {len(sums)} GRE packets have a wrong checksum")
    return answered, len(sums), sums.count(False)


def _from(path, source):
    """GRE header and what follows, of the IPv4 packets from an address."""
    for frame in pcap.frames(path):
        if frame[12:14] == b"\x08\x00" and frame[23] == GRE and \
                ".".join(map(str, frame[26:30])) == source:
            start = 14 + (frame[14] & 15) * 4
            yield frame[start:14 + struct.unpack_from(">H", frame, 16)[0]]


def _right(body):
    """Is the checksum of a GRE packet right?"""
    expect(struct.unpack_from(">H", body)[0] & HAS_CHECKSUM, "a GRE packet without a checksum")
    total = sum(struct.unpack(f">{(len(body) + 1) // 2}H", body + b"\0" * (len(body) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff
