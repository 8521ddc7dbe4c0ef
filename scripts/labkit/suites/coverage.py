# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `coverage`: the engine's unit tests cover every line of the TLS state machines.

Responsible for: a build of the engine with gcov's counters, running the unit tests of tests/unit on
it, and evaluating gcov's output.
State: a build directory of its own in the cache.

gcov is part of Debian's package gcc; only its JSON output is used.
"""

import collections
import json
import os
import pathlib
import subprocess
import time
from collections.abc import Iterable
from typing import Any

from .. import ktap, paths, steps
from ..errors import BuildError, LabError
from .suite import Context, Suite

ENGINE = "hw/net/mlx5/engine"
# the two state machines: every line must be covered by a test
COMPLETE = ("tls_rx.c", "tls_rx_table.c", "tls_setup.c", "tls_tx.c", "tls_tx_table.c")
SHOWN = 40              # uncovered lines reported per file


class Coverage(Suite):
    """Line coverage of the engine by its unit tests."""

    name = "coverage"
    about = "unit tests reach every line of the TLS state machines (gcov)"
    default = False
    order = 610
    purposes = ("compile", "test")

    def tests(self, context: Context) -> list[str]:
        return list(COMPLETE)

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        report.plan(len(names))
        started = time.monotonic()
        folder = paths.cache_dir("coverage", paths.checkout_id())
        with paths.lock("coverage"):
            programs = build(folder)
            run_tests(folder, programs, context.rundir.file("coverage-tests.log"))
            found = gcov(folder)
        for line in table(found):
            report.emit("# " + line, 1)
        save(found, context.rundir.file("coverage.json"))
        took = time.monotonic() - started
        for name in names:
            report.result(judge(name, found.get(name), took / len(names)))


def build(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Build the unit tests with counters; returns {name of the test: program}."""
    with steps.Step("build the unit tests for coverage", log="coverage-build") as step:
        if not paths.configured(folder):
            # without optimisation a line is a line
            step.run(["meson", "setup", "-Db_coverage=true", "--buildtype=debug", folder,
                      paths.REPO], hint="`lab doctor` says what is missing")
        step.run(["ninja", "-C", folder, "build.ninja"])
        listed = json.loads(steps.capture(["meson", "introspect", "--tests", folder]).stdout)
        unit = folder / "tests" / "unit"
        programs = {entry["name"]: pathlib.Path(entry["cmd"][0]) for entry in listed
                    if pathlib.Path(entry["cmd"][0]).parent == unit}
        if not programs:
            raise LabError(f"meson knows no test in {unit}")
        step.run(["ninja", "-C", folder, f"-j{steps.jobs()}",
                  *(program.relative_to(folder) for program in programs.values())],
                 progress=steps.Ninja())
    return programs


def run_tests(folder: pathlib.Path, programs: Iterable[str], log: pathlib.Path) -> None:
    """Run them with new counters; raises LabError if one fails, since its coverage is
    meaningless."""
    for old in folder.rglob("*.gcda"):
        old.unlink()
    started = time.monotonic()
    with open(log, "wb") as out, \
            steps.child(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                         "--timeout-multiplier", "20", *programs],
                        stdin=subprocess.DEVNULL, stdout=out,
                        stderr=subprocess.STDOUT) as process:
        while True:
            try:
                status = process.wait(0.25)
                break
            except subprocess.TimeoutExpired:
                steps.ticker.show(f"lab: unit tests with gcov: {time.monotonic() - started:.0f}s")
    steps.ticker.clear()
    if status:
        raise BuildError("unit tests fail, so what they cover says nothing", log=log,
                         tail=log.read_text(errors="replace").splitlines()[-20:])


class File:
    """The coverage of a source file, over all object files that include it."""

    def __init__(self) -> None:
        self.lines: collections.Counter[int] = collections.Counter()        # number: times executed
        self.functions: collections.Counter[str] = collections.Counter()    # name: times entered

    def missed(self) -> list[int]:
        """Return the numbers of lines never executed."""
        return sorted(number for number, count in self.lines.items() if not count)

    def covered(self) -> tuple[int, int]:
        """Return (lines executed, executable lines)."""
        return len(self.lines) - len(self.missed()), len(self.lines)


def gcov(folder: pathlib.Path) -> dict[str, File]:
    """Return {file name: File} of the engine's sources and headers."""
    objects = sorted(folder.rglob("libmlx5-engine.a.p/*.gcno"))
    if not objects:
        raise LabError(f"no .gcno file of the engine in {folder}: it was built without coverage")
    found: dict[str, File] = collections.defaultdict(File)
    engine = paths.REPO / ENGINE
    for notes in objects:
        text = steps.capture(["gcov", "--json-format", "--stdout", notes], cwd=folder).stdout
        for data in [json.loads(document) for document in text.splitlines() if document]:
            for source in data["files"]:
                # names as passed to the compiler: relative to its working directory
                path = pathlib.Path(os.path.normpath(folder / source["file"]))
                if path.parent == engine:
                    _add(found[path.name], source)
    return dict(sorted(found.items()))


def _add(file: File, source: dict[str, Any]) -> None:
    for line in source["lines"]:
        file.lines[line["line_number"]] += line["count"]
    for function in source["functions"]:
        file.functions[function["name"]] += function["execution_count"]


def table(found: dict[str, File]) -> list[str]:
    """Return a table as lines of text: the coverage of each engine file."""
    lines = [f"{'file':22} {'lines':>12} {'%':>7}  {'functions':>10}"]
    total = [0, 0, 0, 0]
    for name, file in found.items():
        done, there = file.covered()
        entered = sum(bool(count) for count in file.functions.values())
        numbers = (done, there, entered, len(file.functions))
        total = [a + b for a, b in zip(total, numbers)]
        lines.append(_row(name, *numbers))
    return [*lines, _row("all", *total)]


def _row(name: str, done: int, there: int, entered: int, functions: int) -> str:
    share = 100 * done / there if there else 100
    # 99.996 % is not 100 %
    share = min(share, 99.9) if done < there else share
    return f"{name:22} {f'{done}/{there}':>12} {share:7.1f}  {f'{entered}/{functions}':>10}"


def save(found: dict[str, File], path: pathlib.Path) -> None:
    """Save the same as JSON, with the numbers of missed lines."""
    path.write_text(json.dumps({name: {
        "lines": len(file.lines), "covered": file.covered()[0], "missed": file.missed(),
        "functions": dict(file.functions)} for name, file in found.items()}, indent=1) + "\n",
        encoding="utf-8")


def judge(name: str, file: File | None, seconds: float) -> ktap.Result:
    """Return the Result of a file that must be covered completely."""
    if file is None or not file.lines:
        return ktap.Result([name], "fail", f"gcov knows no line of {ENGINE}/{name}", [], seconds)
    missed = file.missed()
    if not missed:
        return ktap.Result([name], "pass", seconds=seconds)
    source = (paths.REPO / ENGINE / name).read_text(encoding="utf-8").splitlines()
    output = [f"{ENGINE}/{name}:{number}: {source[number - 1].strip()}"
              for number in missed[:SHOWN] if number <= len(source)]
    if len(missed) > SHOWN:
        output.append(f"… and {len(missed) - SHOWN} more")
    return ktap.Result([name], "fail", f"{len(missed)} of {len(file.lines)} lines are not reached "
                       f"by any unit test, line {missed[0]} the first", output, seconds)
