# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be read on the wire: nothing of a payload that the device encrypts.

A capture between the ends is searched for any 16-byte run of the payload. That the search can find
is shown by the same with plain TCP. Where the peer's NIC can decrypt it does; else its kernel does.
"""

from lib import capture, loss, wire
from lib.case import expect, needs, test
from lib.ktap import note
from lib.tls import Connection, Offload, as_able

SIZE = 1 << 20


@test("wire/plain-is-found", smoke=True)
@needs("wire")
def plain(env):
    """A payload over plain TCP is in the capture: the search works."""
    with wire.rules(env) as box, capture.captured(env, box, "wire-plain") as taken, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.up.move(SIZE)
        found = taken.contains(connection.up)
    expect(found, "a payload that was sent in clear was not found in the capture")


@test("wire/tls-is-not-found", smoke=True)
@needs("wire", "tls-tx")
def encrypted(env):
    """The same payload, encrypted by one device and decrypted by the other, is not."""
    with Offload(env, env.local, tx=True) as here, as_able(env, env.remote, rx=True) as there, \
            wire.rules(env) as box, capture.captured(env, box, "wire-tls") as taken, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        here.check_configuration(connection, rx=False)
        there.check_configuration(connection, tx=False)
        connection.up.move(SIZE)
        found = taken.contains(connection.up)
        there.check_no_error()
        if here.real:
            moved = here.watch.nic()["tx_tls_encrypted_bytes"]
            expect(moved >= SIZE, f"tx_tls_encrypted_bytes moved by {moved}")
    expect(not found, found)


@test("wire/tls-with-loss")
@needs("wire", "tls-tx", "tool:tc")
def with_loss(env):
    """Nor when segments are lost and parts of records are replayed to the device."""
    with loss.single_segments(*env.hosts), Offload(env, env.local, tx=True) as here, \
            Offload(env, env.remote) as there, wire.rules(env) as box, \
            capture.captured(env, box, "wire-loss") as taken, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        with loss.lose(connection, connection.up, 50, "ingress") as lost:
            connection.up.move(SIZE)
            note(f"{lost.counts()[1]} segments lost")
            expect(lost.counts()[1] >= 10, "too few segments were lost")
        found = taken.contains(connection.up)
        there.check_no_error()
        if here.real:
            expect(here.watch.nic()["tx_tls_dump_packets"] > 0, "nothing was replayed")
    expect(not found, found)
