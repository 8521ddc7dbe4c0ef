# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of those parts of the lab that need no guest; registered in the suite `lab`.

Responsible for: the framing, the channel's protocol, KTAP, the search in captures, archives,
the judgement of demo and coverage, the figures of a soak.
State: none.
"""

import argparse
import copy
import functools
import json
import pathlib
import random
import re
import struct
import tempfile
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from labkit import errors, ktap, paths
from labkit.commands import demo
from labkit.errors import LabError
from labkit.make import cpio
from labkit.run import capture, hints, machine, session
from labkit.run.actions import Actions
from labkit.run.channel import Channel
from labkit.run.frames import guest as f
from labkit.run.guest import GuestDied
from labkit.run.spec import Spec
from labkit.suites import coverage, guest, soak

from .judge import check, same
from .stand_ins import plain_rundir, unstarted_machine

SEED = 20


def _ends(link: Any, other: Any) -> None:
    """Both ends of a port that have greeted one another, as guest.py and labagent.py do it."""
    link.suspend()
    link.greet(f.RESUME, [link.received])
    for kind, _, _, words in other.feed(_drain(link)):
        same(kind, f.RESUME, "the greeting")
        check(other.resume(int(f.unpack_words(words)[0])), "the agent cannot go on")
        other.greet(f.HELLO, [other.received])


def _drain(link: Any, size: int = 1 << 30) -> bytes:
    data = bytearray()
    while len(data) < size and (part := link.output(min(f.CHUNK, size - len(data)))):
        link.wrote(len(part))
        data += part
    return bytes(data)


def test_framing(_rig: object) -> None:
    """Frames cut anywhere come out whole, and what is sent is kept only until it has come."""
    draw = random.Random(SEED)
    sent = [(f.DATA, draw.randrange(3), draw.randrange(65536),
             draw.randbytes(draw.choice((0, 1, 7, 300, f.CHUNK)))) for _ in range(60)]
    lab, agent, got = f.Link(), f.Link(bounded=True), []
    for kind, stream, session, data in sent:
        agent.send(kind, session, stream, data)
    same(agent.output(), b"", "output before a greeting")
    _ends(lab, agent)
    most = agent.kept
    while data := _drain(agent, draw.choice((1, 5, 8, 9, 4000, 70000))):
        for frame in lab.feed(data):
            if frame[0] == f.HELLO:
                check(lab.resume(0), "the lab cannot begin")
            else:
                got.append(frame)
        for frame in agent.feed(_drain(lab)):
            check(False, f"an ACK was delivered: {frame}")
    same(got, sent, "frames")
    check(agent.kept < f.ACK_EVERY + f.MAX_PAYLOAD < most, f"{agent.kept} bytes are kept")
    wanted = (["a", "", "ü\udcff"], {"A": "b=c", "E": ""}, "/x y", (3, 4))
    same(f.unpack_exec(f.pack_exec(*wanted)), wanted, "EXEC")
    for frame in (struct.pack("<BBHII", f.DATA, 1, 1, f.MAX_PAYLOAD + 1, 0),
                  f.frame(f.DATA, 1, 1, b"x", lab.received + 1),
                  f.frame(f.DATA, 1, 1, b"x", lab.received)[:-1] + b"y"):
        same((list(lab.feed(frame)), lab.lost), ([], True), "a frame that is none of the stream's")
        lab.suspend()
        check(lab.resume(0), "the lab cannot go on")


def test_lossy_port(_rig: object) -> None:
    """A port that loses bytes at any place, either way, in the middle of frames and greetings:
    each frame comes once, in order, unchanged, though the payload has greetings in it."""
    draw = random.Random(SEED)
    fake = f.MAGIC + f.frame(f.HELLO, payload=b"1\0", place=3) + f.MAGIC[:9]
    payloads = [draw.randbytes(100), fake, draw.randbytes(f.CHUNK), b"", f.MAGIC * 3]
    for _ in range(40):
        links = f.Link(), f.Link(bounded=True)
        got: tuple[list[Any], list[Any]] = ([], [])
        sent: tuple[list[Any], list[Any]] = ([], [])
        lab, agent = links
        pipes, losses = [b"", b""], 0
        lab.suspend()
        lab.greet(f.RESUME, [0, lab.received])
        question, idle = 0, 0
        while idle < 3 or losses < 12:
            for end in range(2):
                while links[end].unsent < f.CHUNK and len(sent[end]) < 150:
                    frame = (f.DATA, f.STDOUT, len(sent[end]), draw.choice(payloads))
                    links[end].send(frame[0], frame[2], frame[1], frame[3])
                    sent[end].append(frame)
                pipes[end] += _drain(links[end], draw.choice((1, 99, 5000, 90000)))
            idle = 0 if pipes[0] or pipes[1] else idle + 1
            lose = losses < 12 and draw.random() < 0.3
            if lose:
                losses += 1
                for end in range(2):
                    at = draw.randrange(len(pipes[end]) + 1)
                    pipes[end] = pipes[end][:at] + pipes[end][at + draw.randrange(3000):]
            for frame in agent.feed(pipes[0]):
                if frame[0] == f.RESUME:
                    number, place = map(int, f.unpack_words(frame[3]))
                    check(agent.resume(place), f"the agent has not sent {place} bytes")
                    agent.greet(f.HELLO, [number, agent.received])
                else:
                    got[0].append(frame)
            for frame in lab.feed(pipes[1]):
                if frame[0] == f.HELLO:
                    number, place = map(int, f.unpack_words(frame[3]))
                    if number == question:
                        check(lab.resume(place), f"the lab has not sent {place} bytes")
                else:
                    got[1].append(frame)
            pipes = [b"", b""]
            if lose:            # as QEMU tells: after the port has been opened again
                question += 1
                lab.suspend()
                lab.greet(f.RESUME, [question, lab.received])
        for end, name in enumerate(("the agent", "the lab")):
            same(len(got[end]), len(sent[end]), f"frames that reached {name}")
            check(got[end] == sent[end], f"{name} was given other bytes than were sent")


def test_channel_protocol(_rig: object) -> None:
    """Requests cut anywhere, broken off, too large or no requests at all."""
    with tempfile.TemporaryDirectory() as folder:
        channel = Channel(Actions(unstarted_machine(), plain_rundir(folder)))

        def ask(text: bytes) -> list[dict[str, Any]]:
            for at in range(0, len(text), 7):
                channel.feed(text[at:at + 7])
            lines = [json.loads(line) for line in bytes(channel.out).splitlines() if line]
            channel.out.clear()
            return lines

        put = b'{"id":"1","action":"artifact.put","args":{"name":"x"},"blob":3}\n'
        same([a["ok"] for a in ask(put + b"+1 QUJD\n")], [True], "a whole request")
        same(pathlib.Path(folder, "guest-x").read_bytes(), b"ABC", "the artifact")
        same(ask(put + b"+1 QU\n"), [{"id": "1", "again": True}], "a part of a line")
        same(ask(put + b"+2 QUJD\n"), [], "somebody else's bytes")
        log = b'{"id":"9","action":"lab.log","args":{"text":"t"}}\n'
        same([a["id"] for a in ask(b"\n" + log)], ["9"], "a request after half a request")
        same([a["ok"] for a in ask(put.replace(b":3", b":4") + b"+1 QUJDRUY=\n")], [False],
             "a blob that is too long")
        same([a["ok"] for a in ask(put.replace(b":3", b":999999999999"))], [False], "too large")
        same(ask(b"junk\n[]\n{}\n+\n+ \n\xff\xfe\n"), [], "junk")
        same([a["ok"] for a in ask(b'{"id":"1","action":"run","args":{}}\n')], [False], "run")
        again = b'{"id":"%s","again":true}\n'
        first = ask(put.replace(b'"1"', b'"7"') + b"+7 QUJD\n")
        pathlib.Path(folder, "guest-x").unlink()
        same(ask(again % b"7"), first, "an answer that was lost")
        check(not pathlib.Path(folder, "guest-x").exists(), "the action was done twice")
        same(ask(again % b"8"), [{"id": "8", "again": True}], "a request that was lost")
        same(ask(put + again % b"1" + b"+1 QUJD\n"), [{"id": "1", "again": True}],
             "half a request that was lost")
        channel.feed(b"x" * 300000)
        same([a["ok"] for a in ask(b"\n" + log)], [True], "a request after an endless line")


TAP = """TAP version 14
# random seed: 1
1..3
# Start of a tests
ok 1 /a/b
ok 2 /a/c # SKIP no such card
# about d
not ok /a/d - ERROR:x.c:1:f: (1 == 2)
"""
NESTED = """KTAP version 1
1..3
  KTAP version 1
  # Subtest: tls
  1..2
  ok 1 tx
    # deep
    ok 1 inner
  not ok 2 rx
not ok 1 tls
ok 2 ping # SKIP
"""


def test_ktap(_rig: object) -> None:
    """Results, groups, skips and missing tests are read as they are meant."""
    parser = ktap.parse(TAP)
    same([(r.name, r.status, r.reason) for r in parser.results()],
         [("a/b", "pass", ""), ("a/c", "skip", "no such card"),
          ("a/d", "fail", "ERROR:x.c:1:f: (1 == 2)")], "TAP")
    same(parser.results()[2].output, ["# about d"], "diagnostics")
    parser = ktap.parse(NESTED)
    same([(r.name, r.status) for r in parser.results()],
         [("tls/tx", "pass"), ("tls/rx/inner", "pass"), ("tls/rx/(group)", "fail"),
          ("ping", "skip")], "KTAP")
    same(parser.plan, 3, "plan")
    for pattern, wanted in (("guest", True), ("guest/tls", True), ("tls", True), ("T-*", True),
                            ("guest/tls/T-01", True), ("tls/T-0?", True), ("soak", False),
                            ("guest/tl", False), ("T-02", False)):
        same(ktap.selected("guest/tls/T-01", [pattern]), wanted, f"--only {pattern}")
    lines: list[str] = []
    report = ktap.MergedReport(lines.append)
    report.begin(1)
    report.begin_suite("s", 1)
    report.group("g", ktap.parse(NESTED).results())
    report.end_suite()
    check(not report.close(), "a failed test did not fail the report")
    same(lines[-1], "2 passed, 1 failed, 1 skipped\n", "the closing line")
    same(lines[-2], "not ok 1 s\n", "the suite's line")
    again = ktap.parse("".join(lines[:-1]))
    same([(r.name, r.status) for r in again.results()],
         [("s/g/tls/tx", "pass"), ("s/g/tls/rx/inner", "pass"), ("s/g/tls/rx/(group)", "fail"),
          ("s/g/ping", "skip")], "the report read again")


HOSTILE = "a\x1b[2J\x00b\r\x85c\u2028d\ud800e\x9b1m"


def test_hostile_text(_rig: object) -> None:
    """What a guest or a program puts into names, reasons and output breaks no line of a report, no
    XML, and reaches no terminal as a command."""
    shown = "a?[2J?b??c?d?e?1m"
    same(errors.printable(HOSTILE + "\n"), shown + "?", "one line")
    text = errors.LabError("x\x1by\nz\x07", "h\x9bi").render()
    same(text, "lab: x?y\nlab: z?\nlab: hint: h?i", "an error")
    lines: list[str] = []
    report = ktap.MergedReport(lines.append)
    results = [ktap.Result(["g", HOSTILE], "fail", "because\nnot ok 9 me " + HOSTILE, [HOSTILE]),
               ktap.Result(["it # SKIP no"], "fail", "why"),
               ktap.Result(["s"], "skip", "one\nok 5 two " + HOSTILE),
               ktap.Result(["p" + HOSTILE], "pass", "", [HOSTILE])]
    report.begin(1)
    report.begin_suite("s", len(results))
    for result in results:
        report.result(result)
    report.end_suite()
    report.close()
    for line in lines:
        check(re.fullmatch(r"[\t\x20-\x7e\u00a0-\ud7ff]*\n", line), f"{line!r} is in the report")
    again = ktap.parse("".join(lines[:-1]))
    same([(r.path[-1], r.status) for r in again.results()],
         [("g/" + shown, "fail"), ("it \\# SKIP no", "fail"), ("s", "skip"), ("p" + shown, "pass")],
         "the report read again")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "junit.xml"
        report.junit(path)
        cases = xml.parse(path).getroot().findall("testsuite/testcase")
        same(len(cases), len(results), "cases in the XML")
        report.save(pathlib.Path(folder) / "results.json")
        kept = json.loads((pathlib.Path(folder) / "results.json").read_text(encoding="utf-8"))
        same([r["name"] for r in kept["results"]], [r.name for r in results], "names in the JSON")


def test_find_window(_rig: object) -> None:
    """The search in captures against a slow, obvious one: exactly runs of 16 bytes and more."""
    draw = random.Random(SEED)
    payload = draw.randbytes(1 << 14)
    windows = {payload[at:at + 16] for at in range(len(payload) - 15)}
    for number in range(300):
        length = draw.choice((8, 15, 16, 17, 40))
        begin = {0: 0, 1: len(payload) - length}.get(number % 10,
                                                     draw.randrange(len(payload) - length))
        wire = bytearray(draw.randbytes(draw.randrange(40, 2000)))
        at = draw.randrange(len(wire) - length + 1)
        wire[at:at + length] = payload[begin:begin + length]
        wanted = any(bytes(wire[n:n + 16]) in windows for n in range(len(wire) - 15))
        found = capture.find_window(payload, wire)
        same(found is not None, wanted, f"{length} bytes from {begin} at {at}")
        if found:
            same(bytes(wire[found[1]:found[1] + 16]), payload[found[0]:found[0] + 16], "the place")


def test_archive(_rig: object) -> None:
    """A directory packed for the guest: names, modes and content, the same each time."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "tree")
        (root / "sub" / "__pycache__").mkdir(parents=True)
        (root / "sub" / "__pycache__" / "x.pyc").write_bytes(b"no")
        (root / "sub" / "run").write_bytes(b"#!/bin/sh\n")
        (root / "sub" / "run").chmod(0o700)
        (root / "link").symlink_to("sub/run")
        packed = []
        for name in ("a", "b"):
            out = pathlib.Path(folder, name)
            cpio.write(out, trees=[(root, "/opt/t")], files=[("/etc/x", b"12345", 0o644)])
            packed.append(out.read_bytes())
        same(packed[0] == packed[1], True, "two archives are equal")
        same(list(_members(packed[0])),
             [("opt", 0o40755, b""), ("opt/t", 0o40755, b""),
              ("opt/t/link", 0o120777, b"sub/run"), ("opt/t/sub", 0o40755, b""),
              ("opt/t/sub/run", 0o100755, b"#!/bin/sh\n"), ("etc", 0o40755, b""),
              ("etc/x", 0o100644, b"12345")], "members")


def _members(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    """(name, mode, content) of a newc archive."""
    at = 0
    while True:
        same(data[at:at + 6], b"070701", f"magic at {at}")
        fields = [int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        body = at + (110 + fields[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return
        yield name, fields[1], data[body:body + fields[6]]
        at = body + (fields[6] + 3) // 4 * 4


def _demo_report() -> dict[str, Any]:
    size = 1 << 20
    nic = {"tx_tls_encrypted_bytes": 0, "tx_tls_encrypted_packets": 0,
           "rx_tls_decrypted_bytes": 0, "rx_tls_decrypted_packets": 0}
    stat = {"TlsTxDevice": 3, "TlsRxDevice": 3, "TlsDecryptError": 0}
    before = {"nic": nic, "stat": stat}
    frames = -(-size // 1448)
    after = {"nic": {"tx_tls_encrypted_bytes": size, "tx_tls_encrypted_packets": frames,
                     "rx_tls_decrypted_bytes": size + frames * demo.HEADERS,
                     "rx_tls_decrypted_packets": frames},
             "stat": {"TlsTxDevice": 4, "TlsRxDevice": 4, "TlsDecryptError": 0}}
    return {"size": size, "error": "", "sha256": "a" * 64, "received_sha256": "a" * 64,
            "seconds": 1.0, "kernel_errors": [],
            "sockets": dict.fromkeys(("sender", "receiver"), "x rxconf: hw txconf: hw"),
            "before": {end: copy.deepcopy(before) for end in ("sender", "receiver")},
            "after": {end: copy.deepcopy(after) for end in ("sender", "receiver")}}


def _socket(end: str, text: str, report: dict[str, Any]) -> None:
    report["sockets"][end] = text


def _counter(end: str, kind: str, name: str, value: int | None, report: dict[str, Any]) -> None:
    """What a counter is after the transfer; None for one that is not there."""
    if value is None:
        del report["after"][end][kind][name]
    else:
        report["after"][end][kind][name] = value


def test_demo_verdict(_rig: object) -> None:
    """The demo says "offloaded" for a report that shows it, and for no other."""
    report = _demo_report()
    check(demo.verdict(report, demo.judge(report)).startswith("OFFLOADED"), "a good report")

    def spoil(what: str, change: Callable[[dict[str, Any]], object]) -> None:
        report = _demo_report()
        change(report)
        checks = demo.judge(report)
        check(any(not good for good, _ in checks), f"not noticed: {what}")
        check(not demo.verdict(report, checks).startswith("OFFLOADED"), f"verdict: {what}")

    spoil("hash", lambda r: r.update(received_sha256="b" * 64))
    spoil("error", lambda r: r.update(error="no route"))
    spoil("kernel error", lambda r: r.update(kernel_errors=["mlx5_core: bad"]))
    for end in ("sender", "receiver"):
        for text in ("", "rxconf: sw txconf: hw", "rxconf: hw txconf: sw", "rxconf: hw"):
            spoil(f"socket {end} {text!r}", functools.partial(_socket, end, text))
        spoil(f"decrypt error {end}",
              functools.partial(_counter, end, "stat", "TlsDecryptError", 1))
    for end, kind, name, value in (("sender", "nic", "tx_tls_encrypted_bytes", 1000),
                                   ("receiver", "nic", "rx_tls_decrypted_bytes", 1 << 20),
                                   ("sender", "stat", "TlsTxDevice", 3),
                                   ("receiver", "stat", "TlsRxDevice", 3)):
        spoil(name, functools.partial(_counter, end, kind, name, value))
        spoil(f"no {name}", functools.partial(_counter, end, kind, name, None))


def test_bad_requests(_rig: object) -> None:
    """Actions with wrong names, arguments or types are refused with a sentence."""
    with tempfile.TemporaryDirectory() as folder:
        actions = Actions(unstarted_machine(), plain_rundir(folder))
        requests: list[tuple[str, dict[str, Any], str]] = [
            ("nic.unplugg", {}, "unknown action"), ("__init__", {}, "unknown action"),
            ("run", {}, "unknown action"), ("nic_get", {}, "unknown action"),
            ("wire.add", {"rules": []}, "no middlebox"),
            ("capture.stop", {}, "it takes (name)"),
            ("capture.stop", {"name": "x", "y": 1}, "it takes (name)"),
            ("capture.read", {"name": "x", "offset": -1}, "expected a number of bytes"),
            ("artifact.put", {"name": "../x"}, "needs the bytes of a blob")]
        for name, args, words in requests:
            try:
                actions.run(name, args, None)
            except LabError as error:
                check(words in error.message, f"{name}: {words!r} is not in: {error.message}")
            else:
                raise AssertionError(f"{name} {args} was accepted")


def _rate(loss: float, **records: int) -> dict[str, Any]:
    """Figures of a loss rate, as the guest keeps them."""
    return {"loss": loss, "records": records or None, "dump_per_wire_byte": loss / 10,
            "segments_sent": 200, "segments_retransmitted": 3, "connections": 7,
            "payload_bytes": 5 << 20, "seconds": 1.5}


def test_soak_figures(_rig: object) -> None:
    """The figures of all rates are collected, also without anything to plot them with; options
    that make no sense are refused with what is expected."""
    with tempfile.TemporaryDirectory() as folder:
        rundir = plain_rundir(folder)
        same(soak.conclude(rundir, ""), ["no figures: no loss rate was finished"], "nothing done")
        # two guests: the first one died on the way
        for guest, rate in (("soak", _rate(0.5, full=3, part=0, none=1)), ("soak-2", _rate(2.0)),
                            ("soak", _rate(0.0, full=5, part=0, none=0))):
            place = rundir.path / guest
            place.mkdir(exist_ok=True)
            (place / f"guest-soak-{rate['loss']:g}.json").write_text(json.dumps(rate),
                                                                     encoding="utf-8")
        lines = soak.conclude(rundir, "no matplotlib")
        same(lines[-1], "no plot: no matplotlib", "the reason")
        kept = json.loads((rundir.path / soak.FIGURES).read_text(encoding="utf-8"))["rates"]
        same([rate["loss"] for rate in kept], [0.0, 0.5, 2.0], "rates in order")
        same(soak.fractions(kept[1]), [0.75, 0.0, 0.25], "shares")
        same(soak.fractions(kept[2]), None, "shares that were not counted")
        check("75.00%" in lines[2] and "-" in lines[3], "the table has shares, or says there are "
                                                        f"none: {lines}")
    same([soak.duration(text) for text in ("90s", "10m", "1.5h", "7")], [90, 600, 5400, 7], "times")
    same(soak.volume("2G"), 2 << 30, "volume")
    for function, text in ((soak.duration, "10x"), (soak.duration, "-5"), (soak.duration, "0"),
                           (soak.volume, "2T"), (soak.loss_rates, "1,,2"),
                           (soak.loss_rates, "1,99"), (soak.loss_rates, "x"),
                           (soak.connections, "0"), (soak.connections, "many")):
        try:
            function(text)
        except argparse.ArgumentTypeError as error:
            check("expected" in str(error), f"{text!r}: {error}")
        else:
            raise AssertionError(f"{function.__name__}: {text!r} was accepted")


def test_coverage_judgement(_rig: object) -> None:
    """A line that nothing executed is a failure that names it; so is a file without any line."""
    file = coverage.File()
    file.lines.update({110: 4, 111: 1})
    same(coverage.judge("tls_tx.c", file, 1.0).status, "pass", "all lines executed")
    file.lines[112] += 0
    result = coverage.judge("tls_tx.c", file, 1.0)
    same(result.status, "fail", "a line that was not")
    check(result.output[0].startswith(f"{coverage.ENGINE}/tls_tx.c:112: "), str(result.output))
    same(coverage.judge("tls_tx.c", None, 1.0).status, "fail", "no such file")
    same(coverage.judge("tls_tx.c", coverage.File(), 1.0).status, "fail", "no lines")
    table = coverage.table({"tls_tx.c": file})
    check("2/3" in table[1] and "66.7" in table[1], str(table))


def test_moved_cache(_rig: object) -> None:
    """A build directory is used where it was configured, for this checkout; elsewhere it goes."""
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place).resolve() / "build"

        def configure(build: pathlib.Path, source: pathlib.Path = paths.REPO) -> None:
            (folder / "meson-info").mkdir(parents=True)
            (folder / "build.ninja").touch()
            (folder / "meson-info/meson-info.json").write_text(json.dumps(
                {"directories": {"build": str(build), "source": str(source)}}))

        check(not paths.configured(folder), "a directory that is not there is configured")
        elsewhere = pathlib.Path("/elsewhere")
        for build, source in ((folder.with_name("old"), paths.REPO), (folder, elsewhere)):
            configure(build, source)
            check(not paths.configured(folder), f"configured for {build}, {source}")
            check(not folder.exists(), "it is still there")
        configure(folder)
        check(paths.configured(folder), "its own place is not known")
        (folder / "build.ninja").unlink()
        check(not paths.configured(folder), "without build.ninja it is configured")


def test_devices_watch_themselves(_rig: object) -> None:
    """Guest tests run with strict=on; what the user gives comes later and wins."""
    products: Any = None        # which no device is made of
    cases: list[tuple[str, list[str], str]] = [
        ("mlx5-ktls", [], ",strict=on"), ("mlx5-ktls", ["strict=off"], ",strict=on,strict=off"),
        ("mlx5-ktls", ["vectors=3"], ",strict=on,vectors=3"), ("e1000e", [], ",romfile=")]
    for model, props, wanted in cases:
        spec = guest.watched(Spec(nic_model=model, nic=props))
        with tempfile.TemporaryDirectory() as folder:
            device = machine.Machine(products, spec, plain_rundir(folder)).nic_device("nic1")
        check(device.startswith(f"{model},id=nic1,"), device)
        check(device.endswith(wanted), f"{device}: expected {wanted} at its end")
        same("strict" in device, model == "mlx5-ktls", f"strict in {device}")


class _Boots:
    """Stands in for Machine and Guest: guests whose QEMU says something and dies at boot."""

    def __init__(self, rundir: Any, *last_words: bytes) -> None:
        self.log = rundir.file("qemu.log")
        self.console = rundir.file("console.log")
        self.machine = self
        self.hints = hints.Hints()
        self.last_words = list(last_words)
        self.started = self.ended = 0

    def __enter__(self) -> "_Boots":
        self.started += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.ended += 1

    def boot(self) -> str:
        """Boot, or die."""
        if not self.last_words:
            return "a problem"
        words = self.last_words.pop(0)
        (self.console if words.startswith(b"[") else self.log).write_bytes(words)
        self.log.touch()
        raise GuestDied("QEMU was killed by SIGABRT")


def test_lost_race(_rig: object) -> None:
    """A QEMU that aborts at boot for its known race, or whose guest has lost a CPU to it, is
    started again, a few times; every other death is one; logs are kept and every machine is
    ended."""
    race = b"qemu: physmem.c:2671: iotlb_to_section: Assertion `section_index < 3' failed.\n"
    stuck = b"[  123.53] rcu: \tPossible timer handling issue on cpu=0 timer-softirq=6\n"
    slow = b"[  123.53] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\n"
    cases: tuple[tuple[list[bytes], int, bool], ...] = (
        ([], 1, True), ([race], 2, True), ([race, race], 3, True), ([race, race, race], 3, False),
        ([stuck], 2, True), ([stuck, race], 3, True), ([slow], 1, False), ([stuck, slow], 2, False),
        ([b"other"], 1, False), ([race, b"other"], 2, False), ([race + b"x" * 9999], 1, False))
    for words, starts, boots in cases:
        with tempfile.TemporaryDirectory() as folder, mock.patch.multiple(
                session, Machine=mock.DEFAULT, Guest=mock.DEFAULT, report_exit=mock.DEFAULT,
                warn_network=mock.DEFAULT) as fakes, \
                mock.patch.object(session.steps, "say") as said:
            rundir = plain_rundir(folder)
            fake = _Boots(rundir, *words)
            fakes["Machine"].return_value = fakes["Guest"].return_value = fake
            what = f"{len(words)} deaths, {starts} starts"
            try:
                with session.booted(mock.Mock(kernel_config=None), Spec(), rundir) as guest:
                    check(boots and guest is fake, what)
            except GuestDied:
                check(not boots, what)
            same(fake.started, 2 * starts, f"{what}: started")
            same(fake.ended, 2 * starts, f"{what}: ended")
            same(len(list(rundir.path.glob("qemu-race-*.log"))), starts - 1, f"{what}: logs")
            same(said.call_count, starts - 1, f"{what}: sentences")


def test_hints(_rig: object) -> None:
    """Lines of the kernel's log are recognised once each, others are not; what is said of TLS in
    software is true of what the guest reports."""
    known = hints.Hints()
    for line in (b"warn  : [   10.0] unencrypted skb with no associated socket - dropping",
                 b"info  : [   11.0] mlx5_core 0000:01:00.0: firmware version: 22.39.1",
                 b"err   : [   12.0] mlx5_core 0000:01:00.0: mlx5_cmd_out_err:835:(pid 7): "
                 b"ACCESS_REG(0x805) op_mod(0x1) failed, status bad operation(0x2), syndrome "
                 b"(0x5), err(-22)",
                 b"warn  : [   13.0] unencrypted skb with no associated socket - dropping"):
        known.heed(line)
    found = known.found()
    same(len(found), 2, "hints")
    check("`tc netem`" in found[0] and "--wire 'delay" in found[0], found[0])
    check("syndrome" in found[1], found[1])
    page = (paths.REPO / "docs/troubleshooting.md").read_text(encoding="utf-8")
    check("unencrypted skb with no associated socket" in page, "the page does not know the line")
    text = ("mlx0 tls-hw-tx-offload=on tls-hw-rx-offload=on TlsTxSw=2 TlsRxSw=0 TlsTxDevice=1\n"
            "mlx1 tls-hw-tx-offload=on tls-hw-rx-offload=off TlsTxSw=0 TlsRxSw=1 TlsTxDevice=1\n")
    said = hints.software_tls(text)
    same(len(said), 2, "sentences")
    check(said[0].startswith("mlx0: 2 TLS connections sent in software: tls-hw-tx-offload is on, ")
          and "AES-256-GCM" in said[0], said[0])
    check(said[1].startswith("mlx1: 1 TLS connection received in software: tls-hw-rx-offload is "
                             "off, the driver's default; ") and "--feature" in said[1], said[1])
    same(hints.software_tls("mlx0 tls=not-loaded\n"), [], "no TLS at all")
    same(hints.software_tls(text.replace("Sw=1", "Sw=0").replace("Sw=2", "Sw=0")), [], "all done")
    lines = hints.greeting(text)
    same(lines[1], "mlx1: tls-hw-tx-offload on, tls-hw-rx-offload off", "greeting")
    check("lab-net feature tls-hw-rx-offload=on" in lines[2], str(lines))
    same(hints.greeting(text.replace("=off", "=on"))[2:], [], "greeting, all on")
    same(hints.greeting("mlx0 tls=not-loaded\n"), ["mlx0: no TLS offload"], "greeting, no offload")
