# SPDX-License-Identifier: GPL-2.0-or-later
"""A receiving connection packet by packet: which are lost, and what the device makes of each.

Responsible for: a connection whose segments are known before they are sent, a sender that sends
nothing twice unless it is made to, packets that the middlebox keeps back or changes, and equality
of what device, driver and kernel counted.
State: a Bench for the block: the connection, the rules in the middlebox, counters at the last mark.
Callers: tests of receiving (tests/test_t_rx_*.py).

A packet is "lost" here by being kept in the middlebox until the test lets it go: for the receiving
device that is a loss and a retransmission, and nothing depends on when the sender would notice.
Where the sender's own retransmission is meant, tests ask for patient=False.
"""

import contextlib
import itertools

from . import loss, records, tracepoints, wire
from .case import Failure, expect, expect_equal, fail, wait_for
from .counters import Watch
from .tls import Connection, Offload, OVERHEAD

SEGMENT = 1400              # bytes of a full segment, whatever IP version and tags
OPTIONS = {"TCP_MAXSEG": SEGMENT + loss.TIMESTAMPS, "TCP_NODELAY": 1,
           "SO_SNDBUF": 200_000, "SO_RCVBUF": 200_000}
RTO = "100s"                # the kernel takes no more than 120
AT_ONCE = 300               # segments that may be under way: all of a burst, before any is missed
FLAGS = ("tls_rx_not_decrypted", "tls_rx_decrypted", "tls_rx_resync", "tls_rx_error")
HEADER = 5
OVER = OVERHEAD["1.2"]

# sender: no tail loss probe, no timer that believes in a loss, many packets late are no loss
PATIENT = {"tcp_no_metrics_save": 1, "tcp_early_retrans": 0, "tcp_recovery": 0,
           "tcp_max_reordering": 300, "tcp_reordering": 300}
QUICK = {"tcp_no_metrics_save": 1, "tcp_early_retrans": 0, "tcp_recovery": 0, "tcp_reordering": 3}

# what a scenario must name when it moves them
DRIVER = ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
          "rx_tls_resync_req_skip", "rx_tls_resync_res_ok", "rx_tls_resync_res_retry",
          "rx_tls_resync_res_skip", "rx_tls_err")
KERNEL = ("TlsDecryptError", "TlsRxDeviceResync")
# rows that say that something happened; the others come with ordinary packets
EVENTS = tuple(f"R{row}" for row in (1, 2, 3, 4, 7, 8, 9, 10, 12, 15, 16, 17, 18, 19, 20, 21, 22,
                                     23, 24, 30, 31, 32, 33, 34, 35))


class Burst:
    """Records that are sent behind each other: where each byte of them is.

    Segments are numbered from 0; all are full but the last.
    """

    def __init__(self, sizes):
        self.sizes = list(sizes)
        self.lengths = [size + OVER for size in self.sizes]
        self.starts = [0, *itertools.accumulate(self.lengths)]
        self.total = self.starts.pop()
        self.segments = -(-self.total // SEGMENT)

    def segment(self, record, byte=0):
        """The segment with this byte of the record; negative ones count from its end."""
        at = byte if byte >= 0 else self.lengths[record] + byte
        return (self.starts[record] + at) // SEGMENT

    def of(self, record):
        """The segments that have bytes of the record."""
        return range(self.segment(record), self.segment(record, -1) + 1)


def whole(segments, count=1):
    """Sizes of `count` records that fill `segments` segments each."""
    return [segments * SEGMENT - OVER] * count


class Lost:
    """Packets that are kept back; what the sender sends in their place meanwhile is dropped."""

    def __init__(self, bench, place, name, sent):
        self._bench, self._name = bench, name
        self._rules = [bench.rule(f"hold {place} sent={sent} name={name}")]
        if sent == "first":
            self._rules.append(bench.rule(f"drop {place} sent=again", must_hit=False))

    def wait(self, count=1):
        """Until so many are kept."""
        self._rules[0].wait_hits(count)

    def comes(self, count=1):
        """So many were kept back (None: some); now they arrive."""
        self.wait(count or 1)
        if count is not None:
            self._rules[0].check_hits(count)
        self._bench.box.release(self._name)
        for rule in self._rules:
            rule.clear()


class Damage:
    """A packet that the device gets damaged and the stack does not get; a sound copy of it waits.

    The copy stands for the sender's retransmission. The sender itself must not be the one to send
    again: it may notice the loss before it has sent the burst, and then it sends no more than the
    acknowledgements allow that come for what is on its way.
    """

    def __init__(self, bench, place, flip, csum, name):
        self._bench, self._name = bench, name
        self._rules = [bench.rule(f"spare {place} name={name}"),
                       bench.rule(f"corrupt {place} xor={flip} csum={csum}")]
        if csum == "fix":               # TCP would take it
            self._rules.append(bench.rule(f"ce {place}"))

    def repaired(self):
        """One packet was damaged; now the sound one arrives."""
        for rule in self._rules:
            rule.check_hits(1)
        expect_equal("copies released", self._bench.box.release(self._name), 1)
        for rule in self._rules:
            rule.clear()


class Sent:
    """What was sent and is on its way to the reader."""

    def __init__(self, bench, want, pending):
        self._bench, self._want, self._pending = bench, want, pending

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


class Bench:
    """See the module's text. `connection` sends towards the device under test."""

    def __init__(self, env, connection, keys, box, into, truth):
        self.env = env
        self.connection = connection
        self.keys = keys
        self.box = box
        self.into = into                # the Offload at the local end
        self.truth = truth
        self.count = 0                  # records sent
        self._names = itertools.count()
        self._watch = Watch(env.local)
        self.mark()

    # counters

    def rows(self):
        """How often each row was taken: {"R1": ...}."""
        return self.env.lab.get("tls-rows")

    def mark(self):
        """Count from here."""
        self._watch.restart()
        self._device = self.env.lab.counters()
        self._rows = self.rows()

    def flags(self):
        """[packets with flag 0, 1, 2, 3] since the mark."""
        now = self.env.lab.counters()
        return [now[name] - self._device[name] for name in FLAGS]

    def row(self, name):
        """How often a row was taken since the mark."""
        return self.rows()[name] - self._rows[name]

    def wait_packets(self, count):
        """Until the device has seen `count` packets with payload since the mark."""
        wait_for(f"{count} packets at the device", lambda: sum(self.flags()) >= count)
        expect_equal("packets with payload at the device", sum(self.flags()), count)

    def wait_row(self, name, count=1):
        """Until a row was taken so often since the mark."""
        wait_for(f"row {name}, {count} times", lambda: self.row(name) >= count)

    def wait_driver(self, name, count=1):
        """Until a counter of the driver, or of the kernel's TLS, has moved so far."""
        wait_for(f"{name}, {count} times", lambda: self.driver(name) >= count)

    def driver(self, name):
        """How far a counter of the driver, or of the kernel's TLS, has moved since the mark."""
        return (self._watch.protocols() if name.startswith("Tls") else self._watch.nic())[name]

    def check(self, flags, *, rows=None, more=None, resyncs=0):
        """Everything since the mark is exactly so.

        flags    packets [not decrypted, decrypted, resync, error]; the driver counts the same
        resyncs  how often the device asked, was answered and approved
        more     {counter: value} of the driver or the kernel beyond that
        rows     {"R9": 1, ...}; rows of EVENTS that are not named were not taken; None: any number
        """
        expect_equal("packets not decrypted, decrypted, resync, error", self.flags(), list(flags))
        # the driver counts a packet some time after the device has delivered it
        behind = dict(zip(("rx_tls_decrypted_packets", "rx_tls_resync_req_pkt", "rx_tls_err"),
                          flags[1:], strict=True))
        wait_for("the driver has counted what the device has delivered", lambda: all(
            now.get(name, 0) >= count for now in [self._watch.nic()]
            for name, count in behind.items()))
        want = dict.fromkeys(DRIVER + KERNEL, 0)
        want.update(rx_tls_decrypted_packets=flags[1], rx_tls_resync_req_pkt=flags[2],
                    rx_tls_err=flags[3])
        for name in ("rx_tls_resync_req_start", "rx_tls_resync_req_end", "rx_tls_resync_res_ok",
                     "TlsRxDeviceResync"):
            want[name] = resyncs
        want.update(more or {})
        got = {**self._watch.nic(), **self._watch.protocols()}
        expect_equal("counters of driver and kernel",
                     {name: got.get(name, 0) for name in want}, want)
        if rows is not None:
            want = dict.fromkeys(EVENTS, 0)
            want.update(rows)
            want = {name: count for name, count in want.items() if count is not None}
            now = self.rows()
            got = {name: now[name] - self._rows[name] for name in want}
            expect_equal("rows taken", {k: v for k, v in got.items() if v or want[k]},
                         {k: v for k, v in want.items() if got[k] or v})

    # the wire

    def rule(self, text, must_hit=True):
        """A rule for what comes to the device; "ACTION < …": for what the receiver sends."""
        action, _, rest = text.partition(" ")
        way = self.connection.up
        if rest.startswith("<"):
            way, rest = self.connection.down, rest[1:].strip()
        return self.box.add(way, f"{action} {rest}", must_hit)

    def lose(self, *segments):
        """These segments of the burst that is sent next are lost until they come(): a Lost."""
        start = self.position()
        places = ",".join(str(start + segment * SEGMENT) for segment in segments)
        return Lost(self, f"stream={places}", f"lost{next(self._names)}", "first")

    def keep(self, segment):
        """From this segment of the next burst on everything waits until it comes(None): a Lost.
        How much that is depends on the sender, which hears of nothing meanwhile."""
        return Lost(self, f"stream={self.position() + segment * SEGMENT}..",
                    f"kept{next(self._names)}", "any")

    def damage(self, place, flip, csum="fix"):
        """The byte at `place` (record=… byte=…) of what is sent next is xor'ed with `flip` for the
        device: a Damage. In a dropped_by_host() block, or csum="keep": TCP itself drops it."""
        return Damage(self, place, flip, csum, f"sound{next(self._names)}")

    def position(self):
        """Stream byte that is sent next. Nothing may be under way."""
        try:
            flow = self.box.flow(self.connection.up)
        except Failure:                 # put together without a handshake: nothing has passed
            return 0
        return (flow["next_seq"] - flow["first_seq"]) % (1 << 32)

    # payload

    def send(self, burst, read=True):
        """Send a Burst (or its sizes) in full segments; what comes back is a Sent."""
        burst = burst if isinstance(burst, Burst) else Burst(burst)
        way = self.connection.up
        size = sum(burst.sizes)
        where = {"seed": way.seed, "size": size, "offset": way.offset}
        pending = self.read(where) if read else None
        with self.corked():
            way.sender.call("tcp.send", number=way.sender_socket, sizes=burst.sizes, **where)
        way.offset += size
        self.count += len(burst.sizes)
        return Sent(self, size, pending) if read else where

    def read(self, where):
        """The reader begins to read what send(read=False) described."""
        way = self.connection.up
        return way.receiver.begin("tcp.receive", number=way.receiver_socket, **where)

    def split(self, where, size):
        """Two parts of what send(read=False) described, the first with `size` bytes."""
        return (dict(where, size=size),
                dict(where, size=where["size"] - size, offset=where["offset"] + size))

    def later(self, *wheres):
        """As read(), of all that several send(read=False) describe, as a Sent. Never two at a
        time: which of them would get what?"""
        where = dict(wheres[0], size=sum(each["size"] for each in wheres))
        return Sent(self, where["size"], self.read(where))

    @contextlib.contextmanager
    def corked(self):
        """What is sent in the block leaves in full segments, the rest at its end."""
        way = self.connection.up
        for on in (1, 0):
            way.sender.call("tcp.set_option", number=way.sender_socket,
                            options={"TCP_CORK": on})
            if on:
                yield

    def ends(self, where, good, error):
        """Of what send(read=False) described so many bytes can be read, and then comes an error."""
        # a call that has got some bytes keeps the error for the next one, which decrypts once more
        first, rest = self.split(where, good)
        self.later(first).finish()
        got = self.later(rest).outcome()
        expect_equal("bytes, error, wrong byte", (got["bytes"], got.get("error"), got["mismatch"]),
                     (0, error, None))

    def send_crafted(self, pieces):
        """Send records; a piece is a number of payload bytes, or {offset: ciphertext} with the
        key "size": the record has these bytes on the wire, at these places of its ciphertext.

        Returns a Sent. The rest of a crafted record's ciphertext is zeros, that of another one is
        0xee: no byte of it is taken for a header by chance.
        """
        way = self.connection.up
        data = []
        for piece in pieces:
            if not isinstance(piece, dict):
                piece = {"size": piece, 0: b"\xee" * piece}
            data.append(self._plaintext(piece, self.count + len(data)))
        size = sum(map(len, data))
        pending = way.receiver.begin("tcp.receive_bytes", number=way.receiver_socket,
                                     digest=_digest(data), size=size)
        with self.corked():
            way.sender.call("tcp.send_records", number=way.sender_socket,
                            records=[text.hex() for text in data])
        self.count += len(data)
        return Sent(self, size, pending)

    def _plaintext(self, piece, number):
        """The payload whose ciphertext is as wanted: that XOR the keystream, made by OpenSSL."""
        wire = bytearray(piece["size"])
        for offset, text in piece.items():
            if offset != "size":
                expect(offset + len(text) <= len(wire), f"{offset} is beyond the record")
                wire[offset:offset + len(text)] = text
        return xored(wire, self.keystream(number, len(wire)))

    def keystream(self, number, size):
        """What record `number` is xor'ed with, by OpenSSL."""
        keys = self.keys
        nonce = (int(keys["iv"], 16) + number) % (1 << 64)
        counter = f"{keys['salt']}{nonce:016x}00000002"
        cipher = "aes-128-ctr" if keys["cipher"] == "aes-gcm-128" else "aes-256-ctr"
        out = self.env.local.out("openssl", "enc", "-" + cipher, "-K", keys["key"], "-iv", counter,
                                 "-a", "-A", data="\0" * size)
        return _base64(out)

    @contextlib.contextmanager
    def listening(self):
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

    def move(self, sizes):
        """Send and read; the wire and the device have nothing left of it."""
        burst = sizes if isinstance(sizes, Burst) else Burst(sizes)
        before = sum(self.flags())
        self.send(burst).finish()
        self.wait_packets(before + burst.segments)

    def expect_flags(self, what, sizes, want):
        """Move records; the flags that their packets get."""
        before = self.flags()
        self.move(sizes)
        got = [now - was for was, now in zip(before, self.flags())]
        expect_equal(f"packets not decrypted, decrypted, resync, error of {what}", got, want)

    def passed(self):
        """Packets with payload that left the middlebox towards the device, if none was lost."""
        stats = self.box.ask("stats")[self.box.way(self.connection.up)]
        flow = self.box.flow(self.connection.up)
        return flow["segments"] + stats["pieces"] + stats["copies"]

    def in_sync(self, what, sizes):
        """Move records in whatever segments they come: every packet is decrypted."""
        packets, before = self.passed(), self.flags()
        self.send(sizes).finish()
        packets = self.passed() - packets
        wait_for(f"{packets} packets at the device",
                 lambda: sum(self.flags()) - sum(before) >= packets)
        got = [now - was for was, now in zip(before, self.flags())]
        expect_equal(f"packets not decrypted, decrypted, resync, error of {what}", got,
                     [0, packets, 0, 0])
        return packets

    def recovers(self, approvals=1):
        """The approval comes; one record is authenticated, and from the next on the device
        decrypts. Three segments for each of the two."""
        self.wait_row("R18", approvals)
        self.expect_flags("the record that is authenticated", whole(3), [3, 0, 0, 0])
        self.expect_flags("the record behind it", whole(3), [0, 3, 0, 0])


class Truth:
    """The device's record log beside the kernel's account of the same records."""

    CLASSES = {(1, 0): "not-decrypted", (0, 1): "decrypted", (0, 0): "partly-decrypted"}

    def __init__(self, log, trace):
        self.log, self._trace = log, trace
        self._sk = None

    def follow(self, host):
        """The socket that was given keys last is meant."""
        self._sk = self._trace.follow(host, "rx")

    def kernel(self):
        """[(record number, sequence number of its header, length, class)] of what was read."""
        found, at = [], None
        for event in self._trace.events(sk=self._sk):
            if event.name == "tls_device_offload_set" and event.direction == 0:
                at = event.tcp_seq
            elif event.name == "tls_device_decrypted":
                found.append((event.rec_no, at, event.len,
                              self.CLASSES[event.encrypted, event.decrypted]))
                at = (at + event.len) % (1 << 32)
        return found

    def approvals(self):
        """[(record number, sequence number)] of what the kernel approved."""
        return [(event.rec_no, event.tcp_seq)
                for event in self._trace.events("tls_device_rx_resync_send", self._sk)]

    def check(self, unseen=None):
        """Of each record that the device followed, it says what the kernel found; all others came
        encrypted. Its record numbers are the kernel's. Returns {class: records}.

        unseen  {record number: class} of others: a record whose header the device had no more
                than a part of is in no log, but that part may have been in a decrypted packet
        """
        device = {}
        for line in self.log.of("rx"):
            device.setdefault(line.tcp_sn, []).append(line)
        kernel, totals = self.kernel(), {}
        starts = {at for _, at, _, _ in kernel}
        for number, at, length, what in kernel:
            lines = device.get(at, [])
            said = lines[-1].verdict if lines else (unseen or {}).get(number, "not-decrypted")
            expect_equal(f"record {number}: the kernel's class beside the device's {lines}", what,
                         said)
            for line in lines:
                if line.end != "lost":
                    expect_equal(f"length of record {number}", line.length, length)
                # a wrong tag may come from a number that was wrong on purpose
                expect(line.record in (None, number) or line.end == "tag-bad",
                       f"record {number} has the number {line.record} in the device's log")
            totals[what] = totals.get(what, 0) + 1
        for at, lines in device.items():
            for line in lines:
                expect(at in starts or line.record is None,
                       f"the device gave a number to what is no record: {line}")
        return totals


def xored(text, other):
    """Two texts of one length xor'ed."""
    return bytes(a ^ b for a, b in zip(text, other, strict=True))


def _digest(data):
    import hashlib          # pylint: disable=import-outside-toplevel
    return hashlib.sha256(b"".join(data)).hexdigest()


def _base64(text):
    import base64           # pylint: disable=import-outside-toplevel
    return base64.b64decode(text)


@contextlib.contextmanager
def calm(env, patient=True, name=None):
    """Both ends send nothing twice on their own: no tail loss probe, no retransmission timeout
    for the length of RTO; patient: nor do they take packets that come late for lost. name: of the
    interfaces that have the ends' addresses, if not of the NICs."""
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            values = dict(PATIENT if patient else QUICK)
            if patient and env.kernel >= (6, 17):
                values["tcp_sack"] = 0      # with it, they time losses whatever the sysctl says
            for what, value in values.items():
                stack.enter_context(_sysctl(host, f"/proc/sys/net/ipv4/{what}", value))
            # what earlier connections have learned of reordering overrides tcp_reordering
            host.run("ip", "tcp_metrics", "flush", "all")
            peer = env.other(host).address
            stack.enter_context(_slow(host, name or host.nic.name,
                                      [f"{peer(4)}/32", f"{peer(6)}/128"]))
        yield


@contextlib.contextmanager
def _sysctl(host, path, value):
    before = host.read(path)
    host.write(path, value)
    try:
        yield
    finally:
        host.write(path, before)


@contextlib.contextmanager
def _slow(host, name, prefixes):
    """Routes whose connections wait long for an acknowledgement, and send much before that: where
    the sender cannot be told to be patient (Linux from 6.17 on) it has sent all by then."""
    host.run("ip", "-batch", "-", data="".join(
        f"route replace {prefix} dev {name} rto_min {RTO} initcwnd {AT_ONCE} "
        f"initrwnd {AT_ONCE}\n" for prefix in prefixes))
    try:
        yield
    finally:
        host.run("ip", "-force", "-batch", "-", check=False, data="".join(
            f"route del {prefix} dev {name}\n" for prefix in prefixes))


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


@contextlib.contextmanager
def prepared(env, *, patient=True, device=True, name=None):
    """What all connections of a test share: calm ends, one packet for each segment, the device at
    the local end decrypts (or, with device=False, does not), the peer works in software. Yields
    the local end's Offload."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(calm(env, patient, name))
        stack.enter_context(loss.unmerged(*env.hosts))
        into = stack.enter_context(Offload(env, env.local, rx=device))
        stack.enter_context(Offload(env, env.remote))
        yield into


@contextlib.contextmanager
def opened(env, into, *, family=4, cipher="aes-gcm-128", rec_seq=0, keys=None, start=True, plain=0,
           twice=False, unread=(), entry=True, connect=Connection, options=None, truth=True,
           unseen=None, **how):
    """A Bench: a connection whose steering entry was there before its data. In a prepared() block.

    connect  called as Connection is
    plain    bytes that are sent before TLS begins; twice: once more with the next packet
    unread   sizes of records that come before the receiver has its key
    keys     members of the keys that are not left to chance
    entry    False: the steering entry is not waited for
    start    one record is sent and decrypted, so the device is in sync
    unseen   for Truth.check()
    """
    into.watch.restart()
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(wire.rules(env))
        taken = Truth(stack.enter_context(records.log(env, env.local)),
                      stack.enter_context(tracepoints.trace(env.local))) if truth else None
        connection = stack.enter_context(connect(env.remote, env.local, family, seed=env.seed,
                                                 options=dict(OPTIONS, **(options or {})), **how))
        if plain:
            if twice:
                box.add(connection.up, "duplicate stream=0 gap=1")
            connection.up.move(plain)
        entries = env.lab.objects()["flow_entry"]
        made = connection.enable_tls("1.2", cipher, down=False, rec_seq=rec_seq, change=keys,
                                     plain_receiver=bool(unread))["up"]
        result = Bench(env, connection, made, box, into, taken)
        if unread:
            first = result.send(unread, read=False)
            wait_for("the unread records have come", lambda: not any(
                connection.info(env.remote)[name] for name in ("unacked", "notsent_bytes")))
            env.local.call("tcp.tls_add", number=connection.server_socket, direction="rx",
                           keys=made)
        into.check_configuration(connection, tx=False)
        into.check_opened(tx=False)
        if taken:
            taken.follow(env.local)
        if into.rx and entry:
            wait_for("the steering entry",
                     lambda: env.lab.objects()["flow_entry"] == entries + 1)
        if unread:
            result.later(first).finish()
        info = connection.info(env.remote)
        expect_equal("snd_mss", info["snd_mss"], SEGMENT)
        expect_equal("tcpi_reordering", info["reordering"],
                     int(env.remote.read("/proc/sys/net/ipv4/tcp_reordering")))
        if start:
            if into.rx:
                result.expect_flags("the first record", [1000], [0, 1, 0, 0])
            else:
                result.send([1000]).finish()
            result.mark()
        yield result
        if taken:
            taken.check(unseen)
    into.check_closed(tx=False)


@contextlib.contextmanager
def bench(env, *, patient=True, name=None, **how):
    """A Bench by itself."""
    with prepared(env, patient=patient, name=name) as into, opened(env, into, **how) as result:
        yield result
