# SPDX-License-Identifier: GPL-2.0-or-later
"""GET_PSV completes when the socket that it was posted for is gone, and its memory is another
socket's.

Responsible for: that order of events; docs/driver-bugs/get-psv-over-close.md.
State: none.
Callers: bug.py.
"""

import os
import resource
import socket

from lib import fault, rx
from lib.case import expect_equal
from lib.rx_layout import whole_segments

from . import NEEDS, say

__all__ = ("NEEDS", "run")
SOCKETS = 1500          # for each CPU; more than are free in the slab cache of TCP sockets


def run(env):
    """See the module's text."""
    bring_about(env, others)


def bring_about(env, between):
    """The completion of a GET_PSV is held until the socket is closed and between() has run."""
    # all of it in one queue, so that a later answer comes behind the one that was held
    with env.local.nic.with_channels() as change, rx.receiving_ends(env) as ends:
        change(1)
        env.local.nic.wait_ready()
        with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
            with ends.session(truth=False) as session:
                lost = session.lose(4)
                session.send_unread(whole_segments(4, 3))
                held.wait_waiting(1)
                say("a record header was lost, the driver asks, and the answer is held")
                lost.wait_held()
                session.connection.close(abort=True)
            say("the socket is closed, the driver has given back its context")
            between()
            expect_equal("answers that were held", held.release("psv"), 1)
            say("the answer was let go")
        expect_answered(ends)


def expect_answered(ends):
    """The driver has dealt with all answers so far: it deals with another one."""
    with ends.session(truth=False) as session:
        session.send_with_loss(whole_segments(4, 3), 4).repair()
        session.expect_recovery()


def others():
    """TCP sockets take the memory of the one that was closed, whichever CPU has it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    cpus = sorted(os.sched_getaffinity(0))
    count = min(SOCKETS, (most - 100) // len(cpus))
    made = []
    for cpu in cpus:
        os.sched_setaffinity(0, {cpu})
        made += [socket.socket() for _ in range(count)]
    os.sched_setaffinity(0, cpus)
    others.kept = made
    say(f"{len(made)} TCP sockets were made")
