# SPDX-License-Identifier: GPL-2.0-or-later
"""Record sizes of every kind, so that headers, nonces and tags are cut at every place.

Contract tests T-20, T-21, T-30 as far as in-order traffic reaches them.
"""

from lib.case import add
from lib.ktap import note
from lib.tls import Connection, Offload

MIXES = {
    "tiny": list(range(1, 65)),
    "one-byte": [1],
    "around-a-segment": list(range(1350, 1501)),
    "around-the-limit": [16383, 16384, 16382, 1],
    "fibonacci": [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597, 2584, 4181,
                  6765, 10946],
    "primes": [7, 101, 1009, 4099, 16381],
}
SIZES = {"tiny": 100_000, "one-byte": 3_000, "around-a-segment": 300_000,
         "around-the-limit": 1 << 20, "fibonacci": 512 << 10, "primes": 512 << 10}


def _send(mix):
    """The device encrypts; Nagle's algorithm off, then on."""
    def run(env):
        with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
            for nodelay in (1, 0):
                with Connection(env.local, env.remote, seed=env.seed,
                                options={"TCP_NODELAY": nodelay}) as connection:
                    connection.enable_tls(down=False)
                    offload.check_configuration(connection, rx=False)
                    connection.up.move(SIZES[mix], sizes=MIXES[mix])
            judge.check_no_error()
    return run


def _receive(mix):
    """The device decrypts."""
    def run(env):
        with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
            for nodelay in (1, 0):
                with Connection(env.remote, env.local, seed=env.seed,
                                options={"TCP_NODELAY": nodelay}) as connection:
                    connection.enable_tls(down=False)
                    offload.warm_up(connection.up)
                    offload.watch.restart()
                    connection.up.move(SIZES[mix], sizes=MIXES[mix])
                    offload.check_no_error()
                    nic = offload.watch.nic()
                    note(f"decrypted {nic['rx_tls_decrypted_packets']} packets, "
                         f"{nic['rx_tls_resync_req_pkt']} resyncs")
    return run


for _mix in MIXES:
    add(f"tls-records/send-{_mix}", _send(_mix), needs=("tls-tx",))
    add(f"tls-records/receive-{_mix}", _receive(_mix), needs=("tls-rx",))


def _segment_sizes(env):
    """A narrow MSS moves the segment boundaries through every byte of a record."""
    with Offload(env, env.local, tx=True, rx=True) as offload, \
            Offload(env, env.remote) as judge:
        for mss in (536, 537, 541, 701, 1201):
            with Connection(env.local, env.remote, seed=env.seed,
                            options={"TCP_MAXSEG": mss}) as connection:
                connection.enable_tls()
                offload.check_configuration(connection)
                for finish in [way.begin(100_000, sizes=[1000, 37, 4000])
                               for way in (connection.up, connection.down)]:
                    finish()
        offload.check_no_error()
        judge.check_no_error()


add("tls-records/segment-sizes", _segment_sizes, needs=("tls-tx", "tls-rx"))
