# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP and TAP: parsing the output of test programs, writing one merged report.

Responsible for: the incremental parser (KTAP with nested subtests, TAP as GLib's g_test prints it),
the report on stdout, its copy in a file, JUnit and JSON.
State: the results so far.
"""

import contextlib
import dataclasses
import fnmatch
import json
import pathlib
import re
import xml.etree.ElementTree as xml
from collections.abc import Callable
from typing import Any

from .errors import printable

RESULT = re.compile(r"( *)(not )?ok\b(?: +(\d+))?(?: +- +| +|$)(.*)$")
DIRECTIVE = re.compile(r"(.*?)\s*(?<!\\)#\s*(SKIP|TODO|XFAIL|TIMEOUT|ERROR)\w*\b:?\s*(.*)$",
                       re.IGNORECASE)
TOOK = re.compile(r"# took (\d+(?:\.\d+)?) s$")
PLAN = re.compile(r"( *)1\.\.(\d+)(?:\s*#\s*(.*))?$")
VERSION = re.compile(r" *(KTAP|TAP) version \d+\s*$")
KEPT_LINES = 200        # lines of diagnostics kept per test


@dataclasses.dataclass
class Result:
    """A test result: `path` has the names from the outermost group to the test."""

    path: list[str]
    status: str                 # "pass", "fail", "skip"
    reason: str = ""
    output: list[str] = dataclasses.field(default_factory=list)
    seconds: float | None = None

    @property
    def name(self) -> str:
        """Return the joined names, as matched by --only."""
        return "/".join(self.path)

    @property
    def summary(self) -> str:
        """Return one line with the reason for the failure or skip."""
        lines = self.reason.strip().splitlines()
        if not lines:
            lines = [line.lstrip("# ") for line in reversed(self.output) if line.strip("# ")]
        return lines[0] if lines else ""


class Parser:
    """Incremental parser; `results()` returns the leaves, each with its full path.

    on_result(result, depth, group) is called for every result line as it is read, with the path
    known so far (its own name); `group` is true if it closes a group of results.
    """

    def __init__(self, on_result: Callable[[Result, int, bool], None] | None = None) -> None:
        self._on_result = on_result or (lambda *_: None)
        self._levels: dict[int, list[Result]] = {}  # indent -> results without a parent so far
        self._output: list[str] = []
        self.plan: int | None = None    # of the outermost level
        self.bail: str | None = None

    def line(self, line: str) -> None:
        """Parse a line, given without its newline."""
        match = RESULT.match(line)
        if match:
            self._result(match)
            return
        plan = PLAN.match(line)
        if plan:
            if not plan[1]:
                self.plan = int(plan[2])
                if self.plan == 0 and plan[3]:
                    self._keep(line)
            return
        if VERSION.match(line):
            return
        if line.startswith("Bail out!"):
            self.bail = line[len("Bail out!"):].strip() or "no reason given"
        self._keep(line)

    def _keep(self, line: str) -> None:
        if line.strip() and not line.strip().startswith("# Subtest:"):
            self._output.append(line.strip())
            del self._output[:-KEPT_LINES]

    def _result(self, match: re.Match[str]) -> None:
        indent, name, status, reason = len(match[1]), match[4], "fail" if match[2] else "pass", ""
        directive = DIRECTIVE.match(name)
        if directive:
            name, word, reason = directive[1], directive[2].upper(), directive[3]
            if word in ("SKIP", "TODO", "XFAIL"):
                status = "skip"
                reason = reason or ("" if word == "SKIP" else word.lower())
        elif status == "fail" and " - " in name:
            name, _, reason = name.partition(" - ")     # GLib: path - ERROR:file:line
        name = name.strip().strip("/") or (match[3] or "unnamed")
        took = [TOOK.match(line) for line in self._output]
        result = Result([name], status, reason.strip(),
                        [line for line, time in zip(self._output, took) if not time],
                        next((float(time[1]) for time in took if time), None))
        self._output = []
        children = [child for deeper in sorted(self._levels) if deeper > indent
                    for child in self._levels.pop(deeper)]
        level = self._levels.setdefault(indent, [])
        if children:
            for child in children:
                child.path.insert(0, name)
            level.extend(children)
            if status == "fail" and all(child.status != "fail" for child in children):
                result.path.append("(group)")
                level.append(result)
        else:
            level.append(result)
        self._on_result(result, indent // 2, bool(children))

    def results(self) -> list[Result]:
        """Return all leaves so far."""
        return [result for indent in sorted(self._levels) for result in self._levels[indent]]

    def rest(self) -> list[str]:
        """Return diagnostics not followed by a result: the last output of a program that died."""
        return list(self._output)


def parse(text: str) -> Parser:
    """Parse `text`; returns the parser."""
    parser = Parser()
    for line in text.splitlines():
        parser.line(line)
    return parser


def selected(name: str, patterns: list[str]) -> bool:
    """Return whether --only selects the test `name` ("suite/group/test"). No patterns select all.

    A pattern is a glob for the full name, the name without its suite, any of its parts, or a group
    that contains it.
    """
    if not patterns:
        return True
    parts = name.split("/")
    candidates = {name, "/".join(parts[1:]), *parts}
    candidates.update("/".join(parts[:count]) for count in range(1, len(parts)))
    return any(fnmatch.fnmatchcase(candidate, pattern.strip("/"))
               for candidate in candidates for pattern in patterns)


class MergedReport:
    """The merged report. For each suite begin_suite, lines or results, end_suite; then close()."""

    def __init__(self, write: Callable[[str], object], path: pathlib.Path | None = None) -> None:
        """`write` gets text for stdout; `path` is a file for a copy of it."""
        self._write = write
        # pylint: disable-next=consider-using-with     # until close()
        self._file = open(path, "w", encoding="utf-8") if path else None
        self.results: list[tuple[str, Result]] = []
        self._suite = ""
        self._number = self._inner = 0
        self._failed = False

    def emit(self, line: str, depth: int = 0) -> None:
        """Write a line of the report, without line ends and control characters from programs'
        output."""
        text = "  " * depth + printable(line) + "\n"
        self._write(text)
        if self._file:
            try:
                self._file.write(text)
                self._file.flush()
            except OSError:     # the disk is full: stdout is the report, this its copy
                self._forget_file()

    def _forget_file(self) -> None:
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
        self._file = None

    def _diagnose(self, result: Result, depth: int) -> None:
        """Write the details of a failure as diagnostics before its line."""
        for text in [*result.output, *result.reason.splitlines()]:
            if text.strip():
                self.emit(text if text.startswith("#") else "# " + text, depth)

    def begin(self, suites: int) -> None:
        """Write the head; `suites` is the number of suites to follow."""
        self.emit("KTAP version 1")
        self.emit(f"1..{suites}")

    def begin_suite(self, name: str, plan: int | None = None) -> None:
        """Write the head of a suite; its plan may follow with plan()."""
        self._suite, self._inner, self._failed = name, 0, False
        self.emit("KTAP version 1", 1)
        self.emit(f"# Subtest: {name}", 1)
        if plan is not None:
            self.plan(plan)

    def plan(self, count: int) -> None:
        """Write the suite's plan."""
        self.emit(f"1..{count}", 1)

    def result(self, result: Result, seen: bool = False) -> None:
        """Add a test directly in the suite. `seen`: write only its line, it is counted
        elsewhere."""
        self._inner += 1
        line = _line(result, self._inner)
        if result.status == "fail":
            self._diagnose(result, 1)
        self.emit(line.rstrip(), 1)
        if not seen:
            self.count(result)
        self._failed |= result.status == "fail"

    def group(self, name: str, results: list[Result]) -> None:
        """Add a group of tests inside the suite."""
        self.emit("KTAP version 1", 2)
        self.emit(f"# Subtest: {name}", 2)
        self.emit(f"1..{len(results)}", 2)
        for number, result in enumerate(results, 1):
            if result.status == "fail":
                self._diagnose(result, 2)
            self.emit(_line(result, number).rstrip(), 2)
        failed = any(result.status == "fail" for result in results)
        self.result(Result([name], "fail" if failed else "pass"), seen=True)
        for result in results:
            self.count(dataclasses.replace(result, path=[name, *result.path]))

    def count(self, result: Result) -> None:
        """Count a leaf whose line was already written."""
        self.results.append((self._suite, result))
        self._failed |= result.status == "fail"

    def end_suite(self, reason: str = "") -> None:
        """Write the suite's own line."""
        self._number += 1
        mine = [result for suite, result in self.results if suite == self._suite]
        skipped = bool(mine) and all(result.status == "skip" for result in mine)
        line = ("not ok" if self._failed else "ok") + f" {self._number} {self._suite}"
        if skipped:
            line += " # SKIP " + " ".join((reason or mine[0].reason).split())
        self.emit(line)

    def tally(self) -> tuple[int, int, int]:
        """(passed, failed, skipped)"""
        found = [result.status for _, result in self.results]
        return found.count("pass"), found.count("fail"), found.count("skip")

    def close(self) -> bool:
        """Write the closing line; returns whether everything passed."""
        passed, failed, skipped = self.tally()
        self.emit(f"{passed} passed, {failed} failed, {skipped} skipped")
        self._forget_file()
        return not failed and passed + skipped > 0

    # other forms

    def junit(self, path: str | pathlib.Path) -> None:
        """Write the results as JUnit XML."""
        root = xml.Element("testsuites")
        suites: dict[str, list[Result]] = {}
        for suite, result in self.results:
            suites.setdefault(suite, []).append(result)
        for suite, results in suites.items():
            states = [result.status for result in results]
            element = xml.SubElement(root, "testsuite", name=suite, tests=str(len(results)),
                                     failures=str(states.count("fail")),
                                     skipped=str(states.count("skip")), errors="0")
            for result in results:
                case = xml.SubElement(element, "testcase", name=_printable(result.path[-1]),
                                      classname=_printable(".".join([suite,
                                                                     *result.path[:-1]])))
                if result.seconds is not None:
                    case.set("time", f"{result.seconds:.3f}")
                text = _printable("\n".join(result.output))
                if result.status == "fail":
                    text = _printable("\n".join([*result.output, result.reason]).strip())
                    failure = xml.SubElement(case, "failure", message=_printable(result.summary))
                    failure.text = text
                elif result.status == "skip":
                    xml.SubElement(case, "skipped", message=_printable(result.reason))
                elif text:
                    xml.SubElement(case, "system-out").text = text
        xml.indent(root)
        pathlib.Path(path).write_bytes(xml.tostring(root, encoding="utf-8", xml_declaration=True)
                                       + b"\n")

    def save(self, path: pathlib.Path, **more: Any) -> None:
        """Write the results as JSON, with additional data of the run."""
        passed, failed, skipped = self.tally()
        data = dict(more, passed=passed, failed=failed, skipped=skipped, results=[
            {"suite": suite, "name": result.name, "status": result.status,
             "reason": result.reason, "seconds": result.seconds, "output": result.output}
            for suite, result in self.results])
        pathlib.Path(path).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _line(result: Result, number: int) -> str:
    """Return a result's line, with the skip reason on the same line. A name cannot contain a
    directive."""
    name = re.sub(r"(?<!\\)#", r"\\#", result.name)
    line = ("not ok" if result.status == "fail" else "ok") + f" {number} {name}"
    if result.status == "skip":
        line += " # SKIP " + " ".join(result.reason.split())
    return line


def _printable(text: str) -> str:
    """Remove control characters, which XML does not allow."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd]", "?", text)
