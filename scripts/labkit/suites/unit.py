# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `unit`: tests of the engine and the wire, with `meson test`.

Responsible for: building them, and reading their output from meson's log.
State: the build directory in the cache.
"""

import json
import pathlib
import shutil
import subprocess
import time
from typing import Any

from .. import ktap, paths, steps
from ..errors import BuildError, LabError
from .suite import WHOLE, Context, Suite, complete, glib_names


class Unit(Suite):
    """Tests of the engine: `meson test` of the top-level project."""

    name = "unit"
    about = "engine tests on the host (meson test)"
    order = 100
    builds_to_list = True
    purposes = ("compile", "test")

    def __init__(self) -> None:
        self._programs: dict[str, dict[str, Any]] = {}

    @staticmethod
    def _dir() -> pathlib.Path:
        return paths.cache_dir("unit", paths.checkout_id())

    def _prepare(self) -> dict[str, dict[str, Any]]:
        """Build the test programs; returns {name: meson's entry}."""
        if self._programs:
            return self._programs
        if not (paths.REPO / "meson.build").is_file():
            raise LabError(f"{paths.REPO} has no meson.build: there are no unit tests to run")
        folder = self._dir()
        with steps.Step("build the unit tests", log="unit-build") as step:
            if not paths.configured(folder):
                step.run(["meson", "setup", folder, paths.REPO],
                         hint="`lab doctor` says what is missing")
            step.run(["ninja", "-C", folder, f"-j{steps.jobs()}"], progress=steps.Ninja())
        listed = steps.capture(["meson", "introspect", "--tests", folder])
        self._programs = {entry["name"]: entry for entry in json.loads(listed.stdout)}
        return self._programs

    def program(self, name: str) -> str:
        """Return the path of a test program, built if necessary."""
        programs = self._prepare()
        if name not in programs:
            raise LabError(f"meson knows no test {name!r}; it has {', '.join(programs)}")
        return str(programs[name]["cmd"][0])

    def tests(self, context: Context) -> list[str]:
        names: list[str] = []
        for program, entry in self._prepare().items():
            inner = glib_names(entry["cmd"], entry.get("env")) \
                if entry.get("protocol") == "tap" else []
            names += [f"{program}/{name}" for name in inner] or [program]
        return names

    def piece(self, name: str) -> str:
        return name.split("/")[0]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        programs = [program for program in self._prepare()
                    if any(name.split("/")[0] == program for name in names)]
        log = context.rundir.file("unit.log")
        results = self._dir() / "meson-logs" / "testlog.json"
        results.unlink(missing_ok=True)
        started = time.monotonic()
        with open(log, "wb") as out, \
                steps.child(["meson", "test", "-C", self._dir(), "--no-rebuild",
                             "--print-errorlogs", "--timeout-multiplier", "20", *programs],
                            stdin=subprocess.DEVNULL, stdout=out,
                            stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    process.wait(0.25)
                    break
                except subprocess.TimeoutExpired:
                    steps.ticker.show(f"lab: unit tests: {time.monotonic() - started:.0f}s")
        steps.ticker.clear()
        if not results.exists():
            raise BuildError("meson test did not run", log=log,
                             tail=log.read_text(errors="replace").splitlines()[-20:])
        shutil.copy(results, context.rundir.file("unit.json"))
        entries = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
        report.plan(len(entries))
        for entry in entries:
            self._report(context, report, entry, names)

    def _report(self, context: Context, report: ktap.MergedReport, entry: dict[str, Any],
                names: list[str]) -> None:
        program = entry["name"].rsplit(" / ", 1)[-1]
        parser = ktap.parse(entry.get("stdout") or "")
        errors = (entry.get("stderr") or "").strip().splitlines()[-30:]
        if parser.results() or parser.plan:
            found = complete(parser, entry.get("returncode"), errors, program)
            done = {f"{program}/{result.name}" for result in found}
            found += [ktap.Result([name.split("/", 1)[1]], "fail", f"not run: {program} ended "
                                  "before it") for name in names
                      if name.startswith(f"{program}/") and name not in done]
            chosen = [result for result in found if f"{program}/{result.name}" in names
                      or result.path == [WHOLE] or not context.partial]
            report.group(program, chosen or found)
            return
        outcome = entry.get("result", "ERROR")
        status = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}.get(outcome, "fail")
        report.result(ktap.Result([program], status, "" if status == "pass" else outcome.lower(),
                                  errors, entry.get("duration")))
