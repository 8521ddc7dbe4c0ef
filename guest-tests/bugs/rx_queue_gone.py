# SPDX-License-Identifier: GPL-2.0-or-later
"""A socket is given its keys when the channel that its last packet came by is there no more.

Responsible for: that order of events; docs/driver-bugs/rx-queue-gone.md.
State: none.
Callers: bug.py.
"""

import contextlib

from lib import rx
from lib.tls import Connection

from . import NEEDS as ALL, say

__all__ = ("NEEDS", "run", "by_second_channel")
NEEDS = (*ALL, "channels:2", "rss")


def run(env):
    """See the module's text."""
    with rx.receiving_ends(env) as ends, env.local.nic.with_channels() as change:
        change(2)
        with by_second_channel(env) as connection:
            change(1)
            env.local.nic.wait_ready()
            say("one channel is left, the socket's last packet came by the other one")
            connection.enable_tls(down=False)
            ends.offload.check_configuration(connection, tx=False)
            connection.up.move(100_000)
            ends.offload.check_no_error()


@contextlib.contextmanager
def by_second_channel(env):
    """A connection whose packets have come by the second channel."""
    nic = env.local.nic
    nic.host.run("ethtool", "-X", nic.name, "start", 1, "equal", 1)
    try:
        connection = Connection(env.remote, env.local, seed=env.seed, options=rx.OPTIONS)
        before = nic.queue_packets()
        connection.up.move(1000)
        moved = nic.queue_packets()[1] - before[1]
    finally:
        nic.host.run("ethtool", "-X", nic.name, "default")
    if not moved:
        raise AssertionError("the packets did not come by the second channel")
    with connection:
        yield connection
