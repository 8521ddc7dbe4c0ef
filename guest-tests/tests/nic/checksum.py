# SPDX-License-Identifier: GPL-2.0-or-later
"""Checksums: those the device makes are verified in software, and it must not vouch for wrong
ones."""

from agent import rawnet

from lib import traffic
from lib.case import Skip, add, expect, expect_equal, wait_equal
from lib.counters import Watch

WRONG = ("TcpInCsumErrors", "UdpInCsumErrors", "Udp6InCsumErrors", "IpExtInCsumErrors",
         "IcmpInCsumErrors", "Icmp6InCsumErrors")
SIZES = [*range(0, 40), 63, 64, 65, 101, 512, 999, 1400, 1451, 1452]
BAD, GOOD = 25, 10


def _transmit(sender_name):
    """TCP and UDP whose checksums the sender's device makes; the receiver checks in software."""
    def run(env):
        sender = getattr(env, sender_name)
        receiver = env.other(sender)
        for host, feature in ((sender, "tx-checksumming"), (receiver, "rx-checksumming")):
            if not host.nic.can(feature):
                raise Skip(f"{host.nic.name} on the {host.name} end has no {feature}")
        with sender.nic.with_features(tx_checksumming=True), \
                receiver.nic.with_features(rx_checksumming=False):
            for family in (4, 6):
                watch = Watch(receiver)
                traffic.transfer(sender, receiver, family, 1 << 20)
                traffic.transfer(sender, receiver, family, 20_000, sizes=[1, 2, 3, 5, 7, 11, 13])
                server = receiver.call("tcp.udp_echo", address=receiver.address(family))
                result = sender.call("tcp.udp_ask", address=receiver.address(family),
                                     port=server["port"], seed=env.seed, sizes=SIZES)
                expect_equal("datagrams answered", result["answered"], len(SIZES))
                delta = watch.protocols()
                for name in WRONG:
                    expect_equal(f"IPv{family}: {name} of the receiver", delta[name], 0)
    return run


for _end in ("local", "remote"):
    add(f"checksum/transmit-{_end}", _transmit(_end))


def _receive_bad(family, offload):
    """Datagrams with a wrong checksum do not reach the application, good ones do."""
    def run(env):
        nic = env.local.nic
        on, fixed = nic.features().get("rx-checksumming", (False, True))
        if fixed and on != offload:
            raise Skip(f"rx-checksumming of {nic.name} cannot be changed")
        with nic.with_features(rx_checksumming=offload):
            _send_bad(env, family)
    return run


def _send_bad(env, family):
    sink = env.local.call("tcp.udp_sink", address=env.local.address(family))
    source = (env.remote.nic.mac, env.remote.address(family))
    destination = (env.local.nic.mac, env.local.address(family))
    frames = []
    for index in range(BAD):
        data = bytes((index,)) * (20 + 7 * index)
        # one bit, all bits but one, and a carry are all wrong in their own way
        wrong = (1, 0x8000, 0x0100, 0x7fff, 0xfffe)[index % 5]
        frames.append(rawnet.udp_frame(source, destination, (4000, sink["port"]), data, wrong))
    for index in range(GOOD):
        data = bytes((index,)) * (20 + 9 * index)
        frames.append(rawnet.udp_frame(source, destination, (4001, sink["port"]), data))
    watch = Watch(env.local)
    env.remote.call("rawnet.send_hex", ifname=env.remote.nic.name, frames=frames)
    name = "UdpInCsumErrors" if family == 4 else "Udp6InCsumErrors"
    seen = env.local.call("tcp.udp_count", number=sink["socket"], expected=GOOD, timeout=20)

    def errors():
        # the kernel verifies when the application reads, and the two flows come through two
        # queues: what came last is still to be read
        late = env.local.call("tcp.udp_count", number=sink["socket"], expected=1, timeout=0.1)
        for port, count in late.items():
            seen[port] = seen.get(port, 0) + count
        return watch.protocols()[name]

    wait_equal(name, errors, BAD)
    expect(seen.get("4000", 0) == 0,
           f"{seen.get('4000')} datagrams with a wrong checksum reached the application")
    expect_equal("datagrams with a right checksum that arrived", seen.get("4001", 0), GOOD)


for _family in (4, 6):
    add(f"checksum/receive-bad-v{_family}", _receive_bad(_family, True), smoke=_family == 4)
    add(f"checksum/receive-bad-v{_family}-software", _receive_bad(_family, False))
