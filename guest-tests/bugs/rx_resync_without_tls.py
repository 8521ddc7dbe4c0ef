# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver sees the device's resync request when the addresses and ports belong to a socket
without TLS.

Responsible for: that order of events; docs/driver-bugs/rx-resync-without-tls.md.
State: none.
Callers: bug.py.
"""

from lib import rx
from lib.case import expect, expect_equal
from lib.rx_layout import whole_segments

from . import NEEDS, say
from .deferred import begin, deferred

__all__ = ("NEEDS", "run")


def run(env):
    """See the module's text."""
    with env.local.nic.with_one_channel(), rx.receiving_ends(env) as ends, \
            ends.session(truth=False) as session, deferred(env) as polled:
        lost = session.lose(4)
        begin(env)
        session.send_unread(whole_segments(4, 3))
        session.wait_packets(11)
        lost.wait_held()
        expect(session.flags().resync >= 1, "the device has not asked for resync")
        say("a record header was lost, the packet with the request waits in the channel")
        connection = session.connection
        env.local.call("tcp.close", number=connection.server_socket, abort=True)
        ends.offload.check_closed(tx=False)
        say("the socket is closed, the driver has given back its context")
        other = env.local.call("tcp.repair_socket", address=env.local.address(4),
                               port=connection.server_port, mss=1400, send_seq=1000,
                               receive_seq=1000)["socket"]
        env.local.call("tcp.repair_connect", number=other, address=env.remote.address(4),
                       port=connection.client_port, receive_seq=1000)
        expect_equal("requests that the driver has seen",
                     session.driver("rx_tls_resync_req_pkt"), 0)
        say("a socket without TLS has its addresses and ports")
        polled()
        session.wait_driver("rx_tls_resync_req_pkt")
