# SPDX-License-Identifier: GPL-2.0-or-later
"""Every stateless offload, on and off: the bytes are the same, and the offload is used or not."""

import contextlib

from lib import traffic
from lib.case import Skip, add, expect, test
from lib.counters import Watch
from lib.ktap import note
from lib.net import Tied

FEATURES = ("rx-checksumming", "tx-checksumming", "scatter-gather", "tcp-segmentation-offload",
            "generic-segmentation-offload", "generic-receive-offload", "rx-vlan-offload",
            "tx-vlan-offload", "receive-hashing", "large-receive-offload", "rx-gro-hw",
            "tx-nocache-copy", "tx-udp-segmentation", "rx-gro-list", "rx-udp-gro-forwarding")


def _both_directions(env):
    for host in env.hosts:
        for family in (4, 6):
            traffic.transfer(host, env.other(host), family, 512 << 10)


def _toggle(name):
    def run(env):
        nic = env.local.nic
        on, fixed = nic.features().get(name, (False, True))
        if fixed:
            raise Skip(f"{name} of {nic.name} cannot be changed")
        for value in (not on, on):
            with nic.with_features(**{name: value}):
                _both_directions(env)
    return run


for _name in FEATURES:
    add(f"offload/{_name}", _toggle(_name))


@test("offload/all-off")
def all_off(env):
    """With everything off that can be, the device is a plain NIC."""
    nic = env.local.nic
    found = nic.features()
    off = {name: False for name in FEATURES if not found.get(name, (False, True))[1]}
    with nic.with_features(**off):
        _both_directions(env)


@test("offload/toggle-under-traffic")
def under_traffic(env):
    """Features change while a connection is busy."""
    nic = env.local.nic
    with traffic.background(env) as flow:
        for name in FEATURES:
            on, fixed = nic.features().get(name, (False, True))
            if fixed:
                continue
            flow.progress()
            with contextlib.suppress(Tied), nic.with_features(**{name: not on}):
                flow.progress()


@test("offload/tso-cuts", smoke=True)
def tso_cuts(env):
    """With TSO the stack hands over large pieces and the device cuts them; without, it does not.

    What leaves is the same number of wire segments: the peer counts what arrives.
    """
    nic = env.local.nic
    if not nic.can("tcp-segmentation-offload"):
        raise Skip(f"{nic.name} has no TSO")
    for mtu in (1500, 9000):
        with traffic.both_mtu(env, mtu):
            for value in (True, False):
                with nic.with_features(tcp_segmentation_offload=value):
                    _one_tso(env, value)


def _one_tso(env, value):
    for family in (4, 6):
        watch = Watch(env.local)
        info = traffic.transfer(env.local, env.remote, family, 4 << 20)
        delta = watch.nic()
        note(f"IPv{family}, segments of {info['snd_mss']}, TSO {'on' if value else 'off'}: "
             f"tx_tso_packets={delta['tx_tso_packets']} data_segs_out={info['data_segs_out']}")
        smallest = (4 << 20) // info["snd_mss"]
        expect(info["data_segs_out"] >= smallest,
               f"{info['data_segs_out']} segments cannot carry it; {smallest} at least")
        if delta.has("tx_tso_packets"):
            if value:
                expect(delta["tx_tso_packets"] > 0, "TSO is on and was never used")
                expect(delta["tx_tso_bytes"] > 1 << 20,
                       f"TSO is on and carried only {delta['tx_tso_bytes']} of {4 << 20} bytes")
            else:
                expect(delta["tx_tso_packets"] == 0, f"TSO is off and tx_tso_packets moved by "
                                                     f"{delta['tx_tso_packets']}")
