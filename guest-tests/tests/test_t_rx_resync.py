# SPDX-License-Identifier: GPL-2.0-or-later
"""T-14, T-18, T-19, T-21: questions and answers that go wrong: candidates that are no headers,
answers that nobody gives, that come too late or for something else, damaged records, many contexts
at once."""

import contextlib
import itertools

from lib import rx
from lib.case import add, expect, expect_equal, needs, test, wait_equal, wait_for
from lib.counters import Watch
from lib.ktap import note
from lib.rx import Burst, SEGMENT, whole
from tests.test_t_rx_loss import ASKED, ASKED_TWICE, NEEDS

CRAFTED = (*NEEDS, "local-tool:openssl")
RECORD = 4 * SEGMENT - 29       # payload of a record of four segments
FULL = 1448 - 29                # payload of a record of one segment, without TCP_MAXSEG
CIPHERTEXT = 13                 # where it begins in a record


def planted(*headers):
    """A record of four segments for Bench.send_crafted(): (byte of the record, five bytes)."""
    return {"size": RECORD, **{at - CIPHERTEXT: text for at, text in headers}}


def header(at, to, kind=23):
    """(at, what looks like the header of a record that ends at `to`)."""
    return at, bytes((kind, 3, 3)) + (to - at - 5).to_bytes(2, "big")


def fill(count):
    """Payloads of records of four segments."""
    return [RECORD] * count


# headers that are none

@test("T-13/rx-false-candidate", smoke=True)
@needs(*CRAFTED)
def false_candidate(env):
    """F-22: where the search begins lies what looks like a header; it leads to nothing. The device
    asks, notices (R15), and asks again about the true one. The first is never approved."""
    with rx.bench(env) as bench:
        for at, to in ((1500, 3000), (1400, 2801), (2795, 3000), (1402, 5595)):
            kept = bench.lose(4)
            rest = bench.keep(5 + (at // SEGMENT))
            sent = bench.send_crafted([*fill(1), planted(header(at, to)), *fill(4)])
            bench.wait_driver("rx_tls_resync_req_end")
            bench.check([at // SEGMENT - 1, 4, 1, 0], more=ASKED,
                        rows={"R9": 1, "R12": 1, "R13": None, "R15": None})
            rest.comes(None)
            bench.wait_packets(23)
            bench.wait_driver("rx_tls_resync_req_end", 2)
            bench.check([23 - 4 - 2, 4, 2, 0], more=ASKED_TWICE,
                        rows={"R9": 1, "R12": 2, "R15": 1})
            kept.comes()
            sent.finish()
            bench.recovers()
            bench.mark()


@test("T-13/rx-false-chain")
@needs(*CRAFTED)
def false_chain(env):
    """The same with a chain of five before it breaks."""
    with rx.bench(env) as bench:
        chain = [header(at, at + 200) for at in range(1500, 2300, 200)] + [header(2300, 3000)]
        kept = bench.lose(4)
        rest = bench.keep(6)
        sent = bench.send_crafted([*fill(1), planted(*chain), *fill(4)])
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([0, 4, 1, 0], more=ASKED, rows={"R9": 1, "R12": 1, "R14": 4})
        rest.comes(None)
        bench.wait_packets(23)
        bench.wait_driver("rx_tls_resync_req_end", 2)
        kept.comes()
        sent.finish()
        bench.recovers()


def _joins(bench):
    """A false candidate that leads to a true header, and to all behind it: nothing ever
    contradicts it."""
    kept = bench.lose(4)
    sent = bench.send_crafted([*fill(1), planted(header(1500, 4 * SEGMENT)), *fill(2)])
    bench.wait_packets(15)
    bench.wait_driver("rx_tls_resync_req_end")
    bench.check([10, 4, 1, 0], more=ASKED, rows={"R9": 1, "R12": 1, "R14": 2})
    kept.comes()
    sent.finish()
    bench.wait_packets(16)


@test("T-13/rx-false-candidate-that-joins")
@needs(*CRAFTED)
def joins(env):
    """F-23: the false header leads to a true one. Nobody can say no to the device, so it waits,
    and all comes encrypted, until another header is lost (R17)."""
    with rx.bench(env) as bench:
        _joins(bench)
        bench.expect_flags("records while the device waits", whole(3, 4), [12, 0, 0, 0])
        bench.check([11 + 12, 4, 1, 0], more=ASKED, rows={"R9": 1, "R12": 1, "R14": 6})
        bench.mark()
        kept = bench.lose(0)
        sent = bench.send(whole(4, 3))
        bench.wait_packets(11)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([10, 0, 1, 0], more=ASKED, rows={"R17": 1, "R12": 1, "R13": 3, "R14": 1})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-13/rx-resync-repeat")
@needs(*CRAFTED)
def repeat(env):
    """resync-repeat=4: the device does not wait for ever: the fourth header behind the false one
    is the new candidate (R33), which is approved."""
    with env.lab.with_property("resync-repeat", "4"), rx.bench(env) as bench:
        _joins(bench)
        bench.mark()
        kept = bench.lose(1)                # the software sees nothing of what follows
        sent = bench.send(whole(3, 3))
        bench.wait_packets(8)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([7, 0, 1, 0], more=ASKED, rows={"R16": 1, "R33": 1, "R14": 2})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-13/rx-resync-repeat-timeout")
@needs(*CRAFTED)
def repeat_timeout(env):
    """resync-repeat=timeout: the first header after some time without an answer is the new
    candidate. Nothing that follows the false header brings another one, then headers come one by
    one, until one of them asks, and the software sees none of them before that is answered: so
    it is one, and no other takes its place before it is approved, however slow the machine."""
    with env.lab.with_property("resync-repeat", "timeout"), rx.bench(env) as bench:
        kept = bench.lose(4)
        sent = bench.send_crafted([*fill(1), planted(header(1500, 4 * SEGMENT))])
        bench.wait_packets(7)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([2, 4, 1, 0], more=ASKED, rows={"R9": 1, "R12": 1})
        behind = []

        def again():
            behind.append(bench.send(whole(1), read=False))
            bench.wait_packets(7 + len(behind))
            return bench.row("R33")

        wait_for("the device asks again", again)
        bench.wait_driver("rx_tls_resync_req_end", 2)
        rows = {"R9": 1, "R12": 1, "R14": len(behind) - 1, "R33": 1}
        flags = [2 + len(behind) - 1, 4, 2, 0]
        bench.check(flags, more=ASKED_TWICE, rows=rows)
        kept.comes()
        sent.finish()
        bench.later(*behind).finish()
        bench.recovers()
        rows.update(R18=1, R20=1, R21=1)
        bench.check([flags[0] + 1 + 3, flags[1] + 3, 2, 0], resyncs=1, more=ASKED_TWICE, rows=rows)


@test("T-13/rx-search-pattern")
@needs(*CRAFTED)
def search_pattern(env):
    """search-pattern=magic-only: 03 03 is enough for a candidate, whatever the type before it;
    with strict it is not."""
    for value, losses in (("strict", 0), ("magic-only", 1)):
        with env.lab.with_property("search-pattern", value), rx.bench(env) as bench:
            kept = bench.lose(4)
            rest = bench.keep(6)
            sent = bench.send_crafted([*fill(1), planted(header(1500, 3000, kind=99)), *fill(3)])
            bench.wait_packets(5)
            if losses:
                bench.wait_driver("rx_tls_resync_req_end")
            bench.check([1 - losses, 4, losses, 0], more=ASKED if losses else None,
                        rows={"R9": 1, "R12": losses})
            rest.comes(None)
            bench.wait_packets(19)
            bench.wait_driver("rx_tls_resync_req_end", 1 + losses)
            bench.check([15 - 1 - losses, 4, 1 + losses, 0],
                        more=ASKED_TWICE if losses else ASKED,
                        rows={"R9": 1, "R12": 1 + losses, "R15": losses})
            kept.comes()
            sent.finish()
            bench.recovers()


# questions that are not heard

@test("T-14/rx-ip-options", smoke=True)
@needs(*NEEDS)
def ip_options(env):
    """The packets have IPv4 options: the device decrypts them all the same, but the driver does not
    find the socket of the packet that asks, so nothing is answered. A loss in packets without
    options is answered again (R17)."""
    with rx.bench(env) as bench:
        options = bench.rule("ip-option stream=0.. sent=any")
        bench.expect_flags("packets with options", whole(4, 3), [0, 12, 0, 0])
        bench.mark()
        _unheard(bench, options)


@test("T-14/rx-ipv6-extension")
@needs(*NEEDS)
def ipv6_extension(env):
    """The same with an IPv6 extension header: the steering entry does not match it, or the device
    looks behind it: either way every byte is right, and no question is heard."""
    with rx.bench(env, family=6) as bench:
        options = bench.rule("ip-option bytes=8 stream=0.. sent=any")
        before = bench.flags()
        bench.send(whole(4, 3)).finish()
        options.check_hits(12)
        got = [now - was for was, now in zip(before, bench.flags())]
        note(f"packets not decrypted, decrypted, resync, error: {got}")
        expect(got in ([0, 12, 0, 0], [0, 0, 0, 0]), f"flags with an extension header: {got}")
        if got[1]:
            bench.mark()
            _unheard(bench, options)


def _unheard(bench, options):
    kept = bench.lose(4)
    sent = bench.send(whole(4, 4))
    bench.wait_packets(15)
    kept.comes()
    sent.finish()
    bench.wait_packets(16)
    bench.expect_flags("records that nobody asks about", whole(3, 4), [12, 0, 0, 0])
    bench.check([11 + 12, 4, 1, 0], rows={"R9": 1, "R12": 1, "R13": 3, "R14": 1 + 4})
    options.clear()
    bench.mark()
    kept = bench.lose(0)
    sent = bench.send(whole(4, 3))
    bench.wait_packets(11)
    bench.wait_driver("rx_tls_resync_req_end")
    bench.check([10, 0, 1, 0], more=ASKED, rows={"R17": 1, "R12": 1, "R13": 3, "R14": 1})
    kept.comes()
    sent.finish()
    bench.recovers()


# answers to something else

def _stale(env, records, row):
    """The device asks about X; before the approval comes it loses its place again, in packets with
    IPv4 options, so that the driver does not hear of that and approves X."""
    with rx.bench(env) as bench:
        first = bench.lose(4)
        sent = [bench.send(whole(4, 3), read=False)]
        bench.wait_driver("rx_tls_resync_req_end")
        bench.wait_packets(11)
        bench.mark()
        second = bench.lose(0)
        options = bench.rule("ip-option stream=0.. sent=any")
        burst = Burst(whole(4, records))
        sent.append(bench.send(burst, read=False))
        bench.wait_packets(burst.segments - 1)
        options.clear()
        found = 1 if records > 1 else 0
        bench.check([burst.segments - 1 - found, 0, found, 0],
                    rows={"R17": 1, "R12": found, "R13": 3})
        first.comes()
        second.comes()
        bench.later(*sent).finish()
        # approved, but not what the device is waiting for now
        bench.wait_driver("rx_tls_resync_res_ok")
        bench.wait_row(row)
        bench.check([burst.segments - found + 1, 0, found, 0],
                    rows={"R17": 1, "R12": found, row: 1},
                    more={"rx_tls_resync_res_ok": 1, "TlsRxDeviceResync": 1})
        bench.mark()
        lost = bench.lose(0)
        again = bench.send(whole(4, 3))
        bench.wait_packets(11)
        bench.wait_driver("rx_tls_resync_req_end")
        lost.comes()
        again.finish()
        bench.recovers()


@test("T-13/rx-stale-approval", smoke=True)
@needs(*NEEDS)
def stale_candidate(env):
    """The approval of a candidate comes when the device has another one: it is stored, and nothing
    is decrypted by it (R19)."""
    _stale(env, 3, "R19")


@test("T-13/rx-stale-approval-while-searching")
@needs(*NEEDS)
def stale_searching(env):
    """The same when the device has none (R25)."""
    _stale(env, 1, "R25")


# damage

def _fails(bench, good, error):
    """Of three records so many can be read, and then comes an error, not a byte."""
    where = bench.send(whole(4, 3), read=False)
    bench.wait_packets(12)
    bench.ends(where, good * RECORD, error)


@test("T-18/rx-damaged-record", smoke=True)
@needs(*NEEDS)
def damaged(env):
    """F-26: a byte of a record is wrong on the wire, TCP's checksum is right: in the ciphertext,
    in the tag, in the nonce. The packets before the tag were decrypted, the one with the tag gets
    flag 3, the kernel counts one error, and the reader gets EBADMSG and no byte of the record."""
    with rx.prepared(env) as into:
        for byte in (13, 3000, 4 * SEGMENT - 17, -16, -1, 7):
            with rx.opened(env, into) as bench:
                bench.rule(f"corrupt record=+2 byte={byte} xor=4")
                _fails(bench, 2, "EBADMSG")
                bench.check([0, 11, 0, 1], rows={}, more={"TlsDecryptError": 1})


def _shown(value, number, text, end):
    """Where the text of record `number` of three, which is from `text` to `end`, is seen in clear:
    the first ends in the fourth segment, in which the others begin, and a tag is wrong."""
    if number == 0:
        return range(text, 3 * SEGMENT if value == "wire" else end)
    if value == "record":
        return range(0)
    return range(text if value == "packet" else max(text, 4 * SEGMENT), end)


@test("T-18/rx-damaged-record-bytes", smoke=True)
@needs(*CRAFTED)
def damaged_bytes(env):
    """rx-error-bytes, as a packet socket at the NIC sees it: the packet with flag 3 has the rest of
    a record, a whole one, and the beginning of a third; the first or the second is damaged. Each
    byte is the plaintext, or what was on the wire. The kernel ends with EBADMSG whatever it is, at
    the first record that was transformed, and no byte that was read is wrong."""
    sizes = [3 * SEGMENT + 500 - 29, 200, 3 * SEGMENT - 500 - 229 - 29]
    for value, bad in itertools.product(("record", "packet", "wire"), (0, 1)):
        good = sizes[0] if bad and value == "wire" else 0
        # the device follows records behind the one at which the kernel ends: no truth
        with env.lab.with_property("rx-error-bytes", value), \
                rx.bench(env, truth=False) as bench:
            start, first = bench.position(), bench.count
            burst = Burst(sizes)
            expect_equal("segments", (burst.segments, burst.segment(1), burst.segment(2)),
                         (6, 3, 3))
            bench.rule(f"corrupt record=+{bad} byte=-1 xor=4")
            with bench.listening() as listened:
                got = bench.send_crafted(sizes).outcome()
                bench.wait_packets(6)
                sent, delivered = listened(burst.total)
            expect_equal("bytes, error", (got["bytes"], got.get("error")), (good, "EBADMSG"))
            want = bytearray(b"".join(sent[at] for at in sorted(sent)))
            want[burst.starts[bad] + burst.lengths[bad] - 1] ^= 4
            for number, size in enumerate(sizes):
                text = burst.starts[number] + CIPHERTEXT
                stream = bench.keystream(first + number, size)
                for place in _shown(value, number, text, text + size):
                    want[place] ^= stream[place - text]
            for at, text in sorted(delivered.items()):
                at -= start
                expect_equal(f"rx-error-bytes={value}: the segment at {at}", text.hex(),
                             want[at:at + len(text)].hex())
            skipped = value == "record"
            # a call that returns bytes may leave the error to the next one, which tries anew
            errors = bench.driver("TlsDecryptError")
            expect(errors == 1 or (good and errors == 2), f"TlsDecryptError moved by {errors}")
            bench.check([2 * skipped, 3 + 2 * (not skipped), 0, 1], rows={"R35": skipped},
                        more={"TlsDecryptError": errors})


@test("T-18/rx-damaged-record-goes-on")
@needs(*NEEDS, "tool:tc")
def damaged_on(env):
    """bad-tag-action: continue: the next record is decrypted; search: the device looks for a header
    and asks. The stack does not see the damaged packet, but a good one later."""
    for value in ("continue", "search"):
        with env.lab.with_property("bad-tag-action", value), \
                rx.prepared(env) as into, rx.dropped_by_host(env), \
                rx.opened(env, into, truth=False) as bench:
            damage = bench.damage("record=+2 byte=-1", 1)
            sent = bench.send(whole(4, 6))
            bench.wait_packets(24)
            if value == "continue":
                bench.check([0, 23, 0, 1], rows={})
            else:
                bench.wait_driver("rx_tls_resync_req_end")
                bench.check([11, 11, 1, 1], more=ASKED, rows={"R12": 1, "R14": 2})
            damage.repaired()
            sent.finish()
            if value == "continue":
                bench.expect_flags("records behind it", whole(3, 2), [0, 6, 0, 0])
            else:
                bench.recovers()


@test("T-18/rx-damaged-header", smoke=True)
@needs(*NEEDS)
def damaged_header(env):
    """F-27: a record header is wrong: the device loses its place (R10), the kernel ends the
    stream, each with the error that it has for that."""
    kinds = ((0, 8, "EBADMSG", 1), (1, 1, "EINVAL", 0), (2, 1, "EINVAL", 0),
             (3, 0x80, "EMSGSIZE", 0))
    with rx.prepared(env) as into:
        for byte, flip, error, decrypt_errors in kinds:
            with rx.opened(env, into, truth=False) as bench:
                bench.rule(f"corrupt record=+1 byte={byte} xor={flip}")
                _fails(bench, 1, error)
                flags = bench.flags()
                expect_equal("packets not decrypted, decrypted, resync, error", flags,
                             [7, 4, 1, 0])
                expect_equal("R10", bench.row("R10"), 1)
                stat = bench.driver("TlsDecryptError")
                expect_equal("TlsDecryptError", stat, decrypt_errors)
                # an answer to a socket that is gone is F-20
                bench.wait_driver("rx_tls_resync_req_end")


@test("T-18/rx-bad-checksum")
@needs(*NEEDS)
def bad_checksum(env):
    """A packet whose TCP checksum is wrong is none for the context: TCP drops it, and the device
    takes it for lost. What is sent in its place later is old, or new, just as for TCP."""
    with rx.bench(env) as bench:
        damage = bench.damage("record=+1 byte=1500", 1, csum="keep")
        sent = bench.send(whole(4, 4))
        bench.wait_packets(15)
        bench.check([2, 13, 0, 0], rows={"R8": 1})
        damage.repaired()
        sent.finish()
        bench.wait_packets(16)
        bench.check([3, 13, 0, 0], rows={"R8": 1, "R6": 1})


# many headers

@test("T-21/rx-tiny-records", smoke=True)
@needs(*NEEDS)
def tiny(env):
    """The packet that asks has forty headers; the software remembers thirteen. The candidate is
    the first of them, and its number is right."""
    with rx.bench(env) as bench:
        tiny_records = [5] * 41                 # 34 bytes each: 41 make a segment and a bit
        kept = bench.lose(0)
        sent = bench.send([*whole(1), *tiny_records, *whole(3)])
        burst = Burst([*whole(1), *tiny_records, *whole(3)])
        bench.wait_packets(burst.segments - 1)
        bench.wait_driver("rx_tls_resync_req_end")
        bench.check([burst.segments - 2, 0, 1, 0], more=ASKED,
                    rows={"R9": 1, "R12": 1, "R14": 41})
        kept.comes()
        sent.finish()
        bench.recovers()


@test("T-21/rx-tiny-records-natural")
@needs(*NEEDS)
def tiny_natural(env):
    """The same as it happens: the packet with the lost header comes right behind, so the software
    goes through the headers while the question is under way."""
    with rx.bench(env) as bench:
        for _ in range(5):
            rule = bench.rule(f"delay stream={bench.position()} packets=1")
            bench.send([*whole(1), *[5] * 41, *whole(3)]).finish()
            rule.clear()
            bench.wait_driver("rx_tls_resync_req_end")
            bench.move(whole(1))
            bench.wait_row("R18")
            bench.move(whole(1, 2))
            bench.expect_flags("records afterwards", whole(3, 2), [0, 6, 0, 0])
            bench.check(bench.flags(), resyncs=1,
                        rows={"R9": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})
            bench.mark()


@test("T-21/rx-candidate-behind-thirteen-headers")
@needs(*CRAFTED)
def behind_thirteen(env):
    """A false header leads over twenty true ones into a record, so the candidate is a later one of
    forty in its packet. The software has been told before it gets there, so it finds it."""
    with rx.bench(env) as bench:
        kept, behind = bench.lose(0), bench.keep(2)
        tail = 2 * SEGMENT - 100                # the false header: 100 bytes before the end
        rest = planted(header(tail, 2 * SEGMENT + 20 * 34 + 20))
        rest["size"] = 2 * SEGMENT - 29
        sent = bench.send_crafted([rest, *[5] * 41, *fill(1)])
        burst = Burst([2 * SEGMENT - 29, *[5] * 41, RECORD])
        bench.wait_driver("rx_tls_resync_req_end")
        behind.comes(None)
        bench.wait_packets(burst.segments - 1)
        bench.wait_driver("rx_tls_resync_req_end", 2)
        bench.check([burst.segments - 3, 0, 2, 0], more=ASKED_TWICE,
                    rows={"R9": 1, "R12": 2, "R15": 1, "R14": 20})
        kept.comes()
        sent.finish()
        bench.recovers()


# many contexts

def _storm(count):
    """F-43: as many contexts as there are lose a header at once, ask at once, and are approved at
    once. All of them are decrypted again."""
    def run(env):
        with rx.prepared(env) as into, contextlib.ExitStack() as stack:
            env.cleanup.callback(env.lab.client.call, "wire.reset")
            entries = env.lab.objects()["flow_entry"]
            seed = f"{env.seed}/storm"
            there = env.local.call("many.accept", address=env.local.address(4), count=count,
                                   seed=seed)
            serving = env.local.begin("many.serve", group=there["group"])
            here = env.remote.call("many.connect", address=env.local.address(4),
                                   port=there["port"], count=count, seed=seed)["group"]
            expect_equal("connections", serving.result(), count)
            port, there = there["port"], there["group"]
            stack.callback(env.local.call, "many.close", group=there)
            stack.callback(env.remote.call, "many.close", group=here)
            into.check_opened(count, tx=False)
            wait_equal("steering entries",
                       lambda: env.lab.objects()["flow_entry"] - entries, count)
            state = _Sums(env)
            ask = env.lab.client.call
            # a record may leave in two packets where its pages end
            packets = ask("wire.add", rules=[f"log b>a dport={port} len=1.."])[0]

            def move(flags):
                passed, before = _hits(env, packets), state.flags()
                env.remote.call("many.send", group=here, size=FULL)
                expect_equal("connections with wrong bytes",
                             env.local.call("many.receive", group=there, size=FULL), [])
                passed = _hits(env, packets) - passed
                wait_equal("packets not decrypted, decrypted, resync, error",
                           lambda: [now - was for was, now in zip(before, state.flags())],
                           [passed * each for each in flags])

            move([0, 1, 0, 0])
            state.mark()
            rules = ask("wire.add", rules=[
                "hold b>a record=1 sent=first name=lost", "drop b>a record=1 sent=again",
                "hold b>a record=2.. sent=first name=rest", "drop b>a record=2.. sent=again"])
            for _ in range(3):
                env.remote.call("many.send", group=here, size=FULL)
            wait_equal("bytes that were sent", lambda: _sent(env, port), count * 4 * (FULL + 29))
            # all that asks comes at once, and so does what lets the software answer
            ask("wire.release", name="rest")
            came = _hits(env, rules[2])
            wait_equal("packets not decrypted, decrypted, resync, error", state.flags,
                       [came - count, 0, count, 0])
            wait_equal("questions answered",
                       lambda: state.driver("rx_tls_resync_req_end"), count)
            ask("wire.release", name="lost")
            for rule in rules:
                ask("wire.clear", rule=rule)
            expect_equal("connections with wrong bytes",
                         [env.local.call("many.receive", group=there, size=FULL)
                          for _ in range(3)], [[]] * 3)
            wait_equal("approvals", lambda: state.row("R18"), count)
            move([1, 0, 0, 0])
            move([0, 1, 0, 0])
            expect_equal("counters of driver and kernel",
                         {name: state.driver(name) for name in _STORM},
                         dict.fromkeys(_STORM, count))
            for name in ("rx_tls_resync_req_skip", "rx_tls_err", "TlsDecryptError"):
                expect_equal(name, state.driver(name), 0)
            note(f"rx_tls_resync_res_retry {state.driver('rx_tls_resync_res_retry')}")
    return run


_STORM = ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
          "rx_tls_resync_res_ok", "TlsRxDeviceResync")


class _Sums:
    """Counters of all contexts since a mark."""

    def __init__(self, env):
        self._env = env
        self._watch = Watch(env.local)
        self.mark()

    def mark(self):
        """From now on."""
        self._watch.restart()
        self._device = self._env.lab.counters()
        self._rows = self._env.lab.get("tls-rows")

    def flags(self):
        """[packets with flag 0, 1, 2, 3]"""
        now = self._env.lab.counters()
        return [now[name] - self._device[name] for name in rx.FLAGS]

    def row(self, name):
        """How often it was taken."""
        return self._env.lab.get("tls-rows")[name] - self._rows[name]

    def driver(self, name):
        """A counter of the driver or of the kernel's TLS."""
        return (self._watch.protocols() if name.startswith("Tls") else self._watch.nic())[name]


def _sent(env, port):
    """Bytes of all streams to a port, as far as they have come on the wire."""
    return sum((flow["b>a"]["next_seq"] - flow["b>a"]["first_seq"]) % (1 << 32)
               for flow in env.lab.client.call("wire.flows")
               if port in (flow["a_port"], flow["b_port"]))


def _hits(env, rule):
    return next(entry["hits"] for entry in env.lab.client.call("wire.rules")
                if entry["id"] == rule)


add("T-19/rx-storm", _storm(200), needs=NEEDS, guard=600.0)
add("T-19/rx-storm-1200", _storm(1200), needs=NEEDS, guard=1800.0, full=True)
