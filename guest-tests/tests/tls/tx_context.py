# SPDX-License-Identifier: GPL-2.0-or-later
"""T-01, T-02, T-05, T-22 to T-28, sending: a context from its beginning to its end, in every guise.

All of them but the first two send the same stream, with a segment lost in a header, one in a
payload, one in a tag and one that begins a record, and compare the counters, the device's record
log and the peer's bytes with what the order of the segments on the wire demands (lib/txpath.py).
"""

import contextlib

from lib import capture, records, tracepoints, txpath, wire
from lib.case import add, expect, expect_equal, needs, test, wait_equal
from lib.tls import Connection, Offload
from lib.txpath import NEEDS, NEEDS_TSO

# (record, byte that is lost)
LOSSES = ((5000, 3), (5000, 2900), (5000, 5000 + txpath.EXTRA - 7), (5000, 0))
VLAN = 131


@test("T-01/tx-ctx")
@needs("tls-tx")
def opened(env):
    """One socket: tx_tls_ctx and TlsTxDevice +1, and the device is told nothing before data are
    sent; three more: +3."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote), \
            contextlib.ExitStack() as stack:
        device = env.device(env.local)
        before = device.counters() if device else None
        for count in range(1, 5):
            connection = stack.enter_context(Connection(env.local, env.remote, seed=env.seed))
            connection.enable_tls(down=False)
            offload.check_configuration(connection, rx=False)
            offload.check_opened(count, rx=False)
            stat = offload.watch.protocols()
            expect_equal("TlsCurrTxDevice moved by", stat["TlsCurrTxDevice"],
                         count if offload.real else 0)
        if offload.real:
            moved = offload.watch.nic().moved("^tx[0-9]*_tls_")
            expect_equal("TLS counters of the driver that moved without data", {
                name: value for name, value in moved.items() if "pool" not in name},
                {"tx_tls_ctx": count})
        if device:
            after = device.counters()
            for name in ("tls_tx_packets", "tls_tx_records", "tls_tx_dumps", "tls_tx_no_ctx"):
                expect_equal(f"{name} of the device", after[name] - before[name], 0)


@test("T-01/tx-tracepoint")
@needs(*NEEDS, "tracepoints")
def traced(env):
    """The kernel's account of the beginning: tls_device_offload_set comes once for each connection,
    with the record number of the keys and the sequence number of the next byte, and the driver
    took it. With losses mlx5 never asks the kernel to synchronise it: it has the records itself."""
    with tracepoints.trace(env.local) as trace, Offload(env, env.local, tx=True) as offload, \
            Offload(env, env.remote), wire.rules(env) as box:
        sockets = []
        for first, plain in ((0, 0), (77, 1000), ((1 << 64) - 1, 5)):
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                if plain:
                    connection.up.move(plain)
                connection.enable_tls(down=False, rec_seq=first)
                if not offload.real:
                    continue
                sk = trace.follow(env.local, "tx")
                sockets.append(sk)
                events = trace.events("tls_device_offload_set", sk)
                expect_equal("events of the connection", len(events), len(
                    [one for one in sockets if one == sk]))     # addresses are used again
                if first < (1 << 64) - 1:
                    lost = box.add(connection.up, "drop segment=+3 count=1")
                    connection.up.move(100_000)
                    lost.check_hits(1)
                expect_equal("sequence number (of the first byte of TLS), record number",
                             (events[-1].tcp_seq, events[-1].rec_no),
                             ((box.flow(connection.up)["first_seq"] + plain) % (1 << 32), first))
        for name in ("tls_device_tx_resync_req", "tls_device_tx_resync_send"):
            expect_equal(name, trace.events(name), [])


@test("T-02/tx-del")
@needs("tls-tx")
def closed(env):
    """Closing: tx_tls_del +1 for each, TlsCurrTxDevice back; what was opened in between stays."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote):
        first = Connection(env.local, env.remote, seed=env.seed)
        second = Connection(env.local, env.remote, seed=env.seed)
        for connection in (first, second):
            connection.enable_tls(down=False)
            connection.up.move(3000)
        first.close()
        offload.check_closed(1, rx=False)
        second.up.move(3000)
        if offload.real:
            expect_equal("TlsCurrTxDevice", offload.watch.protocols()["TlsCurrTxDevice"], 1)
        second.close()
        offload.check_closed(2, rx=False)
        wait_equal("TlsCurrTxDevice", lambda: offload.watch.protocols()["TlsCurrTxDevice"], 0)


def _bulk(tso):
    """Nothing is lost: encrypted packets and bytes are those on the wire, nothing is replayed, and
    each record leaves once."""
    def run(env):
        with env.local.nic.with_features(tcp_segmentation_offload=tso), \
                txpath.session(env) as session:
            session.send([16384] * 64 + [1, 2, 3, 100, 1000, 10000] * 20)
            found = session.check()
            sent = session.info()
            passed = session.box.flow(session.way)
            expect_equal("records on the wire", passed["wire_records"], 184)
            # a repetition that is acknowledged before it reaches the driver does not get there
            if not session.offload.watch.nic()["tx_tls_drop_no_sync_data"]:
                expect_equal("segments on the wire", found.packets, sent["data_segs_out"])
            if sent["bytes_retrans"] == 0:
                for name in ("ooo", "dump_bytes", "skipped"):
                    expect_equal(name, getattr(found, name), 0)
                expect_equal("bytes that passed the wire twice", passed["again_bytes"], 0)
                if session.log:
                    expect_equal("verdicts", records.count(session.log.records("tx")),
                                 {"sent": 184})
    return run


add("T-05/tx-encrypted-tso", _bulk(True), needs=NEEDS_TSO)
add("T-05/tx-encrypted-no-tso", _bulk(False), needs=NEEDS_TSO)


def _guise(doc=None, **options):
    """The lossy stream over a connection of some kind."""
    def run(env):
        with txpath.session(env, **options) as session:
            txpath.lose_all(session, LOSSES)
    run.__doc__ = doc
    return run


add("T-22/tx-aes256", _guise("AES-256.", cipher="aes-gcm-256"), needs=NEEDS)
add("T-22/tx-aes256-v6", _guise("AES-256 over IPv6.", cipher="aes-gcm-256", family=6),
    needs=NEEDS, full=True)
add("T-23/tx-v6", _guise("IPv6.", family=6), needs=NEEDS)
add("T-23/tx-v4-mapped", _guise("An IPv6 socket whose peer speaks IPv4.", mapped=True),
    needs=NEEDS)


@contextlib.contextmanager
def _tagged(env):
    """What the local end sends carries a VLAN tag on the wire; the remote end takes it off.

    A VLAN interface has no TLS offload of its own (the kernel gives it none), so the tag is pushed
    below the socket's interface, by tc, where the driver finds it in the packet.
    """
    def tc(host, way, *action):
        host.run("tc", "qdisc", "add", "dev", host.nic.name, "clsact")
        env.cleanup.callback(host.run, "tc", "qdisc", "del", "dev", host.nic.name, "clsact",
                             check=False)
        host.run("tc", "filter", "add", "dev", host.nic.name, way, "protocol", "all", "prio", 1,
                 "matchall", "action", "vlan", *action)

    with env.remote.nic.with_flag("promisc"):
        tc(env.remote, "ingress", "pop")
        tc(env.local, "egress", "push", "id", VLAN)
        try:
            yield
        finally:
            for host in env.hosts:
                host.run("tc", "qdisc", "del", "dev", host.nic.name, "clsact", check=False)


def _vlan(insert, family):
    """Tags inserted by the device, or in the packet already."""
    def run(env):
        with env.local.nic.with_features(tx_vlan_offload=insert), _tagged(env), \
                txpath.session(env, family=family) as session:
            tags = session.box.add(session.way, f"log vlan={VLAN} stream=0.. sent=any")
            found = txpath.lose_all(session, LOSSES)
            tags.check_hits(found.packets)
    return run


add("T-24/tx-vlan-inserted", _vlan(True, 4),
    needs=(*NEEDS, "tool:tc", "feature:tx-vlan-offload"))
add("T-24/tx-vlan-inserted-v6", _vlan(True, 6),
    needs=(*NEEDS, "tool:tc", "feature:tx-vlan-offload"), full=True)
add("T-24/tx-vlan-in-band", _vlan(False, 4),
    needs=(*NEEDS, "tool:tc", "feature:tx-vlan-offload"))


def _wrap(place, offset):
    """Sequence number 0 is the byte `offset` of a record, and a segment that begins there is
    lost."""
    def run(env):
        # where the byte is in the stream does not depend on where the stream begins
        mss = env.local.nic.mtu - 52
        cuts = [(5000, offset), (5000, 17)]
        plan = txpath.TxPlan(mss)
        plan.cut(*cuts[0], apart=txpath.APART * mss)
        first = (1 << 32) - plan.cuts[0][2]
        for _ in range(txpath.TRIES):
            with txpath.session(env, initial=(first, 0x12345678)) as session:
                expect_equal("payload bytes of a segment", session.mss, mss)
                _, missed = txpath.lose_each(session, cuts, tries=1)
                if missed:
                    continue
                zero = [segment for segment in session.segments() if segment.seq == 0]
                # TCP may send the repetition again when its acknowledgement is late
                expect(len(zero) >= 2 and [one.again for one in zero] == [False] + [True] * (
                    len(zero) - 1), f"segments with sequence number 0: {zero}, expected the "
                       "lost one and its retransmission")
                return
        expect(False, "no segment ever began with sequence number 0")
    run.__doc__ = f"The sequence numbers wrap in a record's {place}."
    return run


for _place, _offset in (("header", 2), ("nonce", 9), ("payload", 1000), ("tag", 5029 - 5),
                        ("first-byte", 0)):
    add(f"T-25/tx-wrap-{_place}", _wrap(_place, _offset), needs=NEEDS,
        full=_place in ("nonce", "payload"))


# the last leaves room for what is tried again: 19 records each time
for _name, _first in (("2-32", (1 << 32) - 3), ("2-63", (1 << 63) - 3), ("1", 1),
                      ("2-64", (1 << 64) - 20 * txpath.TRIES)):
    add(f"T-26/tx-from-below-{_name}" if _first > 1 else "T-26/tx-from-1",
        _guise("The record number carries while records are lost and replayed.", rec_seq=_first),
        needs=NEEDS, full=_name in ("2-63", "1"))


@test("T-26/tx-past-the-last-record")
@needs(*NEEDS)
def last_records(env):
    """From record 2^64-4 on: the device numbers past 2^64-1 as a counter of 64 bits does.

    The kernel means to end the session with EBADMSG there (tls_advance_record_sn), but TCP's send
    path takes the error away within the same write, which reports success: record 2^64-1 waits as
    partly sent, goes with the next write, and that one's record is number 0. The peer's kernel
    does end the session, after record 2^64-1.
    """
    first = (1 << 64) - 4
    with txpath.session(env, rec_seq=first, options={"TCP_NODELAY": 1}) as session:
        seen = session.box.watch_records(session.way, 6)
        for _ in range(3):
            session.send([1000])
        session.check()
        number, seed = session.connection.client_socket, session.way.seed
        for count in (3, 4):
            env.local.call("tcp.send", number=number, seed=seed, size=1000, offset=1000 * count)
        got = env.remote.call("tcp.receive", number=session.connection.server_socket, seed=seed,
                              size=2001, offset=3000)
        expect_equal("what the peer says to record 2^64-1", got.get("error"), "EBADMSG")
        expect_equal("wrong bytes before that", got["mismatch"], None)
        session.layout.add([1000, 1000])
        session.settle()
        expect_equal("records on the wire (type, length)", session.box.records(seen),
                     {number: (23, 1000 + txpath.EXTRA) for number in range(5)})
        if session.log:
            # one that TCP has sent again is there twice
            expect_equal("records of the device",
                         list(dict.fromkeys(one.record for one in session.log.records("tx"))),
                         [first, first + 1, first + 2, first + 3, 0])


def _iv(start):
    """The explicit nonces begin with `start`, whatever the record number is, and count up."""
    def run(env):
        sizes = [100] * 20
        with Offload(env, env.local, tx=True), \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False, plain_receiver=True, rec_seq=1000,
                                  change={"iv": f"{start:016x}"})
            reading = env.remote.begin("tcp.read_records", number=connection.server_socket,
                                       size=sum(sizes) + 29 * len(sizes))
            env.local.call("tcp.send", number=connection.client_socket, seed=env.seed,
                           size=sum(sizes), sizes=sizes)
            got = reading.result()
        expect_equal("explicit nonces on the wire", got["nonces"],
                     [f"{(start + n) % (1 << 64):016x}" for n in range(len(sizes))])
        with txpath.session(env, rec_seq=1000, keys={"iv": f"{start:016x}"}) as session:
            txpath.lose_all(session, LOSSES)
    return run


for _name, _start in (("zero", 0), ("other", 0x0123456789abcdef), ("wraps", (1 << 64) - 5),
                      ("equal", 1000)):
    add(f"T-27/tx-iv-{_name}", _iv(_start), needs=(*NEEDS, "tls:1.2"),
        full=_name in ("zero", "equal"))


@test("T-28/tx-types")
@needs(*NEEDS)
def types(env):
    """Alerts, handshake and ChangeCipherSpec records between data: the device encrypts them all
    alike and counts on; one of each is lost on the wire and comes again."""
    kinds = {20: "01", 21: "0100", 22: "00000000"}
    with txpath.session(env, options={"TCP_NODELAY": 1}) as session, \
            capture.captured(env, session.box, "t-28") as taken:
        lost, types_sent = [], []
        for again in (False, True):
            for kind, data in kinds.items():
                for text in (data, data * 400, ""):
                    session.send([700, 5000])
                    types_sent += [23, 23]
                    if again and text == data:
                        lost += session.lose([session.layout.end])
                    if not text:
                        continue
                    number = session.connection.client_socket
                    session.layout.add([len(text) // 2])
                    types_sent.append(kind)
                    env.local.call("tcp.tls_send_record", number=number, kind=kind, data=text)
                    got = env.remote.call("tcp.tls_receive_record",
                                          number=session.connection.server_socket)
                    expect_equal("record (type, bytes)", (got["kind"], got["data"]), (kind, text))
        session.send([5000])
        for rule in lost:
            rule.check_hits(1)
        session.check()
        expect_equal("records on the wire (type, length)", taken.records(session.way),
                     list(zip([*types_sent, 23], session.layout.lengths(), strict=True)))
        if session.log:
            first = {}
            for one in session.log.records("tx"):
                first.setdefault(one.record, one.type)
            expect_equal("types of the records", [first[n] for n in sorted(first)],
                         types_sent + [23])
