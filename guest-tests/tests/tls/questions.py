# SPDX-License-Identifier: GPL-2.0-or-later
"""Q-01 … Q-11: what public sources leave open about the silicon, found out from beside the device.

Each experiment asks only what any NIC shows: the wire, the driver's counters, the bytes that come.
questions.toml says what is guessed, and what the answers mean. Wrong data is a failure whatever the
answer is; that the device does something else than the guess is not.
"""

import contextlib

from lib import loss, wire
from lib.asking import NEEDS, asking, experiment
from lib.case import expect, expect_equal, needs, wait_for
from lib.net import ping
from lib.quiet import quiet_senders
from lib.rx_craft import CIPHERTEXT, FOUR_SEGMENTS, record_with
from lib.rx_layout import OVERHEAD, SEGMENT, Burst, whole_segments
from lib.tls import Connection, Offload

SILENCE = 1500              # milliseconds without an answer
MANY = 64                   # headers without an answer


# ---- questions

@experiment("Q-01/rx-resync-flag-at")
@needs(*NEEDS)
def flag_at(env):
    """A packet with a header is lost. Then come, one after the other: a packet without one, the one
    with the next header, and the rest, with two more."""
    with asking(env) as asker, asker.session() as session:
        lost, found, rest = session.lose(4), session.lose(6, 7, 8), session.withhold_from(9)
        sent = session.send_unread(whole_segments(4, 5))
        counts = []
        for packets, held, released in ((5, None, 0), (8, found, 3), (19, rest, None)):
            if held:
                held.release(released)
            session.arrived(packets)
            counts.append(session.asked())
        env.observe("asked after loss, header, more headers", counts)
        lost.release()
        session.read_unread(sent).finish()
        return {(0, 1, 1): "magic", (1, 1, 1): "loss", (1, 2, 2): "both",
                (0, 0, 1): "second-header", (0, 0, 0): "never"}.get(tuple(counts), str(counts))


def _send_headers(session, count):
    """So many packets with a header each; several arrive at once."""
    if count == 1:
        session.send_unread([1])
        return
    # records of full segments: TCP may join small ones, if they cannot leave at once
    held = session.rule("hold stream=0.. name=together")
    session.send_unread(whole_segments(1, count))
    held.wait_hits(count)
    session.box.release("together")
    held.clear()


@experiment("Q-02/rx-resync-repeat")
@needs(*NEEDS)
def repeat(env):
    """The device has found a header and asks. The packet before it stays lost, so the software does
    not get there, and approves nothing. Then a header comes after a silence, and many come at once;
    if that makes the device ask again, headers come one by one until it has asked twice more."""
    with asking(env) as asker, asker.session() as session:
        lost = session.lose(4)
        sent = session.read_unread(session.send_unread(whole_segments(4, 3)))
        session.arrived(11)
        expect(session.asked() > 0, "a header was lost, one was found, and the device has not "
                                    "asked: nothing could be repeated")
        arrived = 11

        def asked_for(count):
            nonlocal arrived
            before = session.asked()
            _send_headers(session, count)
            arrived += count
            session.arrived(arrived)
            return session.asked() - before

        late = session.rule(f"delay stream=0.. ms={SILENCE}")
        after_silence = asked_for(1)
        late.clear()
        at_once = asked_for(MANY)
        env.observe("asked again after silence, after many headers", [after_silence, at_once])
        if not after_silence and not at_once:
            answer = "never"
        elif after_silence and at_once <= 1:
            answer = "timeout"
        else:
            answer = str(_gap(asked_for))
        lost.release()
        sent.finish()
        return answer


def _gap(asked_for):
    """Headers from one time that the device asks to the next."""
    asked = []
    for number in range(4 * MANY):
        if asked_for(1):
            asked.append(number)
            if len(asked) == 2:
                return asked[1] - asked[0]
    return "irregular"


# ---- what is taken for a header

# (what is wrong with it, five bytes where a record could begin)
FALSE = (("type", bytes((99, 3, 3)) + (1495).to_bytes(2, "big")),
         ("version", bytes((23, 3, 1)) + (1495).to_bytes(2, "big")),
         ("length", bytes((23, 3, 3)) + (0x7000).to_bytes(2, "big")),
         ("all", bytes((99, 9, 9)) + (0x7000).to_bytes(2, "big")))


@experiment("Q-03/rx-search-pattern")
@needs(*NEEDS)
def search_pattern(env):
    """Behind a lost header comes a packet with bytes that are nearly one: does the device ask about
    it? If it asks because of the loss, it has no place in the stream to ask about yet."""
    taken = {}
    with asking(env) as asker:
        for name, text in FALSE:
            with asker.session() as session:
                lost, rest = session.lose(4), session.withhold_from(6)
                sent = session.send_crafted([FOUR_SEGMENTS, record_with((1500, text)),
                                             *[FOUR_SEGMENTS] * 3])
                session.arrived(5)
                taken[name] = session.asked() and session.asked_about_a_place()
                rest.release(None)
                session.arrived(19)
                lost.release()
                sent.finish()
    env.observe("asked because of a wrong", taken)
    if taken["all"]:
        return "unclear: it asks about a place without any header"
    if not any(taken.values()):
        return "strict"
    return "magic-only" if taken["type"] and not taken["version"] else str(taken)


# ---- after an approval

@experiment("Q-04/rx-auth-stage")
@needs(*NEEDS)
def auth_stage(env):
    """A header is lost, the device asks, and is told. Then records come, one after the other: how
    many come as they were before the device decrypts? The smallest number of some tries counts: the
    approval may be on its way when the first record comes."""
    tries = []
    with asking(env) as asker:
        for _ in range(3):
            with asker.session() as session:
                session.send_with_lost_header()
                session.restart_counting()
                packets = []
                while not (packets and packets[-1] == 3) and len(packets) < 20:
                    before = session.decrypted()
                    session.send(whole_segments(3)).finish()
                    packets.append(session.decrypted() - before)
                tries.append(packets)
    env.observe("decrypted packets of each record, of three", tries)
    expect(all(packets[-1] == 3 for packets in tries), f"the device does not recover: {tries}")
    return "on" if min(len(packets) for packets in tries) > 1 else "off"


# ---- wrong tags

@experiment("Q-05/rx-bad-tag")
@needs(*NEEDS)
def bad_tag(env):
    """The third of six records has a wrong tag. Nobody reads, so all of them come to the device."""
    with asking(env) as asker, asker.session() as session:
        session.rule("corrupt record=+2 byte=-1 xor=1")
        session.send_unread(whole_segments(4, 6))
        session.arrived(24)
        seen = {"errors": session.errors(), "asked": session.asked(),
                "decrypted behind it": session.decrypted() - 11}
        env.observe("packets", seen)
        expect(session.errors() > 0 or session.decrypted() < 12,
               "the device decrypted all of a record with a wrong tag, and said nothing")
        if seen["decrypted behind it"] == 12:
            return "continue"
        if seen["decrypted behind it"] <= 0:
            return "search" if seen["asked"] else "stop"
        return str(seen)


def _pattern(value, number, text, end):
    """Where a record is in clear in the packet with the wrong tag, the fourth: the text of record
    `number` of three is from `text` to `end`, and an earlier packet has begun the first."""
    if value == "wire" or (value == "record" and number):
        return range(0)
    return range(max(text, 3 * SEGMENT), min(end, 4 * SEGMENT))


def _shown_in_error(session, bad):
    """Record `bad` of three has a wrong tag, in the packet in which the first ends and the third
    begins. For each byte of that packet: was it as on the wire, was it the clear text?

    Returns {answer: does the packet look like that?}."""
    sizes = [3 * SEGMENT + 500 - OVERHEAD, 200, 3 * SEGMENT - 500 - 200 - 2 * OVERHEAD]
    start, first, burst = session.position(), session.count, Burst(sizes)
    session.rule(f"corrupt record=+{bad} byte=-1 xor=4")
    with session.packet_sockets() as listened:
        sent_to = session.send_crafted(sizes)
        session.arrived(6)
        # the kernel may end the stream at any of them, and must
        expect(sent_to.outcome().get("error"), "a record with a wrong tag was read")
        sent, delivered = listened(burst.total)
    wire = bytearray(b"".join(sent[at] for at in sorted(sent)))
    wire[burst.starts[bad] + burst.lengths[bad] - 1] ^= 4
    got = b"".join(delivered[at] for at in sorted(delivered))
    expect_equal("first byte that was delivered", min(delivered), start)
    looks = {}
    for value in ("record", "packet", "wire"):
        want = bytearray(wire)
        for number, size in enumerate(sizes):
            text = burst.starts[number] + CIPHERTEXT
            stream = session.keystream.of_record(first + number, size)
            for place in _pattern(value, number, text, text + size):
                want[place] ^= stream[place - text]
        looks[value] = got[3 * SEGMENT:4 * SEGMENT] == want[3 * SEGMENT:4 * SEGMENT]
    return looks


@experiment("Q-06/rx-error-bytes")
@needs(*NEEDS)
def error_bytes(env):
    """A packet has the end of a record, a whole one, and the beginning of a third; the tag of the
    first or of the second is wrong. A packet socket at the NIC sees what the device made of it."""
    found = {}
    with asking(env) as asker:
        for bad in (0, 1):
            with asker.session() as session:
                found[("first", "second")[bad]] = _shown_in_error(session, bad)
    env.observe("the packet looks like", found)
    fits = [value for value in ("record", "packet", "wire")
            if all(looks[value] for looks in found.values())]
    return fits[0] if len(fits) == 1 else f"another: {found}"


# ---- sending

HEADERS = 20 + 20 + loss.TIMESTAMPS
# of the driver when the completion of a packet is an error
QUEUE_FAILED = (r"Error cqe on cqn|ERR CQE on SQ: 0x", "a device that takes it for an error")


@contextlib.contextmanager
def _shortened(host, port, length):
    """Packets of `length` bytes to a port leave the stack with a total length in the IP header that
    is four bytes too small."""
    nic = host.nic.name
    host.run("tc", "qdisc", "add", "dev", nic, "clsact")
    try:
        host.run("tc", "filter", "add", "dev", nic, "egress", "protocol", "ip", "prio", 1, "u32",
                 "match", "u16", hex(length), "0xffff", "at", 2,
                 "match", "u16", hex(port), "0xffff", "at", 22,
                 "action", "pedit", "munge", "offset", 2, "u16", "set", length - 4)
        yield
    finally:
        host.run("tc", "qdisc", "del", "dev", nic, "clsact", check=False)


@experiment("Q-07/tx-seq-check", allowed=(QUEUE_FAILED,))
@needs("tls-tx", "wire", "local-tool:tc")
def sequence_check(env):
    """The driver always brings the device to the place from which it sends, so a packet has to be
    lost behind the driver: one whose IP header says that it ends four bytes early. A device that
    does not send it (it would send four bytes in clear) expects it still when the next one comes.
    Nothing is sent twice meanwhile, so both packets on the wire are what became of them."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_senders(env))
        stack.enter_context(loss.single_segments(*env.hosts))
        # one queue: what comes behind on it is done behind
        stack.enter_context(env.local.nic.with_channels())(1)
        offload = stack.enter_context(Offload(env, env.local, tx=True))
        judge = stack.enter_context(Offload(env, env.remote))
        box = stack.enter_context(wire.rules(env))
        connection = Connection(env.local, env.remote, seed=env.seed,
                                options={"TCP_NODELAY": 1})
        # what is never acknowledged would keep the socket, and its context, for minutes
        stack.callback(connection.close, abort=True)
        connection.enable_tls(down=False)
        offload.check_configuration(connection, rx=False)
        way = connection.up
        way.move(100)
        seen, start = box.watch(way), 100 + OVERHEAD
        with _shortened(env.local, connection.server_port, HEADERS + 1000 + OVERHEAD):
            for size in (1000, 500):
                way.sender.call("tcp.send", number=way.sender_socket, seed=way.seed, size=size,
                                offset=way.offset)
                way.offset += size
            wait_for("the queue is through with it",
                     lambda: ping(env.local, env.remote.address(4), count=1, wait=2))
        first, second = (any(segment.stream == at for segment in box.segments(seen))
                         for at in (start, start + 1000 + OVERHEAD))
        failed = offload.watch.nic()["tx_cqe_err"]
        env.observe("sent, sent, completions with an error", [first, second, failed])
        judge.check_no_error()
        if failed:
            return "error-cqe"
        return "no-mismatch" if first else "ignore" if second else "drop"


# ---- the beginning of a connection

@experiment("Q-08/rx-start-order-tolerance", full=True)
@needs(*NEEDS)
def start_order(env):
    """A packet from before TLS comes again, when so many bytes have been sent behind it that it
    precedes the start of offload by that much. If the device takes it for an old one, the first
    record is decrypted; if it takes its place for lost, the device asks at that record."""
    accepted, refused = 0, None
    with asking(env) as asker:
        for distance in DISTANCES:
            if _taken_for_old(asker, distance):
                accepted = distance
            else:
                refused = distance
                break
    env.observe("bytes that are old, bytes that are not", [accepted, refused])
    if refused is None:
        return f"more than {accepted}"
    limits = [limit for limit in (1 << 16, 1 << 20, 1 << 24) if accepted < limit < refused]
    return str(limits[0]) if limits else f"{accepted}..{refused}"


# on both sides of what may be a limit
DISTANCES = tuple(limit + beside for limit in (1 << 16, 1 << 20, 1 << 24)
                  for beside in (-8192, 8192))


def _taken_for_old(asker, distance):
    """Is a packet that ends `distance` bytes before the start an old one?"""
    def spare(connection, box):
        box.add(connection.up, "spare stream=0 name=old")

    with asker.untouched(plain=distance + SEGMENT, before_tls=spare) as session:
        expect_equal("copies of the first packet", session.box.release("old"), 1)
        session.arrived(1)
        session.send(whole_segments(3)).finish()
        expect(session.decrypted() == 3 or session.asked(),
               "the first record is not decrypted, and the device does not ask")
        return session.decrypted() == 3


@experiment("Q-09/rx-start")
@needs(*NEEDS)
def start(env):
    """Two records on a new connection."""
    with asking(env) as asker, asker.untouched() as session:
        counts = []
        for _ in range(2):
            before = session.decrypted()
            session.send(whole_segments(3)).finish()
            counts.append(session.decrypted() - before)
        seen = [*counts, session.asked()]
    env.observe("decrypted, decrypted, asked", seen)
    return {(3, 3, 0): "at-once", (0, 3, 0): "authenticated"}.get(tuple(seen), str(seen))


# ---- packets out of the ordinary

def _optioned(env, family, rule):
    """Twelve packets of a connection that is decrypted, changed by a rule: what becomes of them?"""
    with asking(env) as asker, asker.session(family=family) as session:
        changed = session.rule(rule)
        session.send(whole_segments(4, 3)).finish()
        changed.check_hits(12)
        env.observe("decrypted of 12, asked", [session.decrypted(), session.asked()])
        return {12: "decrypted", 0: "not-decrypted"}.get(session.decrypted(),
                                                         str(session.decrypted()))


@experiment("Q-10/rx-ipv4-options")
@needs(*NEEDS)
def ipv4_options(env):
    """Packets with IPv4 options, which say nothing."""
    return _optioned(env, 4, "ip-option stream=0..")


@experiment("Q-10/rx-ipv6-extension")
@needs(*NEEDS)
def ipv6_extension(env):
    """Packets with an IPv6 destination options header, which says nothing."""
    return _optioned(env, 6, "ip-option bytes=8 stream=0..")


@experiment("Q-11/rx-overlap")
@needs(*NEEDS)
def overlap(env):
    """A segment comes as two, of which the second begins a hundred bytes early."""
    with asking(env) as asker, asker.session() as session:
        session.rule("split record=+0 byte=2000 overlap=100")
        session.send(whole_segments(4)).finish()
        session.arrived(5)
        before = session.decrypted()
        session.send(whole_segments(4, 3)).finish()
        behind = session.decrypted() - before
        env.observe("decrypted of 5, of 12 behind, asked", [before, behind, session.asked()])
        if session.asked():
            return "lost"
        return "kept" if behind == 12 else f"{behind} of 12"
