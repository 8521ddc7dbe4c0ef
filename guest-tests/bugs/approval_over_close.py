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
from lib.rx import Burst, whole
from lib.tls import Connection

from . import NEEDS, say
from .deferred import deferred, one_channel
from .get_psv_over_close import answered

__all__ = ("NEEDS", "run")


def run(env):
    """See the module's text."""
    with one_channel(env), rx.prepared(env) as into:
        with Connection(env.remote, env.local, seed=env.seed) as other, \
                rx.opened(env, into, truth=False) as bench:
            burst = Burst(whole(4, 4))
            kept = bench.lose(4)
            before = bench.connection.info(env.local)["bytes_received"]
            sent = bench.send(burst, read=False)
            bench.wait_packets(burst.segments - 1)
            bench.wait_driver("rx_tls_resync_req_end")
            say("a record header was lost, the driver has asked and has its answer")
            with deferred(env) as polled:
                kept.comes()
                wait_for("all bytes have come", lambda: bench.connection.info(env.local)
                         ["bytes_received"] - before >= burst.total)
                no_event(env, other)
                bench.later(sent).finish()
                bench.wait_driver("TlsRxDeviceResync")
                say("the software knows the record's number; the driver has put it into its list")
                env.local.call("tcp.close", number=bench.connection.server_socket, abort=True)
                wait_for("rx_tls_del", lambda: bench.driver("rx_tls_del") == 1)
                expect_equal("answers that the driver has passed on",
                             bench.driver("rx_tls_resync_res_ok"), 0)
                say("the socket is closed, the driver has given back its context")
                polled()
        answered(env, into)


def no_event(env, other):
    """The queue for control WQEs uses up the one event that it has to give between two polls
    that end well: another connection is given its keys."""
    entries = env.lab.objects()["flow_entry"]
    env.local.call("tcp.tls", number=other.server_socket, rx=ktls.new_keys())
    wait_for("the steering entry of the other connection",
             lambda: env.lab.objects()["flow_entry"] == entries + 1)
