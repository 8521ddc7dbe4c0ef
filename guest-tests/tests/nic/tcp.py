# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP payloads arrive complete and unchanged: directions, sizes of writes, many at once."""

from lib import traffic
from lib.case import add, expect, test
from lib.tls import Connection

BULK = 4 << 20


def _transfer(upload, family):
    def run(env):
        ends = (env.local, env.remote) if upload else (env.remote, env.local)
        traffic.transfer(*ends, family=family, size=BULK)
    return run


for _family in (4, 6):
    add(f"tcp/v{_family}-send", _transfer(True, _family), smoke=True)
    add(f"tcp/v{_family}-receive", _transfer(False, _family), smoke=True)


@test("tcp/both-ways")
def both_ways(env):
    """Both directions of one connection at once, over each protocol."""
    for family in (4, 6):
        traffic.both_ways(env, family, 2 << 20)


@test("tcp/jumbo")
def jumbo(env):
    """The same with large frames."""
    with traffic.both_mtu(env, 9000):
        for family in (4, 6):
            traffic.both_ways(env, family, 2 << 20)


@test("tcp/small-writes")
def small_writes(env):
    """Writes of 1 to 200 bytes, each sent at once."""
    for host in env.hosts:
        with Connection(host, env.other(host), options={"TCP_NODELAY": 1}) as connection:
            connection.up.move(60_000, sizes=list(range(1, 201)))


@test("tcp/64-connections")
def many(env):
    """64 connections at the same time, every other one in the other direction."""
    connections = []
    try:
        for index in range(64):
            ends = env.hosts if index % 2 else env.hosts[::-1]
            connections.append(Connection(*ends, family=4 if index % 4 < 2 else 6,
                                          seed=f"many-{index}"))
        for finish in [connection.up.begin(64 << 10) for connection in connections]:
            finish()
    finally:
        for connection in connections:
            connection.close(abort=True)


@test("tcp/no-retransmission")
def clean_wire(env):
    """The device itself loses nothing: a transfer needs next to no retransmission.

    A busy host can make a timer of the stack fire early: what is then sent again comes twice, and
    the receiver says so (DSACK). A few more are allowed, whose DSACK is still under way.
    """
    for host in env.hosts:
        info = traffic.transfer(host, env.other(host), size=4 << 20)
        lost = info["total_retrans"] - info.get("dsack_dups", 0)
        expect(lost * 100 <= info["data_segs_out"],
               f"the {host.name} end retransmitted {info['total_retrans']} of "
               f"{info['data_segs_out']} segments, {info.get('dsack_dups')} of them needlessly")
