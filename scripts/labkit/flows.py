# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS connections, put together from what the guest and the devices have said.

Responsible for: reading the guest's observations (lab-explain), the devices' traces and record
logs, and the lines of the kernel's log; and finding what belongs to one connection.
State: none. Nothing is judged here: explain.py does that.

What ties the three together is a TCP sequence number. The kernel says with which one the NIC was to
begin for a socket (tls_device_offload_set). A TIR is given the same number as next_record_tcp_sn,
and it is that of the first packet which passes a TIS.
"""

import dataclasses
import errno
import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

FORMAT = 1                      # of lab-explain's output
DIRECTIONS = ("tx", "rx")
TX, RX = DIRECTIONS
AF_INET6 = 10
MAPPED = 0xffff                 # of an IPv4 address in an IPv6 socket
HALF = 1 << 31                  # of the TCP sequence numbers

# task-pid [cpu] flags time: event: rest
TRACE_LINE = re.compile(r"\s*.+-(\d+)\s+\[\d+\]\s+\S+\s+([\d.]+): (\w+): (.*)$")
KERNEL_LINE = re.compile(r"(\w+)\s*: \[\s*([\d.]+)\] (.*)$")
DEVICE_LINE = re.compile(r"(?:\d+@([\d.]+):)?((mlx5_\w+) (\w+): (.*))$")
TLS_TX = re.compile(r"tis 0x(\w+) seq 0x(\w+) \+(\d+), (\d+) records done: (\S+)")
TLS_DROP = re.compile(r"tis 0x(\w+) seq 0x(\w+) dropped: (.*)")
TLS_DUMP = re.compile(r"tis 0x(\w+) \+(\d+): (.*)")
TLS_RX = re.compile(r"tir 0x(\w+) seq 0x(\w+) \+(\d+) flag (\d), (\S+) to (\S+), "
                    r"(\w+): (?:.*: )?(.*)")         # the row has a sentence of its own
TLS_STATIC = re.compile(r"(tis|tir) 0x(\w+) dek 0x\w+ initial_record_number (\d+) "
                        r"resync_tcp_sn 0x(\w+): (.*)")
SET_PSV = re.compile(r"(tis|tir) 0x(\w+) next_record_tcp_sn 0x(\w+): (.*)")
GET_PSV = re.compile(r"tir 0x(\w+) record_tracker_state (\d+) auth_state (\d+) "
                     r"hw_resync_tcp_sn 0x(\w+)")
CMD = re.compile(r"slot \d+ (\w+) .*: status (0x\w+): (.*)")
FAULT = re.compile(r"rule \d+ '(.*)' applied to (\S+) (\S+) at")
GOOD = "as it should be"
SEARCHING = ("SEARCH", "LINK", "CAND", "AUTH")  # not decrypting, until software's answer is proved


@dataclasses.dataclass
class Asked:
    """What a program has asked of the kernel for one direction, and what became of it."""

    version: int                # of TLS, as on the wire: 0x303 is 1.2
    cipher: int                 # TLS_CIPHER_… of linux/tls.h
    answer: int | None = None   # of setsockopt(); None: not seen
    tried: bool = False         # the kernel has tried to give it to the NIC
    offload: int | None = None  # the outcome of that: 0 is offloaded
    began: float = 0.0          # seconds of the kernel's clock: the attempt,
    ended: float = 0.0          # and its outcome
    driver: int | None = None   # what the driver said; None: it was not asked
    tcp_seq: int | None = None  # where the NIC was to begin


@dataclasses.dataclass
class Socket:
    """A socket in the guest that a probe has seen."""

    ident: tuple[int, int]      # its address and that of its network namespace
    local: str
    remote: str
    time: float = 0.0           # when it was first seen
    ulp: int | None = None      # the answer to TCP_ULP "tls"; None: not asked
    asked: dict[str, Asked] = dataclasses.field(default_factory=dict)
    events: list[tuple[float, str, str]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Loss:
    """A receive context without its place in the stream, and how it came back."""

    late: bool                  # it never had one: the first packet came behind its START
    seq: int                    # of the packet at which it was lost
    row: str
    why: str
    flagged: list[int] = dataclasses.field(default_factory=list)    # packets with flag 2: their seq
    answers: list[int] = dataclasses.field(default_factory=list)    # GET_PSV: the candidate
    approvals: list[tuple[int, int]] = dataclasses.field(default_factory=list)  # (seq, record)
    back: int | None = None     # seq of the first packet that is decrypted again; None: never
    packets: int = 0            # not decrypted meanwhile, with
    bytes: int = 0              # so much payload


@dataclasses.dataclass(frozen=True)
class Mark:
    """Something that happened in a context, for a picture of it."""

    time: float | None          # seconds, of the host's clock; None: the log has no time stamps
    kind: str                   # packet, skipped, error, candidate; dump, drop; params, answer
    seq: int                    # TCP sequence number that it is about
    size: int                   # bytes of payload
    state: str                  # of the context behind it, "" if it is unknown
    line: str                   # of the trace


@dataclasses.dataclass
class Context:
    """A TLS context of a device: a TIS or TIR during one connection."""

    dev: str
    way: str                    # TX or RX
    num: int
    start: int | None = None    # TCP sequence number: TIR, where it was told to begin;
    #                             TIS, the first packet
    first: int | None = None    # sequence number of the first byte that passed it,
    end: int | None = None      # and the one behind the last
    packets: int = 0            # TX: encrypted WQEs; RX: packets of any verdict
    bytes: int = 0
    decrypted: int = 0          # RX: packets
    decrypted_bytes: int = 0
    errors: int = 0             # RX: packets with flag 3
    restarts: int = 0           # TX: parameters posted again, to go back in the stream
    dumps: int = 0
    dump_bytes: int = 0
    drops: dict[str, int] = dataclasses.field(default_factory=dict)     # {reason: packets}
    skipped: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    #                             RX, in sync all the same: {reason: [packets, bytes]}
    losses: list[Loss] = dataclasses.field(default_factory=list)
    records: dict[str, int] = dataclasses.field(default_factory=dict)   # {verdict: how many}
    numbers: tuple[int, int] | None = None      # the first and the last record of the record log
    taken: bool = False         # by a connection
    marks: list[Mark] = dataclasses.field(default_factory=list, repr=False)


@dataclasses.dataclass
class End:
    """One end of a connection."""

    local: str
    sock: Socket | None = None
    interfaces: list[str] = dataclasses.field(default_factory=list)     # that its packets passed
    namespace: str | None = None
    contexts: dict[str, Context] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Connection:
    """A TLS connection, with the ends that are in the guest: the client's first if it is known."""

    ends: list[End]
    version: int | None = None  # as the ServerHello says
    suite: int | None = None    # IANA's number of the cipher suite, likewise
    client: str | None = None


@dataclasses.dataclass
class Observed:
    """All that is known of a run."""

    connections: list[Connection]
    contexts: list[Context]     # of the devices; those without a connection have `taken` False
    refused: list[tuple[str, str, str, str]]    # (device, command, status, why)
    faults: list[tuple[str, str, int]]          # (device, rule, how often)
    kernel: list[tuple[float, str]]             # (time, line of the kernel's log)
    looks: list[dict[str, Any]]
    guest: dict[str, Any]       # the rest of what lab-explain said


# ---- the guest


def _fields(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def _hex(text: str) -> int:
    return int(text, 16)


def _host(family: int, word: str, high: str, low: str) -> str:
    """An address of struct sock_common, whose words are as the processor reads them."""
    if family == AF_INET6:
        data = _hex(high).to_bytes(8, "little") + _hex(low).to_bytes(8, "little")
        address = ipaddress.IPv6Address(data)
        return str(address.ipv4_mapped or address)
    return str(ipaddress.IPv4Address(_hex(word).to_bytes(4, "little")))


def endpoint(host: str, port: int) -> str:
    """An address and a port, in one form wherever they are from."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def _ends_of(fields: dict[str, str]) -> tuple[str, str]:
    family = int(fields["family"])
    far = int.from_bytes(_hex(fields["dport"]).to_bytes(2, "little"), "big")
    return (endpoint(_host(family, fields["saddr"], fields["s6a"], fields["s6b"]),
                     int(fields["sport"])),
            endpoint(_host(family, fields["daddr"], fields["d6a"], fields["d6b"]), far))


class _Sockets:
    """Sockets, from the lines of the guest's trace in their order."""

    def __init__(self) -> None:
        self.found: list[Socket] = []
        self._now: dict[int, Socket] = {}               # by address
        self._calls: dict[tuple[int, str], tuple[Socket, str]] = {}     # of a task

    def take(self, line: str) -> None:
        """Process a line; those that are none of ours, such as of lost events, are ignored."""
        match = TRACE_LINE.match(line)
        if match is None:
            return
        pid, time, event, rest = int(match[1]), float(match[2]), match[3], match[4]
        fields = _fields(rest)
        if event.endswith("_ret"):
            self._returned(pid, time, event.removesuffix("_ret"), int(fields.get("ret", 0)))
        elif event in ("ulp", "opt", *DIRECTIONS):
            self._called(pid, time, event, fields)
        elif event.startswith("tls_device_"):
            self._traced(time, event, fields, rest)

    def _socket(self, fields: dict[str, str], time: float) -> Socket:
        address, ends = _hex(fields["sk"]), _ends_of(fields)
        sock = self._now.get(address)
        if sock is None or (sock.local, sock.remote) != ends:
            sock = self._add(Socket((address, _hex(fields["net"])), *ends, time))
        return sock

    def _add(self, sock: Socket) -> Socket:
        self._now[sock.ident[0]] = sock
        self.found.append(sock)
        return sock

    def _called(self, pid: int, time: float, event: str, fields: dict[str, str]) -> None:
        if event == "ulp" and fields.get("name", "").strip('"') != "tls":
            return
        sock, way = self._socket(fields, time), event
        if event == "opt":
            way = {"1": TX, "2": RX}.get(fields["opt"], "")
            if not way:
                return
            if way not in sock.asked or sock.asked[way].answer:
                sock.asked[way] = Asked(_hex(fields["version"]), int(fields["cipher"]))
        elif event in DIRECTIONS:
            if event not in sock.asked:         # the probe of setsockopt() is missing
                sock.asked[event] = Asked(0, 0)
            sock.asked[event].tried, sock.asked[event].began = True, time
        self._calls[pid, event] = sock, way

    def _returned(self, pid: int, time: float, event: str, value: int) -> None:
        if (pid, event) not in self._calls:
            return
        sock, way = self._calls.pop((pid, event))
        if event == "ulp":
            if sock.ulp == 0 and value == 0:
                # memory and ports of a socket that has ended were used again
                sock = self._add(Socket(sock.ident, sock.local, sock.remote, time))
            # a library may ask again with each key: EEXIST
            sock.ulp = 0 if value == -errno.EEXIST else value
        elif event == "opt":
            if sock.asked[way].answer is None:
                sock.asked[way].answer = value
        else:
            sock.asked[way].offload, sock.asked[way].ended = value, time

    def _traced(self, time: float, event: str, fields: dict[str, str], rest: str) -> None:
        sock = self._now.get(_hex(fields["sk"])) if "sk" in fields else None
        if sock is None:
            return
        sock.events.append((time, event, rest))
        if event == "tls_device_offload_set":
            way = DIRECTIONS[0] if fields["direction"] == "1" else DIRECTIONS[1]
            asked = sock.asked.setdefault(way, Asked(0, 0))
            asked.driver, asked.tcp_seq = int(fields["ret"]), int(fields["tcp_seq"])


# ---- the devices


def ahead(a: int, b: int) -> int:
    """How far TCP sequence number `a` is ahead of `b`; negative if it is behind."""
    return (a - b + HALF) % (2 * HALF) - HALF


class _Devices:
    """Contexts, from the lines of QEMU's log in their order."""

    def __init__(self, starts: Iterable[int]) -> None:
        """`starts`: sequence numbers with which a TIS begins another connection."""
        self.found: list[Context] = []
        self.refused: list[tuple[str, str, str, str]] = []
        self.faults: dict[tuple[str, str], int] = {}
        self._starts = set(starts)
        self._now: dict[tuple[str, str, int], Context] = {}
        self._posted: set[tuple[str, int]] = set()      # TIS that SET_PSV was for just now
        self._line: tuple[float | None, str] = None, ""
        self._rules: dict[str, tuple[re.Pattern[str], Callable[..., None]]] = {
            "mlx5_tls_tx": (TLS_TX, self._sent), "mlx5_tls_rx": (TLS_RX, self._came),
            "mlx5_err_tls_tx": (TLS_DROP, self._dropped), "mlx5_tls_dump": (TLS_DUMP, self._dumped),
            "mlx5_tls_static": (TLS_STATIC, self._static),
            "mlx5_tls_set_psv": (SET_PSV, self._started),
            "mlx5_tls_get_psv": (GET_PSV, self._answered),
            "mlx5_err_cmd": (CMD, self._refused), "mlx5_fault_hit": (FAULT, self._hit)}

    def take(self, line: str) -> None:
        """Process a line; those that are none of ours are ignored."""
        match = DEVICE_LINE.match(line)
        if match is None or match[3] not in self._rules:
            return
        pattern, rule = self._rules[match[3]]
        if words := pattern.match(match[5]):
            self._line = float(match[1]) if match[1] else None, match[2]
            rule(match[4], *words.groups())

    def _context(self, dev: str, way: str, num: str, begins: bool = False) -> Context:
        key = dev, way, _hex(num)
        if begins or key not in self._now:
            self._now[key] = Context(dev, way, key[2])
            self.found.append(self._now[key])
        return self._now[key]

    def _mark(self, context: Context, kind: str, seq: int, size: int = 0, state: str = "") -> None:
        time, line = self._line
        context.marks.append(Mark(time, kind, seq, size, state, line))

    def _refused(self, dev: str, name: str, status: str, why: str) -> None:
        self.refused.append((dev, name, status, why))

    def _hit(self, dev: str, rule: str, _kind: str, _num: str) -> None:
        self.faults[dev, rule] = self.faults.get((dev, rule), 0) + 1

    # transmit

    def _tis(self, dev: str, num: str, seq: int) -> Context:
        """The context of a packet. TIS are used again: a new connection is known by its place."""
        begins = seq in self._starts
        self._starts.discard(seq)
        context = self._context(dev, TX, num, begins)
        if (dev, context.num) in self._posted:
            # of the present connection, not of one that had the TIS before
            context.restarts += not begins and context.packets > 0
            self._posted.discard((dev, context.num))
        if context.start is None:
            context.start = context.first = context.end = seq
        return context

    def _sent(self, dev: str, num: str, seq: str, length: str, _records: str, _row: str) -> None:
        context = self._tis(dev, num, _hex(seq))
        context.packets += 1
        context.bytes += int(length)
        _extend(context, _hex(seq), int(length))
        self._mark(context, "packet", _hex(seq), int(length))

    def _dropped(self, dev: str, num: str, seq: str, why: str) -> None:
        context = self._tis(dev, num, _hex(seq))
        context.drops[why] = context.drops.get(why, 0) + 1
        self._mark(context, "drop", _hex(seq))

    def _dumped(self, dev: str, num: str, length: str, _why: str) -> None:
        context = self._context(dev, TX, num)
        context.dumps += 1
        context.dump_bytes += int(length)
        # the trace does not say where: that is where the stream goes on
        self._mark(context, "dump", context.marks[-1].seq if context.marks else 0, int(length))

    def _static(self, dev: str, kind: str, num: str, record: str, resync: str, _why: str) -> None:
        context = self._now.get((dev, TX if kind == "tis" else RX, _hex(num)))
        if kind == "tir" and context is not None and context.losses:
            context.losses[-1].approvals.append((_hex(resync), int(record)))
            self._mark(context, "params", _hex(resync))

    def _started(self, dev: str, kind: str, num: str, seq: str, _why: str) -> None:
        if kind == "tir":
            self._context(dev, RX, num, begins=True).start = _hex(seq)
        else:
            self._posted.add((dev, _hex(num)))

    # receive

    def _answered(self, dev: str, num: str, _tracker: str, _auth: str, seq: str) -> None:
        context = self._now.get((dev, RX, _hex(num)))
        if context is not None and context.losses:
            context.losses[-1].answers.append(_hex(seq))
            self._mark(context, "answer", _hex(seq))

    def _came(self, dev: str, num: str, seq_text: str, length: str, flag: str, before: str,
              after: str, row: str, why: str) -> None:
        context, seq, size = self._context(dev, RX, num), _hex(seq_text), int(length)
        if context.first is None:
            context.first = context.end = seq
        _extend(context, seq, size)
        context.packets += 1
        context.bytes += size
        context.errors += flag == "3"
        kind = {"1": "packet", "2": "candidate", "3": "error"}.get(flag, "skipped")
        self._mark(context, kind, seq, size, after)
        if before not in SEARCHING and after in SEARCHING:
            context.losses.append(Loss(before == "START", seq, row, why))
        loss = context.losses[-1] if context.losses else None
        if flag == "1":
            context.decrypted += 1
            context.decrypted_bytes += size
            if loss is not None and loss.back is None:
                loss.back = seq
            return
        if loss is not None and flag == "2":
            loss.flagged.append(seq)
        if loss is not None and loss.back is None:
            loss.packets += 1
            loss.bytes += size
        else:
            counted = context.skipped.setdefault(why, [0, 0])
            counted[0] += 1
            counted[1] += size


def _extend(context: Context, seq: int, size: int) -> None:
    if context.end is None or ahead(seq + size, context.end) > 0:
        context.end = (seq + size) % (2 * HALF)


def _log_records(contexts: list[Context], lines: Iterable[str]) -> None:
    """Count the records of the record log in the contexts that they ended in."""
    for line in lines:
        try:
            entry = json.loads(line)
            way = entry["dir"]
            key = entry["dev"], way, entry["tisn" if way == TX else "tirn"]
            seq, verdict = entry.get("tcp_sn"), str(entry["verdict"])
        except (ValueError, KeyError, TypeError):       # a line cut short
            continue
        for context in contexts:
            if (context.dev, context.way, context.num) != key or context.end is None or (
                    seq is not None and not _within(context, seq)):
                continue
            context.records[verdict] = context.records.get(verdict, 0) + 1
            if (number := entry.get("record")) is not None:
                low, high = context.numbers or (number, number)
                context.numbers = min(low, number), max(high, number)
            break


def _within(context: Context, seq: int) -> bool:
    begin = context.start if context.start is not None else context.first
    assert begin is not None and context.end is not None
    return ahead(seq, begin) >= 0 > ahead(seq, context.end)


# ---- what belongs together


def _join_contexts(sockets: list[Socket], contexts: list[Context]) -> dict[int, dict[str, Context]]:
    """Return {index of a socket: {direction: its context}}."""
    found: dict[int, dict[str, Context]] = {}
    for index, sock in enumerate(sockets):
        for way, asked in sock.asked.items():
            if asked.driver != 0 or asked.tcp_seq is None:
                continue
            for context in contexts:
                if context.way == way and not context.taken and context.start == asked.tcp_seq:
                    context.taken = True
                    found.setdefault(index, {})[way] = context
                    break
    return found


def _join(sockets: list[Socket], contexts: list[Context], hellos: list[dict[str, Any]]
          ) -> list[Connection]:
    """Connections in the order in which they were first seen."""
    joined = _join_contexts(sockets, contexts)
    found: dict[frozenset[str], list[Connection]] = {}
    order: list[Connection] = []

    def connection(local: str, remote: str, fresh: bool) -> Connection:
        known = found.setdefault(frozenset((local, remote)), [])
        if not known or fresh:
            known.append(Connection([]))
            order.append(known[-1])
        return known[-1]

    def nearest(one: str, other: str, time: float) -> Connection:
        """The connection of a hello: the ports may have been used again."""
        of = connection(one, other, False)
        return min(found[frozenset((one, other))], default=of, key=lambda known: min(
            (abs(end.sock.time - time) for end in known.ends if end.sock), default=0.0))

    def end(of: Connection, local: str) -> End:
        for one in of.ends:
            if one.local == local:
                return one
        of.ends.append(End(local))
        return of.ends[-1]

    for index, sock in enumerate(sockets):
        key = frozenset((sock.local, sock.remote))
        fresh = any(one.local == sock.local and one.sock is not None
                    for one in (found[key][-1].ends if key in found else ()))
        place = end(connection(sock.local, sock.remote, fresh), sock.local)
        place.sock, place.contexts = sock, joined.get(index, {})
    for hello in hellos:
        source, target = _hello_end(hello["from"]), _hello_end(hello["to"])
        of = nearest(source, target, hello["time"])
        place = end(of, source if hello["out"] else target)
        place.namespace = hello["namespace"]
        if hello["interface"] not in place.interfaces:
            # from the socket down: what comes in passes them the other way round
            place.interfaces.insert(len(place.interfaces) if hello["out"] else 0,
                                    hello["interface"])
        if hello["hello"] == "client":
            of.client = source
        else:
            of.version, of.suite = hello["version"], hello["cipher"]
    for of in order:
        of.ends.sort(key=lambda one, of=of: one.local != of.client)     # type: ignore[misc]
    return [of for of in order if any(_is_tls(one) for one in of.ends) or of.client or of.suite]


def _is_tls(end: End) -> bool:
    return end.sock is not None and (end.sock.ulp is not None or bool(end.sock.asked))


def _hello_end(text: str) -> str:
    host, _, port = text.rpartition("|")
    return endpoint(host, int(port))


def observed(guest: dict[str, Any], qemu_log: Iterable[str], records: Iterable[str],
             kernel_log: Iterable[str]) -> Observed:
    """Put everything together.

    guest       what `lab-explain stop` printed
    qemu_log    lines of QEMU's log: traces of the devices
    records     lines of the devices' record logs
    kernel_log  lines of dmesg.txt
    """
    sockets = _Sockets()
    for line in guest.get("trace", ()):
        sockets.take(line)
    devices = _Devices(asked.tcp_seq for sock in sockets.found for way, asked in sock.asked.items()
                       if way == TX and asked.tcp_seq is not None and asked.driver == 0)
    for line in qemu_log:
        devices.take(line)
    _log_records(devices.found, records)
    kernel = [(float(match[2]), match[3]) for line in kernel_log
              if (match := KERNEL_LINE.match(line))]
    rest = {name: value for name, value in guest.items()
            if name not in ("trace", "hellos", "looks")}
    return Observed(_join(sockets.found, devices.found, guest.get("hellos", [])), devices.found,
                    devices.refused, [(*key, count) for key, count in devices.faults.items()],
                    kernel, guest.get("looks", []), rest)
