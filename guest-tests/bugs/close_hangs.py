# SPDX-License-Identifier: GPL-2.0-or-later
"""The device answers a SET_PSV for receiving with an error, and the socket is closed.

Responsible for: that order of events; docs/driver-bugs/close-hangs.md.
State: none. What hangs is left to the end of the machine.
Callers: bug.py, close_hangs_static.py.
"""

import pathlib

from lib import fault
from lib.case import fail
from lib.hosts import HostError
from lib.tls import Connection

from . import NEEDS, Shown, say

__all__ = ("NEEDS", "bring_about", "run")
HANGS = 30.0        # seconds in the driver, with nothing under way in the device


def run(env):
    """See the module's text."""
    bring_about(env, "error wqe=SET_PSV dir=rx count=1")


def bring_about(env, text):
    """The WQE of the rule fails. Without context managers: they would wait for what hangs."""
    env.local.run("ethtool", "-K", env.local.nic.name, "tls-hw-rx-offload", "on")
    rule = fault.Faults(env, env.local).add(text)
    connection = Connection(env.remote, env.local, seed=env.seed)
    connection.enable_tls(down=False)
    rule.wait_hits(1)
    say(f"a WQE that sets parameters has failed: {text}")
    closing = env.local.begin("tcp.close", number=connection.server_socket, abort=True)
    try:
        closing.result(HANGS)
    except HostError:
        for stack in stacks(env.local.pid):
            if "mlx5e_ktls_del_rx" in stack:
                raise Shown(f"close() has not ended after {HANGS:.0f} s; it waits in the "
                            f"driver:\n{stack}") from None
        fail("close() has not ended, and waits elsewhere")
    say("the socket is closed")


def stacks(pid):
    """Of all threads of a process, in the kernel."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            yield (task / "stack").read_text(encoding="ascii")
        except OSError:
            pass
