# SPDX-License-Identifier: GPL-2.0-or-later
"""How tests are known to end, as data: files that suites compare their results with.

Responsible for: reading and writing such a file, and judging a result by it.
State: none.

A file is for a kernel series. It has for each NIC and program (or group of tests) the cases that
pass, those that are skipped and those that fail, the latter two by reason. What differs fails, for
better or worse.
"""

import dataclasses
import pathlib
import re
from collections.abc import Iterable
from typing import Any

import tomllib

from . import ktap
from .errors import LabError

STATUSES = ("pass", "skip", "fail")
WIDTH = 99          # columns of a file's lines
LONGEST = 80        # characters of a reason
Expected = dict[str, tuple[str, str]]       # {case: (status, the reason of one that does not pass)}
Table = dict[str, dict[str, Expected]]      # {NIC: {program: its cases}}


def find(folder: pathlib.Path, kernel: str, hint: str) -> pathlib.Path:
    """The file of a kernel series. Raises LabError with this hint when there is none."""
    path = folder / f"{kernel}.toml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.toml")))
        raise LabError(f"--kernel {kernel}: the suite {folder.name} knows what to expect of "
                       f"{known}", hint)
    return path


def load(path: pathlib.Path) -> Table:
    """What a file has. Raises LabError for a wrong one."""
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


def updated(before: Expected, results: Iterable[ktap.Result]) -> Expected:
    """What results are, for a file. Reasons that it gives are kept, as far as the status is the
    same; new ones are those of the tests."""
    return {result.name: before[result.name]
            if before.get(result.name, ("", ""))[0] == result.status
            else (result.status, "" if result.status == "pass" else _reason(result))
            for result in results}


def _reason(result: ktap.Result) -> str:
    return (re.sub(r"[^\x20-\x7e]", "?", result.summary).strip()[:LONGEST].rstrip()
            or "it does not say why")


def render(head: Iterable[str], content: Table) -> str:
    """The text of a file that begins with these comments."""
    lines = ["# SPDX-License-Identifier: GPL-2.0-or-later", "#", *(f"# {line}" for line in head)]
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


def judged(result: ktap.Result, expected: Expected) -> ktap.Result:
    """The suite's result for a case: whether it ended as expected."""
    text = result.summary
    if result.name not in expected:
        why = f"it is not in the table; it ended with {result.status}: {text}".rstrip(": ")
        return dataclasses.replace(result, status="fail", reason=why)
    status, reason = expected[result.name]
    if result.status == status:
        return dataclasses.replace(result, status="skip" if status == "skip" else "pass",
                                   reason=reason, output=[])
    change = f"expected {status}{f' ({reason})' if reason else ''}, got {result.status}"
    return dataclasses.replace(result, status="fail", reason=f"{change}: {text}".rstrip(": "))


def compared(results: list[ktap.Result], expected: Expected) -> list[ktap.Result]:
    """The suite's results for the cases of a program."""
    there = {result.name for result in results}
    return [*(judged(result, expected) for result in results),
            *(ktap.Result([case], "fail", f"expected {status}, but there is no such case")
              for case, (status, _) in expected.items() if case not in there)]
