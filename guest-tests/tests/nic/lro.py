# SPDX-License-Identifier: GPL-2.0-or-later
"""Large receive offload: the device joins segments, and every byte is as it was sent."""

import contextlib

from lib import traffic, wire
from lib.case import Skip, add, expect, expect_equal, needs, test, wait_for
from lib.counters import Watch
from lib.tls import Connection, Offload

SIZE = 4 << 20
LRO = "large-receive-offload"
# the vport's counts of frames, beside which the driver's rx_packets counts segments
WIRE = ("rx_vport_unicast_packets", "rx_vport_multicast_packets", "rx_vport_broadcast_packets")


@contextlib.contextmanager
def joining(env):
    """LRO is on at the local end; yields a Watch of it. The driver and the device agree on what
    was joined, and no segment is counted twice or not at all."""
    nic = env.local.nic
    if not nic.can(LRO):
        raise Skip(f"{nic.name} has no LRO")
    flags = env.local.run("ethtool", "--show-priv-flags", nic.name, check=False).out
    if "rx_striding_rq" in flags and not _striding(flags):
        raise Skip(f"{nic.name} has no striding receive queues, and LRO on no others")
    with nic.with_features(**{LRO: True}):
        watch = Watch(env.local)
        device = env.device(env.local)
        before = device and device.get("counters")
        yield watch
        delta = watch.nic()
        if device and "rx_lro_packets" in before:
            now = device.get("counters")
            wait_for("the driver has counted what the device has joined", lambda: watch.nic()[
                "rx_lro_packets"] == now["rx_lro_packets"] - before["rx_lro_packets"])
        if all(delta.has(name) for name in WIRE):
            # a frame may be under way between the two
            wait_for("the driver has counted each frame once", lambda: _frames(watch.nic()))


def _striding(flags):
    return any(line.split(":")[0].strip() == "rx_striding_rq" and line.split(":")[1].strip() == "on"
               for line in flags.splitlines() if ":" in line)


def _frames(delta):
    return delta["rx_packets"] == sum(delta[name] for name in WIRE)


def expect_joined(watch, least=1):
    """At least `least` packets were joined, each of two segments or more."""
    delta = watch.nic()
    packets, size = delta["rx_lro_packets"], delta["rx_lro_bytes"]
    expect(packets >= least, f"rx_lro_packets moved by {packets}, expected {least} or more")
    expect(size > packets * 2, f"rx_lro_bytes moved by {size} in {packets} packets")


def _bulk(family):
    def run(env):
        """Bytes from the peer, in one direction and in both, joined; off again, nothing is."""
        with joining(env) as watch:
            traffic.transfer(env.remote, env.local, family, SIZE)
            expect_joined(watch)
            delta = watch.nic()
            env.observe("share of the bytes that came joined",
                        round(delta["rx_lro_bytes"] / SIZE, 1))
            traffic.both_ways(env, family, 1 << 20)
        watch = Watch(env.local)
        traffic.transfer(env.remote, env.local, family, 1 << 20)
        expect_equal("rx_lro_packets with LRO off", watch.nic()["rx_lro_packets"], 0)
    return run


add("lro/v4", _bulk(4), smoke=True)
add("lro/v6", _bulk(6))


@test("lro/writes")
def writes(env):
    """Writes of 1 to 3000 bytes, sent at once: short segments and PSH everywhere."""
    with joining(env), Connection(env.remote, env.local,
                                  options={"TCP_NODELAY": 1}) as connection:
        connection.up.move(300_000, sizes=list(range(1, 3000, 37)))


@test("lro/jumbo")
def jumbo(env):
    """Large frames, of which fewer fit."""
    with traffic.both_mtu(env, 9000), joining(env) as watch:
        for family in (4, 6):
            traffic.transfer(env.remote, env.local, family, SIZE)
        expect_joined(watch)


@test("lro/many")
def many(env):
    """More connections at once than the device keeps apart, in both directions."""
    with joining(env) as watch, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection(
            *(env.hosts[::-1] if index % 4 else env.hosts), family=4 if index % 2 else 6,
            seed=f"lro-{index}")) for index in range(48)]
        for finish in [connection.up.begin(128 << 10) for connection in connections]:
            finish()
        expect_joined(watch)


@test("lro/loss")
@needs("wire")
def loss(env):
    """Packets that are lost, late and doubled: what TCP repairs is repaired."""
    with joining(env) as watch, wire.rules(env) as box:
        for family in (4, 6):
            with Connection(env.remote, env.local, family) as connection:
                for text in ("drop p=0.01 seed=3", "delay p=0.03 packets=3 seed=4",
                             "duplicate p=0.02 seed=5"):
                    box.add(connection.up, text)
                connection.up.move(SIZE)
        expect_joined(watch)


@test("lro/tls")
@needs("tls-rx", "ktls")
def tls(env):
    """A connection that the device decrypts beside one that it joins: no packet of the first is
    joined, and each is decrypted."""
    with joining(env) as watch, Offload(env, env.local, rx=True) as offload, \
            Connection(env.remote, env.local, seed="secret") as secret:
        secret.enable_tls()
        offload.check_configuration(secret)
        before = watch.nic()
        secret.up.move(1 << 20)
        delta = watch.nic()
        expect_equal("packets joined while TLS alone is moving",
                     delta["rx_lro_packets"] - before["rx_lro_packets"], 0)
        expect(delta["rx_tls_decrypted_packets"] >= (1 << 20) // 1500,
               f"rx_tls_decrypted_packets moved by {delta['rx_tls_decrypted_packets']}")
        with Connection(env.remote, env.local, seed="plain") as plain:
            for finish in [way.begin(2 << 20) for way in (secret.up, plain.up)]:
                finish()
        expect_joined(watch)
        offload.check_no_error()
