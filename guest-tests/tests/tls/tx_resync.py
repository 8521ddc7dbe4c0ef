# SPDX-License-Identifier: GPL-2.0-or-later
"""T-06 to T-09 and T-20, sending again: the driver's out-of-order path at every place of a record.

The wire loses the segments that begin at chosen bytes; the driver brings them again by UMR,
SET_PSV, DUMP and the packet. How often, for which records and with how many bytes is known exactly
from the order of the segments on the wire (lib/txpath.py).
"""

import contextlib
import json
import os

from agent import ktls

from lib import capture, fault, records, traffic, txpath, wire
from lib.case import add, expect, expect_between, expect_equal, needs, test, wait_equal, wait_for
from lib.ktap import note
from lib.tls import Connection, Offload
from lib.txpath import NEEDS, NEEDS_TSO


def _one(name, offset, size=16384):
    """One lost segment: +2 out-of-order packets (it, and the jump back), the record up to its
    first byte is replayed, and so is the record up to where the stream goes on."""
    def run(env):
        with txpath.session(env) as session:
            found = txpath.lose_all(session, [(size, offset)])
            passed = session.segments()
            again = [at for at, one in enumerate(passed) if one.again]
            # TCP has sent nothing again that was not lost; what is behind it before and after
            if (len(again) == 1 and again[0] + 1 < len(passed)
                    and passed[again[0] - 1].stream > passed[again[0]].stream):
                expect_equal("tx_tls_ooo", found.ooo, 2)
    run.__doc__ = f"{_one.__doc__} The loss is {name}."
    return run


for _name, _offset in (("header", 3), ("payload", 9000), ("tag", 16384 + txpath.EXTRA - 4)):
    add(f"T-06/tx-ooo-{_name}", _one(f"in a {_name}", _offset), needs=NEEDS,
        smoke=_name == "payload", full=_name == "header")


@test("T-07/tx-boundary")
@needs(*NEEDS)
def boundary(env):
    """Lost segments that begin with a record, in a stream in which every segment does: nothing is
    replayed."""
    for _ in range(txpath.TRIES):
        with txpath.session(env) as session:
            mss = session.mss
            lost = session.lose([mss * at for at in (40, 80, 120)])
            session.cork(True)
            session.send([mss - txpath.EXTRA] * 160)
            session.cork(False)
            found = session.check()
            expect_equal("segments lost", lost[0].hits(), 3)
            if any(one.stream % mss for one in session.segments()):
                note("TCP has sent less than a full segment; once more")
                continue
            if found.ooo < 3:
                note("TCP has sent more again than was lost, in a row; once more")
                continue
            expect_equal("bytes replayed", found.dump_bytes, 0)
            if session.offload.real:
                nic = session.offload.watch.nic()
                expect_equal("tx_tls_dump_packets", nic["tx_tls_dump_packets"], 0)
                expect(nic["tx_tls_ooo"] >= 3, f"tx_tls_ooo moved by {nic['tx_tls_ooo']}")
            return
    expect(False, "segments never were records, each lost one by itself")


def _before_tls(plain):
    """What was sent in clear before the keys were set is sent again in clear, by itself; the
    records behind it are encrypted."""
    def run(env):
        # one packet for the driver is one on the wire
        with env.local.nic.with_features(tcp_segmentation_offload=False), \
                Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge, \
                wire.rules(env) as box, \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            way = connection.up
            session = txpath.TxSession(env, connection, box, None, offload, judge, 0)
            gone = box.add(way, "drop stream=0.. sent=any")
            seed = way.seed
            env.local.call("tcp.send", number=way.sender_socket, seed=seed, size=plain,
                           sizes=[plain])
            gone.wait_hits(1)
            # the sender begins TLS while all of it is unacknowledged
            keys = ktls.new_keys()
            clear = len(session.segments())
            env.local.call("tcp.tls", number=way.sender_socket, tx=keys)
            before = len(session.segments())
            session.layout = txpath.Layout(start=plain)
            records_sent = [3000, 200, 16384]
            session.layout.add(records_sent)
            writing = env.local.begin("tcp.send", number=way.sender_socket, seed=seed,
                                      offset=plain, size=sum(records_sent), sizes=records_sent)
            writing.result()
            gone.clear()
            got = env.remote.call("tcp.receive", number=way.receiver_socket, seed=seed, size=plain,
                                  chunk=plain)
            expect_equal("first wrong byte in clear", got["mismatch"], None)
            env.remote.call("tcp.tls", number=way.receiver_socket, rx=keys)
            way.offset = plain
            got = env.remote.call("tcp.receive", number=way.receiver_socket, seed=seed,
                                  offset=plain, size=sum(records_sent))
            expect_equal("bytes of TLS, first wrong one", (got["bytes"], got["mismatch"]),
                         (sum(records_sent), None))
            session.settle()
            judge.check_no_error()
            if not offload.real:
                return
            want = txpath.account(session.segments()[before:], session.layout)
            wait_equal("tx_tls_dump_bytes", lambda: offload.watch.nic()["tx_tls_dump_bytes"],
                       want.dump_bytes)
            nic = offload.watch.nic()
            expect(want.skipped >= 1, "nothing from before TLS was sent again")
            # what was sent again in the moment of setting the keys may count or not
            skipped = nic["tx_tls_skip_no_sync_data"]
            expect_between("tx_tls_skip_no_sync_data", skipped, want.skipped,
                           want.skipped + before - clear)
            # and a repetition that was acknowledged before it reached the driver is thrown away
            dropped = nic["tx_tls_drop_no_sync_data"]
            if dropped:
                note(f"{dropped} packets were acknowledged before they reached the driver")
            for name, value in (("tx_tls_ooo", want.ooo + skipped - want.skipped + dropped),
                                ("tx_tls_encrypted_bytes", want.bytes),
                                ("tx_tls_encrypted_packets", want.packets),
                                ("tx_tls_dump_bytes", want.dump_bytes)):
                expect_equal(name, nic[name], value)
            note(f"{want.skipped} packets went in clear again, {want.packets} encrypted")
    return run


for _plain in (1, 517, 1448, 6000):
    add(f"T-08/tx-skip-{_plain}", _before_tls(_plain),
        needs=NEEDS_TSO, full=_plain in (1, 1448))


def _backlog(host):
    """Packets that wait in a qdisc."""
    found = json.loads(host.out("tc", "-s", "-j", "qdisc", "show", "dev", host.nic.name))
    return sum(entry.get("qlen", 0) for entry in found)


def _bucket(host, action, rate, burst):
    """A token bucket in front of the NIC ("replace"); another rate for what waits in it
    ("change")."""
    host.run("tc", "qdisc", action, "dev", host.nic.name, "root", "tbf", "rate", rate,
             "burst", burst, "limit", 100_000)


@test("T-09/tx-drop-acknowledged")
@needs(*NEEDS, "tool:tc")
def acknowledged(env):
    """A retransmission waits in a qdisc while the acknowledgement of the first transmission comes:
    when it reaches the driver its record is gone, and the driver throws it away. The connection
    goes on.

    The qdisc is a bucket that holds one packet's worth of tokens. It refills in half a minute: so
    long a packet waits, if it is not let go before, and so far apart may TCP's repetitions be that
    one of them waits. (netem would not do: it takes the socket off the packet, and the kernel drops
    it there.)
    """
    with txpath.session(env, options={"TCP_NODELAY": 1}) as session:
        session.send([1000])
        session.settle()
        held = session.box.add(session.connection.down, "hold name=acks")
        finish = session.begin([1000])
        held.wait_hits(1)
        _bucket(env.local, "replace", "128bit", 1600)

        def waits():
            again = session.info()["total_retrans"]
            return (_backlog(env.local)
                    and again > sum(one.again for one in session.segments()))

        try:
            wait_for("a retransmission in the qdisc", waits)
            session.box.release("acks")
            held.clear()
            finish()
            session.settle()
            expect(_backlog(env.local), "the qdisc is empty already")
            # tokens enough; the next packet takes along what waits before it
            _bucket(env.local, "change", "1gbit", "100kb")
            env.local.call("tcp.udp_burst", address=env.remote.address(4), port=traffic.DISCARD,
                           source_ports=[traffic.NUDGES[0]], count=1)
            wait_equal("packets in the qdisc", lambda: _backlog(env.local), 0, 60)
        finally:
            env.local.run("tc", "qdisc", "del", "dev", env.local.nic.name, "root")
        repeated = sum(one.again for one in session.segments())
        again = session.info()["total_retrans"]
        if session.offload.real:
            dropped = session.offload.watch.nic()["tx_tls_drop_no_sync_data"]
            note(f"{again} retransmissions, {repeated} on the wire, {dropped} dropped by the "
                 "driver")
            expect(dropped >= 1, "nothing was dropped by the driver")
            expect_equal("tx_tls_drop_no_sync_data, and retransmissions that never came to the "
                         "wire", dropped, again - repeated)
            session.drops = dropped
        session.send([1000, 16384, 5])
        session.check()


# Faults in the device. Packets of the driver are packets on the wire here (no TSO), so that what
# the device has dropped is the difference.
FAULTS = ("tls-tx", "wire", "fault", "feature:tcp-segmentation-offload")


@contextlib.contextmanager
def _faulty(env, rule):
    """A session whose device does one thing wrong; yields (TxSession, Faults, moved); moved()
    has the device's counters since then."""
    device = env.device(env.local)
    with env.local.nic.with_features(tcp_segmentation_offload=False), \
            fault.faults(env, env.local, rule) as faults, txpath.session(env) as session:
        before = device.counters()

        def moved():
            return {name: value - before[name] for name, value in device.counters().items()}

        yield session, faults, moved


def _check_dropped(session, moved, swallowed):
    """Each packet that the driver has posted was sent, swallowed, or dropped for a reason that is
    counted; the peer has met no wrong record."""
    session.settle()
    session.judge.check_no_error()
    nic, device, passed, dropped = {}, {}, [], 0

    def beyond():
        # a needless retransmission may still be on its way to the wire: look again
        nonlocal nic, device, passed, dropped
        nic, device, passed = session.offload.watch.nic(), moved(), session.segments()
        dropped = device["tls_tx_seq_mismatch"] + device["tls_tx_no_ctx"]
        return nic["tx_tls_encrypted_packets"] - len(passed) - swallowed - dropped

    wait_equal("tx_tls_encrypted_packets beyond what was sent, swallowed and dropped", beyond, 0)
    note(f"{nic['tx_tls_encrypted_packets']} packets posted, {len(passed)} on the wire, "
         f"{swallowed} swallowed, {device['tls_tx_seq_mismatch']} out of sequence, "
         f"{device['tls_tx_no_ctx']} without context")
    expect_equal("tls_tx_bytes of the device", device["tls_tx_bytes"],
                 sum(one.length for one in passed))
    expect(nic["tx_tls_ooo"] >= 1, "the driver has met nothing out of order")
    return device


@test("T-06/tx-packet-lost-in-device")
@needs(*FAULTS)
def packet_lost(env):
    """F-2: a packet is lost in the device before it is encrypted. Those behind it are not where
    the device expects them and are dropped too, until TCP sends again; nothing wrong leaves.

    It is one of the ten that TCP sends before it hears anything, so there are some behind it."""
    with _faulty(env, "swallow wqe=SEND tisn=1.. nth=5") as (session, faults, moved):
        session.send([16384] + [1000] * 180)
        device = _check_dropped(session, moved, faults.hits())
        expect(device["tls_tx_seq_mismatch"] >= 1, "no packet was out of sequence")
        session.send([1000] * 20)


@test("T-06/tx-progress-params-lost")
@needs(*FAULTS)
def progress_lost(env):
    """F-3: the first SET_PSV has no effect. The device drops what comes: it has no context, or one
    that still is at the last connection's place. When TCP sends again the driver posts another one,
    and all is well."""
    with _faulty(env, "swallow wqe=SET_PSV dir=tx nth=1") as (session, _, moved):
        session.send([1000] * 20)
        device = _check_dropped(session, moved, 0)
        expect(device["tls_tx_no_ctx"] + device["tls_tx_seq_mismatch"] >= 1,
               "no packet was dropped")


def _edges(size, every=1):
    return [(size, at) for at in [0, *txpath.edges(size)][::every]]


def _again(cuts, tso=True, **options):
    """Segments are lost that begin at each of these bytes of a record, one by one."""
    def run(env):
        with contextlib.ExitStack() as stack:
            if not tso:
                stack.enter_context(env.local.nic.with_features(tcp_segmentation_offload=False))
            session = stack.enter_context(txpath.session(env, **options))
            txpath.lose_all(session, cuts)
    run.__doc__ = _again.__doc__
    return run


add("T-20/tx-again-tso", _again(_edges(5000)), needs=NEEDS_TSO)
add("T-20/tx-again-no-tso", _again(_edges(5000), tso=False), needs=NEEDS_TSO, full=True)
add("T-20/tx-again-short-records", _again(_edges(40) + _edges(0) + _edges(1000, 3)),
    needs=NEEDS_TSO)
add("T-20/tx-again-longest-records", _again(_edges(16384, 2) + _edges(16383, 5)), needs=NEEDS_TSO)
add("T-20/tx-again-every-byte-full",
    _again([(100, at) for at in range(129)] + _edges(1000) + _edges(16384) + _edges(16383)),
    needs=NEEDS_TSO, full=True, guard=900.0)


def _spanning(tso):
    """A lost segment with parts of many records: the first of them is replayed up to it."""
    def run(env):
        for _ in range(txpath.TRIES):
            with env.local.nic.with_features(tcp_segmentation_offload=tso), \
                    txpath.session(env) as session:
                sizes = [17, 0, 1, 30, 5, 64] * 400
                mss = session.mss
                lost = session.lose([mss * at + 3 for at in (10, 30, 31, 50, 70)])
                session.cork(True)
                session.send([*sizes, 1000])
                session.cork(False)
                found = session.check()
                expect_between("segments lost", lost[0].hits(), 4, 5)   # two are neighbours
            if len(found.resyncs) >= 4:
                return
            note(f"TCP has sent more again than was lost, in a row: resyncs {found.resyncs}; once "
                 "more")
        expect(False, f"resyncs: {found.resyncs}")
    run.__doc__ = _spanning.__doc__
    return run


for _tso in (True, False):
    add(f"T-20/tx-again-spanning-{'tso' if _tso else 'no-tso'}", _spanning(_tso), needs=NEEDS_TSO,
        full=not _tso)


def _identical(tso):
    """What is sent again is byte for byte what was sent first, in a capture of the wire."""
    def run(env):
        with env.local.nic.with_features(tcp_segmentation_offload=tso), \
                txpath.session(env) as session, \
                capture.captured(env, session.box, f"t-20-{'tso' if tso else 'no-tso'}") as taken:
            txpath.lose_all(session, _edges(3000, 4) + _edges(60, 4))
            again, base, stream = 0, None, {}
            for seq, data in taken.segments(session.way):
                base = seq if base is None else base
                at = (seq - base) % (1 << 32)
                for position, byte in enumerate(data, at):
                    if position in stream:
                        again += 1
                        expect(stream[position] == byte, f"byte {position} of the stream was sent "
                               f"as {stream[position]:#04x}, then as {byte:#04x}")
                    stream[position] = byte
            resent = sum(one.length for one in session.segments() if one.again)
            expect_equal("bytes that were sent again", again, resent)
            note(f"{len(stream)} bytes, {again} sent again alike")
    run.__doc__ = _identical.__doc__
    return run


for _tso in (True, False):
    add(f"T-20/tx-again-identical-{'tso' if _tso else 'no-tso'}", _identical(_tso),
        needs=NEEDS_TSO, full=not _tso)


@contextlib.contextmanager
def _by_tc(env, queue):
    """Everything leaves by one queue, chosen by tc."""
    nic = env.local.nic.name
    env.local.run("tc", "qdisc", "add", "dev", nic, "clsact")
    try:
        env.local.run("tc", "filter", "add", "dev", nic, "egress", "matchall", "action", "skbedit",
                      "queue_mapping", queue)
        yield
    finally:
        env.local.run("tc", "qdisc", "del", "dev", nic, "clsact")


@contextlib.contextmanager
def _by_xps(env, queue):
    """Everything leaves by one queue, chosen by the processors that use it."""
    nic = env.local.nic
    paths = {number: nic.sysfs("queues", f"tx-{number}", "xps_cpus")
             for number in range(nic.channels()[0])}
    before = {path: env.local.read(path) for path in paths.values()}
    try:
        everyone = f"{(1 << os.cpu_count()) - 1:x}"
        for number, path in paths.items():
            env.local.write(path, everyone if number == queue else "0")
        yield
    finally:
        for path, value in before.items():
            env.local.write(path, value)


def _other_queue(move):
    """The parameters were posted on one send queue; data that were lost are sent again, and the
    stream goes on, through another one."""
    def run(env):
        with txpath.session(env) as session, contextlib.ExitStack() as stack:
            stack.enter_context(_by_tc(env, 0) if move is _by_tc else _by_xps(env, 0))
            session.send([5000, 100])
            session.settle()
            watch = session.offload.watch
            used = txpath.per_queue(watch, "tls_encrypted_packets")
            at = session.layout.end
            gone = session.box.add(session.way, f"drop stream={at}.. sent=any")
            finish = session.begin([3000, 16384, 7])
            gone.wait_hits(1)
            stack.close()
            with move(env, 1):
                # what is under way is out of the host; nothing is acknowledged
                gone.clear()
                finish()
                session.send([16384] * 8)
                session.check()
                if session.offload.real:
                    now = txpath.per_queue(watch, "tls_encrypted_packets")
                    note(f"encrypted packets by queue: first {used}, then {now}")
                    ooo = txpath.per_queue(watch, "tls_ooo")
                    expect(ooo.get(1), f"no out-of-order packet in queue 1: {ooo}")
                    if move is _by_tc:
                        expect_equal("queues of the first records", set(used), {0})
    run.__doc__ = _other_queue.__doc__
    return run


add("T-20/tx-again-other-queue", _other_queue(_by_tc), needs=(*NEEDS, "tool:tc", "channels:2"))
add("T-20/tx-again-other-queue-xps", _other_queue(_by_xps), needs=(*NEEDS, "channels:2"),
    full=True)


@test("T-06/tx-steady-loss")
@needs(*NEEDS)
def steady(env):
    """One segment in forty is lost, first transmissions and repetitions: all accounts still agree
    packet by packet."""
    with txpath.session(env) as session:
        lost = session.box.add(session.way, "drop stream=0.. p=0.025 seed=6 sent=any")
        # some 37 losses; which packets they are depends on how many connections were before
        session.send([16384, 1, 500, 9000] * 80)
        found = session.check()
        note(f"{lost.hits()} of {found.packets} packets lost, {found.ooo} out of order, "
             f"{found.dump_bytes} bytes replayed")
        expect(lost.hits() >= 8, f"only {lost.hits()} packets were lost")
        # of the wire, with which check() has compared the driver's counters
        replayed = sum(verdict == "sent-and-dumped" for _, verdict in found.log)
        expect(replayed >= 4, f"only {replayed} records were replayed in part")
        if session.log:
            done = records.count(session.log.records("tx"))
            expect_equal("sent-and-dumped by the device", done.get("sent-and-dumped", 0), replayed)
