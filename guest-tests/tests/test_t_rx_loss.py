# SPDX-License-Identifier: GPL-2.0-or-later
"""T-13 and its kin: what is lost, late, doubled or cut on the way to a device that decrypts.

Each test knows every segment before it is sent, so it knows how many packets the device must
decrypt, what it must ask, which rows of its tracker it must take (engine/tls_rx.h), and for each
record how the kernel must find it. docs/tls-tests.md lists them.
"""

import contextlib

from lib import rx
from lib.case import expect_equal, needs, test
from lib.rx import Burst, SEGMENT, whole

NEEDS = ("tls-rx", "lab:tls-rows", "wire", "records", "tracepoints")
ASKED = {"rx_tls_resync_req_start": 1, "rx_tls_resync_req_end": 1}
ASKED_TWICE = {"rx_tls_resync_req_start": 2, "rx_tls_resync_req_end": 2}


@contextlib.contextmanager
def unheard(bench):
    """The sender is told of nothing while the block lasts, and then of all in turn: for packets
    that come twice. A sender without SACK (rx.calm) counts what says the same again, and loses
    patience when that is more than it has under way at that moment."""
    told = bench.rule("hold < len=0 name=told", must_hit=False)
    yield
    told.clear()


def lose_header(bench, burst, *lost):
    """Segments from a first one on that has (a part of) a header are lost: the device searches,
    finds the next header that is whole in a packet, asks, is told, authenticates a record and
    decrypts again."""
    after = lost[-1] + 1
    firsts = [burst.segment(record) for record in range(len(burst.sizes))]
    found = next(segment for segment in firsts if segment >= after)
    behind = sum(1 for segment in firsts if segment >= after)
    kept = bench.lose(*lost)
    sent = bench.send(burst)
    bench.wait_packets(burst.segments - len(lost))
    bench.wait_driver("rx_tls_resync_req_end")
    # nothing is approved yet: the software has not seen the header
    rows = {"R9": 1, "R12": 1, "R13": found - after, "R14": behind - 1, "R6": 0, "R11": 0}
    flags = [burst.segments - lost[0] - len(lost) - 1, lost[0], 1, 0]
    bench.check(flags, more=ASKED, rows=rows)
    kept.comes(len(lost))
    sent.finish()
    bench.recovers()
    rows.update(R6=len(lost), R18=1, R20=1, R21=1, R27=1)
    bench.check([flags[0] + len(lost) + 3, flags[1] + 3, 1, 0], resyncs=1, rows=rows)
    bench.mark()


@test("T-13/rx-header-lost", smoke=True)
@needs(*NEEDS)
def header_lost(env):
    """The segment with a header is lost, the header at its beginning."""
    with rx.bench(env) as bench:
        lose_header(bench, Burst(whole(4, 8)), 8)


@test("T-13/rx-header-lost-again")
@needs(*NEEDS)
def header_lost_again(env):
    """Five times in one connection: nothing of one loss is left at the next."""
    with rx.bench(env) as bench:
        for lost in (0, 4, 8, 12, 16):
            lose_header(bench, Burst(whole(4, 6)), lost)


@test("T-13/rx-cut-header-lost")
@needs(*NEEDS)
def cut_header_lost(env):
    """The header lies across two segments, 1, 2, 3 and 4 bytes in the first; either is lost."""
    unseen = {}
    with rx.bench(env, unseen=unseen) as bench:
        for first in (1, 2, 3, 4):
            for lost in (7, 8):
                sizes = whole(4, 6)
                sizes[1] -= first
                sizes[2] += first
                if lost == 8:
                    # those few bytes of the header came in a packet that was decrypted
                    unseen[bench.count + 2] = "partly-decrypted"
                lose_header(bench, Burst(sizes), lost)


@test("T-13/rx-record-lost")
@needs(*NEEDS)
def record_lost(env):
    """All segments of a record are lost, then those of two, then with a cut header behind."""
    with rx.bench(env) as bench:
        lose_header(bench, Burst(whole(4, 6)), 4, 5, 6, 7)
        lose_header(bench, Burst(whole(3, 7)), *range(3, 9))
        sizes = whole(4, 6)
        sizes[2] -= 2
        sizes[3] += 2
        lose_header(bench, Burst(sizes), 8, 9, 10, 11)


@test("T-13/rx-last-header-lost")
@needs(*NEEDS)
def last_header_lost(env):
    """Nothing follows the record whose header is lost: the device goes on searching, and the
    packet that comes late is old. It finds the first header of what is sent next."""
    with rx.bench(env) as bench:
        kept = bench.lose(8)
        sent = bench.send(whole(4, 3))
        bench.wait_packets(11)
        kept.comes()
        sent.finish()
        bench.wait_packets(12)
        bench.check([4, 8, 0, 0], rows={"R9": 1, "R11": 1, "R13": 3, "R6": 0})
        bench.mark()
        # the software may see that header before or after it is told: nothing else waits for it
        bench.move(whole(3, 2))
        bench.wait_driver("rx_tls_resync_req_end")
        in_sync_later(bench)
        bench.check(bench.flags(), resyncs=1, rows={"R12": 1, "R18": 1, "R20": 1, "R21": 1})


def in_sync_later(bench):
    """As Bench.recovers() where it is left open which record brings the approval."""
    bench.move(whole(1))                # a header behind the answer, should all others be before
    bench.wait_row("R18")
    bench.move(whole(1, 2))
    bench.expect_flags("records after it is in sync again", whole(3, 2), [0, 6, 0, 0])


@test("T-13/rx-inside-lost", smoke=True)
@needs(*NEEDS)
def inside_lost(env):
    """A segment inside a record is lost: the rest of the record comes encrypted, nothing is asked.
    The last one takes the tag with it: then the packet behind it cannot be decrypted either."""
    with rx.bench(env) as bench:
        for part, spoilt in ((1, 2), (2, 1), (3, 1)):
            kept = bench.lose(8 + part)
            sent = bench.send(whole(4, 6))
            bench.wait_packets(23)
            kept.comes()
            sent.finish()
            bench.wait_packets(24)
            bench.check([spoilt + 1, 23 - spoilt, 0, 0], rows={"R8": 1, "R6": 1})
            bench.mark()


@test("T-13/rx-inside-late")
@needs(*NEEDS)
def inside_late(env):
    """Reordering inside a record, as F-5 has it: a packet comes one or two packets late. Those that
    overtake it in its record, and itself, are not decrypted."""
    with rx.bench(env) as bench:
        for late in (1, 2):
            at = bench.position() + 9 * SEGMENT
            before = bench.connection.info(env.remote)["total_retrans"]
            rule = bench.rule(f"delay stream={at} packets={late}")
            bench.send(whole(4, 6)).finish()
            rule.check_hits(1)
            rule.clear()
            # newer kernels may send again what is late: that is old, too
            again = bench.connection.info(env.remote)["total_retrans"] - before
            bench.wait_packets(24 + again)
            # the two that came before it, and itself
            bench.check([2 + 1 + again, 24 - 3, 0, 0], rows={"R8": 1, "R6": 1 + again})
            bench.mark()


@test("T-13/rx-header-late")
@needs(*NEEDS)
def header_late(env):
    """The packet with a header comes one place late: that is a loss like any other, and when the
    software sees the header that was found does not matter."""
    with rx.bench(env) as bench:
        at = bench.position() + 8 * SEGMENT
        before = bench.connection.info(env.remote)["total_retrans"]
        rule = bench.rule(f"delay stream={at} packets=1")
        bench.send(whole(4, 12)).finish()
        rule.check_hits(1)
        bench.wait_driver("rx_tls_resync_req_end")
        in_sync_later(bench)
        again = bench.connection.info(env.remote)["total_retrans"] - before
        bench.wait_packets(48 + 3 + 6 + again)
        got = bench.flags()
        expect_equal("packets not decrypted, decrypted, resync, error",
                     got, [48 + 3 + 6 + again - got[1] - 1, got[1], 1, 0])
        bench.check(got, resyncs=1, rows={"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-13/rx-retransmitted", smoke=True)
@needs(*NEEDS)
def retransmitted(env):
    """As it happens without a test: the sender notices the loss and sends again while the rest is
    on its way. Header, inside, tag."""
    with rx.bench(env, patient=False) as bench:
        for part in (0, 1, 3):
            before = bench.connection.info(env.remote)["total_retrans"]
            rule = bench.rule(f"drop stream={bench.position() + (8 + part) * SEGMENT}")
            bench.send(whole(4, 12)).finish()
            rule.check_hits(1)
            rule.clear()
            again = bench.connection.info(env.remote)["total_retrans"] - before
            expect_equal("segments sent again", again, 1)
            bench.wait_packets(48)
            resyncs = 1 if part == 0 else 0
            if resyncs:
                bench.wait_driver("rx_tls_resync_req_end")
                in_sync_later(bench)
                rows = {"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1}
                bench.check(bench.flags(), resyncs=1, rows=rows)
            else:
                bench.expect_flags("records afterwards", whole(3, 2), [0, 6, 0, 0])
                bench.check([3 if part == 1 else 2, 48 + 6 - (3 if part == 1 else 2), 0, 0],
                            rows={"R8": 1, "R6": 1})
            bench.mark()


# what comes twice

@test("T-13/rx-duplicates", smoke=True)
@needs(*NEEDS)
def duplicates(env):
    """F-4: packets come twice, at once or later, of every part of a record: each copy is passed
    on as it is, and nothing else changes."""
    with rx.bench(env) as bench:
        for copies, gap in ((1, 0), (3, 0), (2, 5)):
            start = bench.position()
            places = ",".join(str(start + segment * SEGMENT) for segment in (4, 5, 7, 9, 15))
            rule = bench.rule(f"duplicate stream={places} copies={copies} gap={gap}")
            with unheard(bench):
                bench.send(whole(4, 6)).finish()
                rule.check_hits(5)
                bench.wait_packets(24 + 5 * copies)
            bench.check([5 * copies, 24, 0, 0], rows={"R6": 5 * copies})
            rule.clear()
            bench.mark()


@test("T-13/rx-duplicates-while-searching")
@needs(*NEEDS)
def duplicates_searching(env):
    """The same while the device searches (R11), and while it waits for an answer (R6)."""
    with rx.bench(env) as bench:
        kept = bench.lose(4)
        start = bench.position()
        twice = bench.rule("duplicate stream=" + ",".join(
            str(start + segment * SEGMENT) for segment in (3, 5, 6, 8, 9)))
        with unheard(bench):
            sent = bench.send(whole(4, 6))
            bench.wait_packets(23 + 5)
        twice.clear()
        # 3 before the loss, 5 and 6 while searching, 8 has the candidate
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([23 + 5 - 4 - 1, 4, 1, 0], more=ASKED,
                    rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R6": 3, "R11": 2})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-13/rx-overlap")
@needs(*NEEDS)
def overlap(env):
    """A packet begins with bytes that have come before: it is passed on as it is, what is new in it
    is followed, and the next one is decrypted (R7). With a header, a tag, a whole record in what
    is old and in what is new."""
    with rx.bench(env) as bench:
        for sizes, where, early in ((whole(4, 4), 5 * SEGMENT + 700, 40),       # inside a record
                                    (whole(4, 4), 7 * SEGMENT + 1390, 1390),    # ends with the tag
                                    (whole(3, 4), 8 * SEGMENT + 1380, 1200),    # and inside it
                                    (whole(2, 4), 3 * SEGMENT + 20, 20),        # a whole header
                                    ([20] * 60 + whole(2, 4), SEGMENT + 49 * 8, 49 * 4)):
            burst = Burst(sizes)
            rule = bench.rule(f"split stream={bench.position() + where} overlap={early}")
            bench.send(burst).finish()
            rule.check_hits(1)
            bench.wait_packets(burst.segments + 1)
            bench.check([1, burst.segments, 0, 0], rows={"R7": 1})
            rule.clear()
            bench.mark()


@test("T-13/rx-overlap-in-header")
@needs(*NEEDS)
def overlap_header(env):
    """The overlap cuts a header: 2 bytes of it in the first packet, all of it in the second. The
    device follows (R7). Linux reads the header across both packets as if they did not overlap and
    ends the connection (EMSGSIZE or EINVAL), with TLS in software just as with the device: the
    two must agree."""
    outcomes = []
    for device in (True, False):
        with rx.prepared(env, device=device) as into:
            with rx.opened(env, into, truth=False) as bench:
                burst = Burst([5471] + whole(4, 4))
                rule = bench.rule(f"split stream={bench.position() + 5502} overlap=30")
                got = bench.send(burst).outcome()
                rule.check_hits(1)
                # which error it is depends on the bytes that are taken for a header
                error = got.get("error") in ("EINVAL", "EMSGSIZE", "EBADMSG") or got.get("error")
                outcomes.append((got["bytes"], error, got["mismatch"]))
                if device and not got.get("error"):
                    bench.check([1, burst.segments, 0, 0], rows={"R7": 1})
    expect_equal("bytes, error, wrong byte with the device; without", outcomes[0], outcomes[1])


@test("T-13/rx-overlap-while-following")
@needs(*NEEDS)
def overlap_following(env):
    """The same while the device waits for an answer, and while it authenticates."""
    with rx.bench(env) as bench:
        kept = bench.lose(4)
        rule = bench.rule(f"split stream={bench.position() + 13 * SEGMENT + 500} overlap=300")
        with unheard(bench):
            sent = bench.send(whole(4, 6))
            bench.wait_packets(24)
        rule.clear()
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([24 - 4 - 1, 4, 1, 0], more=ASKED,
                    rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R7": 1})
        kept.comes()
        sent.finish()
        bench.wait_row("R18")
        bench.wait_driver("rx_tls_resync_res_ok")       # counted when the device has it already
        bench.mark()
        rule = bench.rule(f"split stream={bench.position() + SEGMENT + 500} overlap=1400")
        bench.send(whole(3, 2)).finish()
        bench.wait_packets(7)
        rule.clear()
        bench.check([4, 3, 0, 0], rows={"R7": 1, "R20": 1, "R21": 1})


@test("T-13/rx-congestion-and-keepalive")
@needs(*NEEDS)
def congestion_keepalive(env):
    """F-44: CE marks and keepalive probes: the probes have a sequence number of the past and no
    payload. Neither touches the device's place."""
    with rx.bench(env) as bench:
        rule = bench.rule("ce stream=0..")
        bench.move(whole(4, 6))
        rule.check_hits(24)
        rule.clear()
        probes = bench.rule("log len=0")
        bench.env.remote.call("tcp.set_option", number=bench.connection.client_socket,
                              options={"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1})
        probes.wait_hits(2)
        bench.env.remote.call("tcp.set_option", number=bench.connection.client_socket,
                              options={"SO_KEEPALIVE": 0})
        bench.move(whole(4, 2))
        bench.check([0, 32, 0, 0], rows={})


# lost again before the answer

@test("T-13/rx-lost-twice", smoke=True)
@needs(*NEEDS)
def lost_twice(env):
    """A second header is lost after the first question was answered and before the approval: the
    device asks about a new one, and that is the one that is approved."""
    with rx.bench(env) as bench:
        first = bench.lose(4)
        sent = [bench.send(whole(4, 4), read=False)]
        bench.wait_driver("rx_tls_resync_req_end")
        bench.wait_packets(15)
        second = bench.lose(4)
        sent.append(bench.send(whole(4, 4), read=False))
        bench.wait_driver("rx_tls_resync_req_end", 2)
        bench.wait_packets(30)
        rows = {"R9": 1, "R13": 6, "R12": 2, "R17": 1}
        bench.check([24, 4, 2, 0], more=ASKED_TWICE, rows=rows)
        first.comes()
        second.comes()
        bench.later(*sent).finish()
        bench.recovers()
        rows.update(R18=1, R20=1, R21=1)
        bench.check([24 + 2 + 3, 7, 2, 0], rows=rows, resyncs=1, more=ASKED_TWICE)


@test("T-13/rx-lost-many-times")
@needs(*NEEDS)
def lost_many(env):
    """Five headers are lost before the software has seen any: each is a loss and a question, the
    last one counts."""
    times = 5
    with rx.bench(env) as bench:
        kept, sent = [], []
        for index in range(times):
            kept.append(bench.lose(4))
            sent.append(bench.send(whole(4, 3), read=False))
            bench.wait_driver("rx_tls_resync_req_end", index + 1)
            bench.wait_packets(11 * (index + 1))        # nothing of it is under way any more
        asked = {"rx_tls_resync_req_start": times, "rx_tls_resync_req_end": times}
        rows = {"R9": 1, "R17": times - 1, "R12": times, "R13": 3 * times}
        bench.check([10 * times - 4, 4, times, 0], more=asked, rows=rows)
        for lost in kept:
            lost.comes()
        bench.later(*sent).finish()
        bench.recovers()
        rows.update(R18=1, R20=1, R21=1)
        bench.check([11 * times - 4 + 3, 7, times, 0], resyncs=1, rows=rows, more=asked)


@test("T-13/rx-inside-lost-while-waiting")
@needs(*NEEDS)
def candidate_hole(env):
    """Segments inside records are lost while the device waits for an answer: it follows the
    headers all the same (R16), and the number that it is told is right."""
    with rx.bench(env) as bench:
        kept = bench.lose(4, 9, 15, 18)
        sent = bench.send(whole(4, 6))
        bench.wait_packets(20)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([20 - 4 - 1, 4, 1, 0], more=ASKED,
                    rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R16": 3})
        kept.comes(4)
        sent.finish()
        bench.recovers()


# lost while authenticating

def approved(bench):
    """Lose a header and be told: the device is about to authenticate the next record."""
    kept = bench.lose(4)
    sent = bench.send(whole(4, 4))
    bench.wait_packets(15)
    bench.wait_driver("rx_tls_resync_req_end")
    kept.comes()
    sent.finish()
    bench.wait_row("R18")
    bench.wait_driver("rx_tls_resync_res_ok")           # counted when the device has it already
    bench.wait_packets(16)
    bench.mark()


@test("T-13/rx-inside-lost-while-authenticating")
@needs(*NEEDS)
def auth_hole(env):
    """A part of the record that is authenticated is lost: the next one is taken instead (R23)."""
    with rx.bench(env) as bench:
        for part in (1, 3):
            approved(bench)
            kept = bench.lose(part)
            sent = bench.send(whole(4, 4))
            bench.wait_packets(15)
            kept.comes()
            sent.finish()
            bench.wait_packets(16)
            bench.check([8, 8, 0, 0], rows={"R20": 2, "R21": 1, "R23": 1, "R6": 1})
            bench.mark()


@test("T-13/rx-header-lost-while-authenticating")
@needs(*NEEDS)
def auth_lost(env):
    """The header of that record, or the one behind it, is lost: the device searches again, asks
    again, and is told again (R24). With the second, a good tag came first, so that is R9."""
    with rx.bench(env) as bench:
        for lost, row in ((0, {"R24": 1}), (4, {"R20": 1, "R21": 1, "R9": 1})):
            approved(bench)
            kept = bench.lose(lost)
            sent = bench.send(whole(4, 5))
            bench.wait_packets(19)
            bench.wait_driver("rx_tls_resync_req_end")
            flags = [18, 0, 1, 0]
            bench.check(flags, more=ASKED, rows=dict(row, R12=1, R13=3))
            kept.comes()
            sent.finish()
            bench.recovers()
            bench.mark()


@test("T-13/rx-tag-lost-while-authenticating")
@needs(*NEEDS)
def auth_both(env):
    """The tag of the authenticated record and the header behind it are lost together (R24)."""
    with rx.bench(env) as bench:
        approved(bench)
        kept = bench.lose(3, 4)
        sent = bench.send(whole(4, 5))
        bench.wait_packets(18)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([17, 0, 1, 0], more=ASKED,
                    rows={"R20": 1, "R24": 1, "R12": 1, "R13": 3})
        kept.comes(2)
        sent.finish()
        bench.recovers()


# headers across packets while searching

@test("T-13/rx-cut-headers-while-searching")
@needs(*NEEDS)
def cut_while_searching(env):
    """The headers that the search meets are cut by the ends of packets: the software could not
    approve them, so the device follows them silently (R30, R31) to one that is whole."""
    with rx.bench(env) as bench:
        for cut in (1, 2, 3, 4):
            sizes = whole(4, 7)
            sizes[1] -= cut             # the headers of records 2 and 3 are cut
            sizes[3] += cut
            kept = bench.lose(4)
            sent = bench.send(sizes)
            bench.wait_packets(27)
            bench.wait_driver("rx_tls_resync_req_end")
            bench.check([27 - 4 - 1, 4, 1, 0], more=ASKED,
                        rows={"R9": 1, "R13": 3, "R30": 1, "R31": 9, "R12": 1, "R14": 2})
            kept.comes()
            sent.finish()
            bench.recovers()
            bench.mark()


@test("T-13/rx-cut-header-then-lost")
@needs(*NEEDS)
def cut_then_lost(env):
    """The same, and the header that it leads to is lost: the search begins anew (R32)."""
    with rx.bench(env) as bench:
        sizes = whole(4, 7)
        sizes[1] -= 2
        sizes[2] += 2                   # the header of record 2 is cut, that of 3 is not
        kept = bench.lose(4, 12)
        sent = bench.send(sizes)
        bench.wait_packets(26)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([26 - 4 - 1, 4, 1, 0], more=ASKED,
                    rows={"R9": 1, "R13": 6, "R30": 1, "R31": 3, "R32": 1, "R12": 1, "R14": 2})
        kept.comes(2)
        sent.finish()
        bench.recovers()


# what the device sees and the host does not

@test("T-13/rx-bad-header")
@needs(*NEEDS, "tool:tc")
def bad_header(env):
    """A header is wrong in the packet that the device sees; the stack never gets that one, but a
    good one later. The device loses its place (R10) and finds back."""
    with rx.prepared(env) as into, rx.dropped_by_host(env):
        for byte, flip in ((0, 8), (1, 1), (2, 0x80), (3, 0x80)):
            with rx.opened(env, into) as bench:
                _damaged(bench, f"record=+2 byte={byte}", flip,
                         [24 - 8 - 1, 8, 1, 0], {"R10": 1, "R12": 1, "R13": 4})


def _damaged(bench, place, flip, flags, rows, *, more=None, mark=True):
    """A packet of six records is damaged for the device and lost for the stack; a sound one comes
    when all others are through."""
    if mark:
        bench.mark()
    damage = bench.damage(place, flip)
    sent = bench.send(whole(4, 6))
    bench.wait_packets(24)
    if flags[2]:
        bench.wait_driver("rx_tls_resync_req_end", flags[2])
    bench.check(flags, more=more if more is not None else ASKED if flags[2] else None, rows=rows)
    damage.repaired()
    sent.finish()
    bench.wait_packets(25)
    if flags[2]:
        bench.recovers()


@test("T-13/rx-bad-tag-while-authenticating", smoke=True)
@needs(*NEEDS, "tool:tc")
def bad_auth(env):
    """The record that is authenticated is damaged for the device and sound for the stack: as if a
    wrong number had been approved (R22). That is no flag 3; the device asks again."""
    with rx.prepared(env) as into, rx.dropped_by_host(env):
        for byte in (100, 5000, -1):
            with rx.opened(env, into) as bench:
                approved(bench)
                _damaged(bench, f"record=+0 byte={byte}", 1, [23, 0, 1, 0],
                         {"R20": 1, "R22": 1, "R12": 1})


@test("T-13/rx-bad-tag-seen-by-device-only")
@needs(*NEEDS, "tool:tc")
def bad_tag_device(env):
    """A record in sync is damaged for the device: flag 3 for the packet with the tag. What the
    stack gets later is sound, and the device keeps its place. But the stack takes the packet with
    the tag for ciphertext, so it can read the record only if rx-error-bytes leaves it that."""
    with rx.prepared(env) as into, rx.dropped_by_host(env):
        for value in ("wire", "packet", "record"):
            with env.lab.with_property("rx-error-bytes", value), \
                    rx.opened(env, into, truth=False) as bench:
                bench.mark()
                damage = bench.damage("record=+2 byte=1500", 1)
                where = bench.send(whole(4, 6), read=False)
                bench.wait_packets(24)
                # flag 3 goes with the packet of the tag; the damaged one was decrypted, and dropped
                bench.check([0, 23, 0, 1], rows={})
                damage.repaired()
                bench.wait_packets(25)
                if value != "wire":
                    bench.ends(where, sum(whole(4, 2)), "EBADMSG")
                    continue
                bench.later(where).finish()
                bench.expect_flags("records behind it", whole(3, 2), [0, 6, 0, 0])
