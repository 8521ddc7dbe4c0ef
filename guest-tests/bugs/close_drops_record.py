# SPDX-License-Identifier: GPL-2.0-or-later
"""A socket is written to without blocking until it takes no more, and closed.

Responsible for: that, with plain TCP, TLS in software and TLS by the device, and how much of what
write() has taken arrives; docs/driver-bugs/close-drops-record.md.
State: none.
Callers: bug.py.
"""

from lib.case import expect, expect_equal
from lib.tls import Connection, Offload

from . import NEEDS, Shown, say

__all__ = ("NEEDS", "run")
BUFFERS = {"SO_SNDBUF": 200_000, "SO_RCVBUF": 50_000}      # less than what the reader waits with


def run(env):
    """See the module's text."""
    taken, came = _lost(env, None)
    expect_equal("bytes that arrive by plain TCP", came, taken)
    lost = []
    for device in (False, True):
        taken, came = _lost(env, device)
        if came != taken:
            lost.append(f"TLS by {'the device' if device else 'software'}: write() has taken "
                        f"{taken} bytes, {taken - came} of them were never sent")
    if lost:
        raise Shown("\n".join(lost))


def _lost(env, device):
    """(bytes that were taken, bytes that arrived). device: who encrypts; None: nobody."""
    with Offload(env, env.local, tx=bool(device)) as offload, Offload(env, env.remote), \
            Connection(env.local, env.remote, seed=env.seed, options=BUFFERS) as connection:
        if device is not None:
            connection.enable_tls(down=False)
            offload.check_configuration(connection, rx=False)
        way = connection.up
        taken = env.local.call("tcp.fill_and_close", number=way.sender_socket, seed=way.seed)
        got = env.remote.call("tcp.receive", number=way.receiver_socket, seed=way.seed, size=taken)
        say(f"{'plain TCP' if device is None else 'device' if device else 'software'}: {taken} "
            f"bytes were taken, {got['bytes']} have come, then: {got.get('error')}")
        expect(got["mismatch"] is None and (got["bytes"] == taken or got["error"] == "EOF"),
               f"of {taken} bytes: {got}")
        return taken, got["bytes"]
