# SPDX-License-Identifier: GPL-2.0-or-later
"""T-13 and its kin: what is lost, late, doubled or cut on the way to a device that decrypts.

Each test knows every segment before it is sent, so it knows how many packets the device must
decrypt, what it must ask, which rows of its tracker it must take (engine/tls_rx.h), and for each
record how the kernel must find it. docs/tls-tests.md lists them.
"""

import contextlib

from lib import rx
from lib.case import expect_equal, needs, test
from lib.rx import NEEDS, Flags, asked
from lib.rx_layout import SEGMENT, Burst, whole_segments


@test("T-13/rx-header-lost", smoke=True)
@needs(*NEEDS)
def header_lost(env):
    """The segment with a header is lost, the header at its beginning."""
    with rx.session(env) as session:
        session.expect_header_loss_repaired(Burst(whole_segments(4, 8)), 8)


@test("T-13/rx-header-lost-again", full=True)
@needs(*NEEDS)
def header_lost_again(env):
    """Five times in one connection: nothing of one loss is left at the next."""
    with rx.session(env) as session:
        for lost in (0, 4, 8, 12, 16):
            session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), lost)


@test("T-13/rx-cut-header-lost")
@needs(*NEEDS)
def cut_header_lost(env):
    """The header lies across two segments, 1 to 4 bytes in the first; one of the two is lost."""
    with rx.session(env) as session:
        for first, lost in ((1, 7), (2, 8), (3, 7), (4, 8)):
            sizes = whole_segments(4, 6)
            sizes[1] -= first
            sizes[2] += first
            if lost == 8:
                # those few bytes of the header came in a packet that was decrypted
                session.truth.unlogged[session.count + 2] = "partly-decrypted"
            session.expect_header_loss_repaired(Burst(sizes), lost)


@test("T-13/rx-record-lost")
@needs(*NEEDS)
def record_lost(env):
    """All segments of a record are lost, then those of two, then with a cut header behind."""
    with rx.session(env) as session:
        session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 4, 5, 6, 7)
        session.expect_header_loss_repaired(Burst(whole_segments(3, 7)), *range(3, 9))
        sizes = whole_segments(4, 6)
        sizes[2] -= 2
        sizes[3] += 2
        session.expect_header_loss_repaired(Burst(sizes), 8, 9, 10, 11)


@test("T-13/rx-last-header-lost")
@needs(*NEEDS)
def last_header_lost(env):
    """Nothing follows the record whose header is lost: the device goes on searching, and the
    packet that comes late is old. It finds the first header of what is sent next."""
    with rx.session(env) as session:
        sent = session.send_with_loss(whole_segments(4, 3), 8, answers=0)
        sent.repair()
        session.wait_packets(12)
        session.check(Flags(plain=4, decrypted=8), rows={"R9": 1, "R11": 1, "R13": 3, "R6": 0})
        session.restart_counting()
        # the software may see that header before or after it is told: nothing else waits for it
        session.transfer(whole_segments(3, 2))
        session.wait_answers()
        session.expect_recovery_in_time()
        session.check(None, resyncs=1, rows={"R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-13/rx-inside-lost", smoke=True)
@needs(*NEEDS)
def inside_lost(env):
    """A segment inside a record is lost: the rest of the record comes encrypted, nothing is asked.
    The last one takes the tag with it: then the packet behind it cannot be decrypted either."""
    with rx.session(env) as session:
        for part, spoilt in ((1, 2), (2, 1), (3, 1)):
            sent = session.send_with_loss(whole_segments(4, 6), 8 + part, answers=0)
            sent.repair()
            session.wait_packets(24)
            # what follows a lost tag at once could be decrypted, the rest of a record could not
            session.check(Flags(plain=spoilt + 1, decrypted=23 - spoilt), rows={"R8": 1, "R6": 1},
                          more=int(part == 3))
            session.restart_counting()


@test("T-13/rx-inside-late", full=True)
@needs(*NEEDS)
def inside_late(env):
    """Reordering inside a record, as F-5 has it: a packet comes one or two packets late. Those that
    overtake it in its record, and itself, are not decrypted."""
    with rx.session(env) as session:
        for late in (1, 2):
            at = session.position() + 9 * SEGMENT
            before = session.connection.info(env.remote)["total_retrans"]
            rule = session.rule(f"delay stream={at} packets={late}")
            session.send(whole_segments(4, 6)).finish()
            rule.check_hits(1)
            rule.clear()
            # newer kernels may send again what is late: that is old, too
            again = session.connection.info(env.remote)["total_retrans"] - before
            session.wait_packets(24 + again)
            # the two that came before it, and itself
            session.check(Flags(plain=2 + 1 + again, decrypted=24 - 3),
                          rows={"R8": 1, "R6": 1 + again})
            session.restart_counting()


@test("T-13/rx-header-late", full=True)
@needs(*NEEDS)
def header_late(env):
    """The packet with a header comes one place late: that is a loss like any other, and when the
    software sees the header that was found does not matter."""
    with rx.session(env) as session:
        at = session.position() + 8 * SEGMENT
        before = session.connection.info(env.remote)["total_retrans"]
        rule = session.rule(f"delay stream={at} packets=1")
        session.send(whole_segments(4, 12)).finish()
        rule.check_hits(1)
        session.wait_answers()
        session.expect_recovery_in_time()
        again = session.connection.info(env.remote)["total_retrans"] - before
        got = session.wait_packets(48 + 3 + 6 + again + session.extra.total)
        if session.told:
            expect_equal("packets that ask, with a wrong tag", (got.resync, got.error), (1, 0))
        session.check(None, resyncs=1, rows={"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-13/rx-retransmitted", smoke=True)
@needs(*NEEDS)
def retransmitted(env):
    """As it happens without a test: the sender notices the loss and sends again while the rest is
    on its way. Header, inside, tag."""
    with rx.session(env, patient=False) as session:
        for part in (0, 1, 3):
            before = session.connection.info(env.remote)["total_retrans"]
            rule = session.rule(f"drop stream={session.position() + (8 + part) * SEGMENT}")
            session.send(whole_segments(4, 12)).finish()
            rule.check_hits(1)
            rule.clear()
            again = session.connection.info(env.remote)["total_retrans"] - before
            expect_equal("segments sent again", again, 1)
            session.wait_packets(48)
            resyncs = 1 if part == 0 else 0
            if resyncs:
                session.wait_answers()
                session.expect_recovery_in_time()
                rows = {"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1}
                session.check(None, resyncs=1, rows=rows)
            else:
                session.expect_flags("records afterwards", whole_segments(3, 2), Flags(decrypted=6))
                plain = 3 if part == 1 else 2
                session.check(Flags(plain=plain, decrypted=48 + 6 - plain),
                              rows={"R8": 1, "R6": 1}, more=int(part == 3))
            session.restart_counting()


# what comes twice

@test("T-13/rx-duplicates", smoke=True)
@needs(*NEEDS)
def duplicates(env):
    """F-4: packets come twice, at once or later, of every part of a record: each copy is passed
    on as it is, and nothing else changes."""
    with rx.session(env) as session:
        for copies, gap in ((1, 0), (3, 0), (2, 5)):
            start = session.position()
            places = ",".join(str(start + segment * SEGMENT) for segment in (4, 5, 7, 9, 15))
            rule = session.rule(f"duplicate stream={places} copies={copies} gap={gap}")
            with session.acks_withheld():
                session.send(whole_segments(4, 6)).finish()
                rule.check_hits(5)
                session.wait_packets(24 + 5 * copies)
            session.check(Flags(plain=5 * copies, decrypted=24), rows={"R6": 5 * copies})
            rule.clear()
            session.restart_counting()


@test("T-13/rx-duplicates-while-searching")
@needs(*NEEDS)
def duplicates_searching(env):
    """The same while the device searches (R11), and while it waits for an answer (R6)."""
    with rx.session(env) as session:
        lost = session.lose(4)
        start = session.position()
        twice = session.rule("duplicate stream=" + ",".join(
            str(start + segment * SEGMENT) for segment in (3, 5, 6, 8, 9)))
        with session.acks_withheld():
            sent = session.send(whole_segments(4, 6))
            session.wait_packets(23 + 5)
        twice.clear()
        # 3 before the loss, 5 and 6 while searching, 8 has the candidate
        session.wait_answers()
        session.check(Flags(plain=23 + 5 - 4 - 1, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R6": 3, "R11": 2})
        lost.release()
        sent.finish()
        session.expect_recovery()


@test("T-13/rx-overlap")
@needs(*NEEDS)
def overlap(env):
    """A packet begins with bytes that have come before: it is passed on as it is, what is new in it
    is followed, and the next one is decrypted (R7). With a header, a tag, a whole record in what
    is old and in what is new."""
    with rx.session(env) as session:
        for sizes, where, early in (
                (whole_segments(4, 4), 5 * SEGMENT + 700, 40),          # inside a record
                (whole_segments(4, 4), 7 * SEGMENT + 1390, 1390),       # ends with the tag
                (whole_segments(3, 4), 8 * SEGMENT + 1380, 1200),       # and inside it
                (whole_segments(2, 4), 3 * SEGMENT + 20, 20),           # a whole header
                ([20] * 60 + whole_segments(2, 4), SEGMENT + 49 * 8, 49 * 4)):
            burst = Burst(sizes)
            rule = session.rule(f"split stream={session.position() + where} overlap={early}")
            session.send(burst).finish()
            rule.check_hits(1)
            session.wait_packets(burst.segments + 1)
            # a NIC may lose its place by that
            session.check(Flags(plain=1, decrypted=burst.segments), rows={"R7": 1},
                          fewer=burst.segments - where // SEGMENT)
            rule.clear()
            session.expect_in_sync_soon()
            session.restart_counting()


@test("T-13/rx-overlap-in-header", full=True)
@needs(*NEEDS)
def overlap_header(env):
    """The overlap cuts a header: 2 bytes of it in the first packet, all of it in the second. The
    device follows (R7). Linux reads the header across both packets as if they did not overlap and
    ends the connection (EMSGSIZE or EINVAL), with TLS in software just as with the device: the
    two must agree."""
    outcomes = []
    for device in (True, False):
        with rx.receiving_ends(env, device=device) as ends:
            with ends.session(truth=False) as session:
                burst = Burst([5471] + whole_segments(4, 4))
                rule = session.rule(f"split stream={session.position() + 5502} overlap=30")
                got = session.send(burst).outcome()
                rule.check_hits(1)
                # which error it is depends on the bytes that are taken for a header
                error = got.get("error") in ("EINVAL", "EMSGSIZE", "EBADMSG") or got.get("error")
                outcomes.append((got["bytes"], error, got["mismatch"]))
                if device and not got.get("error"):
                    session.check(Flags(plain=1, decrypted=burst.segments), rows={"R7": 1},
                                  fewer=burst.segments)
    expect_equal("bytes, error, wrong byte with the device; without", outcomes[0], outcomes[1])


@test("T-13/rx-overlap-while-following", full=True)
@needs(*NEEDS)
def overlap_following(env):
    """The same while the device waits for an answer, and while it authenticates."""
    with rx.session(env) as session:
        lost = session.lose(4)
        rule = session.rule(f"split stream={session.position() + 13 * SEGMENT + 500} overlap=300")
        with session.acks_withheld():
            sent = session.send(whole_segments(4, 6))
            session.wait_packets(24)
        rule.clear()
        session.wait_answers()
        session.check(Flags(plain=24 - 4 - 1, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R7": 1})
        lost.release()
        sent.finish()
        session.wait_approved()
        session.wait_driver("rx_tls_resync_res_ok")       # counted when the device has it already
        session.restart_counting()
        rule = session.rule(f"split stream={session.position() + SEGMENT + 500} overlap=1400")
        session.send(whole_segments(3, 2)).finish()
        session.wait_packets(7)
        rule.clear()
        session.check(Flags(plain=4, decrypted=3), rows={"R7": 1, "R20": 1, "R21": 1}, fewer=3,
                      more=3)
        session.expect_in_sync_soon()


@test("T-13/rx-congestion-and-keepalive")
@needs(*NEEDS)
def congestion_keepalive(env):
    """F-44: CE marks and keepalive probes: the probes have a sequence number of the past and no
    payload. Neither touches the device's place."""
    with rx.session(env) as session:
        rule = session.rule("ce stream=0..")
        session.transfer(whole_segments(4, 6))
        rule.check_hits(24)
        rule.clear()
        probes = session.rule("log len=0")
        session.env.remote.call("tcp.set_option", number=session.connection.client_socket,
                                options={"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1})
        probes.wait_hits(1)
        session.env.remote.call("tcp.set_option", number=session.connection.client_socket,
                                options={"SO_KEEPALIVE": 0})
        session.transfer(whole_segments(4, 2))
        session.check(Flags(decrypted=32), rows={})


# lost again before the answer

@test("T-13/rx-lost-twice", smoke=True)
@needs(*NEEDS)
def lost_twice(env):
    """A second header is lost after the first question was answered and before the approval: the
    device asks about a new one, and that is the one that is approved."""
    with rx.session(env) as session:
        first = session.lose(4)
        sent = [session.send_unread(whole_segments(4, 4))]
        session.wait_answers()
        session.wait_packets(15)
        second = session.lose(4)
        sent.append(session.send_unread(whole_segments(4, 4)))
        session.wait_answers(2)
        session.wait_packets(30)
        rows = {"R9": 1, "R13": 6, "R12": 2, "R17": 1}
        session.check(Flags(plain=24, decrypted=4, resync=2), counters=asked(2), rows=rows)
        first.release()
        second.release()
        session.read_unread(*sent).finish()
        session.expect_recovery()
        rows.update(R18=1, R20=1, R21=1)
        session.check(Flags(plain=24 + 2 + 3, decrypted=7, resync=2), rows=rows, resyncs=1,
                      counters=asked(2))


@test("T-13/rx-lost-many-times", full=True)
@needs(*NEEDS)
def lost_many(env):
    """Five headers are lost before the software has seen any: each is a loss and a question, the
    last one counts."""
    times = 5
    with rx.session(env) as session:
        losses, sent = [], []
        for index in range(times):
            losses.append(session.lose(4))
            sent.append(session.send_unread(whole_segments(4, 3)))
            session.wait_answers(index + 1)
            session.wait_packets(11 * (index + 1))        # nothing of it is outstanding any more
        rows = {"R9": 1, "R17": times - 1, "R12": times, "R13": 3 * times}
        session.check(Flags(plain=10 * times - 4, decrypted=4, resync=times), counters=asked(times),
                      rows=rows)
        for lost in losses:
            lost.release()
        session.read_unread(*sent).finish()
        session.expect_recovery()
        rows.update(R18=1, R20=1, R21=1)
        session.check(Flags(plain=11 * times - 4 + 3, decrypted=7, resync=times), resyncs=1,
                      rows=rows, counters=asked(times))


@test("T-13/rx-inside-lost-while-waiting")
@needs(*NEEDS)
def candidate_hole(env):
    """Segments inside records are lost while the device waits for an answer: it follows the
    headers all the same (R16), and the number that it is told is right."""
    with rx.session(env) as session:
        sent = session.send_with_loss(whole_segments(4, 6), 4, 9, 15, 18)
        session.check(Flags(plain=20 - 4 - 1, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R13": 3, "R14": 3, "R16": 3})
        sent.repair()
        session.expect_recovery()


# lost while authenticating

def lose_header_until_approved(session):
    """Lose a header and be told: the device is about to authenticate the next record."""
    sent = session.send_with_loss(whole_segments(4, 4), 4)
    sent.repair()
    session.wait_approved()
    session.wait_driver("rx_tls_resync_res_ok")           # counted when the device has it already
    session.wait_packets(16)
    session.restart_counting()


@test("T-13/rx-inside-lost-while-authenticating")
@needs(*NEEDS)
def auth_hole(env):
    """A part of the record that is authenticated is lost: the next one is taken instead (R23)."""
    with rx.session(env) as session:
        for part in (1, 3):
            lose_header_until_approved(session)
            sent = session.send_with_loss(whole_segments(4, 4), part, answers=0)
            sent.repair()
            session.wait_packets(16)
            # a NIC may authenticate more records, fewer, or none
            session.check(Flags(plain=8, decrypted=8), rows={"R20": 2, "R21": 1, "R23": 1, "R6": 1},
                          fewer=8, more=7)
            session.expect_in_sync_soon()
            session.restart_counting()


@test("T-13/rx-header-lost-while-authenticating")
@needs(*NEEDS)
def auth_lost(env):
    """The header of that record, or the one behind it, is lost: the device searches again, asks
    again, and is told again (R24). With the second, a good tag came first, so that is R9."""
    with rx.session(env) as session:
        for lost, row in ((0, {"R24": 1}), (4, {"R20": 1, "R21": 1, "R9": 1})):
            lose_header_until_approved(session)
            sent = session.send_with_loss(whole_segments(4, 5), lost)
            flags = Flags(plain=18, resync=1)
            session.check(flags, counters=asked(), rows=dict(row, R12=1, R13=3), more=lost)
            sent.repair()
            session.expect_recovery()
            session.restart_counting()


@test("T-13/rx-tag-lost-while-authenticating", full=True)
@needs(*NEEDS)
def auth_both(env):
    """The tag of the authenticated record and the header behind it are lost together (R24)."""
    with rx.session(env) as session:
        lose_header_until_approved(session)
        sent = session.send_with_loss(whole_segments(4, 5), 3, 4)
        session.check(Flags(plain=17, resync=1), counters=asked(),
                      rows={"R20": 1, "R24": 1, "R12": 1, "R13": 3}, more=3)
        sent.repair()
        session.expect_recovery()


# headers across packets while searching

@test("T-13/rx-cut-headers-while-searching")
@needs(*NEEDS)
def cut_while_searching(env):
    """The headers that the search meets are cut by the ends of packets: the software could not
    approve them, so the device follows them silently (R30, R31) to one that is whole."""
    with rx.session(env) as session:
        for cut in (1, 4):
            sizes = whole_segments(4, 7)
            sizes[1] -= cut             # the headers of records 2 and 3 are cut
            sizes[3] += cut
            sent = session.send_with_loss(sizes, 4)
            session.check(Flags(plain=27 - 4 - 1, decrypted=4, resync=1), counters=asked(),
                          rows={"R9": 1, "R13": 3, "R30": 1, "R31": 9, "R12": 1, "R14": 2})
            sent.repair()
            session.expect_recovery()
            session.restart_counting()


@test("T-13/rx-cut-header-then-lost")
@needs(*NEEDS)
def cut_then_lost(env):
    """The same, and the header that it leads to is lost: the search begins anew (R32)."""
    with rx.session(env) as session:
        sizes = whole_segments(4, 7)
        sizes[1] -= 2
        sizes[2] += 2                   # the header of record 2 is cut, that of 3 is not
        sent = session.send_with_loss(sizes, 4, 12)
        session.check(Flags(plain=26 - 4 - 1, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R13": 6, "R30": 1, "R31": 3, "R32": 1, "R12": 1, "R14": 2})
        sent.repair()
        session.expect_recovery()


# what the device sees and the host does not

@test("T-13/rx-bad-header")
@needs(*NEEDS, "tool:tc")
def bad_header(env):
    """A header is wrong in the packet that the device sees; the stack never gets that one, but a
    good one later. The device loses its place (R10) and finds back."""
    with rx.receiving_ends(env) as ends, rx.dropped_by_host(env):
        for byte, flip in ((0, 8), (3, 0x80)):
            with ends.session() as session:
                _damaged(session, f"record=+2 byte={byte}", flip,
                         Flags(plain=24 - 8 - 1, decrypted=8, resync=1), {"R10": 1, "R12": 1,
                                                                          "R13": 4})


def _damaged(session, place, flip, flags, rows):
    """A packet of six records is damaged for the device and lost for the stack; a sound one comes
    when all others are through."""
    session.restart_counting()
    damage = session.damage(place, flip)
    sent = session.send(whole_segments(4, 6))
    session.wait_packets(24)
    session.wait_answers(flags.resync)
    session.check(flags, counters=asked(flags.resync), rows=rows, damaged=True)
    damage.release_copy()
    sent.finish()
    session.wait_packets(25)
    session.expect_recovery()


@test("T-13/rx-bad-tag-while-authenticating", smoke=True)
@needs(*NEEDS, "tool:tc")
def bad_auth(env):
    """The record that is authenticated is damaged for the device and sound for the stack: as if a
    wrong number had been approved (R22). That is no flag 3; the device asks again."""
    with rx.receiving_ends(env) as ends, rx.dropped_by_host(env):
        for byte in (100, -1):
            with ends.session() as session:
                lose_header_until_approved(session)
                _damaged(session, f"record=+0 byte={byte}", 1, Flags(plain=23, resync=1),
                         {"R20": 1, "R22": 1, "R12": 1})


@test("T-13/rx-bad-tag-seen-by-device-only", full=True)
@needs(*NEEDS, "tool:tc")
def bad_tag_device(env):
    """A record in sync is damaged for the device: flag 3 for the packet with the tag. What the
    stack gets later is sound, and the device keeps its place. But the stack takes the packet with
    the tag for ciphertext, so it can read the record only if rx-error-bytes leaves it that."""
    with rx.receiving_ends(env) as ends, rx.dropped_by_host(env):
        # a NIC has one of the three, and does not say which
        for value in ("wire", "packet", "record") if env.lab else ("",):
            with env.lab.with_property("rx-error-bytes", value) if env.lab \
                    else contextlib.nullcontext(), ends.session(truth=False) as session:
                session.restart_counting()
                damage = session.damage("record=+2 byte=1500", 1)
                where = session.send_unread(whole_segments(4, 6))
                session.wait_packets(24)
                # flag 3 goes with the packet of the tag; the damaged one was decrypted, and dropped
                # a NIC may lose its place by that
                session.check(Flags(decrypted=23, error=1), rows={}, fewer=12)
                damage.release_copy()
                session.wait_packets(25)
                if not session.told:
                    session.expect_read_or_error(where, sum(whole_segments(4, 2)), "EBADMSG")
                    continue
                if value != "wire":
                    session.expect_read_error(where, sum(whole_segments(4, 2)), "EBADMSG")
                    continue
                session.read_unread(where).finish()
                session.expect_flags("records behind it", whole_segments(3, 2), Flags(decrypted=6))
