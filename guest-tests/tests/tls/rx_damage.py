# SPDX-License-Identifier: GPL-2.0-or-later
"""T-18: records that arrive damaged: what the device says of them, and what can be read."""

import itertools

from lib import rx
from lib.case import expect, expect_equal, needs, test
from lib.rx import CRAFTED, NEEDS, Flags, asked
from lib.rx_craft import CIPHERTEXT, FOUR_SEGMENTS
from lib.rx_layout import OVERHEAD, SEGMENT, Burst, whole_segments


def _expect_stream_end(session, good, error):
    """Of three records so many can be read, and then comes an error, not a byte."""
    unread = session.send_unread([FOUR_SEGMENTS] * 3)
    session.wait_packets(12)
    session.expect_read_error(unread, good * FOUR_SEGMENTS, error)


@test("T-18/rx-damaged-record", smoke=True)
@needs(*NEEDS)
def damaged(env):
    """F-26: a byte of a record is wrong on the wire, TCP's checksum is right: in the ciphertext,
    in the tag, in the nonce. The packets before the tag were decrypted, the one with the tag gets
    flag 3, the kernel counts one error, and the reader gets EBADMSG and no byte of the record."""
    with rx.receiving_ends(env) as ends:
        for byte in (3000, -1, 7):
            with ends.session() as session:
                session.rule(f"corrupt record=+2 byte={byte} xor=4")
                _expect_stream_end(session, 2, "EBADMSG")
                session.check(Flags(decrypted=11, error=1), rows={},
                              counters={"TlsDecryptError": 1})


def _shown(value, number, text, end):
    """Where the text of record `number` of three, which is from `text` to `end`, is seen in clear:
    the first ends in the fourth segment, in which the others begin, and a tag is wrong."""
    if number == 0:
        return range(text, 3 * SEGMENT if value == "wire" else end)
    if value == "record":
        return range(0)
    return range(text if value == "packet" else max(text, 4 * SEGMENT), end)


@test("T-18/rx-damaged-record-bytes", smoke=True)
@needs(*CRAFTED, "lab:rx-error-bytes")
def damaged_bytes(env):
    """rx-error-bytes, as a packet socket at the NIC sees it: the packet with flag 3 has the rest of
    a record, a whole one, and the beginning of a third; the first or the second is damaged. Each
    byte is the plaintext, or what was on the wire. The kernel ends with EBADMSG whatever it is, at
    the first record that was transformed, and no byte that was read is wrong."""
    sizes = [3 * SEGMENT + 500 - OVERHEAD, 200,
             3 * SEGMENT - 500 - 200 - 2 * OVERHEAD]
    with rx.receiving_ends(env) as ends:
        for value, bad in itertools.product(("record", "packet", "wire"), (0, 1)):
            _damage_one(env, ends, sizes, value, bad)


def _damage_one(env, ends, sizes, value, bad):
    """One value of rx-error-bytes, one damaged record."""
    good = sizes[0] if bad and value == "wire" else 0
    # the device follows records behind the one at which the kernel ends: no truth
    with env.lab.with_property("rx-error-bytes", value), \
            ends.session(truth=False) as session:
        start, first = session.position(), session.count
        burst = Burst(sizes)
        expect_equal("segments", (burst.segments, burst.segment(1), burst.segment(2)),
                     (6, 3, 3))
        session.rule(f"corrupt record=+{bad} byte=-1 xor=4")
        with session.packet_sockets() as listened:
            got = session.send_crafted(sizes).outcome()
            session.wait_packets(6)
            sent, delivered = listened(burst.total)
        expect_equal("bytes, error", (got["bytes"], got.get("error")), (good, "EBADMSG"))
        want = bytearray(b"".join(sent[at] for at in sorted(sent)))
        want[burst.starts[bad] + burst.lengths[bad] - 1] ^= 4
        for number, size in enumerate(sizes):
            text = burst.starts[number] + CIPHERTEXT
            stream = session.keystream.of_record(first + number, size)
            for place in _shown(value, number, text, text + size):
                want[place] ^= stream[place - text]
        for at, text in sorted(delivered.items()):
            at -= start
            expect_equal(f"rx-error-bytes={value}: the segment at {at}", text.hex(),
                         want[at:at + len(text)].hex())
        skipped = value == "record"
        # a call that returns bytes may leave the error to the next one, which tries anew
        errors = session.driver("TlsDecryptError")
        expect(errors == 1 or (good and errors == 2), f"TlsDecryptError moved by {errors}")
        session.check(Flags(plain=2 * skipped, decrypted=3 + 2 * (not skipped), error=1),
                      rows={"R35": skipped},
                      counters={"TlsDecryptError": errors})


@test("T-18/rx-damaged-record-goes-on")
@needs(*NEEDS, "tool:tc", "lab:bad-tag-action")
def damaged_on(env):
    """bad-tag-action: continue: the next record is decrypted; search: the device looks for a header
    and asks. The stack does not see the damaged packet, but a good one later."""
    for value in ("continue", "search"):
        with env.lab.with_property("bad-tag-action", value), \
                rx.receiving_ends(env) as ends, rx.dropped_by_host(env), \
                ends.session(truth=False) as session:
            damage = session.damage("record=+2 byte=-1", 1)
            sent = session.send(whole_segments(4, 6))
            session.wait_packets(24)
            if value == "continue":
                session.check(Flags(decrypted=23, error=1), rows={})
            else:
                session.wait_answers()
                session.check(Flags(plain=11, decrypted=11, resync=1, error=1), counters=asked(),
                              rows={"R12": 1, "R14": 2})
            damage.release_copy()
            sent.finish()
            if value == "continue":
                session.expect_flags("records behind it", whole_segments(3, 2), Flags(decrypted=6))
            else:
                session.expect_recovery()


@test("T-18/rx-damaged-header", smoke=True)
@needs(*NEEDS)
def damaged_header(env):
    """F-27: a record header is wrong: the device loses its place (R10), the kernel ends the
    stream, each with the error that it has for that."""
    kinds = ((0, 8, "EBADMSG", 1), (1, 1, "EINVAL", 0), (2, 1, "EINVAL", 0),
             (3, 0x80, "EMSGSIZE", 0))
    with rx.receiving_ends(env) as ends:
        for byte, flip, error, decrypt_errors in kinds:
            with ends.session(truth=False) as session:
                session.rule(f"corrupt record=+1 byte={byte} xor={flip}")
                _expect_stream_end(session, 1, error)
                # an answer to a socket that is gone is F-20
                session.wait_answers()
                session.check(Flags(plain=7, decrypted=4, resync=1),
                              counters=asked() | {"TlsDecryptError": decrypt_errors},
                              rows={"R10": 1, "R12": 1})


@test("T-18/rx-bad-checksum")
@needs(*NEEDS)
def bad_checksum(env):
    """A packet whose TCP checksum is wrong is none for the context: TCP drops it, and the device
    takes it for lost. What is sent in its place later is old, or new, just as for TCP."""
    with rx.session(env) as session:
        damage = session.damage("record=+1 byte=1500", 1, csum="keep")
        sent = session.send(whole_segments(4, 4))
        session.wait_packets(15)
        # a NIC may look at it all the same
        session.check(Flags(plain=2, decrypted=13), rows={"R8": 1}, more=2, damaged=True)
        damage.release_copy()
        sent.finish()
        session.wait_packets(16)
        session.check(Flags(plain=3, decrypted=13), rows={"R8": 1, "R6": 1}, more=2, damaged=True)
