# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab bench` where it measures traffic.

Responsible for: what is chosen, the order of the rounds, ratios, and the file; test_traffic_run.py
measures in guests.
State: none.
"""

import contextlib
import io
import json
import subprocess
import sys
import types
import unittest.mock
from collections.abc import Iterator
from typing import Any

from labkit import cli, paths
from labkit.commands import bench
from labkit.errors import LabError, UsageError
from labkit.run import figures, traffic
from labkit.run.spec import OURS, Spec

from .judge import check, raises, same, temporary_folder

PROGRAM = paths.GUEST_TESTS / "traffic.py"
PLAN = traffic.Plan([traffic.WORKLOADS["tcp"], traffic.WORKLOADS["slirp-in"]], (OURS, "igb"), 2,
                    3.0)


def figure(rate: float, guest: float = 1.0, device: float = 2.0) -> traffic.Figure:
    """A second of it."""
    return traffic.Figure(int(rate), "bytes", 1.0, guest, device)


def test_bench_choice(_rig: object) -> None:
    """What does not exist, or does not go together, is refused by name before anything is built."""
    for argv, words in ((["tcp", "tx-tls"], ("tcp is traffic", "tx-tls")),
                        (["tls", "--baseline"], ("tls-16k is traffic", "--baseline")),
                        (["tcp", "--among", "mlx5-ktls,ne2k"], ("ne2k", "igb")),
                        (["tls-1k", "--among", "igb"], ("tls-1k", "--among igb")),
                        (["tcp", "--nic-model", "igb"], ("--among igb",)),
                        (["tcp", "--plot", "x.jpeg"], ("x.jpeg", ".svg")),
                (["--plot", "x.svg"], ("--plot", "--stored FILE")),
                (["--stored", "none.json", "tcp"], ("--stored", "'tcp'")),
                (["--stored", "/none.json"], ("/none.json", "lab bench --json")),
                (["tcp", "--rounds", "0"], ("'0'", "from 1 to 1000"))):
        said = io.StringIO()
        status: object = None
        try:
            with contextlib.redirect_stderr(said):
                status = cli.main(["bench", *argv])
        except SystemExit as error:
            status = error.code
        check(status != 0, f"{argv}: status 0")
        for word in words:
            check(word in said.getvalue(), f"{argv}: {word!r} is not in {said.getvalue()!r}")


def test_bench_names(_rig: object) -> None:
    """No group has the name of something that is measured."""
    check(not set(bench.GROUPS) & set(traffic.WORKLOADS), f"{bench.GROUPS} {traffic.WORKLOADS}")


def test_bench_rounds(_rig: object) -> None:
    """Contenders take turns, stage by stage; the first round of each stage does not count, and of
    a NIC that does not take part there is no guest."""
    seen: list[tuple[str, str, str]] = []
    booted: list[list[str]] = []

    @contextlib.contextmanager
    def machines(_made: object, _base: object, _rundir: object, stage: tuple[str, str],
                 models: Any) -> Iterator[dict[str, Any]]:
        booted.append([stage[0], *models])
        yield {model: model for model in models}

    def measure(guest: Any, workload: traffic.Workload, one: traffic.Contender,
                _seconds: float) -> traffic.Figure:
        seen.append((workload.topology, one.name, guest))
        return figure(len(seen))

    with unittest.mock.patch.multiple(traffic, _machines=machines, _measure=measure):
        nothing: Any = None
        results, noise = traffic.run(nothing, Spec(), nothing, PLAN, lambda _text: None)
    turn = [OURS, "igb"]
    same(booted, [["pair", *turn], ["user", *turn]], "guests")
    same(seen, [(where, name, name) for where in ("pair", "user") for _ in range(3)
                for name in turn], "order")
    same([[one.count for one in results[name][OURS]] for name in ("tcp", "slirp-in")],
         [[3, 5], [9, 11]], "what counts")
    same(len(noise), 6, "times of the same work")


def test_bench_ratios(_rig: object) -> None:
    """Ratios are of the same round, not of medians."""
    ours, other = [figure(100), figure(10), figure(40)], [figure(50), figure(20), figure(40)]
    same(figures.ratios(ours, other, figures.rate), (0.5, 1.0, 2.0), "ratios")
    same(figures.ratios([figure(10, 2.0)], [figure(10, 1.0)], figures.guest), (2.0, 2.0, 2.0),
         "of processor time")
    table = figures.table(traffic.WORKLOADS["tcp"], {OURS: ours, "igb": other})
    check("| igb | 0.00 | 1.00 (0.50-2.00) |" in table[-1], table[-1])


def test_bench_file(_rig: object) -> None:
    """What is written is read back; another file is refused by name."""
    results = {name: {one: [figure(3), figure(4)] for one in (OURS, "igb")}
               for name in ("tcp", "slirp-in")}
    text = figures.document(PLAN, results, [1.0, 2.0], {"qemu": "10.0.3",
                                                        "kernel_release": "7.3.1"})
    with temporary_folder() as folder:
        path = folder / "bench.json"
        path.write_text(json.dumps(text))
        plan, found, noise = figures.read(path)
        same((plan.workloads, plan.rounds, plan.seconds), (PLAN.workloads, 2, 3.0), "plan")
        same((found, noise), (results, [1.0, 2.0]), "figures")
        for broken in ("", "[]", json.dumps({**text, "format": 2}),
                       json.dumps({**text, "figures": {"tcp": {"igb": [{"count": 1}]}}}),
                       json.dumps({**text, "figures": {"made-up": {}}})):
            path.write_text(broken)
            with raises(UsageError, str(path)):
                figures.read(path)


def test_bench_panels(_rig: object) -> None:
    """A plot has what all files have, in proportion to the first that others are compared with."""
    some = {"tcp": {OURS: [figure(100), figure(50)], "igb": [figure(50), figure(50)]},
            "turns": {OURS: [figure(1)]}}
    more = {"tcp": {OURS: [figure(10)], "igb": [figure(30)], "e1000e": [figure(5)]}}
    panels = figures.panels([("before", some), ("after", more)])
    same([(panel["title"].partition(":")[0], panel["against"], panel["names"])
          for panel in panels], [("tcp", OURS, [OURS, "igb"])], "panels")
    same(panels[0]["series"], [
        {"label": "before", "spreads": [(1.0, 1.0, 1.0), (0.5, 0.75, 1.0)]},
        {"label": "after", "spreads": [(1.0, 1.0, 1.0), (3.0, 3.0, 3.0)]}], "bars")
    with raises(UsageError, "no workload in common"):
        figures.panels([("before", {"turns": some["turns"]}), ("after", more)])


def test_bench_requests(_rig: object) -> None:
    """The guest's program refuses what is no request, and says what one is."""
    for text, word in (("", "no JSON"), ("[]", "expected an object"),
                       ('{"kin": "stream"}', "'kin'"),
                       ('{"kind": "flood"}', "'packets'"), ('{"connections": 0}', "more than 0"),
                       ('{"connections": true}', "True"), ('{"tls": "user", "connections": 2}',
                                                           "expected 1"),
                       ('{"tls": "kernel", "kind": "turns"}', "turns")):
        done = subprocess.run([sys.executable, "-B", PROGRAM, text], capture_output=True,
                              text=True, check=False)
        same((done.returncode, done.stdout), (1, ""), f"status and output for {text!r}")
        check(word in done.stderr, f"{text!r}: {word!r} is not in {done.stderr!r}")


def test_bench_measurement(_rig: object) -> None:
    """A measurement whose program fails, says nothing, or of which nothing arrives, is none."""
    class Guest:
        """One whose traffic is made up."""

        machine = types.SimpleNamespace(pid=1, qmp=lambda _command: [])

        def __init__(self, status: int, *said: dict[str, Any]) -> None:
            self.status, self.said = status, said

        def run(self, _argv: list[str], stdout: Any, stderr: Any, timeout: float) -> int:
            """Say it."""
            check(timeout > 0, "no hang guard")
            stdout(b"".join(json.dumps(words).encode() + b"\n" for words in self.said))
            stderr(b"the words of the guest")
            return self.status

    marks = {"mark": "begin"}, {"mark": "end"}
    count = {"count": 7, "unit": "bytes", "seconds": 2.0}
    right: Any = Guest(0, *marks, count)
    same(traffic.measure(right, {}).rate, 3.5, "rate")
    for wrong in (Guest(1, *marks, count), Guest(0, *marks), Guest(0, marks[0], count)):
        broken: Any = wrong
        with raises(LabError, "the words of the guest"):
            traffic.measure(broken, {})
    nothing: Any = Guest(0, *marks, {**count, "count": 0})
    with raises(LabError, "nothing arrived"):
        traffic.measure(nothing, {})
