# SPDX-License-Identifier: GPL-2.0-or-later
"""Channels and rings change their number and size while traffic flows."""

from lib import traffic
from lib.case import Skip, expect, expect_equal, needs, test


def _queues(host):
    names = host.listdir(host.nic.sysfs("queues"))
    return sum(name.startswith("rx-") for name in names)


@test("queues/channels-under-traffic")
@needs("channels:2")
def channels(env):
    """ethtool -L from one channel to as many as there can be and back."""
    nic = env.local.nic
    most = nic.channels()[1]
    with nic.with_channels() as change, traffic.background(env) as flow:
        for count in [*range(1, most + 1), 1, most]:
            flow.progress()
            change(count)
            nic.wait_ready()
            expect_equal("channels after the change", nic.channels()[0], count)
            expect_equal("queues in sysfs", _queues(env.local), count)
            flow.progress()


@test("queues/channels-refused")
@needs("channels:2")
def too_many(env):
    """One channel more than possible is refused and changes nothing."""
    nic = env.local.nic
    current, most = nic.channels()
    for count in (0, most + 1):
        result = env.local.run("ethtool", "-L", nic.name, "combined", count, check=False)
        expect(result.rc != 0, f"{count} channels were accepted; {most} is the most")
    expect_equal("channels afterwards", nic.channels()[0], current)


@test("queues/rings-under-traffic")
def rings(env):
    """ethtool -G with small, large and unequal rings."""
    nic = env.local.nic
    most = nic.rings()[1]
    if not most["RX"] or not most["TX"]:
        raise Skip(f"{nic.name} has no ring sizes")
    steps = [(rx, tx) for rx, tx in ((64, 128), (128, 1024), (256, 256), (2048, 2048),
                                     (most["RX"], most["TX"]))
             if rx <= most["RX"] and tx <= most["TX"]]
    with nic.with_rings() as change, traffic.background(env) as flow:
        for rx, tx in steps:
            flow.progress()
            change(rx, tx)
            nic.wait_ready()
            got = nic.rings()[0]
            expect(got["RX"] >= rx and got["TX"] >= tx, f"rings are {got}; {rx}/{tx} were set")
            flow.progress()


@test("queues/tiny-rings")
@needs("driver:mlx5_core")
def tiny_rings(env):
    """Rings as small as the driver allows still carry everything."""
    nic = env.local.nic
    with nic.with_rings() as change:
        change(16, 128)
        for family in (4, 6):
            traffic.both_ways(env, family, 1 << 20)
