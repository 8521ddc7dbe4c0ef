# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `kselftest`: Linux's own selftests of network drivers, each case as it is known to end.

Responsible for: comparing what each case did with the table of expectations.
State: none beyond the run.

A case that passes where a failure is expected fails the suite as well: the table is to be
corrected. docs/selftests.md shows it.
"""

import pathlib
import re
from typing import Any

import tomllib

from .. import ktap, paths
from ..errors import LabError
from ..make import selftests
from ..make.products import PARTS
from ..run import selftest
from ..run.rundir import RunDir
from ..run.spec import OURS
from .suite import Context, Suite

FOLDER = paths.TESTS / "kselftest"
STATUSES = ("pass", "skip", "fail")
WIDTH = 99          # columns of a table's lines
LONGEST = 80        # characters of a reason
Expected = dict[str, tuple[str, str]]       # {case: (status, the reason of one that does not pass)}


def table(kernel: str) -> pathlib.Path:
    """The file of a kernel series. Raises LabError when there is none."""
    path = FOLDER / f"{kernel}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
        raise LabError(f"--kernel {kernel}: the suite kselftest knows what to expect of {known}",
                       "`lab selftest` runs the tests of any kernel")
    return path


def load(path: pathlib.Path) -> dict[str, dict[str, Expected]]:
    """{NIC: {program: what is expected of its cases}} of a table. Raises LabError for a wrong
    one."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise LabError(f"{path}: {error}") from error
    return {nic: {program: _cases(path, program, entry) for program, entry in programs.items()}
            for nic, programs in content.items()}


def _cases(path: pathlib.Path, program: str, entry: dict[str, Any]) -> Expected:
    strange = set(entry) - set(STATUSES)
    if strange:
        raise LabError(f"{path}: {program}: expected {', '.join(STATUSES)}, found "
                       f"{', '.join(sorted(strange))}")
    found = {case: ("pass", "") for case in entry.get("pass", [])}
    for status in STATUSES[1:]:
        for reason, cases in entry.get(status, {}).items():
            for case in cases:
                if case in found:
                    raise LabError(f"{path}: {program}: {case}: expected once, found twice")
                found[case] = (status, reason)
    return found


def save(path: pathlib.Path, nic: str, results: dict[str, list[ktap.Result]]) -> None:
    """Put what {program: results} of a run on NIC were into a table. Reasons that it gives for
    cases are kept, as far as the status is the same; new ones are those of the tests."""
    content = load(path) if path.exists() else {}
    mine = content.setdefault(nic, {})
    for program, found in results.items():
        before = mine.get(program, {})
        mine[program] = {result.name: before[result.name]
                         if before.get(result.name, ("", ""))[0] == result.status
                         else (result.status, "" if result.status == "pass" else _reason(result))
                         for result in found}
    paths.write_atomic(path, render(path.stem, content))


def _reason(result: ktap.Result) -> str:
    return (re.sub(r"[^\x20-\x7e]", "?", result.summary).strip()[:LONGEST].rstrip()
            or "it does not say why")


def render(kernel: str, content: dict[str, dict[str, Expected]]) -> str:
    """The text of a table."""
    lines = ["# SPDX-License-Identifier: GPL-2.0-or-later", "#",
             f"# How the selftests of Linux {kernel} end on each NIC, and why some do not pass.",
             "# Responsible for: what the suite kselftest expects. `lab selftest --save` writes it",
             "# and keeps its reasons."]
    for nic in sorted(content):
        for program in sorted(content[nic]):
            lines += ["", f'[{nic}."{program}"]']
            lines += _lines_of(content[nic][program])
    return "\n".join(lines) + "\n"


def _lines_of(cases: Expected) -> list[str]:
    lines = []
    for status in STATUSES:
        for reason in dict.fromkeys(why for state, why in cases.values() if state == status):
            key = f"{status}.{_quoted(reason)}" if reason else status
            lines.append(f"{key} = [")
            line = "   "
            for case in (case for case in cases if cases[case] == (status, reason)):
                if len(line) + len(_quoted(case)) + 2 > WIDTH:
                    lines.append(line)
                    line = "   "
                line += f" {_quoted(case)},"
            lines += [line, "]"]
    return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def markdown(content: dict[str, dict[str, Expected]]) -> list[str]:
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


def judged(result: ktap.Result, expected: Expected) -> ktap.Result:
    """The suite's result for a case: whether it ended as expected."""
    text = result.summary
    if result.name not in expected:
        why = f"it is not in the table; it ended with {result.status}: {text}".rstrip(": ")
        return ktap.Result(result.path, "fail", why, result.output)
    status, reason = expected[result.name]
    if result.status == status:
        return ktap.Result(result.path, "skip" if status == "skip" else "pass",
                           reason if status != "pass" else "", [])
    change = f"expected {status}{f' ({reason})' if reason else ''}, got {result.status}"
    return ktap.Result(result.path, "fail", f"{change}: {text}".rstrip(": "), result.output)


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
        return load(table(kernel)).get(context.args.nic_model or OURS, {})

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
            report.group(ran.program, compared(ran.results, expected[ran.program]))


def compared(results: list[ktap.Result], expected: Expected) -> list[ktap.Result]:
    """The suite's results for the cases of a program."""
    there = {result.name for result in results}
    return [*(judged(result, expected) for result in results),
            *(ktap.Result([case], "fail", f"expected {status}, but there is no such case")
              for case, (status, _) in expected.items() if case not in there)]
