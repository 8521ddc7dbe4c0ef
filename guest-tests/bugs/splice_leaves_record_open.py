# SPDX-License-Identifier: GPL-2.0-or-later
"""sendfile() is asked for more bytes than the file has.

Responsible for: that call, and whether all bytes leave;
docs/driver-bugs/splice-leaves-record-open.md.
State: none.
Callers: bug.py.
"""

from lib.case import expect_equal, wait_for
from lib.tls import Connection, Offload

from . import NEEDS, Shown, say

__all__ = ("NEEDS", "run")
SIZE = 30_000           # one full record, and one that is not full


def run(env):
    """See the module's text."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote), \
            env.local.directory() as place, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        offload.check_configuration(connection, rx=False)
        way, path = connection.up, f"{place}/file"
        env.local.call("procs.payload_file", path=path, seed=way.seed, size=SIZE)
        receiving = env.remote.begin("tcp.receive", number=way.receiver_socket, seed=way.seed,
                                     size=SIZE)
        expect_equal("bytes that sendfile() says have gone", env.local.call(
            "tcp.send_file", number=way.sender_socket, path=path, count=SIZE + 1), SIZE)
        say(f"sendfile() was asked for {SIZE + 1} bytes and has sent {SIZE}")
        info = wait_for("all that is to be sent is acknowledged", lambda: _all_acked(
            connection.info(env.local)))
        stream = info["bytes_sent"] - info["bytes_retrans"]
        if stream < SIZE:
            raise Shown(f"{stream} bytes are in the stream, less than the {SIZE} of payload: the "
                        "last record is open, and nobody is going to close it")
        got = receiving.result()
        expect_equal("bytes received, the first wrong one", (got["bytes"], got["mismatch"]),
                     (SIZE, None))


def _all_acked(info):
    return info if not info["unacked"] and not info["notsent_bytes"] else None
