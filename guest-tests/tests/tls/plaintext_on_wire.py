# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be read on the wire: nothing of a payload that the device encrypts.

The lab captures between the NICs and searches the capture for any 16-byte run of the payload. That
the search can find is shown by the same with plain TCP.
"""

import contextlib

from lib import loss
from lib.case import expect, needs, test
from lib.ktap import note
from lib.tls import Connection, Offload

SIZE = 1 << 20
WINDOW = 16


@contextlib.contextmanager
def _captured(env, name):
    """Capture while the block lasts; yields a function that then searches for a payload."""
    client = env.lab.client
    client.capture_start(name, env.lab.netdev)
    stopped = []

    def stop():
        if not stopped:
            stopped.append(client.capture_stop(name))
        return stopped[0]

    def search(seed, size):
        found = stop()
        expect(found["wire_bytes"] > size, f"the capture has {found['wire_bytes']} bytes; more "
                                           f"than the payload's {size} passed")
        with env.local.directory() as place:
            env.local.call("procs.payload_file", path=f"{place}/payload", seed=seed, size=size)
            result = client.capture_contains(name, f"{place}/payload", WINDOW)
        note(f"{result['packets']} packets, {found['wire_bytes']} bytes captured")
        return result

    try:
        yield search
    finally:
        stop()


@test("wire/plain-is-found", smoke=True)
@needs("lab")
def plain(env):
    """A payload over plain TCP is in the capture: the search works."""
    with _captured(env, "wire-plain") as search:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.up.move(SIZE)
            seed = connection.up.seed
        result = search(seed, SIZE)
    expect(result["found"], "a payload that was sent in clear was not found in the capture")


@test("wire/tls-is-not-found", smoke=True)
@needs("lab", "tls-tx", "remote-tls-rx")
def encrypted(env):
    """The same payload, encrypted by one device and decrypted by the other, is not."""
    with Offload(env, env.local, tx=True) as here, Offload(env, env.remote, rx=True) as there, \
            _captured(env, "wire-tls") as search:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            here.check_configuration(connection, rx=False)
            connection.up.move(SIZE)
            seed = connection.up.seed
        result = search(seed, SIZE)
        there.check_no_error()
        if here.real:
            moved = here.watch.nic()["tx_tls_encrypted_bytes"]
            expect(moved >= SIZE, f"tx_tls_encrypted_bytes moved by {moved}")
    expect(not result["found"],
           f"16 bytes of the payload are on the wire in clear: byte {result['payload_offset']} of "
           f"it is at {result['capture_offset']} of the capture")


@test("wire/tls-with-loss")
@needs("lab", "tls-tx", "tool:tc")
def with_loss(env):
    """Nor when segments are lost and parts of records are replayed to the device."""
    with loss.single_segments(*env.hosts), Offload(env, env.local, tx=True) as here, \
            Offload(env, env.remote) as there, _captured(env, "wire-loss") as search:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            with loss.lose(connection, connection.up, 50, "ingress") as lost:
                connection.up.move(SIZE)
                note(f"{lost.counts()[1]} segments lost")
                expect(lost.counts()[1] >= 10, "too few segments were lost")
            seed = connection.up.seed
        result = search(seed, SIZE)
        there.check_no_error()
        if here.real:
            expect(here.watch.nic()["tx_tls_dump_packets"] > 0, "nothing was replayed")
    expect(not result["found"],
           f"16 bytes of the payload are on the wire in clear: byte {result['payload_offset']} of "
           f"it is at {result['capture_offset']} of the capture")
