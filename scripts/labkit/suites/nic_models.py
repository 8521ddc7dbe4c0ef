# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `nic-models`: the guest's tests on other NICs of QEMU, as controls.

Responsible for: a guest for each of these NICs, and the tables that say how the tests fared there
(nic-models.md; docs/nic-models.md has those of a whole run).
State: none beyond the run.

A test that fails there assumes something that is ours alone.
"""

import dataclasses
import pathlib
import re
import sys
from collections.abc import Iterable

from .. import ktap, paths, steps
from ..make.products import PARTS, Products
from ..run.rundir import RunDir
from ..run.spec import NIC_MODELS, OURS, Spec
from .guest import GuestTests
from .suite import LIST_LIMIT, Context, Suite

CONTROLS = tuple(model for model in NIC_MODELS if model != OURS)
KERNEL = "7.3"          # has the drivers of all of them
TABLES = "nic-models.md"
# what is about TLS shows little of a NIC without it: a plain run has the smoke tests of these
ABOUT_TLS = re.compile(r"tls-|[TFQ]-|wire/|fault/|soak/")
STATES = {"pass": "passed", "skip": "skipped", "fail": "failed"}
# a reason of one NIC said as the others would say it
ALIKE = ((re.compile(r"the driver is \w+, not "), "the driver is not "),)


class Control(GuestTests):
    """guest-tests/run.py on one of these NICs. Without a name as a class: no suite by itself."""

    name = ""
    selection = True

    def __init__(self, model: str) -> None:
        self.name = f"nic-models-{model}"       # of its artifacts
        self.model = model

    def tests(self, context: Context) -> list[str]:
        names = super().tests(context)
        if context.args.full:
            return names
        argv = [sys.executable, "-B", paths.GUEST_TESTS / "run.py", "--list", "--smoke"]
        smoke = set(steps.capture(argv, timeout=LIST_LIMIT).stdout.split())
        return [name for name in names if name in smoke or not ABOUT_TLS.match(name)]

    def products(self, context: Context) -> Products:
        return context.products(only=PARTS, kernel=context.args.kernel or KERNEL)

    def nic_model(self, context: Context) -> str:
        return self.model

    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        return dataclasses.replace(super().machine(context, initrds, rundir),
                                   nic_model=self.model)


class Within(ktap.MergedReport):
    """A suite's report, for a part of it whose tests get the part's name before theirs; `found`
    has their results without it."""

    def __init__(self, report: ktap.MergedReport, name: str) -> None:
        super().__init__(lambda text: None)
        self._report = report
        self._name = name
        self.found: list[ktap.Result] = []

    def plan(self, count: int) -> None:
        """The suite as a whole has one."""

    def emit(self, line: str, depth: int = 0) -> None:
        """A line of the report."""
        self._report.emit(line, depth)

    def result(self, result: ktap.Result, seen: bool = False) -> None:
        """A test of the part."""
        self._report.result(self._named(result), seen)
        if not seen:
            self.found.append(result)

    def count(self, result: ktap.Result) -> None:
        """A test of the part whose line has been written."""
        self._report.count(self._named(result))
        self.found.append(result)

    def _named(self, result: ktap.Result) -> ktap.Result:
        return dataclasses.replace(result, path=[self._name, *result.path])


class NicModels(Suite):
    """The guest's tests on each of them, and the tables."""

    name = "nic-models"
    about = "the guest's tests on other NICs of QEMU, as controls"
    default = False
    by_name = True
    order = 710
    parts = PARTS

    def tests(self, context: Context) -> list[str]:
        return [f"{model}/{name}" for model in CONTROLS
                for name in Control(model).tests(context)]

    def products(self, context: Context) -> Products:
        return Control(CONTROLS[0]).products(context)

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        report.plan(len(names))
        found = {}
        for model in CONTROLS:
            mine = [name.partition("/")[2] for name in names if name.startswith(f"{model}/")]
            if mine:
                part = Within(report, model)
                Control(model).run(context, part, mine)
                found[model] = part.found
        lines = [*by_group(found), "", *by_reason(found)]
        context.rundir.file(TABLES).write_text("\n".join(lines) + "\n", encoding="utf-8")
        for line in lines:
            report.emit(f"# {line}".rstrip(), 1)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _head(first: str, found: dict[str, list[ktap.Result]]) -> list[str]:
    return [_row([first, *found]), "|" + "---|" * (len(found) + 1)]


def by_group(found: dict[str, list[ktap.Result]]) -> list[str]:
    """A table of {NIC: results}: what came of each group of tests on each NIC."""
    def group(result: ktap.Result) -> str:
        return result.name.partition("/")[0]

    def cell(results: list[ktap.Result]) -> str:
        counts = {word: sum(result.status == state for result in results)
                  for state, word in STATES.items()}
        return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "-"

    groups = list(dict.fromkeys(group(result) for results in found.values()
                                for result in results))
    return [*_head("group", found),
            *(_row([name, *(cell([result for result in results if group(result) == name])
                            for results in found.values())]) for name in groups),
            _row(["all", *(cell(results) for results in found.values())])]


def by_reason(found: dict[str, list[ktap.Result]]) -> list[str]:
    """A table of the same: why tests were skipped or failed, and how many on each NIC."""
    def reason(result: ktap.Result) -> str:
        text = result.summary
        for pattern, words in ALIKE:
            text = pattern.sub(words, text)
        return f"{result.name} failed: {text}" if result.status == "fail" else text

    reasons: dict[str, dict[str, int]] = {}
    for model, results in found.items():
        for result in results:
            if result.status != "pass":
                counts = reasons.setdefault(reason(result), {})
                counts[model] = counts.get(model, 0) + 1
    ordered = sorted(reasons.items(), key=lambda item: -sum(item[1].values()))
    return [*_head("why not", found),
            *(_row([text.replace("|", "\\|"), *(str(counts.get(model, "-")) for model in found)])
              for text, counts in ordered)]
