# SPDX-License-Identifier: GPL-2.0-or-later
"""ethtool -S and ip -s: the numbers are there, only grow, and agree with what was sent."""

import itertools
import json

from lib import traffic
from lib.case import expect, expect_equal, needs, test, wait_for
from lib.counters import Watch, ethtool
from lib.ktap import note

FRAMES = 500
MULTICAST = "01:00:5e:01:02:03"     # nobody asks for it
_runs = itertools.count(500)


def _link_stats(host):
    found = json.loads(host.out("ip", "-s", "-j", "link", "show", "dev", host.nic.name))
    return found[0]["stats64"]


def _hears_multicasts(env, host):
    """Wait until this end receives every multicast: the driver changes its filters after the
    command that asks for it has returned."""
    other = env.other(host)

    def heard():
        number, run = host.call("rawnet.listen", ifname=host.nic.name), next(_runs)
        try:
            common = {"src": other.nic.mac, "run": run}
            other.call("rawnet.send", ifname=other.nic.name, frames=[
                dict(common, dst=MULTICAST, label=1), dict(common, dst=host.nic.mac, label=2)])
            got = host.call("rawnet.collect", number=number, run=run,
                            until={"label": 2, "count": 1})
        finally:
            host.call("rawnet.close", number=number)
        return got["seen"].get("1")

    wait_for(f"the {host.name} end receives every multicast", heard)


def _at_rest(env):
    """The statistics of both ends at a moment when no packet is counted at one end only: two
    readings with nothing between them."""
    last = []

    def rest():
        last.append({host: _link_stats(host) for host in env.hosts})
        return len(last) > 1 and last[-1] == last[-2]

    wait_for("a moment without a packet", rest)
    return last[-1]


def _difference(before, after):
    return {direction: {name: after[direction][name] - value
                        for name, value in before[direction].items()} for direction in before}


@test("counters/both-ends-agree", smoke=True)
def agree(env):
    """What one end has sent the other has received, packet by packet, whatever it was."""
    # multicasts that the stacks send on their own would otherwise be filtered by the receiver
    with env.local.nic.with_flag("allmulticast"), env.remote.nic.with_flag("allmulticast"):
        for host in env.hosts:
            _hears_multicasts(env, host)
        now = _balance(env)
    for host in env.hosts:
        expect(now[host]["rx"]["bytes"] > 4 << 20, f"{host.name} end: {now[host]['rx']['bytes']} "
                                                   "bytes received, more were sent")
        for direction in ("rx", "tx"):
            for name in ("errors", "dropped"):
                expect_equal(f"{host.name} end: {direction} {name}", now[host][direction][name], 0)


def _balance(env):
    before = _at_rest(env)
    for family in (4, 6):
        traffic.both_ways(env, family, 2 << 20)
    now = {}

    def balanced():
        now.update({host: _difference(before[host], _link_stats(host)) for host in env.hosts})
        return all(now[host]["tx"]["packets"] == now[env.other(host)]["rx"]["packets"]
                   for host in env.hosts)

    # packets of the stack itself (neighbours, delayed acknowledgements) may still be under way
    try:
        wait_for("each end has received as many packets as the other has sent", balanced)
    finally:
        note(" ".join(f"{host.name}: tx {now[host]['tx']['packets']} rx "
                      f"{now[host]['rx']['packets']};" for host in env.hosts))
    return now


@test("counters/frames")
@needs("driver:mlx5_core")
def frames(env):
    """A known number of unicast, multicast and broadcast frames moves the vport's counters by
    that, and the port's by at least that."""
    nic, peer = env.local.nic, env.remote.nic
    with nic.with_flag("allmulticast"):
        _hears_multicasts(env, env.local)
        number = env.local.call("rawnet.listen", ifname=nic.name)
        here, there = Watch(env.local), Watch(env.remote)
        common = {"src": peer.mac, "run": 50, "size": 300, "count": FRAMES}
        collecting = env.local.begin("rawnet.collect", number=number, run=50,
                                     until={"label": 3, "count": FRAMES})
        env.remote.call("rawnet.send", ifname=peer.name, frames=[
            dict(common, dst=nic.mac, label=1), dict(common, dst=MULTICAST, label=2),
            dict(common, dst="ff:ff:ff:ff:ff:ff", label=3)])
        got = collecting.result()["seen"]
        received, sent = here.nic(), there.nic()
    expect_equal("frames that arrived", got, {"1": FRAMES, "2": FRAMES, "3": FRAMES})
    # the stacks of both ends may have added a few of their own
    some = 60
    for delta, names in ((received, ("rx_vport_unicast_packets", "rx_vport_multicast_packets",
                                     "rx_vport_broadcast_packets")),
                         (sent, ("tx_vport_unicast_packets", "tx_vport_multicast_packets",
                                 "tx_vport_broadcast_packets"))):
        for name in names:
            expect(delta.has(name), f"there is no counter {name}")
            expect(FRAMES <= delta[name] <= FRAMES + some,
                   f"{name} moved by {delta[name]}; {FRAMES} frames of that kind were sent")
            octets = name.replace("_packets", "_bytes")
            expect(FRAMES * 300 <= delta[octets] <= (FRAMES + some) * 310,
                   f"{octets} moved by {delta[octets]} for {delta[name]} frames of 300 bytes")
    for delta, name in ((received, "rx_packets_phy"), (sent, "tx_packets_phy")):
        expect(3 * FRAMES <= delta[name] <= 3 * FRAMES + some,
               f"{name} moved by {delta[name]}; {3 * FRAMES} frames passed")
    expect_equal("rx_packets", received["rx_packets"] >= 3 * FRAMES, True)


@test("counters/monotonic")
def monotonic(env):
    """No counter runs backwards while traffic flows."""
    nic = env.local.nic
    with traffic.background(env) as flow:
        before = ethtool(env.local, nic.name)
        expect(before, f"`ethtool -S {nic.name}` shows no counter")
        for _ in range(5):
            flow.progress()
            after = ethtool(env.local, nic.name)
            back = {name: (before[name], value) for name, value in after.items()
                    if value < before.get(name, 0)}
            expect(not back, f"counters that ran backwards (before, after): {back}")
            before = after


@test("counters/out-of-buffer")
@needs("driver:mlx5_core")
def out_of_buffer(env):
    """The Q counter of packets that found no buffer exists, and traffic at rest leaves it."""
    values = ethtool(env.local, env.local.nic.name)
    for name in ("rx_out_of_buffer", "rx_discards_phy", "rx_packets", "tx_packets",
                 "rx_csum_unnecessary", "tx_csum_partial", "rx0_packets", "tx0_packets"):
        expect(name in values, f"there is no counter {name}")
    watch = Watch(env.local)
    traffic.both_ways(env, 4, 1 << 20)
    note(f"rx_out_of_buffer moved by {watch.nic()['rx_out_of_buffer']}")
    expect_equal("rx_wqe_err", watch.nic()["rx_wqe_err"], 0)
    expect_equal("tx_cqe_err", watch.nic()["tx_cqe_err"], 0)


@test("counters/queues-add-up")
@needs("driver:mlx5_core")
def add_up(env):
    """The sum over the channels is the total."""
    traffic.both_ways(env, 4, 1 << 20)

    def consistent():
        values = ethtool(env.local, env.local.nic.name)
        sums = {direction: sum(value for name, value in values.items()
                               if name.startswith(direction) and name.endswith("_packets")
                               and name[2:-8].isdigit()) for direction in ("rx", "tx")}
        return all(sums[direction] == values[f"{direction}_packets"] for direction in sums)

    wait_for("packets of the channels add up to rx_packets and tx_packets", consistent)


@test("counters/checksum-offload")
@needs("driver:mlx5_core")
def checksum_offload(env):
    """The device vouched for the checksums of TCP traffic, and made those that were sent."""
    watch = Watch(env.local)
    traffic.both_ways(env, 4, 2 << 20)
    delta = watch.nic()
    vouched = delta["rx_csum_complete"] + delta["rx_csum_unnecessary"]
    expect(vouched > delta["rx_csum_none"],
           f"rx_csum_complete+unnecessary moved by {vouched}, rx_csum_none by "
           f"{delta['rx_csum_none']}")
    expect(delta["tx_csum_partial"] > 0, "tx_csum_partial did not move")


@test("counters/steering-discards")
@needs("driver:mlx5_core")
def steering_discards(env):
    """Frames to an address that nobody asked for are counted as steering discards."""
    name, peer = "rx_steer_missed_packets", env.remote.nic
    watch = Watch(env.local)
    env.remote.call("rawnet.send", ifname=peer.name, frames=[
        {"src": peer.mac, "dst": "02:de:ad:00:00:01", "run": 51, "label": 1,
         "count": FRAMES}])
    wait_for(f"{name} to move by {FRAMES}", lambda: watch.nic()[name] >= FRAMES)
