# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver is unloaded and loaded again, and nothing stays behind in the device."""

import time

from lib import traffic
from lib.case import expect, needs, test
from lib.ktap import note
from lib.net import ping

TIMES = 10


def _unload(env):
    env.local.run("modprobe", "-r", env.driver, timeout=500)


def _load(env):
    env.local.run("modprobe", env.driver, timeout=500)
    env.set_up_network()
    env.settle()


def _nothing_alive(env):
    """Every object of the device is gone. What is left is named."""
    alive = {kind: count for kind, count in env.lab.objects().items() if count}
    expect(not alive, f"objects alive in the device without a driver: {alive}")


@test("reload/driver", guard=1150.0, full=True)
@needs("module-reload")
def reload(env):
    """modprobe -r and modprobe, ten times; each time the peer is reached again."""
    env.cleanup.callback(_ensure_loaded, env)
    took = []
    for turn in range(TIMES):
        started = time.monotonic()
        _unload(env)
        _load(env)
        took.append(time.monotonic() - started)
        for family in (4, 6):
            expect(ping(env.local, env.remote.address(family), count=2) == 2,
                   f"no answer over IPv{family} after reload {turn + 1}")
    note("seconds of each reload: " + " ".join(f"{value:.1f}" for value in took))
    traffic.both_ways(env)


@test("reload/under-traffic", guard=900.0)
@needs("module-reload")
def under_traffic(env):
    """The driver goes while connections are busy, and comes back."""
    env.cleanup.callback(_ensure_loaded, env)
    for _ in range(3):
        address = env.remote.address(4)
        server = env.remote.call("tcp.udp_sink", address=address)
        traffic.send_without_end(env)
        burst = env.local.begin("tcp.udp_burst", address=address, port=server["port"],
                                source_ports=[46000], count=2000)
        _unload(env)
        try:
            burst.result()
        except Exception as error:      # pylint: disable=broad-except
            note(f"the sender noticed: {error}")
        for host in env.hosts:
            host.restart()              # whatever was open is gone
        _load(env)
    traffic.both_ways(env)


@test("reload/nothing-left", guard=900.0, smoke=True)
@needs("module-reload", "lab:objects")
def nothing_left(env):
    """Without a driver the device has no live object; with one it has some."""
    env.cleanup.callback(_ensure_loaded, env)
    for _ in range(2):
        expect(any(env.lab.objects().values()), "the device shows no object with a driver bound: "
                                                "the count cannot be right")
        _unload(env)
        _nothing_alive(env)
        _load(env)


def _ensure_loaded(env):
    """Whatever happened: the driver is there at the end."""
    if any(host.nic.link() is None for host in env.hosts):
        _load(env)
