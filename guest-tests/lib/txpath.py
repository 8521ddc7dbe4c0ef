# SPDX-License-Identifier: GPL-2.0-or-later
"""Sending through a device that encrypts: the session, and what must be counted for it.

Responsible for: where records lie in a stream, sizes that put segment boundaries at chosen bytes
of records, and what the driver must have done to bring a sequence of segments onto the wire.
State: a TxSession owns a connection and everything that observes it. Callers: tests/tls/tx_*.py.

The model follows mlx5e_ktls_handle_tx_skb(): the driver expects each packet to go on where the
last one ended. A packet that does not is out of order: the record that it begins in is looked up,
its number is given to the device again, what lies of it before the packet is replayed by DUMP, and
the packet follows. All of it can be told from the order of the segments on the wire, so none of
the counters is left to an inequality.
"""

import bisect
import contextlib
import dataclasses

from . import records, wire
from .case import expect, expect_equal, wait_equal, wait_for
from .counters import ethtool
from .hosts import CallError
from .ktap import note
from .tls import Connection, Offload
from .version import HEADER, NONCE, OVERHEAD, TAG, TLS

EXTRA = OVERHEAD
MAX = 16384
SET = 16            # places that one rule of the wire can name
APART = 24          # segments between two losses
TRIES = 5           # to put boundaries of segments where they are wanted
STORE = 1024        # contexts: the driver fills its store until more than that are spare
# what a test of this kind needs; _TSO: that switches segmentation off and on
NEEDS = ("tls-tx", "wire")
NEEDS_TSO = (*NEEDS, "feature:tcp-segmentation-offload")
DEAD = ("tx_tls_resync_bytes", "tx_tls_drop_bypass_req")       # nothing increments them


def edges(size):
    """Offsets in a record of `size` payload bytes at which a boundary is worth a try: inside the
    header, the nonce and the tag everywhere, and around the payload."""
    whole = size + EXTRA
    around = {HEADER + NONCE, HEADER + NONCE + 1, HEADER + NONCE + size // 2, whole - TAG - 1}
    return sorted({at for at in {*range(1, HEADER + NONCE), *around,
                                 *range(whole - TAG, whole)} if 0 < at < whole})


class Layout:
    """Where the records of a stream are. `start`: stream byte at which TLS begins; `first`: number
    of the first record."""

    def __init__(self, start=0, first=0):
        self.start, self.first = start, first
        self.starts, self.end = [], start

    def add(self, sizes):
        """Records with so many bytes of payload each follow."""
        for size in sizes:
            self.starts.append(self.end)
            self.end += size + EXTRA

    def at(self, stream):
        """(index, first byte) of the record that has this byte of the stream."""
        index = bisect.bisect_right(self.starts, stream) - 1
        expect(index >= 0 and stream < self.end, f"no record has byte {stream} of the stream")
        return index, self.starts[index]

    def number(self, index):
        """The record number of the record with this index."""
        return (self.first + index) % (1 << 64)

    def end_of(self, index):
        """Stream byte behind a record."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.end

    def lengths(self):
        """Of the records, with header, nonce and tag."""
        return [self.end_of(index) - start for index, start in enumerate(self.starts)]


@dataclasses.dataclass
class Account:
    """What must be counted."""

    packets: int = 0
    bytes: int = 0
    ooo: int = 0
    skipped: int = 0
    dump_bytes: int = 0
    dump_runs: int = 0              # resyncs with something to replay
    resyncs: list = dataclasses.field(default_factory=list)     # (record number, byte in it)
    log: list = dataclasses.field(default_factory=list)         # (record number, verdict)


def account(segments, layout):
    """The Account of segments ([wire.Segment] from the beginning of TLS on) in their order."""
    found = Account()
    expected, index, dumped = layout.start, 0, False
    for segment in segments:
        if segment.end <= layout.start:
            # from before TLS: sent as it is
            found.ooo += 1
            found.skipped += 1
            continue
        expect(segment.stream >= layout.start,
               f"a segment straddles the beginning of TLS: {segment}")
        if segment.stream != expected:
            index, start = layout.at(segment.stream)
            dumped = segment.stream > start
            found.ooo += 1
            found.dump_bytes += segment.stream - start
            found.dump_runs += dumped
            found.resyncs.append((layout.number(index), segment.stream - start))
        found.packets += 1
        found.bytes += segment.length
        expected = segment.end
        while index < len(layout.starts) and layout.end_of(index) <= segment.end:
            found.log.append((layout.number(index), "sent-and-dumped" if dumped else "sent"))
            index, dumped = index + 1, False
    return found


class TxPlan:
    """Sizes of records that put boundaries of segments where they are wanted, in a stream that is
    cut into full segments from the byte `start` on."""

    def __init__(self, mss, start=0):
        self.mss, self.start, self.position, self.sizes = mss, start, start, []
        self.cuts = []              # (size, offset in the record, stream byte)

    def _fill(self, target):
        """Records up to the stream byte `target` exactly."""
        gap = target - self.position
        while gap:
            # what is left must have room for another record's overhead
            step = min(gap, MAX + EXTRA)
            if 0 < gap - step < EXTRA:
                step = gap - EXTRA
            self.sizes.append(step - EXTRA)
            self.position += step
            gap -= step

    def cut(self, size, offset, apart=0):
        """A record of `size` with a boundary of segments at its byte `offset` (0: it begins there).
        At least `apart` bytes of others come before it."""
        base = self.position + apart
        begin = base + (self.start - offset - base) % self.mss
        while begin != self.position and begin - self.position < EXTRA:
            begin += self.mss
        self._fill(begin)
        self.cuts.append((size, offset, begin + offset))
        self.sizes.append(size)
        self.position += size + EXTRA

    def finish(self, more=0):
        """At least `more` bytes of further records, and the end at a boundary."""
        end = self.position + max(more, EXTRA)
        self._fill(end + (self.start - end) % self.mss)


class TxSession:
    """One connection through the device, and all that sees it. Made by session()."""

    def __init__(self, env, connection, box, log, offload, judge, first):
        self.env, self.connection, self.box, self.log = env, connection, box, log
        self.offload, self.judge = offload, judge
        self.way = connection.up
        self.seen = box.watch(self.way)
        self.layout = Layout(first=first)
        self._device = env.device(env.local)
        self._device_before = self._counters()
        self.drops = 0              # packets that the driver is meant to throw away

    def _counters(self):
        return self._device.counters() if self._device else {}

    @property
    def mss(self):
        """Payload bytes of a full segment."""
        return self.connection.info(self.env.local)["snd_mss"]

    def info(self):
        """struct tcp_info of the sender."""
        return self.connection.info(self.env.local)

    def begin(self, sizes):
        """Start to send records with these sizes; returns a function that waits and checks."""
        sizes = list(sizes)
        self.layout.add(sizes)
        return self.way.begin(sum(sizes), sizes)

    def send(self, sizes):
        """Send records with these sizes; every byte is checked at the other end."""
        self.begin(sizes)()

    def send_parts(self, parts):
        """Write [(bytes, whether more follows)] with MSG_MORE; TLS joins what more follows to into
        records of at most 16384 bytes."""
        sizes, held = [], 0
        for size, more in parts:
            held += size
            while held >= MAX and (more or held > MAX):
                sizes.append(MAX)
                held -= MAX
            if not more:
                sizes.append(held)
                held = 0
        expect(not held, "the last part must not be followed by more")
        self.layout.add(sizes)
        total, offset = sum(size for size, _ in parts), self.way.offset
        receiving = self.way.receiver.begin("tcp.receive", number=self.way.receiver_socket,
                                            seed=self.way.seed, size=total, offset=offset)
        self.way.sender.call("tcp.send_parts", number=self.way.sender_socket, seed=self.way.seed,
                             offset=offset, parts=parts)
        self.way.offset += total
        got = receiving.result()
        expect_equal("bytes that came, and the first wrong one", (got["bytes"], got["mismatch"]),
                     (total, None))

    def lose(self, positions, sent=None):
        """The segments with these bytes of the stream are lost, the first time (or as `sent`
        says). Returns the rules."""
        positions = sorted(positions)
        end = f" sent={sent}" if sent else ""
        return [self.box.add(self.way, "drop stream=" + ",".join(
            str(position) for position in positions[at:at + SET]) + end)
                for at in range(0, len(positions), SET)]

    def cork(self, on):
        """Whether TCP keeps what does not fill a segment."""
        self.env.local.call("tcp.set_option", number=self.connection.client_socket,
                            options={"TCP_CORK": int(on)})

    def settle(self):
        """Until everything is acknowledged."""
        wait_equal("bytes of the stream that are not acknowledged",
                   lambda: self.info()["unacked"], 0, 60)

    def segments(self):
        """What has passed on the wire."""
        return self.box.segments(self.seen)

    def account(self):
        """What must have been counted for that."""
        return account(self.segments(), self.layout)

    def check(self, *, device=True):
        """All counters, the device's and its record log agree with the segments on the wire; the
        peer has met no wrong record. Returns the Account.

        A retransmission can reach the driver after its data was acknowledged; the driver throws
        it away and counts it twice, as out of order and as dropped. Only those that a test means
        to happen are in self.drops; others are noted.
        """
        self.settle()
        self.judge.check_no_error()
        want = self.account()
        if not self.offload.real:
            return want
        watch = self.offload.watch

        def beyond():
            # a needless retransmission may still be on its way to the wire, one that begins with
            # a record without any DUMP: look again
            nonlocal nic, want
            nic = watch.nic()
            want = self.account()
            return (nic["tx_tls_dump_bytes"] - want.dump_bytes,
                    nic["tx_tls_encrypted_packets"] - want.packets)

        nic = {}
        wait_equal("tx_tls_dump_bytes and tx_tls_encrypted_packets beyond what the wire demands",
                   beyond, (0, 0))
        dropped = nic["tx_tls_drop_no_sync_data"]
        if dropped != self.drops:
            note(f"{dropped} packets were acknowledged before they reached the driver")
        expect_equal("tx_tls_encrypted_bytes", nic["tx_tls_encrypted_bytes"], want.bytes)
        expect_equal("tx_tls_ooo", nic["tx_tls_ooo"], want.ooo + dropped)
        expect_equal("tx_tls_skip_no_sync_data", nic["tx_tls_skip_no_sync_data"], want.skipped)
        expect((nic["tx_tls_dump_packets"] >= want.dump_runs) and
               (want.dump_runs or not nic["tx_tls_dump_packets"]),
               f"tx_tls_dump_packets moved by {nic['tx_tls_dump_packets']} for "
               f"{want.dump_runs} replays")
        for name in DEAD:
            expect_equal(name, nic[name], 0)
        if device and self._device:
            self._check_device(want, nic)
        if device and self.log:
            records.expect_verdicts("the sending device", self.log.records("tx"), want.log)
        return want

    def _check_device(self, want, nic):
        moved = {name: value - self._device_before[name]
                 for name, value in self._counters().items()}
        for name, value in (("tls_tx_bytes", want.bytes), ("tls_tx_dump_bytes", want.dump_bytes),
                            ("tls_tx_dumps", nic["tx_tls_dump_packets"]),
                            ("tls_tx_dump_ignored", 0), ("tls_tx_seq_mismatch", 0),
                            ("tls_tx_no_ctx", 0), ("tls_tx_bad_header", 0),
                            ("tls_tx_drop_unmarkable", 0), ("tls_dek_stale", 0)):
            expect_equal(f"{name} of the device", moved[name], value)


def replayed(segments):
    """Bytes of the stream at which something was sent again by itself: what went on where the
    packet before it ended was not out of order, whoever sent that again."""
    return {one.stream for before, one in zip(segments, segments[1:])
            if one.again and one.stream != before.end}


def lose_each(sender, cuts, tries=TRIES):
    """Send records in which the segments that begin at [(record size, byte)] are lost, each so far
    from the next that it is repaired by itself. Returns (Account, cuts that were missed).

    TCP may send less than a full segment when the writer is late, and then segments begin
    elsewhere; it may also send again what is before a lost segment, and that one behind it. What
    was missed is tried again.
    """
    missing, found = list(cuts), None
    for _ in range(tries):
        if not missing:
            break
        sender.settle()
        plan = TxPlan(sender.mss, sender.layout.end)
        for size, offset in missing:
            plan.cut(size, offset, apart=APART * plan.mss)
        plan.finish(APART * plan.mss)
        places = [stream for _, _, stream in plan.cuts]
        lost = sender.lose(places)
        sender.cork(True)
        sender.send(plan.sizes)
        sender.cork(False)
        found = sender.check()
        expect_equal("segments that the wire has lost", sum(rule.hits() for rule in lost),
                     len(places))
        again = replayed(sender.segments())
        missing = [(size, offset) for size, offset, stream in plan.cuts if stream not in again]
        for rule in lost:
            rule.clear()
        note(f"{len(places) - len(missing)} of {len(places)} segments lost at their places; "
             f"{found.packets} packets, {found.ooo} out of order, {found.dump_bytes} bytes "
             "replayed so far")
    return found, missing


def lose_all(sender, cuts):
    """lose_each(), and none may be missed; returns the Account."""
    found, missing = lose_each(sender, cuts)
    expect(not missing, f"no segment ever began at (size, byte) {missing[:10]}")
    return found


@contextlib.contextmanager
def session(env, *, family=4, cipher="aes-gcm-128", mapped=False, options=None, rec_seq=0,
            keys=None,
            initial=None, log=True):
    """A connection from the local to the remote end, encrypted by the local device, decrypted in
    software by the peer.

    keys     members of the keys that are not left to chance: {"iv": hex}
    initial  sequence numbers of the first bytes, see Connection
    log      False: without the device's record log
    """
    with contextlib.ExitStack() as stack:
        offload = stack.enter_context(Offload(env, env.local, tx=True))
        judge = stack.enter_context(Offload(env, env.remote))
        box = stack.enter_context(wire.rules(env))
        taken = None
        if log and offload.real and not records.missing(env, env.local):
            taken = stack.enter_context(records.log(env, env.local))
        connection = stack.enter_context(Connection(
            env.local, env.remote, family, mapped=mapped, options=options, seed=env.seed,
            initial=initial))
        found = TxSession(env, connection, box, taken, offload, judge, rec_seq)
        connection.enable_tls(TLS, cipher, down=False, rec_seq=rec_seq, change=keys)
        offload.check_configuration(connection, rx=False)
        offload.check_opened(rx=False)
        yield found
    offload.check_closed(rx=False)


def store_filled(host):
    """Until the driver at an end makes no more contexts for its store, and has those back that no
    socket has.

    It begins with that at the first connection and goes on in the background for a thousand
    contexts; the newest are the next to be taken. A driver that is unbound meanwhile leaves some of
    them in the device, and says so in the kernel's log.
    """
    path = f"/sys/kernel/debug/mlx5/{host.nic.pci_address()}/nic/tls/tx/pool_size"

    def filled():
        values = ethtool(host, host.nic.name)
        if "tx_tls_pool_alloc" not in values:
            return True
        made = values["tx_tls_pool_alloc"] - values["tx_tls_pool_free"]
        spare = made - values["tx_tls_ctx"] + values["tx_tls_del"]
        # when making one has failed, those of its bunch are unmade and no more are made
        if made and spare <= STORE and not values["tx_tls_pool_free"]:
            return False
        try:
            return int(host.read(path)) == spare
        except CallError:       # no such file here
            return True

    wait_for("the driver has filled its store of contexts", filled, 120)


def per_queue(watch, name):
    """{queue: how much} of a counter of the local device's send queues that moved."""
    moved = {}
    for counter, value in watch.nic().items():
        if counter.startswith("tx") and counter.endswith(f"_{name}"):
            queue = counter[2:-len(name) - 1]
            if queue.isdigit() and value:
                moved[int(queue)] = value
    return moved
