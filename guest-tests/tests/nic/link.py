# SPDX-License-Identifier: GPL-2.0-or-later
"""The link goes down and comes back, from either side, and traffic survives it."""

import re

from lib import traffic
from lib.case import expect, expect_equal, needs, test, wait_for
from lib.net import ping


def _reachable(env):
    for family in (4, 6):
        wait_for(f"IPv{family} works again", lambda version=family: ping(
            env.local, env.remote.address(version), count=1, wait=2), 60)


@test("link/admin", smoke=True)
def admin(env):
    """`ip link set down` and `up`, five times; traffic flows afterwards."""
    nic = env.local.nic
    state = nic.state()
    for _ in range(5):
        nic.set_up(False)
        expect_equal("carrier of an interface that is down", nic.carrier(), None)
        nic.set_up(True)
        wait_for("carrier after `ip link set up`", nic.carrier)
    nic.set_state(state)        # IPv6 addresses went away with the link
    nic.wait_ready()
    _reachable(env)
    traffic.transfer(env.local, env.remote)
    traffic.transfer(env.remote, env.local)


@test("link/admin-under-traffic")
def admin_under_traffic(env):
    """A TCP connection outlives an interface that is down for a moment."""
    nic = env.local.nic
    state = nic.state()
    with traffic.background(env) as flow:
        flow.progress()
        nic.set_up(False)
        nic.set_state(state)
        nic.wait_ready()
        flow.progress()


@test("link/cable", smoke=True)
@needs("lab")
def cable(env):
    """Carrier follows what the lab does to the cable."""
    nic = env.local.nic
    env.cleanup.callback(env.lab.link, True)
    for _ in range(3):
        env.lab.link(False)
        wait_for("carrier is lost when the cable is pulled", lambda: nic.carrier() is False)
        env.lab.link(True)
        wait_for("carrier is there when the cable is plugged", nic.carrier)
    _reachable(env)


@test("link/cable-under-traffic")
@needs("lab")
def cable_under_traffic(env):
    """A TCP connection outlives a pulled cable."""
    nic = env.local.nic
    env.cleanup.callback(env.lab.link, True)
    with traffic.background(env) as flow:
        flow.progress()
        env.lab.link(False)
        wait_for("carrier is lost when the cable is pulled", lambda: nic.carrier() is False)
        env.lab.link(True)
        wait_for("carrier is there when the cable is plugged", nic.carrier)
        flow.progress()


@test("link/cable-while-down")
@needs("lab")
def cable_while_down(env):
    """A cable that was pulled and plugged while the interface was down leaves no trace; one that
    is still out shows when the interface comes up."""
    nic = env.local.nic
    state = nic.state()
    env.cleanup.callback(env.lab.link, True)
    nic.set_up(False)
    env.lab.link(False)
    nic.set_up(True)
    expect_equal("carrier without a cable", nic.carrier(), False)
    env.lab.link(True)
    wait_for("carrier is there when the cable is plugged", nic.carrier)
    nic.set_up(False)
    env.lab.link(False)
    env.lab.link(True)
    nic.set_state(state)
    nic.wait_ready()
    _reachable(env)


@test("link/speed")
def speed(env):
    """ethtool shows a link and its speed."""
    text = env.local.out("ethtool", env.local.nic.name)
    expect("Link detected: yes" in text, f"ethtool says:\n{text}")
    if env.driver == "mlx5_core":
        match = re.search(r"Speed: (\d+)Mb/s", text)
        expect(match and int(match[1]) >= 1000, f"no speed in what ethtool says:\n{text}")
        expect("Duplex: Full" in text, f"not full duplex in what ethtool says:\n{text}")
