# SPDX-License-Identifier: GPL-2.0-or-later
"""A socket is closed while the driver still has to tell the device the software's answer to a
resync request.

Responsible for: that order of events; docs/driver-bugs/approval-over-close.md.
State: none.
Callers: bug.py.
"""

from agent import ktls
from lib import rx
from lib.case import expect_equal, wait_for
from lib.rx_layout import Burst, whole_segments
from lib.tls import Connection

from . import NEEDS, say
from .deferred import deferred
from .get_psv_over_close import expect_answered

__all__ = ("NEEDS", "run")


def run(env):
    """See the module's text."""
    with env.local.nic.with_one_channel(), rx.receiving_ends(env) as ends:
        with Connection(env.remote, env.local, seed=env.seed) as other, \
                ends.session(truth=False) as session:
            burst = Burst(whole_segments(4, 4))
            lost = session.lose(4)
            before = session.connection.info(env.local)["bytes_received"]
            unread = session.send_unread(burst)
            session.wait_packets(burst.segments - 1)
            session.wait_answers()
            say("a record header was lost, the driver has asked and has its answer")
            with deferred(env) as polled:
                lost.release()
                wait_for("all bytes have come", lambda: session.connection.info(env.local)
                         ["bytes_received"] - before >= burst.total)
                no_event(env, other)
                session.read_unread(unread).finish()
                session.wait_driver("TlsRxDeviceResync")
                say("the software knows the record's number; the driver has put it into its list")
                env.local.call("tcp.close", number=session.connection.server_socket, abort=True)
                wait_for("rx_tls_del", lambda: session.driver("rx_tls_del") == 1)
                expect_equal("answers that the driver has passed on",
                             session.driver("rx_tls_resync_res_ok"), 0)
                say("the socket is closed, the driver has given back its context")
                polled()
        expect_answered(ends)


def no_event(env, other):
    """The queue for control WQEs uses up the one event that it has to give between two polls
    that end well: another connection is given its keys."""
    with env.lab.new_steering_entry():
        env.local.call("tcp.tls", number=other.server_socket, rx=ktls.new_keys())
