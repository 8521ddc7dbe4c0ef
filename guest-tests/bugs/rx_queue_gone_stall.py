# SPDX-License-Identifier: GPL-2.0-or-later
"""The channel of a TLS connection is taken away while the connection lives.

Responsible for: that order of events; docs/driver-bugs/rx-queue-gone.md.
State: none.
Callers: bug.py.
"""

from lib.tls import Offload

from . import Shown, arrives, say
from .rx_queue_gone import NEEDS, by_second_channel

__all__ = ("NEEDS", "run")
SIZE = 100_000
TRIES = 4           # of TCP, to send the same bytes


def run(env):
    """See the module's text."""
    nic = env.local.nic
    with Offload(env, env.local, rx=True) as receiver, Offload(env, env.remote), \
            nic.with_channels() as change:
        change(2)
        with by_second_channel(env) as connection:
            connection.enable_tls(down=False)
            receiver.check_configuration(connection, tx=False)
            receiver.warm_up(connection.up)
            say("the device decrypts, and delivers to the second channel")
            change(1)
            nic.wait_ready()
            say("one channel is left")
            if not arrives(connection, env.remote, connection.up, SIZE, TRIES):
                raise Shown(f"TCP has sent the same bytes {TRIES} times, and none was "
                            "acknowledged: the steering entry leads to a channel that is no more")
