# SPDX-License-Identifier: GPL-2.0-or-later
"""MTU: small, ordinary, jumbo, the limit, beyond it, and changes under traffic."""

from lib import traffic
from lib.case import add, expect, expect_equal, needs, test
from lib.net import ping

HEADERS = {4: 28, 6: 48}
MLX5_LIMIT = 9978


def _works_at(mtu):
    def run(env):
        with traffic.both_mtu(env, mtu):
            _check(env, mtu)
    return run


def _check(env, mtu):
    expect_equal("MTU after it was set", env.local.nic.mtu, mtu)
    for family in (4, 6):
        for host in env.hosts:
            size = mtu - HEADERS[family]
            answered = ping(host, env.other(host).address(family), size=size, count=2,
                            fragment=False)
            expect_equal(f"IPv{family}, {host.name} end: full frames answered at MTU {mtu}",
                         answered, 2)
            traffic.transfer(host, env.other(host), family, 512 << 10)


for _mtu in (1280, 1500, 9000):
    add(f"mtu/{_mtu}", _works_at(_mtu), smoke=_mtu == 9000)


@test("mtu/limit")
@needs("driver:mlx5_core")
def limit(env):
    """The largest MTU is accepted and works; one more is refused and changes nothing."""
    nic = env.local.nic
    expect_equal("max_mtu", nic.link(details=True)["max_mtu"], MLX5_LIMIT)
    for host in env.hosts:
        before = host.nic.mtu
        result = host.run("ip", "link", "set", "dev", host.nic.name, "mtu", MLX5_LIMIT + 1,
                          check=False)
        expect(result.rc != 0, f"MTU {MLX5_LIMIT + 1} was accepted on the {host.name} end")
        expect_equal("MTU after one that was refused", host.nic.mtu, before)
    _works_at(MLX5_LIMIT)(env)


@test("mtu/odd-values")
def odd_values(env):
    """Values between the round ones, where buffer layouts of the driver change."""
    for mtu in (1499, 1501, 2000, 3498, 4078, 4096, 8192):
        with traffic.both_mtu(env, mtu):
            size = mtu - HEADERS[4]
            expect_equal(f"full frames answered at MTU {mtu}",
                         ping(env.local, env.remote.address(4), size=size, count=2,
                              fragment=False), 2)
            traffic.both_ways(env, 4, 256 << 10)


@test("mtu/under-traffic")
def under_traffic(env):
    """The MTU changes while a connection is busy; the connection survives."""
    with traffic.background(env) as flow:
        for mtu in (9000, 1500, 1280, 4000):
            flow.progress()
            with traffic.both_mtu(env, mtu):
                flow.progress()
        flow.progress()


@test("mtu/oversize-frame")
def oversize(env):
    """A frame longer than the receiver's MTU allows is not delivered and does no harm."""
    nic, peer = env.local.nic, env.remote.nic
    number = env.local.call("rawnet.listen", ifname=nic.name)
    common = {"dst": nic.mac, "src": peer.mac, "run": 3}
    with peer.with_mtu(9000):
        env.remote.call("rawnet.send", ifname=peer.name, frames=[
            dict(common, label=1, size=9000, count=20), dict(common, label=2, size=4000, count=20),
            dict(common, label=3, size=1514, count=3)])
        got = env.local.call("rawnet.collect", number=number, run=3,
                             until={"label": 3, "count": 3})
    expect(got["complete"], f"frames of the allowed size after long ones: {got['seen']}")
    expect_equal("sizes of the frames of an allowed size", got["sizes"]["3"], [1514])
    long = {label: got["sizes"].get(label) for label in ("1", "2") if label in got["sizes"]}
    expect(not long, f"frames longer than the MTU were delivered; sizes as received: {long}")
    traffic.transfer(env.remote, env.local)
