# SPDX-License-Identifier: GPL-2.0-or-later
"""T-15, T-16, T-17, and what only a device that misbehaves can show: answers that are late, wrong
or never given, approvals that are late, lost or wrong, queues that are full (docs/faults.md)."""

import contextlib

from lib import fault, rx
from lib.case import add, expect, expect_equal, needs, test, wait_equal, wait_for
from lib.counters import Watch
from lib.ktap import note
from lib.net import ping
from lib.rx import Burst, SEGMENT, whole
from tests.test_t_rx_loss import ASKED, NEEDS, lose_header
from tests.test_t_rx_resync import fill, header, planted

FAULTY = (*NEEDS, "fault")
SKIPPED = {"rx_tls_resync_req_start": 1, "rx_tls_resync_req_skip": 1}


def unanswered(bench, more, rows=None):
    """A header is lost, and the question leads to no approval."""
    kept = bench.lose(4)
    sent = bench.send(whole(4, 4))
    bench.wait_packets(15)
    wait_for("the question is through", lambda: bench.driver("rx_tls_resync_req_end")
             + bench.driver("rx_tls_resync_req_skip"))
    kept.comes()
    sent.finish()
    bench.wait_packets(16)
    for name, count in more.items():
        bench.wait_driver(name, count)
    bench.expect_flags("records while nothing is approved", whole(3, 4), [12, 0, 0, 0])
    bench.check([11 + 12, 4, 1, 0], more=more,
                rows=rows or {"R9": 1, "R12": 1, "R13": 3, "R14": 5})
    bench.mark()


def answered(bench):
    """The next header that is lost: asked, answered, approved."""
    kept = bench.lose(0)
    sent = bench.send(whole(4, 3))
    bench.wait_packets(11)
    bench.wait_driver("rx_tls_resync_req_end")
    bench.check([10, 0, 1, 0], more=ASKED, rows={"R17": 1, "R12": 1, "R13": 3, "R14": 1})
    kept.comes()
    sent.finish()
    bench.recovers()


# GET_PSV

def _state(value):
    def run(env):
        with rx.bench(env) as bench:
            with fault.faults(env, env.local, f"state wqe=GET_PSV value={value} count=1"):
                unanswered(bench, SKIPPED)
            answered(bench)
    return run


for _value in ("searching", "start", "offload", "authentication"):
    add(f"T-15/rx-answer-{_value}", _state(_value), needs=FAULTY, smoke=_value == "searching")


@test("T-15/rx-flag-at-loss", smoke=True)
@needs(*NEEDS)
def flag_at_loss(env):
    """F-21, rx-resync-flag-at=loss: the packet that asks is the one behind the loss, in which there
    is no header: the answer is "searching", and the driver gives up (req_skip). When there is one
    in it, all goes well."""
    with env.lab.with_property("rx-resync-flag-at", "loss"), rx.bench(env) as bench:
        kept = bench.lose(4)
        rest = bench.keep(6)
        sent = bench.send(whole(4, 4))
        bench.wait_driver("rx_tls_resync_req_skip")
        bench.check([0, 4, 1, 0], more=SKIPPED, rows={"R9": 1})
        rest.comes(None)
        bench.wait_packets(15)
        kept.comes()
        sent.finish()
        bench.wait_packets(16)
        bench.check([11, 4, 1, 0], more=SKIPPED, rows={"R9": 1, "R12": 1})
        bench.expect_flags("records while nothing is approved", whole(3, 4), [12, 0, 0, 0])
        bench.mark()
        kept = bench.lose(0)
        sent = bench.send(whole(1, 4))
        bench.wait_packets(3)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([2, 0, 1, 0], more=ASKED, rows={"R17": 1, "R12": 1})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-15/rx-flag-at-both")
@needs(*NEEDS)
def flag_at_both(env):
    """rx-resync-flag-at=both: the packet behind the loss asks, in vain, and so does the one with
    the header, which is answered."""
    with env.lab.with_property("rx-resync-flag-at", "both"), rx.bench(env) as bench:
        kept = bench.lose(4)
        rest = bench.keep(6)
        sent = bench.send(whole(4, 4))
        bench.wait_driver("rx_tls_resync_req_skip")
        rest.comes(None)
        bench.wait_packets(15)
        bench.wait_driver("rx_tls_resync_req_end")
        more = {"rx_tls_resync_req_start": 2, "rx_tls_resync_req_skip": 1,
                "rx_tls_resync_req_end": 1}
        bench.check([9, 4, 2, 0], more=more, rows={"R9": 1, "R12": 1})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-13/rx-auth-stage-off")
@needs(*NEEDS)
def auth_stage_off(env):
    """auth-stage=off: after the approval the next record is decrypted at once."""
    with env.lab.with_property("auth-stage", "off"), rx.bench(env) as bench:
        kept = bench.lose(4)
        sent = bench.send(whole(4, 4))
        bench.wait_packets(15)
        bench.wait_driver("rx_tls_resync_req_end")
        kept.comes()
        sent.finish()
        bench.wait_row("R18")
        bench.expect_flags("the record behind the approval", whole(3), [0, 3, 0, 0])
        bench.check([11, 7, 1, 0], resyncs=1,
                    rows={"R9": 1, "R12": 1, "R14": 1, "R18": 1})


@test("T-13/rx-late-answer", smoke=True)
@needs(*FAULTY)
def late_answer(env):
    """F-17: the answer comes when the software is 5 and 60 records further; it remembers which
    header was meant, and how many it has seen since."""
    with rx.bench(env) as bench:
        for records in (5, 60):
            number = bench.count + 2
            with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
                kept = bench.lose(4)
                sent = bench.send(whole(4, 4))
                held.wait_waiting(1)
                bench.wait_packets(15)
                kept.comes()
                sent.finish()
                bench.move([3 * SEGMENT - 29] * records)
                bench.check([12 + 3 * records - 1, 4, 1, 0], rows={"R9": 1, "R12": 1},
                            more={"rx_tls_resync_req_start": 1})
                held.release("psv")
            bench.wait_driver("rx_tls_resync_req_end")
            bench.move(whole(1))
            bench.recovers()
            expect_equal("record that was approved", bench.truth.approvals()[-1][0], number)
            bench.mark()


@test("T-21/rx-late-answer")
@needs(*FAULTY)
def late_answer_many(env):
    """The same with forty headers in the packet that asks: the candidate is the first, so it is
    among the thirteen that the software remembers."""
    with rx.bench(env) as bench, \
            fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
        number = bench.count + 1
        burst = Burst([*whole(1), *[5] * 41, *whole(3)])
        kept = bench.lose(0)
        sent = bench.send(burst)
        held.wait_waiting(1)
        bench.wait_packets(burst.segments - 1)
        kept.comes()
        sent.finish()
        held.release("psv")
        bench.wait_driver("rx_tls_resync_req_end")
        bench.move(whole(1))
        bench.recovers()
        expect_equal("record that was approved", bench.truth.approvals()[-1][0], number)


@test("T-21/rx-late-answer-behind-thirteen-headers")
@needs(*FAULTY, "local-tool:openssl")
def late_behind_thirteen(env):
    """The candidate is the twenty-first header in its packet, and the answer is late: the software
    has forgotten that header and approves nothing. The next loss is answered."""
    with rx.bench(env) as bench:
        with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv") as held:
            kept, behind = bench.lose(0), bench.keep(2)
            tail = 2 * SEGMENT - 100
            rest = planted(header(tail, 2 * SEGMENT + 20 * 34 + 20))
            rest["size"] = 2 * SEGMENT - 29
            sent = bench.send_crafted([rest, *[5] * 41, *fill(1)])
            burst = Burst([2 * SEGMENT - 29, *[5] * 41, 4 * SEGMENT - 29])
            held.wait_waiting(1)
            behind.comes(None)
            held.wait_waiting(2)
            bench.wait_packets(burst.segments - 1)
            kept.comes()
            sent.finish()
            held.release("psv")
        bench.wait_driver("rx_tls_resync_req_end", 2)
        bench.expect_flags("records while nothing is approved", whole(3, 3), [9, 0, 0, 0])
        expect_equal("approvals", bench.truth.approvals(), [])
        bench.mark()
        answered(bench)


@test("T-13/rx-wrong-answer")
@needs(*FAULTY)
def wrong_answer(env):
    """F-19: the answer names a sequence number at which no record begins: nothing is approved."""
    with rx.bench(env) as bench:
        with fault.faults(env, env.local, "seq wqe=GET_PSV add=7 count=1"):
            unanswered(bench, ASKED)
        answered(bench)


# approvals

@test("T-13/rx-late-approval")
@needs(*FAULTY)
def late_approval(env):
    """The approval takes effect 50 records later: the device has counted them."""
    with rx.bench(env) as bench, fault.faults(
            env, env.local, "hold wqe=APPROVAL name=late count=1 at=execution") as held:
        kept = bench.lose(4)
        sent = bench.send(whole(4, 4))
        bench.wait_packets(15)
        bench.wait_driver("rx_tls_resync_req_end")
        kept.comes()
        sent.finish()
        held.wait_waiting(1)
        bench.move(whole(2, 50))
        bench.check([11 + 100, 4, 1, 0], resyncs=1, rows={"R9": 1, "R12": 1, "R14": 51})
        held.release("late")
        bench.recovers()


def _late_stale(records, row):
    def run(env):
        with rx.bench(env) as bench, fault.faults(
                env, env.local, "hold wqe=APPROVAL name=late count=1 at=execution") as held:
            kept = bench.lose(4)
            sent = bench.send(whole(4, 4))
            bench.wait_packets(15)
            bench.wait_driver("rx_tls_resync_req_end")
            kept.comes()
            sent.finish()
            held.wait_waiting(1)
            bench.wait_driver("rx_tls_resync_res_ok")   # counted when the device has it already
            bench.mark()
            kept = bench.lose(0)
            burst = Burst(whole(4, records))
            sent = bench.send(burst)
            bench.wait_packets(burst.segments - 1)
            held.release("late")
            bench.wait_row(row)
            rows = {"R17": 1, "R12": records - 1 and 1, "R13": 3, row: 1}
            if records > 1:
                bench.wait_driver("rx_tls_resync_req_end")
            bench.check([burst.segments - 1 - (records > 1), 0, int(records > 1), 0], rows=rows,
                        more=ASKED if records > 1 else None)
            kept.comes()
            sent.finish()
            if records > 1:
                bench.recovers()
            else:
                bench.move(whole(3, 2))
                bench.wait_driver("rx_tls_resync_req_end")
                bench.move(whole(1))
                bench.wait_row("R18")
                bench.move(whole(1, 2))
                bench.expect_flags("records afterwards", whole(3, 2), [0, 6, 0, 0])
    return run


add("T-13/rx-late-approval-of-another", _late_stale(3, "R19"), needs=FAULTY)
add("T-13/rx-late-approval-while-searching", _late_stale(1, "R25"), needs=FAULTY)


@test("T-13/rx-approval-ignored")
@needs(*FAULTY)
def approval_ignored(env):
    """F-24: the device does not take the approval: it goes on in software, and the next loss
    brings another."""
    with rx.bench(env) as bench:
        with fault.faults(env, env.local, "ignore wqe=APPROVAL count=1"):
            unanswered(bench, dict(ASKED, rx_tls_resync_res_ok=1, TlsRxDeviceResync=1))
        answered(bench)


@test("T-13/rx-wrong-record-number", smoke=True)
@needs(*FAULTY)
def wrong_number(env):
    """F-25: the approval has a wrong record number: the tag of the record that is authenticated
    says so (R22). Nothing was decrypted by it, nothing failed, and the device asks again."""
    with rx.bench(env) as bench:
        for wrong in (1, -1, 1 << 31):
            with fault.faults(env, env.local, f"record wqe=APPROVAL add={wrong} count=1"):
                kept = bench.lose(4)
                sent = bench.send(whole(4, 4))
                bench.wait_packets(15)
                bench.wait_driver("rx_tls_resync_req_end")
                kept.comes()
                sent.finish()
                bench.wait_row("R18")
            bench.wait_driver("rx_tls_resync_res_ok")   # counted when the device has it already
            bench.mark()
            # not read yet: the software does not get to the header that is found
            where = bench.send(whole(3, 4), read=False)
            bench.wait_packets(12)
            bench.wait_driver("rx_tls_resync_req_end")
            bench.check([11, 0, 1, 0], more=ASKED,
                        rows={"R20": 1, "R22": 1, "R12": 1, "R14": 2})
            bench.later(where).finish()
            bench.recovers()
            bench.mark()


# parameters

@test("T-35/rx-no-parameters")
@needs(*FAULTY)
def no_parameters(env):
    """The device loses the static params of a new context: it has nothing to decrypt with, and
    passes all on as it is (R1)."""
    with rx.prepared(env) as into:
        with fault.faults(env, env.local, "swallow wqe=UMR_STATIC dir=rx count=1"), \
                rx.opened(env, into, start=False) as bench:
            bench.move(whole(4, 6))
            bench.check([24, 0, 0, 0], rows={"R1": 24})


@test("T-35/rx-anchor-early")
@needs(*FAULTY)
def anchor_early(env):
    """SET_PSV names a sequence number that is long gone: the device searches, and is told."""
    with rx.prepared(env) as into:
        with fault.faults(env, env.local, "seq wqe=SET_PSV dir=rx add=-5000 count=1"), \
                rx.opened(env, into, start=False) as bench:
            bench.move(whole(4, 3))
            bench.wait_driver("rx_tls_resync_req_end")
            bench.move(whole(1))
            bench.wait_row("R18")
            bench.move(whole(1, 2))
            bench.expect_flags("records afterwards", whole(3, 2), [0, 6, 0, 0])
            bench.check(bench.flags(), resyncs=1,
                        rows={"R4": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-35/rx-anchor-late")
@needs(*FAULTY)
def anchor_late(env):
    """SET_PSV names a sequence number that is yet to come, inside a record: what is before it is
    passed on (R2), and there is no header there (R3, R10)."""
    with rx.prepared(env) as into:
        with fault.faults(env, env.local, "seq wqe=SET_PSV dir=rx add=3000 count=1"), \
                rx.opened(env, into, start=False) as bench:
            bench.move(whole(4, 3))
            bench.wait_driver("rx_tls_resync_req_end")
            bench.move(whole(1))
            bench.wait_row("R18")
            bench.move(whole(1, 2))
            bench.expect_flags("records afterwards", whole(3, 2), [0, 6, 0, 0])
            bench.check(bench.flags(), resyncs=1,
                        rows={"R2": 2, "R3": 1, "R10": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


# a full queue

@contextlib.contextmanager
def _full_queue(env, bench, held):
    """No completion of a new context arrives, so the queue for control WQEs of the only channel
    gets full. Yields when the driver has had to give up on a socket."""
    watch = Watch(env.local)
    count = 262
    there = env.local.call("many.accept", address=env.local.address(4), count=count,
                           seed=env.seed)
    serving = env.local.begin("many.serve", group=there["group"])
    here = env.remote.call("many.connect", address=env.local.address(4), port=there["port"],
                           count=count, seed=env.seed)["group"]
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
    bench.into.watch.restart()


@test("T-16/rx-queue-full")
@needs(*FAULTY)
def queue_full(env):
    """No WQE can be posted: neither for new contexts, which then work in software, nor for a
    question. When the queue has room again, so does a question."""
    with env.local.nic.with_channels() as change:
        change(1)
        env.local.nic.wait_ready()
        with env.lab.with_property("resync-repeat", "1"), rx.bench(env, truth=False) as bench:
            with fault.faults(env, env.local, "hold wqe=SET_PSV,GET_PSV dir=rx name=ring") as held:
                with _full_queue(env, bench, held):
                    bench.mark()
                    kept = bench.lose(4)
                    sent = [bench.send(whole(4, 2), read=False)]
                    for _ in range(20):
                        # each header asks; what room is left is used up by that
                        asked = bench.driver("rx_tls_resync_req_start")
                        sent.append(bench.send(whole(1), read=False))
                        wait_for("the question is posted or given up", lambda asked=asked:
                                 asked < bench.driver("rx_tls_resync_req_start")
                                 == bench.row("R27") + bench.driver("rx_tls_resync_req_skip"))
                        if bench.driver("rx_tls_resync_req_skip"):
                            break
                    expect_equal("rx_tls_resync_req_skip",
                                 bench.driver("rx_tls_resync_req_skip"), 1)
                kept.comes()
                bench.later(*sent).finish()
                # an answer to a socket that is gone is F-20
                wait_for("the other questions are answered", lambda:
                         bench.driver("rx_tls_resync_req_start")
                         == bench.driver("rx_tls_resync_req_end")
                         + bench.driver("rx_tls_resync_req_skip"))
        with rx.bench(env) as bench:
            lose_header(bench, Burst(whole(4, 6)), 8)


@test("T-17/rx-queue-full-for-approvals")
@needs(*FAULTY)
def approvals_wait(env):
    """The approval cannot be posted: the driver counts that, and posts it when the queue has room
    again."""
    with env.local.nic.with_channels() as change:
        change(1)
        env.local.nic.wait_ready()
        with rx.bench(env, truth=False) as bench:
            kept = bench.lose(4)
            sent = bench.send(whole(4, 4))
            bench.wait_packets(15)
            bench.wait_driver("rx_tls_resync_req_end")
            with fault.faults(env, env.local, "hold wqe=SET_PSV dir=rx name=ring") as held:
                with _full_queue(env, bench, held):
                    bench.mark()
                    kept.comes()
                    sent.finish()

                    def tries():
                        # the driver wakes itself by a WQE, whose completion is kept back too
                        ping(env.remote, env.local.address(4), count=1)
                        return bench.driver("rx_tls_resync_res_retry")

                    wait_for("the approval is tried and put off", tries)
                    expect_equal("packets not decrypted, decrypted, resync, error",
                                 bench.flags(), [1, 0, 0, 0])
                    # it tries again whenever something else comes to the channel
                    got = {name: bench.driver(name) for name in rx.DRIVER + rx.KERNEL
                           if name != "rx_tls_resync_res_retry"}
                    expect_equal("counters of driver and kernel", got,
                                 dict(dict.fromkeys(got, 0), TlsRxDeviceResync=1))
                    expect_equal("rows taken",
                                 [name for name in rx.EVENTS if bench.row(name)], [])
            bench.recovers()
            expect_equal("rx_tls_resync_res_ok", bench.driver("rx_tls_resync_res_ok"), 1)
