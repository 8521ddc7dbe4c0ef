# SPDX-License-Identifier: GPL-2.0-or-later
"""A receiving session packet by packet: which are lost, and what the device makes of each.

Responsible for: a connection whose segments are known before they are sent, a sender that sends
nothing twice unless it is made to, packets that the middlebox holds back or changes, and what
device, driver and kernel count of that.
State: an RxSession for the block: the connection, the rules in the middlebox, counters since the
last restart.
Callers: tests of receiving (tests/tls/rx_*.py), bugs/.

A packet is "lost" here by being held in the middlebox until the test lets it go: for the receiving
device that is a loss and a retransmission, and nothing depends on when the sender would notice.
Where the sender's own retransmission is meant, tests ask for patient=False.

A test says once what its scenario comes to. Of every NIC the contract is asserted
(rx_contract.py); where the device can be asked, each packet, row and record besides
(rx_device.py).
"""

import contextlib
import dataclasses
import itertools
import random

from agent import ktls

from . import loss, records, rx_craft, steering, tracepoints, wire
from .case import Failure, Skip, expect, expect_between, expect_equal, fail, wait_for
from .ktap import note
from .quiet import quiet_senders
from .rx_contract import DRIVER, KERNEL, UNHEARD, Account, Flags, Shown, asked
from .rx_device import EVENTS, Told, can_be_asked
from .rx_layout import SEGMENT, Burst, whole_segments
from .rx_truth import Truth
from .tls import Connection, Offload
from .version import TLS

# for tests, beside what is here
__all__ = ["DRIVER", "EVENTS", "KERNEL", "UNHEARD", "Flags", "asked"]

# what a test of this kind needs
NEEDS = ("tls-rx", "wire", "tracepoints")
CRAFTED = (*NEEDS, "local-tool:openssl")        # send_crafted() besides

OPTIONS = {"TCP_MAXSEG": SEGMENT + loss.TIMESTAMPS, "TCP_NODELAY": 1,
           "SO_SNDBUF": 200_000, "SO_RCVBUF": 200_000}

RECOVERY = 50       # records behind an approval, of which one must be decrypted beside any NIC


@dataclasses.dataclass(frozen=True, kw_only=True)
class Keys:
    """What of a session's keys a test chooses; the rest follows from the seed. So the ciphertext is
    the same each time: random bytes look like a header once in some thousand searches, and what
    the device then does is no longer what the test has counted."""

    cipher: str = "aes-gcm-128"
    rec_seq: int = 0            # number of the first record
    iv: str | None = None       # hexadecimal: the explicit nonce of the first record

    def change(self, seed):
        """For Connection.enable_tls()."""
        made = ktls.new_keys(TLS, self.cipher, self.rec_seq, random.Random(seed).randbytes)
        return made if self.iv is None else made | {"iv": self.iv}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Start:
    """What has happened on a session when the test gets it."""

    plain: int = 0              # bytes that were sent before TLS began
    plain_again: bool = False   # they come once more, behind the next packet
    unread: tuple = ()          # sizes of records that came before the receiver had its key
    steered: bool = True        # the steering entry is there
    in_sync: bool = True        # one record was sent and decrypted


UNTOUCHED = Start(in_sync=False)


class Withheld:
    """Packets that are held in the middlebox; what the sender sends in their place is dropped."""

    def __init__(self, owner, place, name, sent):
        self._owner, self._name = owner, name
        self._rules = [owner.rule(f"hold {place} sent={sent} name={name}")]
        if sent == "first":
            self._rules.append(owner.rule(f"drop {place} sent=again", must_hit=False))

    def wait_held(self, count=1):
        """Until so many are held."""
        self._rules[0].wait_hits(count)

    def release(self, count=1):
        """So many were held (None: some); now they arrive."""
        self.wait_held(count or 1)
        if count is not None:
            self._rules[0].check_hits(count)
        self._owner.box.release(self._name)
        for rule in self._rules:
            rule.clear()


class DamagedPacket:
    """A packet that the device gets damaged and the stack does not get; a sound copy of it waits.

    The copy stands for the sender's retransmission. The sender itself must not be the one to send
    again: it may notice the loss before it has sent the burst, and then it sends no more than the
    acknowledgements allow that come for what is outstanding.
    """

    def __init__(self, owner, place, flip, csum, name):
        self._owner, self._name = owner, name
        self._rules = [owner.rule(f"spare {place} name={name}"),
                       owner.rule(f"corrupt {place} xor={flip} csum={csum}")]
        self._dropped = 0
        if csum == "fix":               # TCP would take it
            self._rules.append(owner.rule(f"ce {place}"))
            owner.shown.hide(self.dropped)

    def dropped(self):
        """Packets that the device has got and its host has dropped."""
        if self._rules:
            self._dropped = self._rules[-1].hits()
        return self._dropped

    def release_copy(self):
        """One packet was damaged; now the sound copy arrives."""
        for rule in self._rules:
            rule.check_hits(1)
        expect_equal("copies released", self._owner.box.release(self._name), 1)
        self.dropped()
        for rule in self._rules:
            rule.clear()
        self._rules = []


@dataclasses.dataclass(frozen=True)
class Unread:
    """Payload that was sent and that nobody reads yet."""

    seed: str
    size: int
    offset: int

    def split(self, size):
        """Two parts, the first with `size` bytes."""
        return (dataclasses.replace(self, size=size),
                dataclasses.replace(self, size=self.size - size, offset=self.offset + size))


class Transfer:
    """What was sent and is on its way to the reader."""

    def __init__(self, want, pending):
        self._want, self._pending = want, pending

    def outcome(self):
        """What the reader got, whatever it is."""
        return self._pending.result()

    def finish(self):
        """All of it was read, and every byte is right."""
        got = self.outcome()
        if got.get("error"):
            fail(f"{got['bytes']} bytes were read, then {got['error']}")
        expect(got["mismatch"] is None, f"wrong byte at {got['mismatch']} of the payload")
        expect_equal("bytes read", got["bytes"], self._want)


class Loss:
    """A burst of which packets are lost, all others being through."""

    def __init__(self, withheld, count, transfer):
        self._withheld, self._count, self._transfer = withheld, count, transfer

    def repair(self):
        """The lost packets arrive, and all of the burst is read."""
        self._withheld.release(self._count)
        self._transfer.finish()


class RxSession:
    """See the module's text. `connection` sends towards the device under test; `told`: it can be
    asked."""

    def __init__(self, env, connection, keys, box, offload, truth):
        self.env = env
        self.connection = connection
        self.keystream = rx_craft.Keystream(env.local, keys)
        self.box = box
        self.offload = offload          # of the local end
        self.truth = truth
        self.count = 0                  # records sent
        self._names = itertools.count()
        self.shown = Shown(env, connection)
        self.told = Told(env.lab) if can_be_asked(env) else None
        # what came beyond the scenario, within the contract
        self.extra, self._answers = Flags(), 0

    # counters

    def restart_counting(self):
        """Everything below is counted from here on."""
        self.shown.restart()
        if self.told:
            self.told.restart()
        self.extra, self._answers = Flags(), 0

    def flags(self):
        """Packets by flag."""
        return (self.told or self.shown).flags()

    def driver(self, name):
        """How far a counter of the driver, or of the kernel's TLS, has moved."""
        return self.shown.driver(name)

    def wait_packets(self, count):
        """Until the device has seen `count` packets with payload; how they were flagged."""
        def come():
            flags = self.flags()
            return flags if flags.total >= count else None

        flags = wait_for(f"{count} packets at the device", come)
        expect_equal("packets with payload at the device", flags.total, count)
        return flags

    def wait_driver(self, name, count=1):
        """Until a counter of the driver, or of the kernel's TLS, has moved so far."""
        wait_for(f"{name}, {count} times", lambda: self.driver(name) >= count)

    def wait_answers(self, count=1, certain=True):
        """Until the driver has had so many answers to the device's questions; beside any NIC, until
        there is a new one and no question is open. certain=False: a NIC may as well not ask."""
        if self.told:
            # the device counts before the driver, and is asked at less cost
            self.told.wait_row("R27", count)
            self.wait_driver("rx_tls_resync_req_end", count)
        elif count and certain:
            def answered():
                counters = self.shown.counters()
                start, end, skip = (counters["rx_tls_resync_req_" + name]
                                    for name in ("start", "end", "skip"))
                return end if end > self._answers and start <= end + skip else None

            self._answers = wait_for("the device's question is answered", answered)

    def wait_approved(self, count=1):
        """Until the device has been told so often that it was right, and has taken that."""
        if self.told:
            self.told.wait_row("R18", count)
        else:
            self.wait_driver("rx_tls_resync_res_ok", count)

    def check(self, flags, *, rows=None, counters=None, resyncs=0, beside=0, **freedom):
        """The scenario's account (Account says what the arguments mean): everything that was
        counted is so. flags: None, whatever they are; beside: so many packets more have passed by
        the device's context."""
        if flags is not None:
            flags += self.extra
        elif self.told:
            flags = self.told.flags()
        else:
            flags = self.shown.flags() - Flags(plain=beside)
        account = Account(flags=flags, rows=rows, counters=counters or {}, resyncs=resyncs,
                          **freedom)
        if self.told:
            expect_equal("packets by flag", self.told.flags(), flags)
        self.shown.expect_kept(account, beside)
        if self.told:
            # the driver counts a packet some time after the device has delivered it: but TCP later
            got, want = self.shown.counters(), account.exact()
            expect_equal("counters of driver and kernel",
                         {name: got[name] for name in want}, want)
            if rows is not None:
                self.told.expect_rows(rows)

    # the wire

    def rule(self, text, must_hit=True):
        """A rule for what comes to the device; "ACTION < …": for what the receiver sends."""
        action, _, rest = text.partition(" ")
        way = self.connection.up
        if rest.startswith("<"):
            way, rest = self.connection.down, rest[1:].strip()
        return self.box.add(way, f"{action} {rest}", must_hit)

    def lose(self, *segments):
        """These segments of the burst that is sent next are lost until they are released: a
        Withheld."""
        start = self.position()
        places = ",".join(str(start + segment * SEGMENT) for segment in segments)
        return Withheld(self, f"stream={places}", f"lost{next(self._names)}", "first")

    def withhold_from(self, segment):
        """From this segment of the next burst on everything waits until release(None): a Withheld.
        How much that is depends on the sender, which hears of nothing meanwhile."""
        return Withheld(self, f"stream={self.position() + segment * SEGMENT}..",
                        f"kept{next(self._names)}", "any")

    def damage(self, place, flip, csum="fix"):
        """The byte at `place` (record=… byte=…) of what is sent next is xor'ed with `flip` for
        the device: a DamagedPacket. In a dropped_by_host() block, or csum="keep": TCP itself
        drops it."""
        return DamagedPacket(self, place, flip, csum, f"sound{next(self._names)}")

    @contextlib.contextmanager
    def acks_withheld(self):
        """The sender is told of nothing while the block lasts, and then of all in turn: for packets
        that come twice. A sender without SACK (quiet_senders) counts what says the same again, and
        loses patience when that is more than it has outstanding at that moment."""
        told = self.rule("hold < len=0 name=told", must_hit=False)
        yield
        told.clear()

    def position(self):
        """Stream byte that is sent next. Nothing may be outstanding."""
        try:
            flow = self.box.flow(self.connection.up)
        except Failure:                 # put together without a handshake: nothing has passed
            return 0
        return (flow["next_seq"] - flow["first_seq"]) % (1 << 32)

    def packets_passed(self):
        """Packets with payload that left the middlebox towards the device, if none was lost."""
        stats = self.box.ask("stats")[self.box.way(self.connection.up)]
        flow = self.box.flow(self.connection.up)
        return flow["segments"] + stats["pieces"] + stats["copies"]

    # payload

    @contextlib.contextmanager
    def corked(self):
        """What is sent in the block leaves in full segments, the rest at its end."""
        way = self.connection.up
        for on in (1, 0):
            way.sender.call("tcp.set_option", number=way.sender_socket,
                            options={"TCP_CORK": on})
            if on:
                yield

    def _send(self, burst, begin_reading):
        """Send a Burst in full segments; begin_reading(what) before that, and its result."""
        way = self.connection.up
        what = Unread(way.seed, sum(burst.sizes), way.offset)
        found = begin_reading(what)
        with self.corked():
            way.sender.call("tcp.send", number=way.sender_socket, sizes=burst.sizes,
                            **dataclasses.asdict(what))
        way.offset += what.size
        self.count += len(burst.sizes)
        return found

    def send(self, burst):
        """Send a Burst (or its sizes) in full segments; what comes back is a Transfer."""
        return self._send(Burst.of_sizes(burst), self.read_unread)

    def send_unread(self, burst):
        """The same, and nobody reads it: an Unread."""
        return self._send(Burst.of_sizes(burst), lambda what: what)

    def read_unread(self, *parts):
        """The reader begins to read what several send_unread() have sent, in that order: a
        Transfer. Never two at a time: which of them would get what?"""
        way = self.connection.up
        what = dataclasses.replace(parts[0], size=sum(each.size for each in parts))
        return Transfer(what.size, way.receiver.begin(
            "tcp.receive", number=way.receiver_socket, **dataclasses.asdict(what)))

    def expect_read_error(self, unread, good, error):
        """Of what send_unread() has sent `good` bytes can be read, and then comes an error."""
        # a call that has got some bytes keeps the error for the next one, which decrypts once more
        first, rest = unread.split(good)
        self.read_unread(first).finish()
        got = self.read_unread(rest).outcome()
        expect_equal("bytes, error, wrong byte", (got["bytes"], got.get("error"), got["mismatch"]),
                     (0, error, None))

    def expect_read_or_error(self, unread, good, error):
        """All of it can be read, or `good` bytes and then comes an error: never a wrong byte."""
        first, rest = unread.split(good)
        self.read_unread(first).finish()
        got = self.read_unread(rest).outcome()
        found = got["bytes"], got.get("error"), got["mismatch"]
        expect(found in ((rest.size, None, None), (0, error, None)),
               f"bytes, error, wrong byte: {found}, expected {rest.size} bytes or {error}")
        self.env.observe("read", {"bytes": got["bytes"], "error": got.get("error")})

    def send_crafted(self, pieces):
        """Send records; a piece is a number of payload bytes, or {offset: ciphertext} with the
        key "size": the record has these bytes on the wire, at these places of its ciphertext.

        Returns a Transfer. The rest of a crafted record's ciphertext is zeros, that of another one
        is 0xee: no byte of it is taken for a header by chance.
        """
        way = self.connection.up
        pieces = [piece if isinstance(piece, dict) else {"size": piece, 0: b"\xee" * piece}
                  for piece in pieces]
        data = [self.keystream.plaintext(number, piece)
                for number, piece in enumerate(pieces, self.count)]
        size = sum(map(len, data))
        pending = way.receiver.begin("tcp.receive_bytes", number=way.receiver_socket,
                                     digest=rx_craft.digest(data), size=size)
        with self.corked():
            way.sender.call("tcp.send_records", number=way.sender_socket,
                            records=[text.hex() for text in data])
        self.count += len(data)
        return Transfer(size, pending)

    def send_with_loss(self, burst, *segments, answers=1):
        """Send a Burst (or its sizes) of which these segments are lost; all others are through,
        and the driver has had so many answers. Returns a Loss."""
        burst = Burst.of_sizes(burst)
        before = self.flags().total
        withheld = self.lose(*segments)
        transfer = self.send(burst)
        self.wait_packets(before + burst.segments - len(segments))
        if answers:
            self.wait_answers(answers)
        return Loss(withheld, len(segments), transfer)

    @contextlib.contextmanager
    def packet_sockets(self):
        """Packet sockets at both NICs for the block; yields a function: size -> {stream byte: text}
        of the segments with so many bytes towards the device that were sent, and the same of those
        that were delivered. IPv4 only."""
        way, start = self.connection.up, self.position()
        numbers = [(host, host.call("rawnet.listen", ifname=host.nic.name))
                   for host in (way.sender, way.receiver)]

        def both(size):
            found = []
            for host, number in numbers:
                came = host.call("rawnet.segments", number=number, size=size,
                                 port=self.connection.server_port)
                expect_equal(f"bytes by the packet socket of {host.name}",
                             sum(len(text) // 2 for _, text in came), size)
                found.append({start + (seq - came[0][0]) % (1 << 32): bytes.fromhex(text)
                              for seq, text in came})
            return found

        try:
            yield both
        finally:
            for host, number in numbers:
                host.call("rawnet.close", number=number)

    # scenarios

    def transfer(self, burst):
        """Send and read; the wire and the device have nothing left of it. How its packets were
        flagged."""
        burst = Burst.of_sizes(burst)
        before = self.flags()
        self.send(burst).finish()
        return self.wait_packets(before.total + burst.segments) - before

    def expect_flags(self, what, burst, want):
        """Transfer records; the flags that their packets get. Beside any NIC, if not all are
        decrypted: none is unless the software has approved something meanwhile."""
        got = self.transfer(burst)
        if self.told or want.decrypted == want.total:
            expect_equal(f"packets by flag of {what}", got, want)
            return
        expect(self.driver("rx_tls_resync_res_ok") or not got.decrypted,
               f"{what}: {got}, although nothing was approved")
        self._keep_extra(what, got, want)

    def _keep_extra(self, what, got, want):
        """Packets have come otherwise than in the scenario."""
        expect_equal(f"errors among {what}", got.error, want.error)
        self.extra += got - want
        self.env.observe(what, dataclasses.asdict(got))

    def expect_passed_by(self, count):
        """So many packets have come, none of them through the device's context. Counting starts
        anew."""
        expect_equal("packets through the context", self.flags(),
                     Flags() if self.told else Flags(plain=count))
        self.restart_counting()

    def expect_approved(self, record):
        """The last approval was of the record with that number; beside any NIC, of one that the
        kernel has read there (Truth.check)."""
        found = self.truth.approvals()
        expect(found, "nothing was approved")
        if self.told:
            expect_equal("record that was approved", found[-1][0], record)

    def expect_logged(self, member, want):
        """Where the device keeps a record log, that member of its entries (records.Record)."""
        if self.told:
            expect_equal(f"{member} of records in the device's log",
                         [getattr(line, member) for line in self.truth.log.records("rx")], want)

    def expect_decrypted(self, what, sizes):
        """Transfer records in whatever segments they come: every packet is decrypted."""
        packets, before = self.packets_passed(), self.flags()
        self.send(sizes).finish()
        packets = self.packets_passed() - packets
        expect_equal(f"packets by flag of {what}",
                     self.wait_packets(before.total + packets) - before, Flags(decrypted=packets))
        return packets

    def expect_decrypted_or_not(self, what, burst):
        """All packets of the records are decrypted, of which a NIC may make something else: then
        that is observed, and the answer is False."""
        got = self.transfer(burst)
        if self.told or got.decrypted == got.total:
            expect_equal(f"packets by flag of {what}", got, Flags(decrypted=got.total))
            return True
        self._keep_extra(what, got, Flags(decrypted=got.total))
        return False

    def expect_in_sync_soon(self, behind=0):
        """So many records are not decrypted, and the next one is; beside any NIC, one is before
        RECOVERY have come. Three segments for each."""
        if self.told:
            for _ in range(behind):
                self.expect_flags("a record that is not decrypted yet", whole_segments(3),
                                  Flags(plain=3))
            self.expect_flags("the record behind it", whole_segments(3), Flags(decrypted=3))
            return
        self._keep_extra("packets until one record was decrypted", self._wait_decrypted(),
                         Flags(plain=3 * behind, decrypted=3))

    def _wait_decrypted(self):
        """Transfer records of three segments until one is decrypted; how all came."""
        got, sent = Flags(), 0
        while True:
            flags = self.transfer(whole_segments(3))
            got, sent = got + flags, sent + 1
            if flags == Flags(decrypted=3):
                return got
            expect_between("records without one that is decrypted, behind what should bring the "
                           "device in sync", sent, None, RECOVERY)

    def expect_recovery(self, approvals=1):
        """The approval comes; one record is authenticated, and from the next on the device
        decrypts. Three segments for each of the two."""
        self.wait_approved(approvals)
        self.expect_in_sync_soon(1)

    def expect_recovery_in_time(self):
        """As expect_recovery() where it is left open which record brings the approval."""
        # a header behind the answer, should all others be before
        self.transfer(whole_segments(1))
        self.wait_approved()
        if self.told:
            self.transfer(whole_segments(1, 2))
        else:
            self._wait_decrypted()
        self.expect_flags("records after it is in sync again", whole_segments(3, 2),
                          Flags(decrypted=6))

    def expect_header_loss_repaired(self, burst, *lost):
        """Segments from a first one on that has (a part of) a header are lost: the device searches,
        finds the next header that is whole in a packet, asks, is told, authenticates a record and
        decrypts again. All of it is accounted for; counting starts anew at the end."""
        burst = Burst.of_sizes(burst)
        after = lost[-1] + 1
        firsts = [burst.segment(record) for record in range(len(burst.sizes))]
        found = next(segment for segment in firsts if segment >= after)
        behind = sum(1 for segment in firsts if segment >= after)
        sent = self.send_with_loss(burst, *lost)
        # nothing is approved yet: the software has not seen the header
        rows = {"R9": 1, "R12": 1, "R13": found - after, "R14": behind - 1, "R6": 0, "R11": 0}
        plain, decrypted = burst.segments - lost[0] - len(lost) - 1, lost[0]
        self.check(Flags(plain=plain, decrypted=decrypted, resync=1), counters=asked(), rows=rows)
        sent.repair()
        self.expect_recovery()
        rows.update(R6=len(lost), R18=1, R20=1, R21=1, R27=1)
        self.check(Flags(plain=plain + len(lost) + 3, decrypted=decrypted + 3, resync=1),
                   resyncs=1, rows=rows)
        self.restart_counting()

    def expect_next_loss_answered(self):
        """The device waits for an approval that never comes; then another header is lost (R17):
        it asks about that, is answered, and recovers."""
        sent = self.send_with_loss(whole_segments(4, 3), 0)
        self.check(Flags(plain=10, resync=1), counters=asked(),
                   rows={"R17": 1, "R12": 1, "R13": 3, "R14": 1})
        sent.repair()
        self.expect_recovery()


@contextlib.contextmanager
def dropped_by_host(env):
    """What comes to the local end with "congestion experienced" (a rule `ce` sees to that) is
    dropped behind its device: the device has seen it, the stack has not. IPv4 only."""
    nic = env.local.nic.name
    env.local.run("tc", "qdisc", "add", "dev", nic, "clsact")
    try:
        env.local.run("tc", "filter", "add", "dev", nic, "ingress", "protocol", "ip", "prio", 1,
                      "u32", "match", "ip", "dsfield", "3", "3", "action", "drop")
        yield
    finally:
        env.local.run("tc", "qdisc", "del", "dev", nic, "clsact", check=False)


class ReceivingEnds:
    """Both ends, set up for sessions towards the local one. Made by receiving_ends()."""

    def __init__(self, env, offload):
        self.env, self.offload = env, offload       # offload: of the local end
        self._sessions = 0          # so far; each has other keys
        self._told = can_be_asked(env)
        self._events = () if self._told else steering.MORE_EVENTS
        if not self._told:
            note(f"the device is not asked: {env.no_lab}")

    @contextlib.contextmanager
    def session(self, *, family=4, keys=Keys(), start=Start(), connect=Connection, truth=True):
        """An RxSession whose steering entry was there before its data.

        connect  called as Connection is
        truth    the kernel's account of the records is compared with what else is known of them
                 at the end
        """
        env, offload = self.env, self.offload
        reason = offload.rx and steering.missing(env, env.local)
        if reason:
            raise Skip(f"nothing tells when a connection is steered to the device: {reason}")
        self._sessions += 1
        offload.watch.restart()
        with contextlib.ExitStack() as stack:
            box = stack.enter_context(wire.rules(env))
            trace, taken = None, None
            if truth or not self._told:
                trace = stack.enter_context(tracepoints.trace(env.local, *self._events))
            if truth:
                log = stack.enter_context(records.log(env, env.local)) if self._told else None
                taken = Truth(log, trace)
            connection = stack.enter_context(connect(env.remote, env.local, family, seed=env.seed,
                                                     options=OPTIONS))
            if start.plain_again:
                box.add(connection.up, "duplicate stream=0 gap=1")
            if start.plain:
                connection.up.move(start.plain)
            passing = box.watch(connection.up) if taken else None
            entries = steering.entries(env, env.local, trace)
            before = entries()
            made = connection.enable_tls(TLS, keys.cipher, down=False, rec_seq=keys.rec_seq,
                                         change=keys.change(f"{env.seed}/{self._sessions}"),
                                         plain_receiver=bool(start.unread))["up"]
            result = RxSession(env, connection, made, box, offload, taken)
            if start.unread:
                first = result.send_unread(start.unread)
                wait_for("the unread records have come", lambda: not any(
                    connection.info(env.remote)[name] for name in ("unacked", "notsent_bytes")))
                env.local.call("tcp.tls_add", number=connection.server_socket, direction="rx",
                               keys=made)
            offload.check_configuration(connection, tx=False)
            offload.check_opened(tx=False)
            if taken:
                taken.follow(env.local)
            if offload.rx and start.steered:
                wait_for("the steering entry", lambda: entries() == before + 1)
            if start.unread:
                result.read_unread(first).finish()
            self._check_sender(connection)
            if start.in_sync:
                if offload.rx:
                    result.expect_flags("the first record", [1000], Flags(decrypted=1))
                else:
                    result.send([1000]).finish()
                result.restart_counting()
            yield result
            if taken:
                taken.check()
                taken.check_packets([each for each in box.segments(passing) if not each.again],
                                    *result.shown.since_begin())
        offload.check_closed(tx=False)

    def _check_sender(self, connection):
        """The sender cuts and waits as it must for segments to be known."""
        remote = self.env.remote
        info = connection.info(remote)
        expect_equal("snd_mss", info["snd_mss"], SEGMENT)
        expect_equal("tcpi_reordering", info["reordering"],
                     int(remote.read("/proc/sys/net/ipv4/tcp_reordering")))


@contextlib.contextmanager
def receiving_ends(env, *, patient=True, device=True):
    """What all sessions of a test share: quiet senders, one packet for each segment, the device at
    the local end decrypts (or, with device=False, does not), the peer works in software. Yields
    ReceivingEnds."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_senders(env, patient))
        stack.enter_context(loss.single_segments(*env.hosts))
        offload = stack.enter_context(Offload(env, env.local, rx=device))
        stack.enter_context(Offload(env, env.remote))
        yield ReceivingEnds(env, offload)


@contextlib.contextmanager
def session(env, *, patient=True, **how):
    """An RxSession by itself; `how` as for ReceivingEnds.session()."""
    with receiving_ends(env, patient=patient) as ends, ends.session(**how) as made:
        yield made
