# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine sleeps and wakes up while a TLS connection is open; then that is closed.

Responsible for: that order of events; docs/driver-bugs/suspend-over-tls.md.
State: none.
Callers: bug.py.
"""

from lib.case import Failure
from lib.hosts import CallError
from lib.tls import Connection, Offload

from . import NEEDS, Shown, arrives, say

__all__ = ("NEEDS", "run")
SIZE = 100_000
TEST, DELAY = "/sys/power/pm_test", "/sys/module/suspend/parameters/pm_test_delay"


def run(env):
    """See the module's text."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote):
        connection = Connection(env.local, env.remote, seed=env.seed)
        connection.enable_tls(down=False)
        offload.check_configuration(connection, rx=False)
        connection.up.move(SIZE)
        _sleep(env)
        env.settle()
        say("all devices were suspended and are awake again")
        connection.close(abort=True)
        offload.check_closed(rx=False)
        say("the connection is closed")
        with Connection(env.local, env.remote, seed=f"{env.seed}/2") as connection:
            connection.enable_tls(down=False)
            if not arrives(connection, env.local, connection.up, SIZE):
                raise Shown("nothing that the next connection sends leaves the machine: it has the "
                            "context of the one that was closed")


def _sleep(env):
    """All devices of the machine are suspended, and resumed a second later."""
    try:
        env.local.write(TEST, "devices")
        env.local.write(DELAY, "1")
    except CallError as error:
        raise Failure(f"this kernel cannot try out suspending: {error}") from None
    try:
        env.local.write("/sys/power/state", "freeze")
    finally:
        env.local.write(TEST, "none")
