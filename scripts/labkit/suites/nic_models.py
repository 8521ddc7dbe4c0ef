# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `nic-models`: the guest's tests on other NICs of QEMU, as controls.

Responsible for: a guest for each of these NICs, comparing how each test ends with what is known
(tests/nic-models), and the tables of it.
State: none beyond the run.

What fails there and passes on our device assumes our device, or shows a fault of the other model.
Where a file says how the tests of a NIC are known to end, one that ends otherwise fails the suite,
for better or worse.
"""

import dataclasses
import pathlib
import re
from collections.abc import Iterable

from .. import expectations, ktap, paths
from ..expectations import Expected, Table
from ..make.products import PARTS, Products
from ..run.rundir import RunDir
from ..run.spec import NIC_MODELS, OURS, Spec
from .guest import GuestTests
from .suite import Context, Suite

CONTROLS = tuple(model for model in NIC_MODELS if model != OURS)
KERNEL = "7.3"          # has the drivers of all of them
FOLDER = paths.TESTS / "nic-models"
TABLES = "nic-models.md"        # in the artifacts: the tables of the run
# what is about TLS shows little of a NIC without it
ABOUT_TLS = re.compile(r"tls-|[TFQ]-|wire/|fault/|soak/")
COUNTED = {"pass": "passed", "fail": "failed", "skip": "skipped"}
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
        return [name for name in super().tests(context) if not ABOUT_TLS.match(name)]

    def arguments(self, context: Context) -> list[str]:
        return []       # in a full run too

    def products(self, context: Context) -> Products:
        return context.products(only=PARTS, kernel=context.args.kernel or KERNEL)

    def nic_model(self, context: Context) -> str:
        return self.model

    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        return dataclasses.replace(super().machine(context, initrds, rundir),
                                   nic_model=self.model)


class Within(ktap.MergedReport):
    """A suite's report, for a part of it whose tests get the part's name before theirs and are
    judged by what is known of them, if anything is; `found` has the results as the tests gave
    them."""

    def __init__(self, report: ktap.MergedReport, name: str, expected: Expected | None) -> None:
        super().__init__(lambda text: None)
        self._report = report
        self._name = name
        self._expected = expected
        self.found: list[ktap.Result] = []

    def plan(self, count: int) -> None:
        """The suite as a whole has one."""

    def emit(self, line: str, depth: int = 0) -> None:
        """A line of the report."""
        self._report.emit(line, depth)

    def result(self, result: ktap.Result, seen: bool = False) -> None:
        """A test of the part."""
        if seen:
            self._report.result(self._named(result), seen)
            return
        judged = self._judged(result)
        if (result.status, judged.status) == ("fail", "pass"):
            self.emit(f"# fails as expected: {judged.reason}", 1)
        self._report.result(self._named(judged))
        self.found.append(result)

    def count(self, result: ktap.Result) -> None:
        """A test of the part whose line has been written."""
        self._report.count(self._named(self._judged(result)))
        self.found.append(result)

    def _judged(self, result: ktap.Result) -> ktap.Result:
        if self._expected is None:
            return result
        return expectations.judged(result, self._expected)

    def _named(self, result: ktap.Result) -> ktap.Result:
        return dataclasses.replace(result, path=[self._name, *result.path])


class NicModels(Suite):
    """The guest's tests on each of them, and the tables."""

    name = "nic-models"
    about = "the guest's tests on other NICs of QEMU, as controls (docs/nic-models.md)"
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
        kernel = context.args.kernel or KERNEL
        path = FOLDER / f"{kernel}.toml"
        known = expectations.load(path) if path.exists() else {}
        report.plan(len(names))
        found: Table = {}
        for model in CONTROLS:
            mine = [name.partition("/")[2] for name in names if name.startswith(f"{model}/")]
            if mine:
                expected = flat(known.get(model, {}))
                part = Within(report, model, expected if model in known else None)
                Control(model).run(context, part, mine)
                found[model] = grouped(expectations.updated(
                    expected, (result for result in part.found if result.name in mine)))
        # to be looked at, given reasons, and kept in the folder
        context.rundir.file("known.toml").write_text(
            render(kernel, merged(known, found, context.partial)), encoding="utf-8")
        lines = markdown(found)
        context.rundir.file(TABLES).write_text("\n".join(lines) + "\n", encoding="utf-8")
        for line in lines:
            report.emit(f"# {line}".rstrip(), 1)


def flat(groups: dict[str, Expected]) -> Expected:
    """What a NIC's groups of tests have, by the tests' whole names."""
    return {f"{group}/{case}": ended for group, cases in groups.items()
            for case, ended in cases.items()}


def grouped(tests: Expected) -> dict[str, Expected]:
    """The reverse."""
    groups: dict[str, Expected] = {}
    for name, ended in tests.items():
        group, _, case = name.partition("/")
        groups.setdefault(group, {})[case] = ended
    return groups


def merged(known: Table, found: Table, partial: bool) -> Table:
    """What is known, with what a run has found in its place. In a partial one tests are missing:
    what is known of them stays."""
    content = dict(known)
    for model, groups in found.items():
        content[model] = grouped({**(flat(known.get(model, {})) if partial else {}),
                                  **flat(groups)})
    return content


def render(kernel: str, content: Table) -> str:
    """The text of a file of what is known."""
    return expectations.render(
        (f"How the guest's tests end on other NICs with Linux {kernel}, and why some do not pass.",
         "Responsible for: what the suite nic-models expects. A run of it leaves this file, with",
         "what it found, in its artifacts; reasons of the same status are kept."), content)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"


def _table(first: str, models: list[str], rows: dict[str, dict[str, str]]) -> list[str]:
    return [_row([first, *models]), "|" + "---|" * (len(models) + 1),
            *(_row([head, *(cells.get(model, "-") for model in models)])
              for head, cells in rows.items())]


def markdown(content: Table) -> list[str]:
    """Tables for docs/nic-models.md and of a run: how many tests there are of each kind, each one
    that fails, by reason, and how many are skipped, by reason."""
    models = [model for model in CONTROLS if model in content]
    ended = {model: flat(content[model]) for model in models}
    counts = {"tests": {model: str(len(ended[model])) for model in models}}
    for status, word in COUNTED.items():
        counts[word] = {model: str(sum(state == status for state, _ in ended[model].values()))
                        for model in models}
    reasons: dict[str, dict[str, dict[str, list[str]]]] = {"fail": {}, "skip": {}}
    for model in models:
        for name, (status, reason) in ended[model].items():
            if status in reasons:
                for pattern, words in ALIKE:
                    reason = pattern.sub(words, reason)
                reasons[status].setdefault(reason, {}).setdefault(model, []).append(name)
    failing = {reason: {model: ", ".join(f"`{name}`" for name in names)
                        for model, names in by_model.items()}
               for reason, by_model in reasons["fail"].items()}
    skipped = {reason: {model: str(len(names)) for model, names in by_model.items()}
               for reason, by_model in sorted(
                   reasons["skip"].items(), key=lambda item: -sum(map(len, item[1].values())))}
    return [*_table("", models, counts), "", *_table("why it fails", models, failing), "",
            *_table("why it is skipped", models, skipped)]
