# SPDX-License-Identifier: GPL-2.0-or-later
"""T-13, T-14, T-21: questions and answers that go wrong: candidates that are no headers, questions
that nobody hears, answers to something else, candidates behind many headers."""

from lib import rx
from lib.case import expect, needs, test, wait_for
from lib.ktap import note
from lib.rx import CRAFTED, NEEDS, UNHEARD, Flags, asked
from lib.rx_craft import FOUR_SEGMENTS, header, record_with
from lib.rx_layout import OVERHEAD, SEGMENT, TINY, Burst, whole_segments


# headers that are none

@test("T-13/rx-false-candidate", smoke=True)
@needs(*CRAFTED)
def false_candidate(env):
    """F-22: where the search begins lies what looks like a header; it leads to nothing. The device
    asks, notices (R15), and asks again about the true one. The first is never approved."""
    with rx.session(env) as session:
        for at, to in ((1500, 3000), (1400, 2801), (2795, 3000), (1402, 5595)):
            lost = session.lose(4)
            rest = session.withhold_from(5 + (at // SEGMENT))
            sent = session.send_crafted([FOUR_SEGMENTS, record_with(header(at, to)),
                                         *[FOUR_SEGMENTS] * 4])
            session.wait_answers(certain=False)
            session.check(Flags(plain=at // SEGMENT - 1, decrypted=4, resync=1), counters=asked(),
                          rows={"R9": 1, "R12": 1, "R13": None, "R15": None}, certain=False)
            rest.release(None)
            session.wait_packets(23)
            session.wait_answers(2)
            session.check(Flags(plain=23 - 4 - 2, decrypted=4, resync=2), counters=asked(2),
                          rows={"R9": 1, "R12": 2, "R15": 1})
            lost.release()
            sent.finish()
            session.expect_recovery()
            session.restart_counting()


@test("T-13/rx-false-chain", full=True)
@needs(*CRAFTED)
def false_chain(env):
    """The same with a chain of five before it breaks."""
    with rx.session(env) as session:
        chain = [header(at, at + 200) for at in range(1500, 2300, 200)] + [header(2300, 3000)]
        lost = session.lose(4)
        rest = session.withhold_from(6)
        sent = session.send_crafted([FOUR_SEGMENTS, record_with(*chain), *[FOUR_SEGMENTS] * 4])
        session.wait_answers(certain=False)
        session.check(Flags(decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R14": 4}, certain=False)
        rest.release(None)
        session.wait_packets(23)
        session.wait_answers(2)
        lost.release()
        sent.finish()
        session.expect_recovery()


def _send_false_candidate_that_joins(session):
    """A false candidate that leads to a true header, and to all behind it: nothing ever
    contradicts it."""
    lost = session.lose(4)
    sent = session.send_crafted([FOUR_SEGMENTS, record_with(header(1500, 4 * SEGMENT)),
                                 *[FOUR_SEGMENTS] * 2])
    session.wait_packets(15)
    session.wait_answers()
    session.check(Flags(plain=10, decrypted=4, resync=1), counters=asked(),
                  rows={"R9": 1, "R12": 1, "R14": 2})
    lost.release()
    sent.finish()
    session.wait_packets(16)


@test("T-13/rx-false-candidate-that-joins")
@needs(*CRAFTED)
def joins(env):
    """F-23: the false header leads to a true one. Nobody can say no to the device, so it waits,
    and all comes encrypted, until another header is lost (R17)."""
    with rx.session(env) as session:
        _send_false_candidate_that_joins(session)
        session.expect_flags("records while the device waits", whole_segments(3, 4),
                             Flags(plain=12))
        session.check(Flags(plain=11 + 12, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R14": 6}, certain=False)
        session.restart_counting()
        session.expect_next_loss_answered()


@test("T-13/rx-resync-repeat")
@needs(*CRAFTED, "lab:resync-repeat")
def repeat(env):
    """resync-repeat=4: the device does not wait for ever: the fourth header behind the false one
    is the new candidate (R33), which is approved."""
    with env.lab.with_property("resync-repeat", "4"), rx.session(env) as session:
        _send_false_candidate_that_joins(session)
        session.restart_counting()
        # the software sees nothing of what follows
        sent = session.send_with_loss(whole_segments(3, 3), 1)
        session.check(Flags(plain=7, resync=1), counters=asked(),
                      rows={"R16": 1, "R33": 1, "R14": 2})
        sent.repair()
        session.expect_recovery()


@test("T-13/rx-resync-repeat-timeout")
@needs(*CRAFTED, "lab:resync-repeat")
def repeat_timeout(env):
    """resync-repeat=timeout: the first header after some time without an answer is the new
    candidate. Nothing that follows the false header brings another one, then headers come one by
    one, until one of them asks, and the software sees none of them before that is answered: so
    it is one, and no other takes its place before it is approved, however slow the machine."""
    with env.lab.with_property("resync-repeat", "timeout"), rx.session(env) as session:
        lost = session.lose(4)
        sent = session.send_crafted([FOUR_SEGMENTS, record_with(header(1500, 4 * SEGMENT))])
        session.wait_packets(7)
        session.wait_answers()
        session.check(Flags(plain=2, decrypted=4, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1})
        behind = []

        def again():
            behind.append(session.send_unread(whole_segments(1)))
            session.wait_packets(7 + len(behind))
            return session.told.row("R33")

        wait_for("the device asks again", again)
        session.wait_answers(2)
        rows = {"R9": 1, "R12": 1, "R14": len(behind) - 1, "R33": 1}
        flags = Flags(plain=2 + len(behind) - 1, decrypted=4, resync=2)
        session.check(flags, counters=asked(2), rows=rows)
        lost.release()
        sent.finish()
        session.read_unread(*behind).finish()
        session.expect_recovery()
        rows.update(R18=1, R20=1, R21=1)
        session.check(Flags(plain=flags.plain + 1 + 3, decrypted=flags.decrypted + 3, resync=2),
                      resyncs=1, counters=asked(2), rows=rows)


@test("T-13/rx-search-pattern")
@needs(*CRAFTED, "lab:search-pattern")
def search_pattern(env):
    """search-pattern=magic-only: 03 03 is enough for a candidate, whatever the type before it;
    with strict it is not."""
    for value, losses in (("strict", 0), ("magic-only", 1)):
        with env.lab.with_property("search-pattern", value), rx.session(env) as session:
            lost = session.lose(4)
            rest = session.withhold_from(6)
            sent = session.send_crafted([FOUR_SEGMENTS, record_with(header(1500, 3000, kind=99)),
                                         *[FOUR_SEGMENTS] * 3])
            session.wait_packets(5)
            session.wait_answers(losses)
            session.check(Flags(plain=1 - losses, decrypted=4, resync=losses),
                          counters=asked(losses),
                          rows={"R9": 1, "R12": losses})
            rest.release(None)
            session.wait_packets(19)
            session.wait_answers(1 + losses)
            session.check(Flags(plain=15 - 1 - losses, decrypted=4, resync=1 + losses),
                          counters=asked(1 + losses),
                          rows={"R9": 1, "R12": 1 + losses, "R15": losses})
            lost.release()
            sent.finish()
            session.expect_recovery()


# questions that are not heard

@test("T-14/rx-ip-options", smoke=True)
@needs(*NEEDS)
def ip_options(env):
    """The packets have IPv4 options: the device decrypts them all the same, but the driver does not
    find the socket of the packet that asks, so nothing is answered. A loss in packets without
    options is answered again (R17)."""
    with rx.session(env) as session:
        options = session.rule("ip-option stream=0.. sent=any")
        if session.expect_decrypted_or_not("packets with options", whole_segments(4, 3)):
            session.restart_counting()
            _expect_unheard(session, options)


@test("T-14/rx-ipv6-extension")
@needs(*NEEDS)
def ipv6_extension(env):
    """The same with an IPv6 extension header: the steering entry does not match it, or the device
    looks behind it: either way every byte is right, and no question is heard."""
    with rx.session(env, family=6) as session:
        options = session.rule("ip-option bytes=8 stream=0.. sent=any")
        before = session.flags()
        session.send(whole_segments(4, 3)).finish()
        options.check_hits(12)
        got = session.flags() - before
        note(f"packets by flag: {got}")
        expect(got in (Flags(decrypted=12), Flags() if session.told else Flags(plain=12)),
               f"flags with an extension header: {got}")
        if got.decrypted:
            session.restart_counting()
            _expect_unheard(session, options)


def _expect_unheard(session, options):
    """Packets with these options ask in vain; without them the next question is answered."""
    sent = session.send_with_loss(whole_segments(4, 4), 4, answers=0)
    sent.repair()
    session.wait_packets(16)
    session.expect_flags("records that nobody asks about", whole_segments(3, 4), Flags(plain=12))
    session.check(Flags(plain=11 + 12, decrypted=4, resync=1), counters=UNHEARD,
                  rows={"R9": 1, "R12": 1, "R13": 3, "R14": 1 + 4})
    options.clear()
    session.restart_counting()
    session.expect_next_loss_answered()


# answers to something else

def _stale(env, records, row):
    """The device asks about X; before the approval comes it loses its place again, in packets with
    IPv4 options, so that the driver does not hear of that and approves X."""
    with rx.session(env) as session:
        first = session.lose(4)
        sent = [session.send_unread(whole_segments(4, 3))]
        session.wait_answers()
        session.wait_packets(11)
        session.restart_counting()
        second = session.lose(0)
        options = session.rule("ip-option stream=0.. sent=any")
        burst = Burst(whole_segments(4, records))
        sent.append(session.send_unread(burst))
        session.wait_packets(burst.segments - 1)
        options.clear()
        found = 1 if records > 1 else 0
        session.check(Flags(plain=burst.segments - 1 - found, resync=found), counters=UNHEARD,
                      rows={"R17": 1, "R12": found, "R13": 3})
        first.release()
        second.release()
        session.read_unread(*sent).finish()
        # approved, but not what the device is waiting for now
        session.wait_driver("rx_tls_resync_res_ok")
        if session.told:
            session.told.wait_row(row)
        session.check(Flags(plain=burst.segments - found + 1, resync=found),
                      rows={"R17": 1, "R12": found, row: 1},
                      counters={"rx_tls_resync_res_ok": 1, "TlsRxDeviceResync": 1})
        session.restart_counting()
        session.send_with_loss(whole_segments(4, 3), 0).repair()
        session.expect_recovery()


@test("T-13/rx-stale-approval", smoke=True)
@needs(*NEEDS)
def stale_candidate(env):
    """The approval of a candidate comes when the device has another one: it is stored, and nothing
    is decrypted by it (R19)."""
    _stale(env, 3, "R19")


@test("T-13/rx-stale-approval-while-searching", full=True)
@needs(*NEEDS)
def stale_searching(env):
    """The same when the device has none (R25)."""
    _stale(env, 1, "R25")


# many headers

@test("T-21/rx-tiny-records", smoke=True)
@needs(*NEEDS)
def tiny(env):
    """The packet that asks has forty headers; the software remembers thirteen. The candidate is
    the first of them, and its number is right."""
    with rx.session(env) as session:
        burst = Burst([*whole_segments(1), *TINY, *whole_segments(3)])
        sent = session.send_with_loss(burst, 0)
        session.check(Flags(plain=burst.segments - 2, resync=1), counters=asked(),
                      rows={"R9": 1, "R12": 1, "R14": 41})
        sent.repair()
        session.expect_recovery()


@test("T-21/rx-tiny-records-natural")
@needs(*NEEDS)
def tiny_natural(env):
    """The same as it happens: the packet with the lost header comes right behind, so the software
    goes through the headers while the question is under way."""
    with rx.session(env) as session:
        for _ in range(2):
            rule = session.rule(f"delay stream={session.position()} packets=1")
            session.send([*whole_segments(1), *TINY, *whole_segments(3)]).finish()
            rule.clear()
            session.wait_answers()
            session.expect_recovery_in_time()
            session.check(None, resyncs=1,
                          rows={"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})
            session.restart_counting()


@test("T-21/rx-candidate-behind-thirteen-headers")
@needs(*CRAFTED)
def behind_thirteen(env):
    """A false header leads over twenty true ones into a record, so the candidate is a later one of
    forty in its packet. The software has been told before it gets there, so it finds it."""
    with rx.session(env) as session:
        lost, behind = session.lose(0), session.withhold_from(2)
        tail = 2 * SEGMENT - 100                # the false header: 100 bytes before the end
        first = record_with(header(tail, 2 * SEGMENT + 20 * 34 + 20),
                            size=2 * SEGMENT - OVERHEAD)
        sent = session.send_crafted([first, *TINY, FOUR_SEGMENTS])
        burst = Burst([first["size"], *TINY, FOUR_SEGMENTS])
        session.wait_answers(certain=False)
        behind.release(None)
        session.wait_packets(burst.segments - 1)
        session.wait_answers(2)
        session.check(Flags(plain=burst.segments - 3, resync=2), counters=asked(2),
                      rows={"R9": 1, "R12": 2, "R15": 1, "R14": 20})
        lost.release()
        sent.finish()
        session.expect_recovery()
