# SPDX-License-Identifier: GPL-2.0-or-later
"""VLANs: tagged interfaces on both ends, tags put in and taken out by the device or not, and
frames of VLANs that nobody asked for."""

import contextlib
import itertools

from lib.case import Skip, add, expect, expect_equal, needs, test, wait_equal
from lib.net import ping
from lib.tls import Connection

VLAN, OTHER = 100, 101
ADDRESSES = {"local": ("10.77.0.1/24", "fd77::1/64"), "remote": ("10.77.0.2/24", "fd77::2/64")}


@contextlib.contextmanager
def _tagged(env, vlan=VLAN):
    """VLAN interfaces on both ends, whose addresses stand in for the ends' own."""
    before = {host: host.address for host in env.hosts}
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            stack.enter_context(host.nic.with_vlan(vlan, ADDRESSES[host.name]))
            stack.callback(setattr, host, "address", before[host])
            v4, v6 = (entry.split("/")[0] for entry in ADDRESSES[host.name])
            host.address = {4: v4, 6: v6}.get
        yield


def _exercise(env):
    for family in (4, 6):
        for size in (0, 1, 18, 56, 1400, 1472 if family == 4 else 1452):
            for host in env.hosts:
                answered = ping(host, env.other(host).address(family), size=size, count=2,
                                fragment=False)
                expect_equal(f"IPv{family}, {host.name} end, {size} bytes in a VLAN: echo "
                             "requests answered", answered, 2)
        with Connection(env.local, env.remote, family) as connection:
            for finish in [way.begin(2 << 20) for way in (connection.up, connection.down)]:
                finish()


def _vlan(insert, strip):
    def run(env):
        nic = env.local.nic
        wanted = {"tx-vlan-offload": insert, "rx-vlan-offload": strip}
        for name, value in wanted.items():
            on, fixed = nic.features().get(name, (False, True))
            if on != value and fixed:
                raise Skip(f"{name} of {nic.name} cannot be changed")
        with nic.with_features(**wanted), _tagged(env):
            _exercise(env)
    return run


for _insert, _strip in itertools.product((True, False), repeat=2):
    add(f"vlan/{'insert' if _insert else 'software'}-{'strip' if _strip else 'software'}",
        _vlan(_insert, _strip), smoke=_insert and _strip)


@test("vlan/jumbo")
def jumbo(env):
    """The tag comes on top of the MTU."""
    with env.remote.nic.with_mtu(9000), env.local.nic.with_mtu(9000), _tagged(env):
        for family, size in ((4, 8972), (6, 8952)):
            answered = ping(env.local, env.remote.address(family), size=size, count=2,
                            fragment=False)
            expect_equal(f"IPv{family}: echo requests of {size} bytes answered", answered, 2)


@test("vlan/many")
def many(env):
    """Twelve VLANs at once, then none: filters are added and removed."""
    numbers = [1, 2, 4094, *range(200, 209)]
    with contextlib.ExitStack() as stack:
        for index, number in enumerate(numbers):
            for host in env.hosts:
                last = 1 if host is env.local else 2
                stack.enter_context(host.nic.with_vlan(number, [f"10.78.{index}.{last}/24"]))
        for index in range(len(numbers)):
            expect_equal(f"VLAN {numbers[index]}: echo requests answered",
                         ping(env.local, f"10.78.{index}.2", count=1), 1)


@test("vlan/tag-on-wire")
def tag_on_wire(env):
    """The peer sees the tag that the device put in, and the right one."""
    peer, nic = env.remote.nic, env.local.nic
    number = env.remote.call("rawnet.listen", ifname=peer.name)
    with nic.with_vlan(VLAN, []) as tagged, peer.with_vlan(VLAN, []):
        env.local.call("rawnet.send", ifname=tagged, frames=[
            {"dst": peer.mac, "src": nic.mac, "run": 1, "label": 1, "count": 5}])
        got = env.remote.call("rawnet.collect", number=number, run=1,
                              until={"label": 1, "count": 5})
    expect(got["complete"], f"frames sent in VLAN {VLAN} that arrived: {got['seen']}")
    expect_equal("VLAN of the frames as the peer saw them", got["vlans"].get("1"), [VLAN])


@test("vlan/filter")
@needs("driver:mlx5_core")
def unknown_vlan(env):
    """A frame of a VLAN that has no interface is dropped by the filter, unless the interface is
    promiscuous."""
    nic, peer = env.local.nic, env.remote.nic
    if not nic.feature("rx-vlan-filter"):
        raise Skip(f"rx-vlan-filter of {nic.name} is off")
    number = env.local.call("rawnet.listen", ifname=nic.name)
    labels = itertools.count(10, 3)
    common = {"dst": nic.mac, "src": peer.mac, "run": 2, "count": 5}

    def received():
        """Frames received of (an unknown VLAN, a known one, none)."""
        label = next(labels)
        env.remote.call("rawnet.send", ifname=peer.name, frames=[
            dict(common, vlan=OTHER, label=label), dict(common, vlan=VLAN, label=label + 1),
            dict(common, label=label + 2)])
        seen = env.local.call("rawnet.collect", number=number, run=2,
                              until={"label": label + 2, "count": 5})["seen"]
        return tuple(seen.get(str(label + index), 0) for index in range(3))

    # filters change after the command has returned: each expectation is tried until it holds
    what = "frames received of an unknown VLAN, of a known one, untagged"
    with nic.with_vlan(VLAN, []), peer.with_vlan(VLAN, []), peer.with_vlan(OTHER, []):
        wait_equal(what, received, (0, 5, 5))
        with nic.with_flag("promisc"):
            wait_equal(what + ", promiscuous", received, (5, 5, 5))
        wait_equal(what + ", afterwards", received, (0, 5, 5))
