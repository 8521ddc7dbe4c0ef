# SPDX-License-Identifier: GPL-2.0-or-later
"""Datagrams: every size comes back as it was sent."""

from lib.case import add, expect, expect_equal
from lib.counters import Watch

SIZES = [*range(0, 66), 100, 255, 256, 257, 511, 512, 1000, 1023, 1024, 1025, 1400, 1451, 1452]
FRAGMENTED = [1473, 2000, 8000, 20000, 65000]


def _echo(family, sizes):
    def run(env):
        for host in env.hosts:
            other = env.other(host)
            server = other.call("tcp.udp_echo", address=other.address(family))
            watches = [Watch(end) for end in env.hosts]
            result = host.call("tcp.udp_ask", address=other.address(family), port=server["port"],
                               seed=env.seed, sizes=sizes)
            expect(not result["wrong"], f"{host.name} end: sizes that came back changed: "
                                        f"{result['wrong']}")
            expect_equal(f"{host.name} end: datagrams answered", result["answered"], len(sizes))
            expect_equal(f"{host.name} end: datagrams that had to be repeated",
                         result["repeated"], 0)
            for end, watch in zip(env.hosts, watches):
                delta = watch.protocols()
                for name in ("UdpInCsumErrors", "Udp6InCsumErrors", "UdpInErrors"):
                    expect_equal(f"{end.name} end: {name}", delta[name], 0)
    return run


for _family in (4, 6):
    add(f"udp/v{_family}-echo", _echo(_family, SIZES), smoke=_family == 4)
    add(f"udp/v{_family}-fragments", _echo(_family, FRAGMENTED))
