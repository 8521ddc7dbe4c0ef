# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab explain`: what is made of observations, in the form in which kernel and device
give them.

Responsible for: scripts/labkit/flows.py and explain.py, without a guest. test_explain_run.py has
the same with one.
State: none.
"""

import contextlib
import html.parser
import io
import json
from typing import Any

from labkit import cli, explain, flows, timeline
from labkit.errors import UsageError
from labkit.run import watch

from .judge import check, raises, same, temporary_folder

SERVER, CLIENT = ("10.0.0.1", 4433), ("10.0.0.2", 40000)
NAMESPACES = {"mlx0": "", "mlx1": "peer"}
AES128, CHACHA = 51, 54         # of linux/tls.h
ECDSA_AES128, ECDSA_CHACHA, TLS13_AES128 = 0xc02b, 0xcca9, 0x1301
EOPNOTSUPP, ENOENT, EINVAL, EIO = -95, -2, -22, -5


def _word(host: str) -> str:
    return hex(int.from_bytes(bytes(map(int, host.split("."))), "little"))


class Made:
    """Observations of a guest with two NICs, written as the observers write them."""

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.hellos: list[dict[str, Any]] = []
        self.qemu: list[str] = []
        self.records: list[str] = []
        self.kernel: list[str] = []
        self.features = {"tls-hw-tx-offload": "on", "tls-hw-rx-offload": "off"}
        self.qdiscs = ""
        self.kind = ""
        self.extra: dict[str, Any] = {}
        self.time = 100.0

    def line(self, event: str, rest: str) -> None:
        """A line of trace_pipe."""
        self.time += 0.001
        self.trace.append(f"         openssl-207     [001] ...1.   {self.time:.6f}: {event}: "
                          f"{rest}")

    def socket(self, local: tuple[str, int], remote: tuple[str, int]) -> str:
        """The words of a probe about a socket."""
        port = hex(int.from_bytes(remote[1].to_bytes(2, "big"), "little"))
        return (f"sk=0xffff8880{local[1]:08x} daddr={_word(remote[0])} saddr={_word(local[0])} "
                f"dport={port} sport={local[1]} family=2 net=0xffffffff82b0c8c0 d6a=0x0 d6b=0x0 "
                "s6a=0x0 s6b=0x0")

    def asks(self, local: tuple[str, int], remote: tuple[str, int], ways: str = "tx rx",
             version: int = 0x303, cipher: int = AES128, ulp: int = 0, answer: int = 0,
             offload: dict[str, int] | None = None, driver: dict[str, int] | None = None) -> None:
        """A program asks the kernel for TLS. offload: the outcome of the attempt, by direction;
        driver: what the driver said, absent if it is not asked."""
        sock = self.socket(local, remote)
        self.line("ulp", f'(tcp_set_ulp+0x0/0x1a0) {sock} name="tls"')
        self.line("ulp_ret", f"(do_tcp_setsockopt+0x3a/0xd00 <- tcp_set_ulp) ret={ulp}")
        for way in ways.split():
            if way == "rx":             # OpenSSL asks again before each key
                self.line("ulp", f'(tcp_set_ulp+0x0/0x1a0) {sock} name="tls"')
                self.line("ulp_ret", "(do_tcp_setsockopt+0x3a/0xd00 <- tcp_set_ulp) ret=-17")
            opt = {"tx": 1, "rx": 2}[way]
            self.line("opt", f"(tls_setsockopt+0x0/0x7f0) {sock} level=282 opt={opt} "
                             f"version={version:#x} cipher={cipher}")
            if not answer:
                name = {"tx": "tls_set_device_offload", "rx": "tls_set_device_offload_rx"}[way]
                self.line(way, f"({name}+0x0/0x300) {sock}")
                if way in (driver or {}):
                    self.line("tls_device_offload_set",
                              f"sk=ffff8880{local[1]:08x} direction={2 - opt} "
                              f"tcp_seq={self.start(local, way)} tcp_rec_no=1 "
                              f"ret={(driver or {})[way]}")
                self.line(f"{way}_ret", f"(tls_setsockopt+0x1/0x7f0 <- {name}) "
                                        f"ret={(offload or {}).get(way, EOPNOTSUPP)}")
            self.line("opt_ret", "(do_sock_setsockopt+0x1/0x2 <- tls_setsockopt) "
                                 f"ret={answer}")

    def start(self, local: tuple[str, int], way: str) -> int:
        """Where the NIC begins: numbers wrap around soon after."""
        return (1 << 32) - (2000 if way == "rx" else 100000) - local[1] % 10000

    def shakes(self, version: int = 0x303, suite: int = ECDSA_AES128) -> None:
        """Both hellos, at both ends."""
        for source, target, kind in ((CLIENT, SERVER, "client"), (SERVER, CLIENT, "server")):
            for interface, local in (("mlx0", SERVER), ("mlx1", CLIENT)):
                self.hellos.append({
                    "hello": kind, "version": version, "cipher": suite, "time": self.time,
                    "from": f"{source[0]}|{source[1]}", "to": f"{target[0]}|{target[1]}",
                    "namespace": NAMESPACES[interface], "interface": interface,
                    "out": local == source})

    def seen(self) -> flows.Observed:
        """What flows makes of it."""
        look = {"time": self.time, "namespaces": {namespace: {
            "links": {name: self.kind},
            "features": {name: self.features}, "qdiscs": self.qdiscs, "sockets": "",
            "tls_stat": ""} for name, namespace in NAMESPACES.items()}}
        guest = {"format": 1, "kernel": "6.12.1", "not_probed": {}, "trace": self.trace,
                 "trace_lost": 0, "hellos": self.hellos, "hellos_lost": 0, "looks": [look],
                 **self.extra}
        return flows.observed(guest, self.qemu, self.records, self.kernel)

    def first_lines(self) -> str:
        """The first five lines of the report: all that a reader in a hurry sees."""
        return "\n".join(explain.as_text(self.seen()).splitlines()[:5])


def _told(made: Made, *words: str) -> None:
    head = made.first_lines()
    for word in words:
        check(word in head, f"{word!r} is not in the first lines: {head}")


def _half_offloaded() -> Made:
    made = Made()
    made.shakes()
    for local, remote in ((SERVER, CLIENT), (CLIENT, SERVER)):
        made.asks(local, remote, driver={"tx": 0}, offload={"tx": 0})
    return made


def test_explain_feature_off(_rig: object) -> None:
    """Receive offload off at both ends, the driver's default: the feature is named once, for both
    ends, with the option that switches it on; what was offloaded is not complained of."""
    made = _half_offloaded()
    _told(made, "1 TLS connection: not (fully) offloaded; encrypted by a NIC: 2 of 2, decrypted by "
                "a NIC: 0 of 2", "cause: mlx1, mlx0: tls-hw-rx-offload was off",
          "--feature tls-hw-rx-offload=on")
    check("tls-hw-tx-offload was off" not in explain.as_text(made.seen()), "tx was on")
    made.features["tls-hw-rx-offload"] = "off [fixed]"
    _told(made, "does not offer tls-hw-rx-offload", "CONFIG_MLX5_EN_TLS")
    made.features.pop("tls-hw-rx-offload")
    _told(made, "the kernel was built without offload of TLS", "CONFIG_TLS_DEVICE")


def test_explain_cipher_and_version(_rig: object) -> None:
    """A cipher or a version that no NIC takes is the cause, though the feature is off too."""
    for version, cipher, suite, words in (
            (0x303, CHACHA, ECDSA_CHACHA, ("the cipher is ChaCha20-Poly1305", "-cipher ECDHE")),
            (0x304, AES128, TLS13_AES128, ("the connection is TLS 1.3", "-tls1_2"))):
        made = Made()
        made.shakes(version, suite)
        for local, remote in ((SERVER, CLIENT), (CLIENT, SERVER)):
            made.asks(local, remote, version=version, cipher=cipher)
        _told(made, "encrypted by a NIC: 0 of 2, decrypted by a NIC: 0 of 2", *words)


def test_explain_program(_rig: object) -> None:
    """A program that never asks, one that gives no keys, and a kernel without TLS."""
    made = Made()
    made.shakes()
    _told(made, "never asked the kernel", "-ktls", "cause: mlx1, mlx0")
    for local, remote in ((SERVER, CLIENT), (CLIENT, SERVER)):
        made.asks(local, remote, ways="")
    _told(made, "encrypts by itself (TLS 1.2, AES-128-GCM)", "kTLS switch is off", "-ktls")
    made = Made()
    made.shakes()
    made.asks(SERVER, CLIENT, ways="", ulp=ENOENT)
    _told(made, "neither built in (CONFIG_TLS) nor as a module", "modprobe tls")
    made = Made()
    made.shakes()
    made.asks(SERVER, CLIENT, answer=EINVAL)
    _told(made, "refused TLS_TX (TLS 1.2, AES-128-GCM) with EINVAL")
    made = Made()
    made.extra = {"not_probed": {"ulp": "No such file or directory"}}
    made.shakes()
    text = explain.as_text(made.seen())
    check("not known: the kernel could not be probed" in text and "the probe ulp could not be set: "
          "No such file or directory" in text, text)


def test_explain_interface(_rig: object) -> None:
    """A route to no NIC, and an interface in between that lacks the feature."""
    made = Made()
    made.shakes()
    made.asks(SERVER, CLIENT, offload={"tx": EINVAL, "rx": EINVAL})
    made.asks(CLIENT, SERVER, offload={"tx": EINVAL, "rx": EINVAL})
    _told(made, "the route of this connection leads to no NIC that is up", "ip route get")
    made = _half_offloaded()
    made.kind = "bridge"
    _told(made, "a bridge, whose tls-hw-rx-offload is off")
    made = _half_offloaded()
    for hello in list(made.hellos):
        above = {**hello, "interface": hello["interface"] + ".5"}
        made.hellos.insert(made.hellos.index(hello) + (not hello["out"]), above)
    client, server = made.seen().connections[0].ends
    same((client.interfaces, server.interfaces), (["mlx1.5", "mlx1"], ["mlx0.5", "mlx0"]),
         "interfaces, from the socket down")


def test_explain_refused_command(_rig: object) -> None:
    """A command that the device refused during the attempt is named, with the rule that made it;
    one that it refused at another time has no part in it."""
    made = Made()
    made.shakes()
    made.asks(CLIENT, SERVER, driver={"tx": 0, "rx": EIO}, offload={"tx": 0, "rx": EIO})
    line = ("err   : [{:12.6f}] mlx5_core 0000:02:00.0: mlx5_cmd_out_err:838:(pid 207): "
            "CREATE_TIR(0x900) op_mod(0x0) failed, status limits exceeded(0x8), syndrome "
            "(0x0), err(-5)")
    made.kernel.append(line.format(50.0))
    check("no command was refused" in made.first_lines(), made.first_lines())
    made.kernel.append(line.format(made.time - 0.003))
    _told(made, "cause: mlx1: no TIR for it: the device refused CREATE_TIR (status limits exceeded")
    made.qemu = ["mlx5_fault_hit nic1: rule 1 'fail cmd=CREATE_TIR status=0x8' applied to cmd "
                 "0x900 at 0"]
    _told(made, "fault rule 'fail cmd=CREATE_TIR status=0x8'", "fault.clear")


def test_explain_netem(_rig: object) -> None:
    """Packets that lost their socket to a delay: said of the connection that is offloaded, with the
    qdisc that did it."""
    made = _half_offloaded()
    made.qdiscs = "qdisc netem 8001: dev mlx0 root refcnt 2 limit 1000 delay 10ms"
    made.kernel = ["warn  : [  101.000000] unencrypted skb with no associated socket - dropping"]
    _told(made, "cause: mlx0: the kernel drops its packets unsent", "takes them from their socket",
          "qdisc netem 8001", "--wire 'delay a>b ms=10'")
    made.qdiscs = ""
    _told(made, "cause: mlx1, mlx0: the kernel drops its packets unsent")


def _received(made: Made) -> flows.Context:
    """A connection that loses a header at the client and comes back."""
    made.shakes()
    made.asks(SERVER, CLIENT, driver={"tx": 0}, offload={"tx": 0})
    made.asks(CLIENT, SERVER, driver={"tx": 0, "rx": 0}, offload={"tx": 0, "rx": 0})
    at = made.start(CLIENT, "rx")

    def packet(offset: int, flag: int, before: str, after: str, row: str, why: str) -> None:
        made.qemu.append(f"mlx5_tls_rx nic1: tir 0xe seq {(at + offset) % (1 << 32):#x} +1000 "
                         f"flag {flag}, {before} to {after}, {row}: {why}")

    made.qemu = ["7@1.5:mlx5_tls_set_psv nic1: tir 0xe next_record_tcp_sn "
                 f"{at:#x}: as it should be", "something else"]
    packet(0, 1, "START", "OFFLOAD", "R3", "as it should be")
    packet(2000, 0, "OFFLOAD", "SEARCH", "R9: OFFLOAD, header lost: search",
           "a record header is missing before it")
    packet(3000, 2, "SEARCH", "CAND", "R12: SEARCH, header found: candidate",
           "candidate header waits for approval")
    candidate = (at + 3500) % (1 << 32)
    made.qemu += [f"mlx5_tls_get_psv nic1: tir 0xe record_tracker_state 1 auth_state 0 "
                  f"hw_resync_tcp_sn {candidate:#x}",
                  "mlx5_tls_static nic1: tir 0xe dek 0x1 initial_record_number 4 resync_tcp_sn "
                  f"{candidate:#x}: as it should be"]
    packet(4000, 0, "CAND", "AUTH", "R29", "approved, first record not authenticated yet")
    packet(5000, 1, "OFFLOAD", "OFFLOAD", "R5", "as it should be")
    packet(6000, 1, "OFFLOAD", "OFFLOAD", "R5", "as it should be")
    for record, offset, verdict in ((0, 0, "decrypted"), (4, 3500, "not-decrypted"),
                                    (5, 5000, "decrypted"), (6, -90000, "decrypted")):
        made.records.append(json.dumps({"dev": "nic1", "dir": "rx", "tirn": 14, "record": record,
                                        "tcp_sn": (at + offset) % (1 << 32), "verdict": verdict}))
    made.records += ['{"dev": "nic1"', json.dumps({"dev": "nic0", "dir": "rx", "tirn": 14,
                                                   "record": 9, "tcp_sn": at, "verdict": "x"})]
    return next(context for context in made.seen().contexts if context.way == "rx")


def test_explain_loss(_rig: object) -> None:
    """A loss of sync with all that followed, and its cost, over a wrap of the sequence numbers."""
    made = Made()
    context = _received(made)
    same((context.packets, context.decrypted, context.bytes, context.decrypted_bytes),
         (6, 3, 6000, 3000), "packets and bytes")
    same((len(context.losses), context.losses[0].packets, context.losses[0].bytes), (1, 3, 3000),
         "losses and their cost")
    same(context.numbers, (0, 5), "records: those of this connection and device alone")
    same(context.records, {"decrypted": 2, "not-decrypted": 1}, "verdicts")
    text = explain.as_text(made.seen())
    for line in ("sync lost at byte 2,000: a record header is missing before it (R9)",
                 "found a header in the packet at byte 3,000", "approved byte 3,500 as record 4",
                 "decrypting again from byte 5,000 on", "cost: 3 packets with 3,000 bytes",
                 "mlx1 receives: offloaded, records 0 to 5: 3,000 bytes in 3 packets decrypted; "
                 "3 packets with 3,000 bytes not, sync lost 1 time"):
        check(line in text, f"{line!r} is not in {text}")
    made.qemu = made.qemu[:4]
    text = explain.as_text(made.seen())
    check("no record header was found after that" in text, text)


def test_explain_transmit(_rig: object) -> None:
    """DUMPs and steps back are counted for the connection that they were for: a TIS that another
    one had before has none of them."""
    made = Made()
    made.shakes()
    made.asks(SERVER, CLIENT, driver={"tx": 0}, offload={"tx": 0})
    first = made.start(SERVER, "tx")
    made.qemu = [
        "mlx5_tls_tx nic0: tis 0x5 seq 0x100 +10, 1 records done: TX4",     # of another before
        "mlx5_tls_set_psv nic0: tis 0x5 next_record_tcp_sn 0x0: as it should be",
        f"mlx5_tls_tx nic0: tis 0x5 seq {first:#x} +1000, 1 records done: TX4",
        f"mlx5_err_tls_tx nic0: tis 0x5 seq {first + 9:#x} dropped: sequence number is not the "
        "expected one",
        "mlx5_tls_set_psv nic0: tis 0x5 next_record_tcp_sn 0x0: as it should be",
        "mlx5_tls_dump nic0: tis 0x5 +300: as it should be",
        f"mlx5_tls_tx nic0: tis 0x5 seq {first + 300:#x} +700, 0 records done: TX5"]
    ours, = [context for context in made.seen().contexts if context.taken]
    same((ours.packets, ours.bytes, ours.restarts, ours.dumps, ours.dump_bytes, ours.drops),
         (2, 1700, 1, 1, 300, {"sequence number is not the expected one": 1}), "the context")
    text = explain.as_text(made.seen())
    check("1 step back for a retransmission, 1 DUMP of 300 bytes" in text, text)
    check("contexts of connections that began before the observation: nic0 tis 0x5" in text, text)


def test_explain_addresses(_rig: object) -> None:
    """Sockets and hellos of one connection have one name: IPv6, and IPv4 in an IPv6 socket."""
    for address, words, name in (
            ("fd00::1", ("0xfd", "0x100000000000000"), "[fd00::1]:443"),
            ("10.0.0.1", ("0x0", "0x100000affff0000"), "10.0.0.1:443")):
        made = Made()
        made.line("ulp", "(tcp_set_ulp+0x0/0x1a0) sk=0xffff888000000001 daddr=0x0 saddr=0x0 "
                         f"dport=0xbb01 sport=443 family=10 net=0x1 d6a={words[0]} d6b={words[1]} "
                         f's6a={words[0]} s6b={words[1]} name="tls"')
        made.hellos = [{"hello": "server", "version": 0x303, "cipher": ECDSA_AES128, "time": 0.0,
                        "from": f"{address}|443", "to": f"{address}|443", "namespace": "",
                        "interface": "lo", "out": True}]
        of, = made.seen().connections
        same([(end.local, end.interfaces) for end in of.ends], [(name, ["lo"])], address)


def test_explain_many(_rig: object) -> None:
    """Each cause is told once, the commonest first; ports that are used again are another
    connection."""
    made = _half_offloaded()
    made.asks(SERVER, CLIENT, cipher=CHACHA)
    found = made.seen().connections
    same(len(found), 2, "connections")
    made.asks(SERVER, CLIENT, cipher=CHACHA)
    text = explain.as_text(made.seen())
    check("3 TLS connections: not (fully) offloaded" in text.splitlines()[0], text)
    same(text.count("cause:"), 2, "causes")
    made.extra = {"lost": "the machine was reset"}
    made.trace, made.hellos = [], []
    check("not known: what was seen in the guest is lost" in made.first_lines() and
          "the machine was reset" in explain.as_text(made.seen()), made.first_lines())
    check("ChaCha20" in text.splitlines()[1] and "(2 connections)" in text.splitlines()[1], text)


def test_explain_picture(_rig: object) -> None:
    """A picture has each packet of each context once, with its line; its figures are the model's;
    it loads nothing, and what comes from the guest is text in it."""
    made = Made()
    _received(made)
    first = made.start(SERVER, "tx")
    made.qemu += [f"mlx5_tls_tx nic0: tis 0x5 seq {first:#x} +1000, 1 records done: TX4",
                  "mlx5_tls_dump nic0: tis 0x5 +300: as it should be <script>"]
    seen = made.seen()
    text = timeline.page(seen)
    for context in seen.contexts:
        for mark in context.marks:
            same(text.count(f"<title>{html.escape(mark.line)}</title>"), 1, mark.line)
    for words in ("decrypted, 3", "not decrypted, 2", "resync asked for, 1", "approval, 1",
                  "encrypted, 1", "DUMP, 1"):
        check(f"</span>{words} " in text, f"{words} in {text}")
    check("<script" not in text and "http" not in text and "src=" not in text, text)
    page = html.parser.HTMLParser()
    page.feed(text)
    page.close()
    for line in range(2000):
        made.qemu.append(f"mlx5_tls_tx nic0: tis 0x5 seq {first + line:#x} +1, 0 records done: TX7")
    same(timeline.page(made.seen()).count('class="mark done"'), 2004, "marks of many packets")


def test_explain_files(_rig: object) -> None:
    """`lab explain` reads a kept run, those parts of its files that belong to it; a folder that is
    none, a wrong format and a damaged file are refused by name."""
    made = Made()
    _received(made)
    with temporary_folder() as folder:
        with raises(UsageError, "no explain.json", "expected the artifacts of a run with "):
            watch.load(folder)
        guest = {"format": 1, "trace": made.trace, "hellos": made.hellos, "looks": []}
        before = "mlx5_tls_rx nic1: tir 0xe seq 0x0 +1 flag 0, OFFLOAD to SEARCH, R9: before\n"
        log = "\n".join(made.qemu) + "\n"
        (folder / "qemu.log").write_text(before + log + before, encoding="utf-8")
        (folder / "records-nic1.jsonl").write_text("\n".join(made.records), encoding="utf-8")
        manifest = {"format": watch.FORMAT, "guest": guest, "parts": {
            "qemu": [len(before), len(before) + len(log)], "kernel": [0, None], "nic1": [0, None]}}
        path = folder / "explain.json"
        path.write_text(json.dumps(manifest), encoding="utf-8")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            same(cli.main(["explain", str(folder)]), 0, "exit status")
            same(cli.main(["explain", "--json", str(folder)]), 0, "exit status")
        text, _, rest = out.getvalue().partition("{\n")
        same((text.count("sync lost at"), text.count("began before")), (1, 0),
             f"losses, of that part of the log alone, in {text}")
        ends = json.loads("{" + rest)["connections"][0]["ends"]
        same(ends[0]["contexts"]["rx"]["losses"][0]["packets"], 3, "the loss in JSON")
        for content, words in (('{"format": 9}', "has format 9, expected 1"),
                               ("{", "expected JSON"),
                               ('{"format": 1}', "what `lab run --explain` writes"),
                               (json.dumps({**manifest, "parts": {}}), "what `lab run --explain`")):
            path.write_text(content, encoding="utf-8")
            with raises(UsageError, words):
                watch.load(folder)
