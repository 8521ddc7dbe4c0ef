# SPDX-License-Identifier: GPL-2.0-or-later
"""The device encrypts, the peer's kernel decrypts in software and checks every byte.

Contract tests T-01, T-02, T-05, T-22, T-23, T-29.
"""

from lib import traffic
from lib.case import add, expect, expect_equal, needs, test, wait_equal
from lib.tls import Connection, Offload, RECORD, check_tx_counters
from lib.version import HEADER, OVERHEAD, TLS

SIZE = 2 << 20
CIPHERS = {"aes128": "aes-gcm-128", "aes256": "aes-gcm-256"}
EACH_ONCE = (("aes128", 4), ("aes256", 6))


def _acknowledged(connection):
    """struct tcp_info of the sender, when nothing can be sent again: the counters stand still."""
    host = connection.client
    wait_equal("segments that are not acknowledged",
               lambda: connection.info(host)["unacked"], 0)
    return connection.info(host)


def _encrypt(cipher, family, version=TLS):
    """One connection: configuration, counters, bytes, and the context's end."""
    def run(env):
        with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
            with Connection(env.local, env.remote, family, seed=env.seed) as connection:
                connection.enable_tls(version, cipher, down=False)
                offload.check_configuration(connection, rx=False)
                offload.check_opened(rx=False)
                sent = connection.up.move(SIZE)
                check_tx_counters(offload, _acknowledged(connection), SIZE, sent["writes"],
                                  version)
            offload.check_closed(rx=False)
            offload.check_no_error()
            judge.check_no_error()
    return run


for _name, _cipher in CIPHERS.items():
    for _family in (4, 6):
        add(f"tls-tx/{_name}-v{_family}", _encrypt(_cipher, _family), needs=("tls-tx",),
            smoke=(_name, _family) in EACH_ONCE, full=(_name, _family) not in EACH_ONCE)
        add(f"tls-tx/1.3-{_name}-v{_family}", _encrypt(_cipher, _family, "1.3"),
            needs=("tls-tx:1.3",), full=(_name, _family) not in EACH_ONCE)


@test("tls-tx/v4-mapped")
@needs("tls-tx")
def mapped(env):
    """An IPv6 socket whose peer speaks IPv4."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote):
        with Connection(env.local, env.remote, mapped=True, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            offload.check_configuration(connection, rx=False)
            sent = connection.up.move(1 << 20)
            check_tx_counters(offload, _acknowledged(connection), 1 << 20, sent["writes"])


@test("tls-tx/without-tso")
@needs("tls-tx")
def without_tso(env):
    """Segments that the stack has cut."""
    with env.local.nic.with_features(tcp_segmentation_offload=False), \
            Offload(env, env.local, tx=True) as offload, Offload(env, env.remote):
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            sent = connection.up.move(2 << 20)
            check_tx_counters(offload, _acknowledged(connection), 2 << 20, sent["writes"])


@test("tls-tx/jumbo")
@needs("tls-tx")
def jumbo(env):
    """Large frames."""
    with traffic.both_mtu(env, 9000), Offload(env, env.local, tx=True) as offload, \
            Offload(env, env.remote):
        for family in (4, 6):
            offload.watch.restart()
            with Connection(env.local, env.remote, family, seed=env.seed) as connection:
                connection.enable_tls(down=False)
                sent = connection.up.move(2 << 20)
                check_tx_counters(offload, _acknowledged(connection), 2 << 20, sent["writes"])


@test("tls-tx/records-on-wire")
@needs("tls-tx")
def records(env):
    """The peer reads the stream as it is: headers, lengths and the order of the records."""
    sizes = [1, 100, 1400, RECORD, 5000]
    total = sum(sizes) * 8
    with Offload(env, env.local, tx=True), \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False, plain_receiver=True)
        reading = env.remote.begin("tcp.read_records", number=connection.server_socket,
                                   size=total + len(sizes) * 8 * OVERHEAD)
        env.local.call("tcp.send", number=connection.client_socket, seed=env.seed, size=total,
                       sizes=sizes)
        got = reading.result()
    expect_equal("bytes after the last record", got["rest"], 0)
    expect_equal("records (type, version, length)", got["records"],
                 [[23, 0x0303, size + OVERHEAD - HEADER] for size in sizes * 8])


@test("tls-tx/sendfile")
@needs("tls-tx")
def send_file(env):
    """sendfile, with and without TLS_TX_ZEROCOPY_RO: pages of the page cache are encrypted."""
    size = (2 << 20) + 12345
    with env.local.directory() as place, Offload(env, env.local, tx=True) as offload, \
            Offload(env, env.remote) as judge:
        path = f"{place}/payload"
        env.local.call("procs.payload_file", path=path, seed=f"{env.seed}/client to server",
                       size=size)
        for zerocopy in (False, True):
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(down=False)
                if zerocopy and offload.real:
                    env.local.call("tcp.tls_zerocopy", number=connection.client_socket)
                offload.check_configuration(connection, rx=False)
                reading = env.remote.begin("tcp.receive", number=connection.server_socket,
                                           seed=f"{env.seed}/client to server", size=size)
                sent = env.local.call("tcp.send_file", number=connection.client_socket, path=path)
                got = reading.result()
                expect_equal("bytes that sendfile sent", sent, size)
                expect_equal("bytes that arrived", got["bytes"], size)
                expect_equal(f"first wrong byte, zerocopy {zerocopy}", got["mismatch"], None)
        judge.check_no_error()
        # the file itself must not have been touched by the encryption in place
        again = env.local.call("procs.file_digest", path=path)["sha256"]
        want = env.local.call("payload.digest", seed=f"{env.seed}/client to server", size=size)
        expect_equal("SHA-256 of the file afterwards", again, want)


@test("tls-tx/late")
@needs("tls-tx")
def late(env):
    """Plain bytes first, TLS in the middle of the stream, as after a handshake."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        for plain in (1, 517, 1448, 100_000):
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.up.move(plain)
                connection.down.move(plain)
                connection.enable_tls(down=False)
                offload.check_configuration(connection, rx=False)
                connection.up.move(200_000)
        judge.check_no_error()
        offload.check_opened(4, rx=False)


@test("tls-tx/high-record-numbers")
@needs("tls-tx")
def record_numbers(env):
    """Sessions that begin with large record numbers; the counter carries."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        starts = (1, 255, 2 ** 32 - 3, 2 ** 48 - 2, 2 ** 63 - 3)
        for rec_seq in starts:
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(down=False, rec_seq=rec_seq)
                connection.up.move(100_000, sizes=[10_000])
        judge.check_no_error()
        offload.check_opened(len(starts), rx=False)


@test("tls-tx/control-records")
@needs("tls-tx")
def control(env):
    """Alert and handshake records between data records keep the numbering."""
    with Offload(env, env.local, tx=True), Offload(env, env.remote) as judge, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        for kind, data in ((21, "0100"), (22, "00000000"), (23, None), (21, "0164")):
            connection.up.move(5000)
            if data is None:
                continue
            env.local.call("tcp.tls_send_record", number=connection.client_socket, kind=kind,
                           data=data)
            got = env.remote.call("tcp.tls_receive_record", number=connection.server_socket)
            expect_equal("control record (type, bytes)", (got["kind"], got["data"]), (kind, data))
        connection.up.move(5000)
        judge.check_no_error()


@test("tls-tx/32-connections")
@needs("tls-tx")
def many(env):
    """32 at once, every other one with the other cipher."""
    count = 32
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        connections = []
        try:
            for index in range(count):
                connection = Connection(env.local, env.remote, 6 if index % 4 > 1 else 4,
                                        seed=f"{env.seed}/{index}")
                connections.append(connection)
                connection.enable_tls(TLS, list(CIPHERS.values())[index % 2], down=False)
            offload.check_configurations(connections, rx=False)
            for finish in [connection.up.begin(64 << 10) for connection in connections]:
                finish()
        finally:
            for connection in connections:
                connection.close()
        offload.check_opened(count, rx=False)
        offload.check_closed(count, rx=False)
        judge.check_no_error()


@test("tls-tx/churn")
@needs("tls-tx")
def churn(env):
    """40 short sessions one after the other: keys and contexts are used again."""
    count = 40
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        for index in range(count):
            with Connection(env.local, env.remote, seed=f"{env.seed}/{index}") as connection:
                connection.enable_tls(TLS, list(CIPHERS.values())[index % 2], down=False)
                connection.up.move(3000)
        offload.check_opened(count, rx=False)
        offload.check_closed(count, rx=False)
        judge.check_no_error()


@test("tls-tx/beside-plain")
@needs("tls-tx")
def beside_plain(env):
    """Plain TCP and TLS share the queues and do not disturb each other."""
    with Offload(env, env.local, tx=True), Offload(env, env.remote) as judge, \
            traffic.background(env) as flow:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            for _ in range(4):
                connection.up.move(256 << 10)
                flow.progress()
        judge.check_no_error()
        expect(flow.rounds > 0, "no plain traffic")
