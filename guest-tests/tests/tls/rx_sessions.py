# SPDX-License-Identifier: GPL-2.0-or-later
"""The device decrypts what the peer's kernel has encrypted in software.

Contract tests T-10 to T-12, T-22, T-23, T-35.
"""

from lib import traffic
from lib.case import add, expect, expect_between, needs, test, wait_for
from lib.ktap import note
from lib.tls import Connection, Offload
from lib.version import TLS

SIZE = 2 << 20
CIPHERS = {"aes128": "aes-gcm-128", "aes256": "aes-gcm-256"}
EACH_ONCE = (("aes128", 4), ("aes256", 6))


def check_decrypted(offload, connection, host, before, size):
    """Every data segment since `before` (tcp_info) was decrypted by the device.

    Only with nothing retransmitted is the number of packets fixed; then it is asserted.
    """
    if not offload.real:
        return
    info = connection.info(host)
    segments = info["data_segs_in"] - before["data_segs_in"]
    again = info["rcv_ooopack"] - before["rcv_ooopack"]
    nic = offload.watch.nic()
    got = nic["rx_tls_decrypted_packets"]
    if again or nic["rx_tls_resync_req_pkt"]:
        note(f"{again} segments came out of order, {nic['rx_tls_resync_req_pkt']} resyncs: "
             f"{got} of {segments} segments decrypted")
        expect_between("rx_tls_decrypted_packets", got, 1, segments)
        return
    sender = connection.info(connection.client if host is connection.server
                             else connection.server)
    if sender["total_retrans"]:
        note(f"{sender['total_retrans']} segments were retransmitted")
        expect_between("rx_tls_decrypted_packets", got, segments - 3 * sender["total_retrans"],
                       segments)
    else:
        expect(got == segments, f"rx_tls_decrypted_packets moved by {got}; {segments} data "
                                "segments came")
    # frames, not payload: at least the payload, at most a header for each packet on top
    expect_between("rx_tls_decrypted_bytes", nic["rx_tls_decrypted_bytes"],
                   size if got == segments else 1, None)


def _decrypt(cipher, family, version=TLS):
    """One connection: configuration, counters, bytes, and the context's end."""
    def run(env):
        with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote) as source:
            with Connection(env.remote, env.local, family, seed=env.seed) as connection:
                connection.enable_tls(version, cipher, down=False)
                offload.check_configuration(connection, tx=False)
                source.check_configuration(connection, rx=False)
                offload.check_opened(tx=False)
                note(f"{offload.warm_up(connection.up)} records until the device decrypted")
                offload.watch.restart()
                before = connection.info(env.local)
                connection.up.move(SIZE)
                check_decrypted(offload, connection, env.local, before, SIZE)
                offload.check_no_error()
                offload.watch.restart()
            if offload.real:
                wait_for("rx_tls_del", lambda: offload.watch.nic()["rx_tls_del"] == 1, 30)
    return run


for _name, _cipher in CIPHERS.items():
    for _family in (4, 6):
        add(f"tls-rx/{_name}-v{_family}", _decrypt(_cipher, _family), needs=("tls-rx",),
            smoke=(_name, _family) in EACH_ONCE, full=(_name, _family) not in EACH_ONCE)
        add(f"tls-rx/1.3-{_name}-v{_family}", _decrypt(_cipher, _family, "1.3"),
            needs=("tls-rx:1.3",), full=(_name, _family) not in EACH_ONCE)


@test("tls-rx/v4-mapped")
@needs("tls-rx")
def mapped(env):
    """The receiving socket is an IPv6 one, its peer speaks IPv4."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        with Connection(env.remote, env.local, mapped=True, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            offload.check_configuration(connection, tx=False)
            offload.warm_up(connection.up)
            connection.up.move(1 << 20)
            offload.check_no_error()


def receives_decrypted(env, offload, connection, size=2 << 20):
    """Once receive offload has begun, `size` bytes of the peer arrive decrypted, without an
    error."""
    connection.enable_tls(down=False)
    offload.warm_up(connection.up)
    offload.watch.restart()
    before = connection.info(env.local)
    connection.up.move(size)
    check_decrypted(offload, connection, env.local, before, size)
    offload.check_no_error()


@test("tls-rx/jumbo")
@needs("tls-rx")
def jumbo(env):
    """Large frames."""
    with traffic.both_mtu(env, 9000), Offload(env, env.local, rx=True) as offload, \
            Offload(env, env.remote):
        for family in (4, 6):
            with Connection(env.remote, env.local, family, seed=env.seed) as connection:
                receives_decrypted(env, offload, connection)


@test("tls-rx/without-gro")
@needs("tls-rx")
def without_gro(env):
    """Each packet reaches the stack by itself."""
    off = {name: False for name in ("generic-receive-offload", "rx-gro-hw")
           if env.local.nic.can(name)}
    with env.local.nic.with_features(**off), Offload(env, env.local, rx=True) as offload, \
            Offload(env, env.remote):
        with Connection(env.remote, env.local, seed=env.seed) as connection:
            receives_decrypted(env, offload, connection)


@test("tls-rx/late-data")
@needs("tls-rx")
def late(env):
    """Plain bytes first, then TLS in the middle of the stream."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        for plain in (1, 517, 1448, 100_000):
            with Connection(env.remote, env.local, seed=env.seed) as connection:
                connection.up.move(plain)
                connection.down.move(plain)
                connection.enable_tls(down=False)
                offload.check_configuration(connection, tx=False)
                offload.warm_up(connection.up)
                connection.up.move(200_000)
        offload.check_no_error()


@test("tls-rx/late-rule")
@needs("tls-rx")
def late_rule(env):
    """Data is under way before the receiver knows the key: whatever the device makes of it, the
    bytes are right, and it decrypts in the end."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        for _ in range(5):
            with Connection(env.remote, env.local, seed=env.seed) as connection:
                keys = connection.enable_tls(down=False, plain_receiver=True)
                sender, receiver = connection.client_socket, connection.server_socket
                where = {"seed": connection.up.seed, "size": 600_000}
                env.remote.call("tcp.send", number=sender, **dict(where, size=20_000))
                env.local.call("tcp.tls_add", number=receiver, direction="rx", keys=keys["up"])
                reading = env.local.begin("tcp.receive", number=receiver, **where)
                env.remote.call("tcp.send", number=sender, offset=20_000,
                                seed=connection.up.seed, size=580_000)
                got = reading.result()
                expect(got["bytes"] == 600_000 and got["mismatch"] is None, f"received: {got}")
                connection.up.offset = 600_000
                note(f"{offload.warm_up(connection.up)} more records until the device decrypted")
        offload.check_no_error()


@test("tls-rx/high-record-numbers")
@needs("tls-rx")
def record_numbers(env):
    """Sessions that begin with large record numbers; the counter carries."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        for rec_seq in (1, 255, 2 ** 32 - 3, 2 ** 48 - 2, 2 ** 63 - 3):
            with Connection(env.remote, env.local, seed=env.seed) as connection:
                connection.enable_tls(down=False, rec_seq=rec_seq)
                offload.warm_up(connection.up)
                connection.up.move(100_000, sizes=[10_000])
        offload.check_no_error()


@test("tls-rx/control-records")
@needs("tls-rx")
def control(env):
    """Alert and handshake records between data records."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote), \
            Connection(env.remote, env.local, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        offload.warm_up(connection.up)
        for kind, data in ((21, "0100"), (22, "00000000"), (21, "0164")):
            connection.up.move(5000)
            env.remote.call("tcp.tls_send_record", number=connection.client_socket, kind=kind,
                            data=data)
            got = env.local.call("tcp.tls_receive_record", number=connection.server_socket)
            expect((got["kind"], got["data"]) == (kind, data), f"control record: {got}, "
                                                               f"expected {kind}, {data}")
        connection.up.move(5000)
        offload.check_no_error()


@test("tls-rx/wrong-key")
@needs("tls-rx")
def wrong_key(env):
    """The peer encrypts with another key: the device must not vouch for it. The reader gets an
    error, the kernel counts it, and nothing that arrived is passed on as plaintext."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote), \
            Connection(env.remote, env.local, seed=env.seed) as connection:
        keys = connection.enable_tls(down=False)["up"]
        assert keys
        offload.warm_up(connection.up)
        with Connection(env.remote, env.local, seed=env.seed) as other:
            good = other.enable_tls(up=False, down=False)
            assert not good
            wrong = dict(keys, key="00" * (len(keys["key"]) // 2))
            env.local.call("tcp.tls_add", number=other.server_socket, direction="rx", keys=keys)
            env.remote.call("tcp.tls_add", number=other.client_socket, direction="tx", keys=wrong)
            reading = env.local.begin("tcp.receive", number=other.server_socket,
                                      seed=other.up.seed, size=5000)
            env.remote.call("tcp.send", number=other.client_socket, seed=other.up.seed, size=5000)
            got = reading.result()
        expect(got["bytes"] == 0 and got.get("error") == "EBADMSG",
               f"received with the wrong key: {got}, expected EBADMSG")
        errors = offload.watch.protocols()["TlsDecryptError"]
        expect(errors == 1, f"TlsDecryptError moved by {errors}, expected 1")
        connection.up.move(100_000)         # the right session goes on


@test("tls-rx/32-connections")
@needs("tls-rx")
def many(env):
    """32 at once, every other one with the other cipher; each is decrypted by the device."""
    count = 32
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        connections = []
        try:
            for index in range(count):
                connection = Connection(env.remote, env.local, 6 if index % 4 > 1 else 4,
                                        seed=f"{env.seed}/{index}")
                connections.append(connection)
                connection.enable_tls(TLS, list(CIPHERS.values())[index % 2], down=False)
            offload.check_opened(count, tx=False)
            offload.check_configurations(connections, tx=False)
            for finish in [connection.up.begin(64 << 10) for connection in connections]:
                finish()
            for connection in connections:
                offload.warm_up(connection.up)
        finally:
            for connection in connections:
                connection.close()
        offload.check_closed(count, tx=False)
        offload.check_no_error()


@test("tls-rx/churn")
@needs("tls-rx")
def churn(env):
    """40 short sessions one after the other."""
    count = 40
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        for index in range(count):
            with Connection(env.remote, env.local, seed=f"{env.seed}/{index}") as connection:
                connection.enable_tls(TLS, list(CIPHERS.values())[index % 2], down=False)
                connection.up.move(3000)
        offload.check_opened(count, tx=False)
        offload.check_closed(count, tx=False)
        offload.check_no_error()
