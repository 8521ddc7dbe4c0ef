# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `kselftest`: Linux's own selftests of network drivers, each case as it is known to end.

Responsible for: comparing what each case did with the table of expectations.
State: none beyond the run.

A case that passes where a failure is expected fails the suite as well: the table is to be
corrected. docs/selftests.md shows it.
"""

import pathlib

from .. import expectations, ktap, paths
from ..expectations import STATUSES, Expected, Table
from ..make import selftests
from ..make.products import PARTS
from ..run import selftest
from ..run.rundir import RunDir
from ..run.spec import OURS
from .suite import Context, Suite

FOLDER = paths.TESTS / "kselftest"


def save(path: pathlib.Path, nic: str, results: dict[str, list[ktap.Result]]) -> None:
    """Put what {program: results} of a run on NIC were into a table, which keeps its reasons."""
    content = expectations.load(path) if path.exists() else {}
    mine = content.setdefault(nic, {})
    for program, found in results.items():
        mine[program] = expectations.updated(mine.get(program, {}), found)
    head = (f"How the selftests of Linux {path.stem} end on each NIC, and why some do not pass.",
            "Responsible for: what the suite kselftest expects. `lab selftest --save` writes it",
            "and keeps its reasons.")
    paths.write_atomic(path, expectations.render(head, content))


def markdown(content: Table) -> list[str]:
    """Tables for docs/selftests.md: how many cases of each program pass, are skipped and fail, and
    for those that do not pass, why."""
    nics = sorted(content)
    programs = sorted({program for found in content.values() for program in found})
    lines = ["| program | " + " | ".join(nics) + " |", "|" + "---|" * (len(nics) + 1)]
    for program in programs:
        lines.append(f"| `{program}` | " + " | ".join(_counts(content[nic].get(program, {}))
                                                      for nic in nics) + " |")
    for nic in nics:
        lines += ["", f"| {nic}: why not | cases |", "|---|---|"]
        reasons: dict[tuple[str, str], dict[str, int]] = {}
        for program, cases in content[nic].items():
            for status, reason in cases.values():
                if status != "pass":
                    counts = reasons.setdefault((status, reason), {})
                    counts[program] = counts.get(program, 0) + 1
        for (status, reason), counts in sorted(reasons.items()):
            where = ", ".join(f"{count} of `{program}`" for program, count in counts.items())
            lines.append(f"| {status}: {reason} | {where} |".replace("<", "&lt;"))
    return lines


def _counts(cases: Expected) -> str:
    found = [status for status, _ in cases.values()]
    return ", ".join(f"{found.count(status)} {status}" for status in STATUSES
                     if status in found) or "-"


class Kselftest(Suite):
    """The programs of the table on the NIC of --nic-model."""

    name = "kselftest"
    about = "the selftests of Linux 7.3 end as they are known to (docs/selftests.md)"
    default = False
    by_name = True
    order = 730
    parts = PARTS
    purposes = selftests.HOST

    def _expected(self, context: Context) -> dict[str, Expected]:
        kernel = context.args.kernel or selftest.KERNEL
        path = expectations.find(FOLDER, kernel, "`lab selftest` runs the tests of any kernel")
        return expectations.load(path).get(context.args.nic_model or OURS, {})

    def tests(self, context: Context) -> list[str]:
        return list(self._expected(context))

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        expected = self._expected(context)
        kernel = context.args.kernel or selftest.KERNEL
        made = context.products(only=PARTS, kernel=kernel)
        tests = selftest.build(kernel)
        report.plan(len(names))

        def folder(name: str) -> RunDir:
            return RunDir(name, context.rundir.file(f"{self.name}-{name}"))

        for ran in selftest.run(context.args, made, tests, names, folder):
            report.group(ran.program,
                         expectations.compared(ran.results, expected[ran.program]))
