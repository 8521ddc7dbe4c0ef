# SPDX-License-Identifier: GPL-2.0-or-later
"""The link goes down and comes back, from either side, and traffic survives it."""

import re

from lib import traffic
from lib.case import Failure, expect, expect_equal, test, wait_for
from lib.net import ping

FOLLOWS = 10.0          # seconds that a carrier is given to follow the other end of a cable


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


class Cable:
    """What takes the link away. The lab pulls the cable and the carrier must follow. Elsewhere the
    peer's interface goes down: whether its port then keeps the link up is the peer's affair (some
    NICs are told to by their firmware), so it is observed; nothing passes in either case."""

    def __init__(self, env):
        self._env = env
        self._state = env.remote.nic.state()
        # whether the carrier follows; None until it was seen
        self.follows = True if env.lab else None
        env.cleanup.callback(self.plug)

    def pull(self, watched=True):
        """No link. `watched`: the interface is up, so the carrier can be asked for."""
        if self._env.lab:
            self._env.lab.link(False)
        else:
            self._env.remote.nic.set_up(False)
        if not watched:
            return
        if self.follows is None:
            self.follows = self._carrier_goes()
            self._env.observe("carrier follows the peer's port", self.follows)
        elif self.follows:
            wait_for("carrier is lost when the cable is pulled", self._lost)

    def _lost(self):
        return self._env.local.nic.carrier() is False

    def _carrier_goes(self):
        try:
            wait_for("carrier is lost when the peer's port is down", self._lost, FOLLOWS)
        except Failure:
            return False
        return True

    def plug(self):
        """The link is back, once the NIC has seen it."""
        if self._env.lab:
            self._env.lab.link(True)
        else:
            self._env.remote.nic.set_state(self._state)

    def back(self):
        """plug(), and the interface, which is up, says so."""
        self.plug()
        wait_for("carrier is there when the cable is plugged", self._env.local.nic.carrier)


@test("link/cable", smoke=True)
def cable(env):
    """Carrier follows the cable (see Cable), and nothing passes without it."""
    link = Cable(env)
    for _ in range(3):
        link.pull()
        expect_equal("echoes without a cable",
                     ping(env.local, env.remote.address(4), count=1, wait=1), 0)
        link.back()
    _reachable(env)


@test("link/cable-under-traffic")
def cable_under_traffic(env):
    """A TCP connection outlives a pulled cable."""
    link = Cable(env)
    with traffic.background(env) as flow:
        flow.progress()
        link.pull()
        link.back()
        flow.progress()


@test("link/cable-while-down")
def cable_while_down(env):
    """A cable that was pulled and plugged while the interface was down leaves no trace; one that
    is still out shows when the interface comes up."""
    nic = env.local.nic
    state = nic.state()
    link = Cable(env)
    nic.set_up(False)
    link.pull(watched=False)
    nic.set_up(True)
    if env.lab:
        expect_equal("carrier without a cable", nic.carrier(), False)
    else:
        env.observe("carrier of an interface that comes up while the peer's is down",
                    nic.carrier())
    link.back()
    nic.set_up(False)
    link.pull(watched=False)
    link.plug()
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
