# SPDX-License-Identifier: GPL-2.0-or-later
"""Which frames are received: own address, broadcast, multicast that was asked for; all others
only in promiscuous and allmulticast mode.

That something did not arrive is said after three later frames have arrived. The driver changes its
filters after the command has returned, so each expectation is tried until it holds.
"""

import contextlib
import itertools

from lib.case import add, expect, expect_equal, test, wait_equal

# its end is that of no group the interface is in: a filter by hash may go by these bytes
FOREIGN = "02:de:ad:be:ef:01"
LIKE_ALL_NODES = "02:de:ad:00:00:01"
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


def _expect(env, what, count, destination, destination_of_marker=None):
    """Of COUNT frames to `destination` the local end receives `count`, now or soon."""
    wait_equal(f"frames to {destination} {what}",
               lambda: _received(env, destination, destination_of_marker), count)


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
    _expect(env, "received", COUNT, env.local.nic.mac)


@test("filter/foreign-address", smoke=True)
def foreign(env):
    """Frames to somebody else do not."""
    _expect(env, "received", 0, FOREIGN)


@test("filter/foreign-like-group")
def foreign_like_group(env):
    """Frames to somebody else whose address ends like that of a group, ff02::1, do not either."""
    _expect(env, "received", 0, LIKE_ALL_NODES)


@test("filter/promisc", smoke=True)
def promiscuous(env):
    """In promiscuous mode they do, and afterwards no more."""
    with env.local.nic.with_flag("promisc"):
        for address in (FOREIGN, MULTICAST, env.local.nic.mac):
            _expect(env, "received", COUNT, address)
    _expect(env, "received after promiscuous mode", 0, FOREIGN)


@test("filter/broadcast")
def broadcast(env):
    """Broadcasts arrive."""
    _expect(env, "received", COUNT, BROADCAST)


def _multicast(address):
    def run(env):
        _expect(env, "received before it was asked for", 0, address)
        with _subscribed(env, address):
            _expect(env, "received", COUNT, address)
        _expect(env, "received after it was given up", 0, address)
    return run


add("filter/multicast-v4", _multicast(MULTICAST))
add("filter/multicast-v6", _multicast(MULTICAST_V6))


@test("filter/allmulti")
def allmulti(env):
    """In allmulticast mode every multicast arrives, and still no foreign unicast."""
    with env.local.nic.with_flag("allmulticast"):
        for address in (MULTICAST, MULTICAST_V6):
            _expect(env, "received", COUNT, address)
        _expect(env, "received", 0, FOREIGN)
    _expect(env, "received after allmulticast mode", 0, MULTICAST)


@test("filter/many-multicasts")
def many(env):
    """A hundred addresses at once; the first, the last and one beyond are tried."""
    addresses = [f"01:00:5e:40:00:{index:02x}" for index in range(100)]
    nic = env.local.nic
    for action in ("add", "del"):
        # `ip -batch` ends after the first maddr line
        env.local.run("sh", "-e", data="".join(
            f"ip maddr {action} {address} dev {nic.name}\n" for address in addresses))
        expect_equal(f"addresses in `ip maddr` after {action}",
                     env.local.out("ip", "maddr", "show", "dev", nic.name).count("01:00:5e:40:00:"),
                     len(addresses) if action == "add" else 0)
        for address in (addresses[0], addresses[57], addresses[99]):
            _expect(env, f"after maddr {action}", COUNT if action == "add" else 0, address)
        _expect(env, "received although not asked for", 0, "01:00:5e:40:00:64")


@test("filter/secondary-unicast")
def secondary(env):
    """A second unicast address (a macvlan would ask for one) is received too."""
    nic = env.local.nic
    second = "02:12:34:56:78:9a"
    _expect(env, "received before", 0, second)
    env.local.run("bridge", "fdb", "add", second, "dev", nic.name, "self")
    try:
        _expect(env, "received", COUNT, second)
    finally:
        env.local.run("bridge", "fdb", "del", second, "dev", nic.name, "self")
    _expect(env, "received afterwards", 0, second)


@test("filter/change-address")
def change_address(env):
    """A new address is received from the moment it is set, the old one no more."""
    nic = env.local.nic
    state, old, new = nic.state(), nic.mac, "02:00:00:12:34:56"
    env.cleanup.callback(env.settle)        # last: the next test may count on the old address
    env.cleanup.callback(nic.set_state, state)
    env.local.run("ip", "link", "set", "dev", nic.name, "address", new)
    expect_equal("address after it was set", nic.mac, new)
    # the marker must arrive before the driver has changed its filter, and after it
    _expect(env, "received to the new address", COUNT, new, BROADCAST)
    _expect(env, "received to the old address", 0, old, BROADCAST)
