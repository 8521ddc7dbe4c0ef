# SPDX-License-Identifier: GPL-2.0-or-later
"""Tunnels between the two ends: the NIC fills in the checksums of the inner packets and cuts them
up, and the other end gets every byte."""

import contextlib

from lib import traffic
from lib.case import Skip, add, expect
from lib.counters import Watch
from lib.ktap import note
from lib.net import Nic, ping

ADDRESSES = {"local": ("10.78.0.1/24", "fd78::1/64"), "remote": ("10.78.0.2/24", "fd78::2/64")}
SIZE = 1 << 20

# (name, kind of interface, outer IP version, further words, what switches the offload)
TUNNELS = (
    ("vxlan", "vxlan", 4, "id 100 dstport 4789 noudpcsum local {here} remote {there} dev {nic}",
     "tx-udp_tnl-segmentation"),
    ("vxlan-port", "vxlan", 6, "id 100 dstport 7777 udp6zerocsumtx udp6zerocsumrx local {here} "
     "remote {there} dev {nic}", "tx-udp_tnl-segmentation"),
    ("vxlan-csum", "vxlan", 4, "id 100 dstport 4789 udpcsum local {here} remote {there} dev {nic}",
     "tx-udp_tnl-csum-segmentation"),
    ("geneve", "geneve", 4, "id 100 remote {there}", "tx-udp_tnl-segmentation"),
    ("gre", "gre", 4, "local {here} remote {there} dev {nic}", "tx-gre-segmentation"),
    # without csum: the driver announces tx-checksum-ip-generic, so the kernel leaves the checksum
    # in a GRE header to it, and it asks the NIC for one of TCP or UDP: 0 is sent, and refused
    ("gre-key", "gretap", 4, "key 77 local {here} remote {there} dev {nic}",
     "tx-gre-segmentation"),
    ("ip", "ip6tnl", 6, "mode any local {here} remote {there} dev {nic}",
     "tx-ipxip6-segmentation"),
)


def _make(env, host, name, kind, version, words):
    words = words.format(here=host.address(version), there=env.other(host).address(version),
                         nic=host.nic.name).split()
    made = host.run("ip", "link", "add", name, "type", kind, *words, check=False)
    if made.rc != 0 and "Unknown device type" in made.err:
        raise Skip(f"the kernel of the {host.name} end has no {kind}")
    expect(made.rc == 0, f"`ip link add type {kind} {' '.join(words)}`: {made.err.strip()}")


@contextlib.contextmanager
def _tunnel(env, kind, version, words):
    """A tunnel between the ends; its addresses stand in for the ends' own."""
    name = "gttun"
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            _make(env, host, name, kind, version, words)
            stack.callback(host.run, "ip", "link", "del", "dev", name)
        for host in env.hosts:
            batch = [f"addr add {address} dev {name}" + (" nodad" if ":" in address else "")
                     for address in ADDRESSES[host.name]] + [f"link set dev {name} up"]
            host.run("ip", "-batch", "-", data="\n".join(batch) + "\n")
            Nic(host, name).wait_usable()
            stack.callback(setattr, host, "address", host.address)
            v4, v6 = (entry.split("/")[0] for entry in ADDRESSES[host.name])
            host.address = {4: v4, 6: v6}.get
        yield


def _carry(env, what, inner_tso):
    """Both IP versions inside, both directions; then what the local NIC counted of it."""
    watch = Watch(env.local)
    for family in (4, 6):
        answered = ping(env.local, env.remote.address(family), size=1000, count=2)
        expect(answered == 2, f"IPv{family} {what}: expected 2 answers to 2 pings, got {answered}")
        traffic.transfer(env.local, env.remote, family, SIZE)
        traffic.transfer(env.remote, env.local, family, SIZE)
    delta = watch.nic()
    if env.driver != "mlx5_core":
        return
    note(f"{what}: tx_tso_inner_packets={delta['tx_tso_inner_packets']} "
         f"tx_csum_partial_inner={delta['tx_csum_partial_inner']} "
         f"rx_csum_unnecessary_inner={delta['rx_csum_unnecessary_inner']}")
    if inner_tso:
        expect(delta["tx_tso_inner_bytes"] > SIZE, f"{what}, offload on: expected more than "
               f"{SIZE} bytes cut up by the NIC, got {delta['tx_tso_inner_bytes']}")
    else:
        expect(delta["tx_tso_inner_packets"] == 0, f"{what}, offload off: expected nothing cut up "
               f"by the NIC, got {delta['tx_tso_inner_packets']} packets")


def _test(kind, version, words, feature):
    def run(env):
        nic = env.local.nic
        if not nic.can(feature):
            raise Skip(f"{nic.name} has no {feature}")
        with _tunnel(env, kind, version, words):
            with nic.with_features(**{feature: True}):
                _carry(env, kind, True)
            with nic.with_features(**{feature: False}):
                _carry(env, kind, False)
            if env.driver == "mlx5_core":
                # the driver goes by the verdicts in completions, not by the sum over all bytes
                with nic.with_features(**{feature: True}), \
                        nic.with_private_flag("rx_no_csum_complete", True):
                    watch = Watch(env.local)
                    traffic.transfer(env.remote, env.local, 4, SIZE)
                    _verdicts(kind, watch.nic())
    return run


def _verdicts(kind, delta):
    """What of the packets from the tunnel the NIC has verified, inside and outside."""
    inner = delta["rx_csum_unnecessary_inner"]
    if kind == "geneve":        # the driver knows where its headers are, the NIC does not
        expect(inner == 0, f"geneve: expected no inner verdicts, got {inner}")
        return
    expect(inner > SIZE // 1500 // 2, f"{kind}: expected an inner verdict for most of "
           f"{SIZE // 1500} packets, got {inner}")


for _name, *_how in TUNNELS:
    add(f"tunnel/{_name}", _test(*_how), smoke=_name == "vxlan")
