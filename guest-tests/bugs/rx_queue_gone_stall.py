# SPDX-License-Identifier: GPL-2.0-or-later
"""The channel of a TLS connection is taken away while the connection lives.

Responsible for: that order of events; docs/driver-bugs/rx-queue-gone.md.
State: none.
Callers: bug.py.
"""

from lib.case import wait_for
from lib.tls import Offload

from . import Shown, say
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
            before = connection.info(env.remote)
            finish = connection.up.begin(SIZE)

            def outcome():
                now = connection.info(env.remote)
                if now["bytes_acked"] - before["bytes_acked"] >= SIZE:
                    return "arrived"
                # a network that only loses gets through in one of these
                if now["total_retrans"] - before["total_retrans"] >= TRIES \
                        and now["bytes_acked"] == before["bytes_acked"]:
                    return "stalled"
                return None

            found = wait_for("bytes that arrive, or are sent in vain", outcome, 120)
            if found == "stalled":
                connection.close(abort=True)
                raise Shown(f"TCP has sent the same bytes {TRIES} times, and none was "
                            "acknowledged: the steering entry leads to a channel that is no more")
            finish()
