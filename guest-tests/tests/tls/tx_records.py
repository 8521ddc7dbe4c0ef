# SPDX-License-Identifier: GPL-2.0-or-later
"""T-20, T-29, T-30, sending: records of every size, cut at every byte; files; parts of records.

That a boundary of segments really lay at a byte is read from the wire, not assumed: what a first
try has missed (TCP may send less than a full segment) is tried again.
"""

import contextlib

from lib import txpath
from lib.case import add, expect, expect_equal, needs, test
from lib.ktap import note
from lib.txpath import EXTRA, MAX
from lib.txpath import NEEDS, NEEDS_TSO

LOG_ROOM = 30_000           # segments: the wire keeps 65536 lines


def _batches(cuts, mss):
    """The cuts in portions that the wire's log has room for."""
    batch, used = [], 0
    for size, offset in cuts:
        used += 3 + (size + EXTRA) // mss
        if used > LOG_ROOM:
            yield batch
            batch, used = [], 3
        batch.append((size, offset))
    yield batch


def _cut(env, cuts, options, tso):
    """Records with boundaries of segments at each of [(size, byte)]."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(env.local.nic.with_features(tcp_segmentation_offload=tso))
        missing, total = list(cuts), len(cuts)
        for _ in range(txpath.TRIES):
            left = []
            mss = None
            for batch in _batches(missing, 100):
                with txpath.session(env, options=options) as session:
                    mss = session.mss
                    plan = txpath.TxPlan(mss)
                    for size, offset in batch:
                        plan.cut(size, offset)
                    plan.finish()
                    session.cork(True)
                    session.send(plan.sizes)
                    session.cork(False)
                    session.check()
                    borders = {one.stream for one in session.segments()}
                left += [(size, offset) for size, offset, stream in plan.cuts
                         if stream not in borders]
            missing = left
            if not missing:
                note(f"{total} boundaries, segments of {mss} bytes")
                return
            note(f"{len(missing)} of {total} boundaries were missed; once more")
        expect(False, f"no segment ever began at (size, byte) {missing[:10]}")


def _sizes(cuts, options=None, tso=True):
    def run(env):
        _cut(env, cuts, options, tso)
    run.__doc__ = "Segments begin at each of these bytes of a record."
    return run


def _rotating(sizes, each):
    """Some edges of each size, other ones of the next."""
    cuts = []
    for number, size in enumerate(sizes):
        edges = txpath.edges(size)
        cuts += [(size, edges[(number * each + at) % len(edges)]) for at in range(each)]
    return cuts


NARROW = {"TCP_MAXSEG": 212}        # 200 bytes with timestamps
TINY = [(size, at) for size in range(65) for at in range(1, size + EXTRA)]
AROUND = [1350, 1419, 1420, 1500]   # 1419: a record is a segment
add("T-20/tx-cut-0-to-64", _sizes(_rotating(range(65), 12), NARROW), needs=NEEDS_TSO)
add("T-20/tx-cut-0-to-64-no-tso", _sizes(_rotating(range(65), 12), NARROW, tso=False),
    needs=NEEDS_TSO, full=True)
add("T-20/tx-cut-1350-to-1500", _sizes(
    _rotating(range(1350, 1501), 2) + [(size, at) for size in AROUND for at in txpath.edges(size)]),
    needs=NEEDS_TSO)
add("T-20/tx-cut-longest", _sizes([(size, at) for size in (16383, 16384)
                                   for at in txpath.edges(size)]), needs=NEEDS_TSO)
for _tso in (True, False):
    _end = "full" if _tso else "no-tso-full"
    add(f"T-20/tx-cut-0-to-64-{_end}", _sizes(TINY, NARROW, _tso), needs=NEEDS_TSO, full=True,
        guard=1200.0)
    add(f"T-20/tx-cut-1350-to-1500-{_end}", _sizes(
        [(size, at) for size in range(1350, 1501) for at in txpath.edges(size)], None, _tso),
        needs=NEEDS_TSO, full=True, guard=1200.0)
    add(f"T-20/tx-cut-longest-{_end}", _sizes(
        [(size, at) for size in (16382, 16383, 16384) for at in txpath.edges(size)], None, _tso),
        needs=NEEDS_TSO, full=True, guard=1200.0)


def _file(zerocopy):
    """sendfile: pages of the page cache are encrypted by the device, with a lost segment in a
    header and one in a payload, which are replayed from those pages. The file stays as it is."""
    def run(env):
        size = (1 << 20) + 12345
        sizes = [MAX] * (size // MAX) + [size % MAX]
        with txpath.session(env) as session, env.local.directory() as place:
            path, way = f"{place}/payload", session.way
            env.local.call("procs.payload_file", path=path, seed=way.seed, size=size)
            before = env.local.call("procs.file_digest", path=path)
            if zerocopy and session.offload.real:
                env.local.call("tcp.tls_zerocopy", number=way.sender_socket)
            session.layout.add(sizes)
            lost = session.lose([session.layout.starts[20] + 2, session.layout.starts[40] + 9000])
            reading = env.remote.begin("tcp.receive", number=way.receiver_socket, seed=way.seed,
                                       size=size)
            sent = env.local.call("tcp.send_file", number=way.sender_socket, path=path)
            got = reading.result()
            expect_equal("bytes that sendfile sent", sent, size)
            expect_equal("bytes that came, first wrong one", (got["bytes"], got["mismatch"]),
                         (size, None))
            way.offset = size
            expect_equal("segments lost", lost[0].hits(), 2)
            session.check()
            expect_equal("the file afterwards",
                         env.local.call("procs.file_digest", path=path), before)
            # with or without, writes and files can follow one another
            session.send([1, 16384, 700])
            session.check()
    run.__doc__ = _file.__doc__
    return run


add("T-29/tx-sendfile", _file(False), needs=NEEDS)
add("T-29/tx-sendfile-zerocopy", _file(True), needs=NEEDS)


@test("T-30/tx-more")
@needs(*NEEDS)
def more(env):
    """Writes with MSG_MORE are joined to records; lengths on the wire are those of the joined
    records, and a lost one is replayed across the parts it was made of."""
    with txpath.session(env) as session:
        seen = session.box.watch_records(session.way, 20)
        session.send_parts([[1000, True], [2000, True], [500, False]])
        session.send_parts([[20000, True], [10, False]])
        session.send_parts([[16384, True], [1, False]])
        session.send_parts([[1, True]] * 300 + [[1, False]])
        session.settle()
        lost = session.lose([session.layout.end + 8000])
        session.send_parts([[5, True], [9000, True], [3000, True], [77, True], [4000, False]])
        session.send([16384] * 4)
        expect_equal("segments lost", lost[0].hits(), 1)
        session.check()
        lengths = [length - EXTRA for length in session.layout.lengths()]
        expect_equal("payloads of the joined records", lengths[:7],
                     [3500, MAX, 20010 - MAX, MAX, 1, 301, 16082])
        expect_equal("records on the wire (type, length)", session.box.records(seen),
                     {number: (23, length + EXTRA) for number, length in enumerate(lengths)})
        if session.log:
            payloads = {}
            for one in session.log.records("tx"):
                payloads.setdefault(one.record, one.length - EXTRA)
            expect_equal("payloads as the device saw them",
                         [payloads[n] for n in sorted(payloads)], lengths)


@test("T-30/tx-open-record")
@needs(*NEEDS)
def open_record(env):
    """A record that is begun and not ended: nothing of it leaves until it is ended, while what was
    sent before is lost and replayed."""
    with txpath.session(env, options={"TCP_NODELAY": 1}) as session:
        way = session.way
        lost = session.lose([session.layout.end])
        finish = session.begin([1000])
        lost[0].wait_hits(1)            # it is written, so what follows comes behind it
        env.local.call("tcp.send_parts", number=way.sender_socket, seed=way.seed,
                       offset=way.offset, parts=[[3000, True]])
        finish()
        session.settle()
        expect_equal("segments lost", lost[0].hits(), 1)
        expect_equal("number of the last record that has left", session.check().log[-1][0], 0)
        expect_equal("bytes of the stream that have left",
                     session.box.flow(session.way)["stream"], session.layout.end)
        env.local.call("tcp.send_parts", number=way.sender_socket, seed=way.seed,
                       offset=way.offset + 3000, parts=[[9, False]])
        session.layout.add([3009])
        got = env.remote.call("tcp.receive", number=way.receiver_socket, seed=way.seed, size=3009,
                              offset=way.offset)
        expect_equal("first wrong byte", got["mismatch"], None)
        way.offset += 3009
        session.check()
