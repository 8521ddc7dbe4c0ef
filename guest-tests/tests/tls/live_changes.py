# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface changes under live, offloaded sessions: features, MTU, rings, channels, link.

Contract tests T-31, T-32, T-33. The sessions survive with every byte right; whether the device
still does the work afterwards is asserted where the driver promises it.
"""

import contextlib

from lib import traffic, txpath
from lib.case import expect, needs, test
from lib.tls import Connection

STEP = 128 << 10


@test("tls-changes/features")
@needs("tls-tx", "tls-rx")
def features(env):
    """TLS offload is switched off and on; existing sessions go on."""
    nic = env.local.nic
    with traffic.session_both_ways(env, STEP) as (_, exchange):
        for name in ("tls-hw-tx-offload", "tls-hw-rx-offload"):
            for _ in range(2):
                if env.software_tls:
                    continue
                with nic.with_features(**{name: False}):
                    exchange()
                exchange()


@test("tls-changes/other-features")
@needs("tls-tx", "tls-rx")
def other_features(env):
    """TSO, GRO and scatter-gather change under the session."""
    nic = env.local.nic
    with traffic.session_both_ways(env, STEP) as (_, exchange):
        for name in ("tcp-segmentation-offload", "generic-receive-offload", "rx-vlan-offload",
                     "receive-hashing"):
            on, fixed = nic.features().get(name, (False, True))
            if fixed:
                continue
            with nic.with_features(**{name: not on}):
                exchange()


@test("tls-changes/mtu")
@needs("tls-tx", "tls-rx")
def mtu(env):
    """The MTU changes on both ends."""
    with traffic.session_both_ways(env, STEP) as (_, exchange):
        for value in (9000, 1280, 1500):
            with traffic.both_mtu(env, value):
                exchange()


@test("tls-changes/rings")
@needs("tls-tx", "tls-rx", "driver:mlx5_core")
def rings(env):
    """Rings of other sizes."""
    with traffic.session_both_ways(env, STEP) as (_, exchange), \
            env.local.nic.with_rings() as change:
        for size in (128, 2048):
            change(size, size)
            exchange()


@test("tls-changes/channels")
@needs("tls-tx", "tls-rx", "channels:2")
def channels(env):
    """More channels, then fewer, under a session that was opened with one.

    A received flow stays with the channel on which it was opened. When that channel goes, the
    driver (6.1 to 6.12) points the flow's table at its drop queue, so only a session of a channel
    that stays can survive.
    """
    most = env.local.nic.channels()[1]
    with env.local.nic.with_channels() as change:
        change(1)
        env.local.nic.wait_ready()
        with traffic.session_both_ways(env, STEP) as (_, exchange):
            for count in (most, 1, most):
                change(count)
                exchange()


@test("tls-changes/channels-new-sessions")
@needs("tls-tx", "tls-rx", "channels:2")
def channels_new_sessions(env):
    """Whatever the number of channels: sessions that are opened then are offloaded and work."""
    with env.local.nic.with_channels() as change:
        for count in (1, env.local.nic.channels()[1], 1):
            change(count)
            env.local.nic.wait_ready()
            with traffic.session_both_ways(env, STEP) as (_, exchange):
                exchange()


@test("tls-changes/link")
@needs("tls-tx", "tls-rx")
def link(env):
    """The interface goes down and up: sessions fall back to software and go on."""
    nic = env.local.nic
    state = nic.state()
    with traffic.session_both_ways(env, STEP) as (_, exchange):
        nic.set_up(False)
        nic.set_state(state)
        nic.wait_ready()
        exchange()


@test("tls-changes/reload", guard=900.0)
@needs("tls-tx", "tls-rx", "module-reload")
def reload(env):
    """The driver is unloaded under 20 live sessions, and offloads new ones afterwards."""
    env.cleanup.callback(_ensure_loaded, env)
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            if not env.software_tls and host.nic.can("tls-hw-rx-offload"):
                host.run("ethtool", "-K", host.nic.name, "tls-hw-rx-offload", "on")
        for index in range(20):
            connection = stack.enter_context(Connection(env.local, env.remote,
                                                        seed=f"{env.seed}/{index}"))
            connection.enable_tls()
            connection.up.move(5000)
        for host in (env.remote, env.local):
            txpath.store_filled(host)
        env.local.run("modprobe", "-r", env.driver, timeout=500)
        if env.lab and env.lab.has("objects"):
            alive = {kind: count for kind, count in env.lab.objects().items() if count}
            expect(not alive, f"objects alive in the device without a driver: {alive}")
        for host in env.hosts:
            host.restart()
        stack.pop_all()         # the sockets went with the agents
    _load(env)
    with traffic.session_both_ways(env, STEP) as (_, exchange):
        exchange()


def _load(env):
    env.local.run("modprobe", env.driver, timeout=500)
    env.set_up_network()
    env.settle()


def _ensure_loaded(env):
    if any(host.nic.link() is None for host in env.hosts):
        _load(env)
