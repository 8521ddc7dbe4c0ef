# SPDX-License-Identifier: GPL-2.0-or-later
"""T-15, T-16, T-17, and what only a device that misbehaves can show: answers that are late, wrong
or never given, approvals that are late, lost or wrong, queues that are full (docs/faults.md)."""

import contextlib

from lib import fault, rx
from lib.case import add, expect, expect_equal, needs, test, wait_equal, wait_for
from lib.counters import Watch
from lib.ktap import note
from lib.net import ping
from lib.rx import CRAFTED, NEEDS, Flags, asked
from lib.rx_craft import FOUR_SEGMENTS, header, record_with
from lib.rx_layout import OVERHEAD, SEGMENT, TINY, Burst, whole_segments
from lib.version import TLS

FAULTY = (*NEEDS, "fault")
SKIPPED = {"rx_tls_resync_req_start": 1, "rx_tls_resync_req_skip": 1}


def _expect_unanswered(session, counters):
    """A header is lost, and the question leads to no approval; the driver counts that."""
    sent = session.send_with_loss(whole_segments(4, 4), 4, answers=0)
    wait_for("the question is through", lambda: session.driver("rx_tls_resync_req_end")
             + session.driver("rx_tls_resync_req_skip"))
    sent.repair()
    session.wait_packets(16)
    for name, count in counters.items():
        session.wait_driver(name, count)
    session.expect_flags("records while nothing is approved", whole_segments(3, 4), Flags(plain=12))
    session.check(Flags(plain=11 + 12, decrypted=4, resync=1), counters=counters,
                  rows={"R9": 1, "R12": 1, "R13": 3, "R14": 5})
    session.restart_counting()


# GET_PSV

def _answer(value):
    def run(env):
        with rx.session(env) as session:
            with fault.faults(env, env.local, f"state wqe=GET_PSV value={value} count=1"):
                _expect_unanswered(session, SKIPPED)
            session.expect_next_loss_answered()
    return run


for _value in ("searching", "start", "offload", "authentication"):
    add(f"T-15/rx-answer-{_value}", _answer(_value), needs=FAULTY, smoke=_value == "searching",
        full=_value != "searching")


@test("T-15/rx-flag-at-loss", smoke=True)
@needs(*NEEDS, "lab:rx-resync-flag-at")
def flag_at_loss(env):
    """F-21, rx-resync-flag-at=loss: the packet that asks is the one behind the loss, in which there
    is no header: the answer is "searching", and the driver gives up (req_skip). When there is one
    in it, all goes well."""
    with env.lab.with_property("rx-resync-flag-at", "loss"), rx.session(env) as session:
        lost = session.lose(4)
        rest = session.withhold_from(6)
        sent = session.send(whole_segments(4, 4))
        session.wait_driver("rx_tls_resync_req_skip")
        session.check(Flags(decrypted=4, resync=1), counters=SKIPPED, rows={"R9": 1})
        rest.release(None)
        session.wait_packets(15)
        lost.release()
        sent.finish()
        session.wait_packets(16)
        session.check(Flags(plain=11, decrypted=4, resync=1), counters=SKIPPED,
                      rows={"R9": 1, "R12": 1})
        session.expect_flags("records while nothing is approved", whole_segments(3, 4),
                             Flags(plain=12))
        session.restart_counting()
        sent = session.send_with_loss(whole_segments(1, 4), 0)
        session.check(Flags(plain=2, resync=1), counters=asked(), rows={"R17": 1, "R12": 1})
        sent.repair()
        session.expect_recovery()


@test("T-15/rx-flag-at-both")
@needs(*NEEDS, "lab:rx-resync-flag-at")
def flag_at_both(env):
    """rx-resync-flag-at=both: the packet behind the loss asks, in vain, and so does the one with
    the header, which is answered."""
    with env.lab.with_property("rx-resync-flag-at", "both"), rx.session(env) as session:
        lost = session.lose(4)
        rest = session.withhold_from(6)
        sent = session.send(whole_segments(4, 4))
        session.wait_driver("rx_tls_resync_req_skip")
        rest.release(None)
        session.wait_packets(15)
        session.wait_answers()
        counters = {"rx_tls_resync_req_start": 2, "rx_tls_resync_req_skip": 1,
                    "rx_tls_resync_req_end": 1}
        session.check(Flags(plain=9, decrypted=4, resync=2), counters=counters,
                      rows={"R9": 1, "R12": 1})
        lost.release()
        sent.finish()
        session.expect_recovery()


@test("T-13/rx-auth-stage-off")
@needs(*NEEDS, "lab:auth-stage")
def auth_stage_off(env):
    """auth-stage=off: after the approval the next record is decrypted at once."""
    with env.lab.with_property("auth-stage", "off"), rx.session(env) as session:
        sent = session.send_with_loss(whole_segments(4, 4), 4)
        sent.repair()
        session.told.wait_row("R18")
        session.expect_flags("the record behind the approval", whole_segments(3),
                             Flags(decrypted=3))
        session.check(Flags(plain=11, decrypted=7, resync=1), resyncs=1,
                      rows={"R9": 1, "R12": 1, "R14": 1, "R18": 1})


@test("T-13/rx-late-answer", smoke=True)
@needs(*FAULTY)
def late_answer(env):
    """F-17: the answer comes when the software is 5 and 60 records further; it remembers which
    header was meant, and how many it has seen since."""
    with rx.session(env) as session:
        for records in (5, 60):
            number = session.count + 2
            with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
                lost = session.lose(4)
                sent = session.send(whole_segments(4, 4))
                held.wait_waiting(1)
                session.wait_packets(15)
                lost.release()
                sent.finish()
                session.transfer(whole_segments(3, records))
                session.check(Flags(plain=12 + 3 * records - 1, decrypted=4, resync=1),
                              rows={"R9": 1, "R12": 1},
                              counters={"rx_tls_resync_req_start": 1})
                held.release("psv")
            session.wait_answers()
            session.transfer(whole_segments(1))
            session.expect_recovery()
            expect_equal("record that was approved", session.truth.approvals()[-1][0], number)
            session.restart_counting()


@test("T-21/rx-late-answer")
@needs(*FAULTY)
def late_answer_many(env):
    """The same with forty headers in the packet that asks: the candidate is the first, so it is
    among the thirteen that the software remembers."""
    with rx.session(env) as session, \
            fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
        number = session.count + 1
        burst = Burst([*whole_segments(1), *TINY, *whole_segments(3)])
        lost = session.lose(0)
        sent = session.send(burst)
        held.wait_waiting(1)
        session.wait_packets(burst.segments - 1)
        lost.release()
        sent.finish()
        held.release("psv")
        session.wait_answers()
        session.transfer(whole_segments(1))
        session.expect_recovery()
        expect_equal("record that was approved", session.truth.approvals()[-1][0], number)


@test("T-21/rx-late-answer-behind-thirteen-headers")
@needs(*CRAFTED, "fault")
def late_behind_thirteen(env):
    """The candidate is the twenty-first header in its packet, and the answer is late: the software
    has forgotten that header and approves nothing. The next loss is answered."""
    with rx.session(env) as session:
        with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv") as held:
            lost, behind = session.lose(0), session.withhold_from(2)
            tail = 2 * SEGMENT - 100
            first = record_with(header(tail, 2 * SEGMENT + 20 * 34 + 20),
                                size=2 * SEGMENT - OVERHEAD)
            sent = session.send_crafted([first, *TINY, FOUR_SEGMENTS])
            burst = Burst([first["size"], *TINY, FOUR_SEGMENTS])
            held.wait_waiting(1)
            behind.release(None)
            held.wait_waiting(2)
            session.wait_packets(burst.segments - 1)
            lost.release()
            sent.finish()
            held.release("psv")
        session.wait_answers(2)
        session.expect_flags("records while nothing is approved", whole_segments(3, 3),
                             Flags(plain=9))
        expect_equal("approvals", session.truth.approvals(), [])
        session.restart_counting()
        session.expect_next_loss_answered()


@test("T-13/rx-wrong-answer")
@needs(*FAULTY)
def wrong_answer(env):
    """F-19: the answer names a sequence number at which no record begins: nothing is approved."""
    with rx.session(env) as session:
        with fault.faults(env, env.local, "seq wqe=GET_PSV add=7 count=1"):
            _expect_unanswered(session, asked())
        session.expect_next_loss_answered()


# approvals

@test("T-13/rx-late-approval")
@needs(*FAULTY)
def late_approval(env):
    """The approval takes effect 50 records later: the device has counted them."""
    with rx.session(env) as session, fault.faults(
            env, env.local, "hold wqe=APPROVAL name=late count=1 at=execution") as held:
        sent = session.send_with_loss(whole_segments(4, 4), 4)
        sent.repair()
        held.wait_waiting(1)
        session.transfer(whole_segments(2, 50))
        session.check(Flags(plain=11 + 100, decrypted=4, resync=1), resyncs=1,
                      rows={"R9": 1, "R12": 1, "R14": 51})
        held.release("late")
        session.expect_recovery()


def _late_stale(records, row):
    def run(env):
        with rx.session(env) as session, fault.faults(
                env, env.local, "hold wqe=APPROVAL name=late count=1 at=execution") as held:
            sent = session.send_with_loss(whole_segments(4, 4), 4)
            sent.repair()
            held.wait_waiting(1)
            session.wait_driver("rx_tls_resync_res_ok")   # counted when the device has it already
            session.restart_counting()
            burst = Burst(whole_segments(4, records))
            found = int(records > 1)            # headers behind the loss
            sent = session.send_with_loss(burst, 0, answers=0)
            held.release("late")
            session.told.wait_row(row)
            session.wait_answers(found)
            session.check(Flags(plain=burst.segments - 1 - found, resync=found),
                          rows={"R17": 1, "R12": found, "R13": 3, row: 1}, counters=asked(found))
            sent.repair()
            if found:
                session.expect_recovery()
            else:
                session.transfer(whole_segments(3, 2))
                session.wait_answers()
                session.expect_recovery_in_time()
    return run


add("T-13/rx-late-approval-of-another", _late_stale(3, "R19"), needs=FAULTY)
add("T-13/rx-late-approval-while-searching", _late_stale(1, "R25"), needs=FAULTY, full=True)


@test("T-13/rx-approval-ignored")
@needs(*FAULTY)
def approval_ignored(env):
    """F-24: the device does not take the approval: it goes on in software, and the next loss
    brings another."""
    with rx.session(env) as session:
        with fault.faults(env, env.local, "ignore wqe=APPROVAL count=1"):
            _expect_unanswered(session, dict(asked(), rx_tls_resync_res_ok=1, TlsRxDeviceResync=1))
        session.expect_next_loss_answered()


@test("T-13/rx-wrong-record-number", smoke=True)
@needs(*FAULTY)
def wrong_number(env):
    """F-25: the approval has a wrong record number: the tag of the record that is authenticated
    says so (R22). Nothing was decrypted by it, nothing failed, and the device asks again."""
    with rx.session(env) as session:
        for wrong in (1, -1, 1 << 31):
            with fault.faults(env, env.local, f"record wqe=APPROVAL add={wrong} count=1"):
                sent = session.send_with_loss(whole_segments(4, 4), 4)
                sent.repair()
                session.told.wait_row("R18")
            session.wait_driver("rx_tls_resync_res_ok")   # counted when the device has it already
            session.restart_counting()
            # not read yet: the software does not get to the header that is found
            unread = session.send_unread(whole_segments(3, 4))
            session.wait_packets(12)
            session.wait_answers()
            session.check(Flags(plain=11, resync=1), counters=asked(),
                          rows={"R20": 1, "R22": 1, "R12": 1, "R14": 2})
            session.read_unread(unread).finish()
            session.expect_recovery()
            session.restart_counting()


# parameters

@test("T-35/rx-no-parameters")
@needs(*FAULTY)
def no_parameters(env):
    """The device loses the static params of a new context: it has nothing to decrypt with, and
    passes all on as it is (R1)."""
    with rx.receiving_ends(env) as ends:
        with fault.faults(env, env.local, "swallow wqe=UMR_STATIC dir=rx count=1"), \
                ends.session(start=rx.UNTOUCHED) as session:
            session.transfer(whole_segments(4, 6))
            session.check(Flags(plain=24), rows={"R1": 24})


@test("T-35/rx-anchor-early")
@needs(*FAULTY)
def anchor_early(env):
    """SET_PSV names a sequence number that is long gone: the device searches, and is told."""
    with rx.receiving_ends(env) as ends:
        with fault.faults(env, env.local, "seq wqe=SET_PSV dir=rx add=-5000 count=1"), \
                ends.session(start=rx.UNTOUCHED) as session:
            session.transfer(whole_segments(4, 3))
            session.wait_answers()
            session.expect_recovery_in_time()
            session.check(None, resyncs=1,
                          rows={"R4": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-35/rx-anchor-late")
@needs(*FAULTY)
def anchor_late(env):
    """SET_PSV names a sequence number that is yet to come, inside a record: what is before it is
    passed on (R2), and there is no header there (R3, R10)."""
    with rx.receiving_ends(env) as ends:
        with fault.faults(env, env.local, "seq wqe=SET_PSV dir=rx add=3000 count=1"), \
                ends.session(start=rx.UNTOUCHED) as session:
            session.transfer(whole_segments(4, 3))
            session.wait_answers()
            session.expect_recovery_in_time()
            session.check(None, resyncs=1,
                          rows={"R2": 2, "R3": 1, "R10": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


# a full queue

@contextlib.contextmanager
def _full_queue(env, session, held):
    """No completion of a new context arrives, so the queue for control WQEs of the only channel
    gets full. Yields when the driver has had to give up on a socket."""
    watch = Watch(env.local)
    count = 262
    there = env.local.call("many.accept", address=env.local.address(4), count=count,
                           seed=env.seed, version=TLS)
    serving = env.local.begin("many.serve", group=there["group"])
    here = env.remote.call("many.connect", address=env.local.address(4), port=there["port"],
                           count=count, seed=env.seed, version=TLS)["group"]
    try:
        expect_equal("connections", serving.result(), count)
        stat, nic = watch.protocols(), watch.nic()
        note(f"{stat['TlsRxDevice']} contexts fill the queue")
        expect(stat["TlsRxSw"] > 0, "the queue is not full")
        expect_equal("sockets in software or with the device",
                     stat["TlsRxSw"] + stat["TlsRxDevice"], count)
        expect_equal("rx_tls_resync_req_skip", nic["rx_tls_resync_req_skip"], stat["TlsRxSw"])
        yield
    finally:
        held.release("ring")            # close() waits for completions
        env.local.call("many.close", group=there["group"])
        env.remote.call("many.close", group=here)
    wait_equal("rx_tls_del", lambda: watch.nic()["rx_tls_del"], stat["TlsRxDevice"])
    session.offload.watch.restart()


@test("T-16/rx-queue-full")
@needs(*FAULTY)
def queue_full(env):
    """No WQE can be posted: neither for new contexts, which then work in software, nor for a
    question. When the queue has room again, so does a question."""
    with env.local.nic.with_channels() as change:
        change(1)
        env.local.nic.wait_ready()
        with env.lab.with_property("resync-repeat", "1"), rx.session(env, truth=False) as session:
            with fault.faults(env, env.local, "hold wqe=SET_PSV,GET_PSV dir=rx name=ring") as held:
                with _full_queue(env, session, held):
                    session.restart_counting()
                    lost = session.lose(4)
                    sent = [session.send_unread(whole_segments(4, 2))]
                    for _ in range(20):
                        # each header asks; what room is left is used up by that
                        questions = session.driver("rx_tls_resync_req_start")
                        sent.append(session.send_unread(whole_segments(1)))
                        wait_for("the question is posted or given up", lambda before=questions:
                                 before < session.driver("rx_tls_resync_req_start")
                                 == session.told.row("R27")
                                 + session.driver("rx_tls_resync_req_skip"))
                        if session.driver("rx_tls_resync_req_skip"):
                            break
                    expect_equal("rx_tls_resync_req_skip",
                                 session.driver("rx_tls_resync_req_skip"), 1)
                lost.release()
                session.read_unread(*sent).finish()
                # an answer to a socket that is gone is F-20
                wait_for("the other questions are answered", lambda:
                         session.driver("rx_tls_resync_req_start")
                         == session.driver("rx_tls_resync_req_end")
                         + session.driver("rx_tls_resync_req_skip"))
        with rx.session(env) as session:
            session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 8)


@test("T-17/rx-queue-full-for-approvals")
@needs(*FAULTY)
def approvals_wait(env):
    """The approval cannot be posted: the driver counts that, and posts it when the queue has room
    again."""
    with env.local.nic.with_channels() as change:
        change(1)
        env.local.nic.wait_ready()
        with rx.session(env, truth=False) as session:
            sent = session.send_with_loss(whole_segments(4, 4), 4)
            with fault.faults(env, env.local, "hold wqe=SET_PSV dir=rx name=ring") as held:
                with _full_queue(env, session, held):
                    session.restart_counting()
                    sent.repair()

                    def tries():
                        # the driver wakes itself by a WQE, whose completion is held too
                        ping(env.remote, env.local.address(4), count=1)
                        return session.driver("rx_tls_resync_res_retry")

                    wait_for("the approval is tried and put off", tries)
                    expect_equal("packets by flag", session.flags(), Flags(plain=1))
                    # it tries again whenever something else comes to the channel
                    got = {name: session.driver(name) for name in rx.DRIVER + rx.KERNEL
                           if name != "rx_tls_resync_res_retry"}
                    expect_equal("counters of driver and kernel", got,
                                 dict(dict.fromkeys(got, 0), TlsRxDeviceResync=1))
                    expect_equal("rows taken",
                                 [name for name in rx.EVENTS if session.told.row(name)], [])
            session.expect_recovery()
            expect_equal("rx_tls_resync_res_ok", session.driver("rx_tls_resync_res_ok"), 1)
