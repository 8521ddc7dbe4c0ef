# SPDX-License-Identifier: GPL-2.0-or-later
"""The contexts for sending that the driver makes in store cannot be made, and it learns so late.

Responsible for: that order of events, and whether a payload can be read on the wire;
docs/driver-bugs/tis-that-failed.md.
State: none.
Callers: bug.py.
"""

from agent import payload
from lib import fault
from lib.case import expect_equal, wait_for
from lib.driver import rebind
from lib.tls import Connection, Offload

from . import NEEDS as ALL, Shown, say

__all__ = ("NEEDS", "run")
NEEDS = (*ALL, "rebind")
BULK = 16               # contexts that are made at a time
SIZE = 4000             # of the payload: less than a record
CAPTURE = "tis-that-failed"


def run(env):
    """See the module's text."""
    rebind(env)             # with nothing in store
    with Offload(env, env.local, tx=True), Offload(env, env.remote), \
            fault.faults(env, env.local, "delay cmd=CREATE_TIS ms=2000 at=execution",
                         "fail cmd=CREATE_TIS status=0x8") as made:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            expect_equal("the first connection", connection.configuration(env.local)["tx"], "sw")
        made.wait_hits(1 + 1 + BULK, index=1)
        say(f"one context could not be made when it was needed, nor {BULK} for the store")
        with Connection(env.local, env.remote, seed=f"{env.seed}/second") as connection:
            connection.enable_tls(down=False, plain_receiver=True)
            if connection.configuration(env.local)["tx"] != "hw":
                say("the second connection is encrypted by software")
                return
            say("the second connection is the device's, says the kernel")
            if seen_on_wire(env, connection):
                raise Shown("the payload is on the wire as it is: the connection has a context "
                            "that was never made, and the number 0 in its place, which to a NIC "
                            "means no TLS")


def seen_on_wire(env, connection):
    """Send a payload; is it to be found in what left the NIC?"""
    way, client = connection.up, env.lab.client
    client.capture_start(CAPTURE, env.lab.netdev)
    before = connection.info(env.local)["bytes_sent"]
    way.begin(SIZE)
    wait_for("the record is sent", lambda: connection.info(env.local)["bytes_sent"] - before > SIZE)
    wait_for("it is acknowledged", lambda: not connection.info(env.local)["unacked"])
    client.capture_stop(CAPTURE)
    return client.capture_contains(CAPTURE, payload.Source(way.seed).read(0, SIZE))["found"]
