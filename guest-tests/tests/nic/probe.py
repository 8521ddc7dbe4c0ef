# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver found the device and made an interface of it, without complaint."""

import os
import re

from lib import dmesg
from lib.case import expect, expect_equal, fail, needs, test, wait_for
from lib.ktap import note

DRIVER = os.environ.get("DRIVER", "mlx5_core")

# before the first test: what the driver said while it probed
BOOT_ALLOWED = ()


@test("probe/driver", smoke=True)
def driver(env):
    """The expected driver is bound, and says which device and firmware it sees."""
    info = env.local.nic.driver_info()
    expect_equal("driver of " + env.local.nic.name, info["driver"], DRIVER)
    expect_equal("bus-info", info["bus-info"], env.pci)
    if DRIVER == "mlx5_core":
        expect(re.match(r"\d+\.\d+\.\d+", info["firmware-version"]),
               f"firmware-version is {info['firmware-version']!r}")


@test("probe/peer", smoke=True)
def peer(env):
    """The other NIC of the pair too: in the lab the same one, elsewhere whatever it is."""
    info = env.remote.nic.driver_info()
    if env.lab:
        expect_equal("driver of " + env.remote.nic.name, info["driver"], DRIVER)
    else:
        expect(info["driver"], f"{env.remote.nic.name} of the remote end names no driver: {info}")
        env.observe("driver of the peer", info["driver"])
    if env.remote_pci:
        expect_equal("bus-info of " + env.remote.nic.name, info["bus-info"], env.remote_pci)


@test("probe/dmesg", smoke=True)
def kernel_log(env):
    """Nothing wrong has been logged since the machine started."""
    log = dmesg.Kmsg(from_start=True)
    wrong = dmesg.judge(log.lines(), env.names(), BOOT_ALLOWED)
    log.close()
    expect(not wrong, "in the kernel's log since its start:\n" + "\n".join(wrong))


@test("probe/interrupts")
def interrupts(env):
    """MSI-X vectors are in use, at least one for each channel and one for the rest."""
    found = env.local.listdir(f"/sys/bus/pci/devices/{env.pci}/msi_irqs")
    channels = env.local.nic.channels()[0]
    expect(len(found) > channels,
           f"{len(found)} interrupt vectors for {channels} channels, expected at least "
           f"{channels + 1}")


@test("probe/features")
@needs("driver:mlx5_core")
def features(env):
    """The stateless offloads are there and on, as the driver leaves them."""
    found = env.local.nic.features()
    off = [name for name in ("rx-checksumming", "tx-checksumming", "scatter-gather",
                             "tcp-segmentation-offload", "generic-receive-offload",
                             "rx-vlan-offload", "tx-vlan-offload", "receive-hashing",
                             "rx-vlan-filter")
           if not found.get(name, (False, True))[0]]
    expect(not off, "off by default: " + ", ".join(off))


@test("probe/self-test")
@needs("driver:mlx5_core")
def self_test(env):
    """ethtool -t: link, speed, health, and a packet to itself that comes back.

    The driver waits 200 ms for that one, which a busy machine may need for itself: so tries."""
    said = []

    def passes():
        said.append(env.local.run("ethtool", "-t", env.local.nic.name, check=False))
        return said[-1].rc == 0

    try:
        wait_for("ethtool -t passes", passes, 120)
    finally:
        note(" ".join(said[-1].out.split()))
    lines = [line.split("\t") for line in said[-1].out.splitlines() if line.rstrip().endswith("0")]
    expect(len(lines) >= 4, f"expected four tests or more that end with 0: {said[-1].out}")


@test("probe/address")
def address(env):
    """The interface has a unicast address of its own, other than the peer's."""
    for host in env.hosts:
        first = int(host.nic.mac.split(":")[0], 16)
        expect(not first & 1, f"{host.nic.name} has the multicast address {host.nic.mac}")
    if env.local.nic.mac == env.remote.nic.mac:
        fail(f"both ends have the address {env.local.nic.mac}")
