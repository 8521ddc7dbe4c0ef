# SPDX-License-Identifier: GPL-2.0-or-later
"""Which frames are received: own address, broadcast, multicast that was asked for; all others
only in promiscuous and allmulticast mode.

That something did not arrive is said after three later frames have arrived.
"""

import contextlib
import itertools

from lib.case import add, expect, expect_equal, test

FOREIGN = "02:de:ad:00:00:01"
MULTICAST = "01:00:5e:7f:11:22"
MULTICAST_V6 = "33:33:00:11:22:33"
BROADCAST = "ff:ff:ff:ff:ff:ff"
COUNT = 5
_runs = itertools.count(100)


def _received(env, destination, destination_of_marker=None):
    """How many of COUNT frames to `destination` the local end receives."""
    run, nic, peer = next(_runs), env.local.nic, env.remote.nic
    number = env.local.call("rawnet.listen", ifname=nic.name)
    try:
        common = {"src": peer.mac, "run": run}
        env.remote.call("rawnet.send", ifname=peer.name, frames=[
            dict(common, dst=destination, label=1, count=COUNT),
            dict(common, dst=destination_of_marker or nic.mac, label=2, count=3)])
        got = env.local.call("rawnet.collect", number=number, run=run,
                             until={"label": 2, "count": 3})
    finally:
        env.local.call("rawnet.close", number=number)
    expect(got["complete"], f"frames to the interface's own address do not arrive: {got['seen']}")
    return got["seen"].get("1", 0)


@contextlib.contextmanager
def _subscribed(env, address):
    nic = env.local.nic
    env.local.run("ip", "maddr", "add", address, "dev", nic.name)
    try:
        yield
    finally:
        env.local.run("ip", "maddr", "del", address, "dev", nic.name)


@test("filter/own-address", smoke=True)
def own(env):
    """Frames to the interface's own address arrive."""
    expect_equal("received", _received(env, env.local.nic.mac), COUNT)


@test("filter/foreign-address", smoke=True)
def foreign(env):
    """Frames to somebody else do not."""
    expect_equal("received", _received(env, FOREIGN), 0)


@test("filter/promisc", smoke=True)
def promiscuous(env):
    """In promiscuous mode they do, and afterwards no more."""
    with env.local.nic.with_flag("promisc"):
        for address in (FOREIGN, MULTICAST, env.local.nic.mac):
            expect_equal(f"received of {address}", _received(env, address), COUNT)
    expect_equal("received after promiscuous mode", _received(env, FOREIGN), 0)


@test("filter/broadcast")
def broadcast(env):
    """Broadcasts arrive."""
    expect_equal("received", _received(env, BROADCAST), COUNT)


def _multicast(address):
    def run(env):
        expect_equal("received before it was asked for", _received(env, address), 0)
        with _subscribed(env, address):
            expect_equal("received", _received(env, address), COUNT)
        expect_equal("received after it was given up", _received(env, address), 0)
    return run


add("filter/multicast-v4", _multicast(MULTICAST))
add("filter/multicast-v6", _multicast(MULTICAST_V6))


@test("filter/allmulti")
def allmulti(env):
    """In allmulticast mode every multicast arrives, and still no foreign unicast."""
    with env.local.nic.with_flag("allmulticast"):
        for address in (MULTICAST, MULTICAST_V6):
            expect_equal(f"received of {address}", _received(env, address), COUNT)
        expect_equal(f"received of {FOREIGN}", _received(env, FOREIGN), 0)
    expect_equal("received after allmulticast mode", _received(env, MULTICAST), 0)


@test("filter/many-multicasts")
def many(env):
    """A hundred addresses at once; the first, the last and one beyond are tried."""
    addresses = [f"01:00:5e:40:00:{index:02x}" for index in range(100)]
    nic = env.local.nic
    for action in ("add", "del"):
        env.local.run("ip", "-batch", "-", data="".join(
            f"maddr {action} {address} dev {nic.name}\n" for address in addresses))
        for address in (addresses[0], addresses[57], addresses[99]):
            expect_equal(f"received of {address} after maddr {action}", _received(env, address),
                         COUNT if action == "add" else 0)
        expect_equal("received of one that was not asked for",
                     _received(env, "01:00:5e:40:00:64"), 0)


@test("filter/secondary-unicast")
def secondary(env):
    """A second unicast address (a macvlan would ask for one) is received too."""
    nic = env.local.nic
    second = "02:12:34:56:78:9a"
    expect_equal("received before", _received(env, second), 0)
    env.local.run("bridge", "fdb", "add", second, "dev", nic.name, "self")
    try:
        expect_equal("received", _received(env, second), COUNT)
    finally:
        env.local.run("bridge", "fdb", "del", second, "dev", nic.name, "self")
    expect_equal("received afterwards", _received(env, second), 0)


@test("filter/change-address")
def change_address(env):
    """A new address is received from the moment it is set, the old one no more."""
    nic = env.local.nic
    state, old, new = nic.state(), nic.mac, "02:00:00:12:34:56"
    env.cleanup.callback(nic.set_state, state)
    env.local.run("ip", "link", "set", "dev", nic.name, "address", new)
    expect_equal("address after it was set", nic.mac, new)
    expect_equal("received to the new address", _received(env, new, new), COUNT)
    expect_equal("received to the old address", _received(env, old, new), 0)
