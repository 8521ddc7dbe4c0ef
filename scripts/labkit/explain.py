# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a TLS connection was offloaded or not, in sentences.

Responsible for: the chain of checks of each direction at each end of a connection, the verdict that
comes first, and both forms of the report.
State: none.

flows.py has put the connections together. Nothing here is a guess unless its sentence says so: an
answer of the kernel that has several reasons is told with all of them.
"""

import dataclasses
import errno
import json
import re
from typing import Any

from .flows import RX, TX, Asked, Connection, Context, End, Loss, Observed

OK, FAIL, NOTE, UNKNOWN = "ok", "FAIL", "note", "?"
OPTION = {TX: "tls-hw-tx-offload", RX: "tls-hw-rx-offload"}
DOES = {TX: "sends", RX: "receives"}
WORK = {TX: "encrypted", RX: "decrypted"}
NAMES = {TX: "TLS_TX", RX: "TLS_RX"}
TLS_1_2 = 0x303
VERSIONS = {0x301: "TLS 1.0", 0x302: "TLS 1.1", TLS_1_2: "TLS 1.2", 0x304: "TLS 1.3"}
# TLS_CIPHER_… of linux/tls.h, and what a NIC may take of them
CIPHERS = {51: "AES-128-GCM", 52: "AES-256-GCM", 53: "AES-128-CCM", 54: "ChaCha20-Poly1305",
           55: "SM4-GCM", 56: "SM4-CCM", 57: "ARIA-128-GCM", 58: "ARIA-256-GCM"}
OFFLOADED_CIPHERS = (51, 52)
# IANA's cipher suites by their AEAD; any other is named by its number
SUITES = {**dict.fromkeys((0x9c, 0x9e, 0xc02b, 0xc02f, 0x1301), "AES-128-GCM"),
          **dict.fromkeys((0x9d, 0x9f, 0xc02c, 0xc030, 0x1302), "AES-256-GCM"),
          **dict.fromkeys((0xcca8, 0xcca9, 0xccaa, 0x1303), "ChaCha20-Poly1305"),
          **dict.fromkeys((0xc09c, 0xc09e, 0xc0ac, 0x1304), "AES-128-CCM")}
NO_SOCKET = "unencrypted skb with no associated socket"
COMMAND = re.compile(r"(\w+)\(0x\w+\).*failed, status (.*)$")
SLACK = 0.05                # seconds by which the clocks of log and trace may differ


@dataclasses.dataclass(frozen=True)
class Check:
    """A link of the chain. `cause` and `fix` are of a failed one."""

    state: str
    text: str
    cause: str = ""
    fix: str = ""
    where: str = ""             # what the cause is told about, such as mlx1


@dataclasses.dataclass
class Way:
    """One direction at one end."""

    name: str                   # of the end: mlx0
    way: str
    outcome: str                # "hw", "sw", "user", "refused", "unknown"
    sentence: str
    checks: list[Check]
    story: list[str]

    @property
    def cause(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.state == FAIL), None)


@dataclasses.dataclass
class Told:
    """A connection with what is said about it."""

    title: str
    ways: list[Way]


def _errno(value: int) -> str:
    """An answer of the kernel as people look it up."""
    own = {-524: "ENOTSUPP", -errno.EOPNOTSUPP: "EOPNOTSUPP"}   # the kernel's; one name of two
    return own[value] if value in own else errno.errorcode.get(-value, str(-value))


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _version(number: int) -> str:
    return VERSIONS.get(number, f"version {number:#06x}")


def _cipher(number: int) -> str:
    return CIPHERS.get(number, f"cipher {number}")


def _suite(number: int | None) -> str:
    return "" if number is None else SUITES.get(number, f"cipher suite {number:#06x}")


# ---- what the looks say


class Machine:
    """The guest's state, as the looks have found it."""

    def __init__(self, seen: Observed) -> None:
        self._seen = seen

    def _each(self, kind: str, namespace: str | None) -> list[Any]:
        return [spaces[name][kind] for look in self._seen.looks
                for spaces in (look.get("namespaces", {}),) for name in spaces
                if namespace in (None, name) and kind in spaces[name]]

    def features(self, interface: str, option: str, namespace: str | None = None) -> list[str]:
        """The values of a feature that were seen; [] if the kernel does not know it."""
        found = [features[interface][option] for features in self._each("features", namespace)
                 if option in features.get(interface, {})]
        return sorted(set(found))

    def known(self, interface: str, namespace: str | None = None) -> bool:
        """Whether any look has seen the interface."""
        return any(interface in features for features in self._each("features", namespace))

    def kind(self, interface: str, namespace: str | None = None) -> str:
        """The kind of an interface: vlan, bridge, …; "" for that of a NIC."""
        return next((str(links[interface]) for links in self._each("links", namespace)
                     if interface in links), "")

    def delays(self, end: End | None = None) -> list[str]:
        """Lines of `tc qdisc` with a delay by netem, of any interface or of those of an end."""
        found = [line.strip() for text in self._each("qdiscs", end.namespace if end else None)
                 for line in text.splitlines() if " netem " in line and " delay " in line
                 and (end is None or set(line.split()) & set(end.interfaces))]
        return list(dict.fromkeys(found))


# ---- the chain


class Judge:
    """Makes the chain of checks of one direction at one end."""

    def __init__(self, seen: Observed, connection: Connection, end: End, way: str) -> None:
        self.seen, self.connection, self.end, self.way = seen, connection, end, way
        self.machine = Machine(seen)
        self.asked: Asked | None = end.sock.asked.get(way) if end.sock else None
        self.context: Context | None = end.contexts.get(way)
        self.name = name_of(end)
        self.checks: list[Check] = []
        self.probed = not {"ulp", "opt"} & set(seen.guest.get("not_probed", {}))

    def add(self, state: str, text: str, cause: str = "", fix: str = "") -> None:
        """Add a check."""
        self.checks.append(Check(state, text, cause, fix, self.name))

    def judge(self) -> Way:
        """All of it."""
        outcome = self._outcome()
        if self._ulp() and self._setsockopt() and self._offload():
            self._device()
        story = _story(self.context) if self.context else []
        return Way(self.name, self.way, outcome, self._sentence(outcome), self.checks, story)

    def _outcome(self) -> str:
        if self.asked is None:
            return "user" if self.probed else "unknown"
        if self.asked.answer:
            return "refused"
        return "hw" if self.asked.offload == 0 or self.asked.driver == 0 else "sw"

    def _sentence(self, outcome: str) -> str:
        who = f"{self.name} {DOES[self.way]}: "
        if outcome != "hw":
            return who + {"user": f"{WORK[self.way]} by the program itself, without the kernel",
                          "refused": "the kernel refused the keys",
                          "sw": f"{WORK[self.way]} by the kernel's software",
                          "unknown": "not known: the kernel could not be probed"}[outcome]
        context = self.context
        if context is None or not context.packets:
            return who + "offloaded, but no packet has passed the NIC's context"
        if self.way == TX:
            again = f"; {_plural(context.restarts, 'step')} back for a retransmission" \
                if context.restarts else ""
            again += f", {_plural(context.dumps, 'DUMP')} of {context.dump_bytes:,} bytes" \
                if context.dumps else ""
            return (f"{who}offloaded{_records(context)}: {context.bytes:,} bytes in "
                    f"{_plural(context.packets, 'packet')} encrypted{again}")
        rest, bytes_ = context.packets - context.decrypted, \
            context.bytes - context.decrypted_bytes
        cost = f"; {_plural(rest, 'packet')} with {bytes_:,} bytes not" if rest else ""
        times = sum(not loss.late for loss in context.losses)
        lost = f", sync lost {_plural(times, 'time')}" if times else ""
        return (f"{who}offloaded{_records(context)}: {context.decrypted_bytes:,} bytes in "
                f"{_plural(context.decrypted, 'packet')} decrypted{cost}{lost}")

    # the program and the kernel

    def _ulp(self) -> bool:
        sock = self.end.sock
        if not self.probed:
            why = "; ".join(f"{name}: {reason}" for name, reason in
                            self.seen.guest["not_probed"].items())
            self.add(UNKNOWN, f"what the program asks of the kernel could not be observed ({why})")
            return self.asked is not None
        if sock is None or sock.ulp is None and self.asked is None:
            self.add(FAIL, 'setsockopt(TCP_ULP, "tls") was not called for this socket',
                     "the program does TLS by itself and never asked the kernel: its kTLS switch "
                     "is off, or it has none",
                     "openssl: -ktls; a program with OpenSSL: SSL_OP_ENABLE_KTLS; nginx: "
                     "ssl_conf_command Options KTLS")
            return False
        if sock.ulp and self.asked is None:
            missing = -sock.ulp == errno.ENOENT
            self.add(FAIL, f'setsockopt(TCP_ULP, "tls"): {_errno(sock.ulp)}',
                     "the kernel has no TLS: neither built in (CONFIG_TLS) nor as a module `tls`"
                     if missing else f'the kernel refused TCP_ULP "tls" with {_errno(sock.ulp)}',
                     "modprobe tls, or a kernel with CONFIG_TLS and CONFIG_TLS_DEVICE" if missing
                     else "ENOTCONN: the program asked before it was connected")
            return False
        self.add(OK, 'setsockopt(TCP_ULP, "tls"): the kernel has TLS')
        return True

    def _setsockopt(self) -> bool:
        asked, name = self.asked, NAMES[self.way]
        if asked is None:
            self._no_keys(name)
            return False
        what = f"setsockopt({name}) with {_version(asked.version)}, {_cipher(asked.cipher)}"
        if asked.answer:
            self.add(FAIL, f"{what}: {_errno(asked.answer)}",
                     f"the kernel refused {name} ({_version(asked.version)}, "
                     f"{_cipher(asked.cipher)}) with {_errno(asked.answer)}",
                     "choose TLS 1.2 with AES-128-GCM or AES-256-GCM")
            return False
        self.add(OK, what + (": accepted" if asked.answer == 0 else ": no answer was seen"))
        return True

    def _no_keys(self, name: str) -> None:
        """The ULP is there, but the program gave the kernel no keys."""
        said = self.connection
        text = f"setsockopt({name}) was not called, so the kernel has no keys"
        if said.version is None:
            self.add(FAIL, text, "the program gave the kernel no keys, and no handshake was seen",
                     "does the handshake succeed?")
            return
        used = f"{_version(said.version)}, {_suite(said.suite)}"
        other = [NAMES[way] for way in (self.end.sock.asked if self.end.sock else ())]
        reason = "its kTLS switch is off" if not other else \
            f"it gave those for {other[0]} only"
        more = "" if said.version == TLS_1_2 and _suite(said.suite) in \
            ("AES-128-GCM", "AES-256-GCM") else \
            f", or its library does not give the kernel {used}; a NIC takes TLS 1.2 with AES-GCM"
        self.add(FAIL, f"{text}; the handshake agreed on {used}",
                 f"the program encrypts by itself ({used}): {reason}{more}",
                 "openssl: -ktls, with -tls1_2 and AES-GCM; a program with OpenSSL: "
                 "SSL_OP_ENABLE_KTLS; nginx: ssl_conf_command Options KTLS")

    # the kernel and the NIC

    def _offload(self) -> bool:
        asked, option = self.asked, OPTION[self.way]
        assert asked is not None
        good = True
        if asked.version and asked.version != TLS_1_2:
            self.add(FAIL, f"{_version(asked.version)}: Linux gives a NIC TLS 1.2 only",
                     f"the connection is {_version(asked.version)}, and Linux "
                     f"{self.seen.guest.get('kernel', '')} gives a NIC TLS 1.2 only",
                     "openssl: -tls1_2; nginx: ssl_protocols TLSv1.2")
            good = False
        elif asked.version:
            self.add(OK, "TLS 1.2 can be given to a NIC")
        if asked.cipher and asked.cipher not in OFFLOADED_CIPHERS:
            self.add(FAIL, f"{_cipher(asked.cipher)}: a NIC takes AES-GCM only",
                     f"the cipher is {_cipher(asked.cipher)}, and Linux gives a NIC AES-128-GCM "
                     "or AES-256-GCM only",
                     "openssl: -cipher ECDHE-RSA-AES128-GCM-SHA256 (ECDSA with such a key)")
            good = False
        elif asked.cipher:
            self.add(OK, f"{_cipher(asked.cipher)} can be given to a NIC")
        self._interface()
        if asked.offload == 0 or asked.driver == 0:
            self.add(OK, f"{option} was on, and the driver took the connection")
            return True
        if asked.driver is not None:
            self._refused(asked)
        elif good:
            self._not_asked(asked, option)
        return False

    def _interface(self) -> None:
        names = self.end.interfaces
        if not names:
            return
        kinds = [(name, self.machine.kind(name, self.end.namespace)) for name in names]
        text = ", ".join(f"{name}{f' ({kind})' if kind else ''}" for name, kind in kinds)
        self.add(NOTE, f"its packets pass {text}")

    def _not_asked(self, asked: Asked, option: str) -> None:
        """The kernel did not ask the driver: the feature, or the interface."""
        said = f"the kernel's attempt to give it to the NIC: {_errno(asked.offload or 0)}" \
            if asked.offload else "the kernel made no attempt to give it to a NIC"
        if not asked.tried and "tx" not in self.seen.guest.get("not_probed", {}):
            self.add(FAIL, said, "the kernel was built without offload of TLS",
                     "a kernel with CONFIG_TLS_DEVICE")
            return
        outer = self.end.interfaces[0] if self.end.interfaces else self.name
        if asked.offload is not None and -asked.offload == errno.EINVAL:
            self.add(FAIL, said, f"the route of this connection leads to no NIC that is up "
                     f"({', '.join(self.end.interfaces) or 'interface not seen'})",
                     "`ip route get ADDRESS` names the interface: expected a NIC, not lo")
            return
        self._feature(said, outer, option)

    def _feature(self, said: str, outer: str, option: str) -> None:
        values = self.machine.features(outer, option, self.end.namespace)
        kind = self.machine.kind(outer, self.end.namespace)
        if kind:
            self.add(FAIL, f"{said}; {option} of {outer}: {', '.join(values) or 'unknown'}",
                     f"the connection goes through {outer}, a {kind}, whose {option} is off",
                     f"ethtool -K {outer} {option} on if {outer} has it; else send through the "
                     "NIC itself")
        elif self.machine.known(outer, self.end.namespace) and not values:
            self.add(FAIL, f"{said}; `ethtool -k {outer}` has no {option}",
                     "the kernel was built without offload of TLS",
                     "a kernel with CONFIG_TLS_DEVICE")
        elif values and all("[fixed]" in value for value in values):
            self.add(FAIL, f"{said}; {option} of {outer}: {values[0]}",
                     f"{outer} does not offer {option}: its driver was built without "
                     "CONFIG_MLX5_EN_TLS, or the NIC has no TLS (tls-tx=off, tls-rx=off)",
                     "a driver with CONFIG_MLX5_EN_TLS; --nic tls-tx=on,tls-rx=on")
        else:
            default = ", as it is until somebody switches it on" if self.way == RX else ""
            self.add(FAIL, f"{said}; {option} of {outer}: {', '.join(values) or 'not seen'}",
                     f"{option} was off when the connection began{default}",
                     f"before the connection: lab run --feature {option}=on; in the guest "
                     f"`lab-net feature {option}=on`; elsewhere ethtool -K")

    def _refused(self, asked: Asked) -> None:
        """The driver was asked and could not: commands that the device refused meanwhile."""
        lines = [line for time, line in self.seen.kernel
                 if asked.began - SLACK <= time <= (asked.ended or asked.began) + SLACK]
        failed = [match for line in lines if (match := COMMAND.search(line))]
        text = f"the driver was asked, and answered {_errno(asked.driver or 0)}"
        if not failed:
            self.add(FAIL, f"{text}; the kernel's log has no refused command",
                     f"the driver could not take the connection ({_errno(asked.driver or 0)}), "
                     "and no command was refused: it may lack memory or free TIS",
                     "the counters and `objects` of the device (docs/observing.md)")
            return
        name, status = failed[0][1], failed[0][2]
        whats = {"CREATE_TIR": "no TIR", "CREATE_TIS": "no TIS", "CREATE_GENERAL_OBJECT": "no key",
                 "MODIFY_GENERAL_OBJECT": "no key", "SET_FLOW_TABLE_ENTRY": "no flow rule"}
        own = [why for _, command, _, why in self.seen.refused if command == name]
        rules = [rule for _, rule, _ in self.seen.faults if name in rule or "cmd=any" in rule]
        reason = f"fault rule '{rules[0]}'" if rules else own[0] if own else f"status {status}"
        self.add(FAIL, f"{text}; the device refused {name}: {status}",
                 f"{whats.get(name, 'no context')} for it: the device refused {name} ({reason})",
                 "remove the rule: fault.clear (docs/faults.md)" if rules else
                 "docs/commands.md explains status and syndrome; limits are properties of the NIC")

    # the NIC

    def _device(self) -> None:
        context = self.context
        dropped = [line for _, line in self.seen.kernel if NO_SOCKET in line]
        delays = self.machine.delays(self.end)
        # the line names no interface; a delay that was seen elsewhere is of another's packets
        if self.way == TX and dropped and (delays or not self.machine.delays()):
            where = f": `{delays[0]}`" if delays else ""
            self.add(FAIL, f"the kernel's log: {dropped[0]} "
                           f"({_plural(len(dropped), 'line')}){where}",
                     "the kernel drops its packets unsent, because something between socket and "
                     f"NIC takes them from their socket, as a delay by tc netem does{where}",
                     "delay on the wire instead: lab run --wire 'delay a>b ms=10'; or switch "
                     f"{OPTION[TX]} off before the connection")
            return
        if context is None or not context.packets:
            short = "the driver's flow rule takes some packets to be in force" \
                if self.way == RX else "no payload was sent after the handshake"
            self.add(NOTE, f"no packet has passed the NIC's context: {short}, or the connection "
                           "ended before")
            return
        self.add(OK, f"{context.dev} {'tis' if self.way == TX else 'tir'} {context.num:#x} took "
                     f"{_plural(context.packets, 'packet')}")
        for reason, count in context.drops.items():
            self.add(NOTE, f"{_plural(count, 'packet')} dropped by the NIC: {reason}")


def name_of(end: End) -> str:
    """The interface of an end that people know it by; else its address."""
    if end.contexts:
        return "mlx" + next(iter(end.contexts.values())).dev.removeprefix("nic")
    nics = [name for name in end.interfaces if re.fullmatch(r"mlx\d+", name)]
    return (nics or end.interfaces or [end.local])[0]


# ---- stories


def _records(context: Context) -> str:
    if context.numbers is None:
        return ""
    low, high = context.numbers
    return f", record {low}" if low == high else f", records {low} to {high}"


def _loss(context: Context, loss: Loss) -> list[str]:
    """A loss of sync in sentences. Sequence numbers count from where the context began."""
    base = context.start if context.start is not None else context.first or 0

    def place(seq: int) -> str:
        return f"byte {(seq - base) % (1 << 32):,}"

    lines = [f"sync lost at {place(loss.seq)}: {loss.why} ({loss.row})" if not loss.late else
             f"began late, at {place(loss.seq)}: the packets before it came before the driver's "
             f"flow rule was in force ({loss.row})"]
    if not loss.flagged:
        lines.append("no record header was found after that, so nothing was asked")
        return lines
    lines.append(f"the NIC found a header in the packet at {place(loss.flagged[0])} and asked for "
                 f"a resync" + (f", {len(loss.flagged)} times in all" if loss.flagged[1:] else ""))
    if not loss.answers:
        lines.append("the driver did not ask back (GET_PSV)")
    elif not loss.approvals:
        lines.append(f"the driver asked back (GET_PSV: {place(loss.answers[-1])}), and the "
                     "software approved nothing")
    else:
        seq, record = loss.approvals[-1]
        lines.append(f"the driver asked back (GET_PSV), and the software approved {place(seq)} as "
                     f"record {record}")
    lines.append(f"decrypting again from {place(loss.back)} on" if loss.back is not None else
                 "it was not decrypting again when the connection ended")
    lines.append(f"cost: {_plural(loss.packets, 'packet')} with {loss.bytes:,} bytes for the CPU")
    return lines


def _story(context: Context) -> list[str]:
    lines = [line for loss in context.losses for line in _loss(context, loss)]
    for reason, (packets, size) in context.skipped.items():
        lines.append(f"{_plural(packets, 'packet')} with {size:,} bytes in sync but not decrypted: "
                     f"{reason}")
    if context.records:
        lines.append("records: " + ", ".join(f"{count:,} {verdict}" for verdict, count in
                                             sorted(context.records.items())))
    return lines


# ---- the report


def told(seen: Observed) -> list[Told]:
    """Return what is said about each connection."""
    found = []
    for connection in seen.connections:
        ways = [Judge(seen, connection, end, way).judge() for end in connection.ends
                for way in (TX, RX)]
        title = " <-> ".join(f"{end.local} ({name_of(end)})" for end in connection.ends)
        agreed = [_version(connection.version), _suite(connection.suite)] \
            if connection.version else []
        found.append(Told(", ".join([title, *filter(None, agreed)]), ways))
    return found


def _causes(connections: list[Told]) -> list[tuple[str, str, list[str], int]]:
    """Return [(cause, fix, names of the ends, how many connections)], the commonest first."""
    found: dict[tuple[str, str], tuple[dict[str, None], set[int]]] = {}
    for number, one in enumerate(connections):
        for way in one.ways:
            if way.cause is not None:
                names, numbers = found.setdefault((way.cause.cause, way.cause.fix), ({}, set()))
                names[way.cause.where] = None
                numbers.add(number)
    rows = [(cause, fix, list(names), len(numbers))
            for (cause, fix), (names, numbers) in found.items()]
    return sorted(rows, key=lambda row: -row[3])


def _summary(connections: list[Told], seen: Observed) -> str:
    """The first line."""
    if "lost" in seen.guest:
        return "not known: what was seen in the guest is lost, with its kernel or its observer"
    if not connections:
        return "no TLS connection was seen"
    every = [way for one in connections for way in one.ways]
    whole = sum(all(way.outcome == "hw" for way in one.ways) for one in connections)
    failed = sum(any(way.cause for way in one.ways) for one in connections)
    text = f"{_plural(len(connections), 'TLS connection')}: "
    if whole == len(connections) and not failed:
        losses = sum(line.startswith("sync lost") for way in every for line in way.story)
        return text + "offloaded in both directions at each end in the guest" + (
            f"; sync was lost {_plural(losses, 'time')}" if losses else "")
    parts = [f"{way} {count} of {len(of)}" for way, of, count in
             ((f"{WORK[way]} by a NIC:", of, sum(one.outcome == "hw" for one in of))
              for way in (TX, RX) for of in ([one for one in every if one.way == way],))]
    if whole == len(connections):
        return text + "offloaded, but the data does not get through"
    return text + "not (fully) offloaded; " + ", ".join(parts)


def as_text(seen: Observed) -> str:
    """Return the report: the verdict, cause and fix in the first five lines, then the evidence."""
    connections = told(seen)
    lines = [_summary(connections, seen)]
    for cause, fix, names, count in _causes(connections):
        of = f" ({_plural(count, 'connection')})" if len(connections) > 1 else ""
        lines += [f"cause: {', '.join(names)}: {cause}{of}", f"fix:   {fix}"]
    for one in connections:
        lines += ["", one.title]
        for way in one.ways:
            lines.append(f"  {way.sentence}")
            lines += [f"    {line}" for line in way.story]
    lines += _evidence(connections) + _unknown(seen)
    return "\n".join(lines) + "\n"


def _evidence(connections: list[Told]) -> list[str]:
    lines = []
    for one in connections:
        lines += ["", f"evidence: {one.title}"]
        for way in one.ways:
            lines.append(f"  {way.name} {DOES[way.way]}")
            lines += [f"    {check.state:4}  {check.text}" for check in way.checks]
    return lines


def unknown(seen: Observed) -> list[str]:
    """Return what cannot be known of this run, in sentences."""
    lines = []
    if problem := seen.guest.get("lost"):
        lines.append(f"what programs and kernel did: {problem}")
    for name, why in seen.guest.get("not_probed", {}).items():
        lines.append(f"the probe {name} could not be set: {why}")
    for name, what in (("trace_lost", "lines of the kernel's trace"),
                       ("hellos_lost", "packets of handshakes")):
        if seen.guest.get(name):
            lines.append(f"{seen.guest[name]} {what} were lost: connections may be missing")
    lost = [context for context in seen.contexts if not context.taken and context.packets]
    if lost:
        lines.append("contexts of connections that began before the observation: " + ", ".join(
            f"{one.dev} {'tis' if one.way == TX else 'tir'} {one.num:#x}" for one in lost))
    return lines


def _unknown(seen: Observed) -> list[str]:
    lines = unknown(seen)
    return ["", "not known", *(f"  {line}" for line in lines)] if lines else []


def as_json(seen: Observed) -> str:
    """Return the same for programs, with all figures of the contexts."""
    connections = told(seen)
    ends = [[dataclasses.asdict(end) for end in of.ends] for of in seen.connections]
    for end in (end for of in ends for end in of):
        for context in end["contexts"].values():
            del context["marks"]        # the traces say it: this is for the picture
    content = {
        "verdict": _summary(connections, seen),
        "causes": [{"cause": cause, "fix": fix, "ends": names, "connections": count}
                   for cause, fix, names, count in _causes(connections)],
        "connections": [{"title": one.title, "client": of.client, "ways": [
            {**dataclasses.asdict(way), "cause": way.cause and dataclasses.asdict(way.cause)}
            for way in one.ways], "ends": of_ends}
            for one, of, of_ends in zip(connections, seen.connections, ends)],
        "not_known": unknown(seen)}
    return json.dumps(content, indent=1) + "\n"
