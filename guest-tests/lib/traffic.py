# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic as most tests need it: one transfer, or one that goes on while something changes.

Responsible for: checked TCP transfers and background traffic in both directions.
State: none beyond the block.
Callers: tests.
"""

import contextlib
import threading

from .case import fail, wait_for
from .hosts import CallError, HostError
from .tls import Connection

SIZE = 4 << 20          # bytes of an ordinary transfer
STEP = 128 << 10        # bytes that background traffic moves at once


def transfer(sender, receiver, family=4, size=SIZE, sizes=None, seed="transfer"):
    """Move a payload over a new TCP connection and check every byte; returns tcp_info."""
    with Connection(sender, receiver, family, seed=seed) as connection:
        connection.up.move(size, sizes)
        return connection.info(sender)


def both_ways(env, family=4, size=SIZE):
    """Both directions of one connection at the same time."""
    with Connection(env.local, env.remote, family) as connection:
        for finish in [way.begin(size) for way in (connection.up, connection.down)]:
            finish()


class Running:
    """Traffic that goes on."""

    def __init__(self):
        self.rounds = 0
        self.stop = threading.Event()
        self.error = None

    def progress(self):
        """Wait until more has arrived in both directions than there is under way now."""
        target = self.rounds + 4
        wait_for("traffic goes on", lambda: self.error or self.rounds >= target, 120)
        if self.error:
            raise self.error


@contextlib.contextmanager
def running(env, family=4):
    """Checked traffic in both directions of one connection while the block lasts."""
    state = Running()

    def work(way):
        try:
            while not state.stop.is_set():
                way.move(STEP)
                state.rounds += 1
        except (AssertionError, HostError, CallError) as error:
            state.error = error

    with Connection(env.local, env.remote, family, seed="background") as connection:
        threads = [threading.Thread(target=work, args=(way,), daemon=True)
                   for way in (connection.up, connection.down)]
        for thread in threads:
            thread.start()
        try:
            yield state
        finally:
            state.stop.set()
        for thread in threads:
            thread.join()
        if state.error:
            fail(f"background traffic: {state.error}")


@contextlib.contextmanager
def both_mtu(env, mtu):
    """The same MTU on both ends for the block."""
    with env.remote.nic.with_mtu(mtu), env.local.nic.with_mtu(mtu):
        yield
