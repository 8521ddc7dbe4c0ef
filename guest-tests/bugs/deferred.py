# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver's poll function is kept from running for a while, as a busy machine would.

Responsible for: the two settings of the interface for that.
State: none beyond the block.
Callers: modules of bugs/ that need something to happen between a CQE and the poll that sees it.
"""

import contextlib

from lib.case import wait_for
from lib.counters import ethtool
from lib.net import ping

from . import say

SECONDS = 20        # enough for what has to happen meanwhile, on a slow machine
POLLS = 100         # that leave the interrupt off, more than there are


@contextlib.contextmanager
def deferred(env):
    """From the next poll with a packet on, the channel is polled when SECONDS are over, and before
    that once for each completion queue that still has its event to give. Yields a function that
    waits for the former."""
    nic = env.local.nic
    values = {"napi_defer_hard_irqs": POLLS, "gro_flush_timeout": SECONDS * 10**9}
    for name in env.local.listdir(nic.sysfs("queues")):
        # a queue that waits for its completions must not be taken for one that hangs
        if "byte_queue_limits" in env.local.listdir(nic.sysfs("queues", name)):
            values[f"queues/{name}/byte_queue_limits/limit_min"] = 1 << 20
    before = {name: env.local.read(nic.sysfs(name)) for name in values}
    for name, value in values.items():
        env.local.write(nic.sysfs(name), value)

    def restore():
        for name, value in before.items():
            env.local.write(nic.sysfs(name), value)

    def polled():
        restore()
        seen = _counter(env, "rx_packets")
        # what the channel has may be no packet
        wait_for("the next poll", lambda: _counter(env, "rx_packets") > seen or
                 ping(env.remote, env.local.address(4), count=1, wait=1), 120)
        say("the channel was polled")

    try:
        yield polled
    finally:
        restore()


def begin(env):
    """In a deferred() block: those polls that are the last ones for a while."""
    names = ("rx_packets", "tx_cqes")
    before = [_counter(env, name) for name in names]
    ping(env.remote, env.local.address(4), count=1)
    wait_for("the polls for an echo request, and for the answer that was sent", lambda: all(
        _counter(env, name) > was for name, was in zip(names, before, strict=True)))
    say(f"the channel is not polled for {SECONDS} s")


def _counter(env, name):
    """A counter that the poll function itself moves."""
    return ethtool(env.local, env.local.nic.name)[name]
