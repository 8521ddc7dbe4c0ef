# SPDX-License-Identifier: GPL-2.0-or-later
"""Result files of guest-tests/run.py: reading, checking, and making one of several runs.

Responsible for: what docs/parity/format.md says of the form, as far as a reader needs it.
State: none.

guest-tests/lib/result.py writes the files. A file of several runs of one machine has ranges where a
file of one run has numbers: so it is known what varies by itself.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from .errors import UsageError

FORMAT, SCHEMA = "mlx5-ktls guest-tests result", 1
OUTCOMES = ("pass", "fail", "skip", "varies")
ENDS = ("local", "remote")
ANY = "any"             # an observation that varies: {"any": [what was seen in one run, ...]}


@dataclasses.dataclass(frozen=True)
class Range:
    """What a counter was in all runs of a file."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}..{self.high}"

    @property
    def width(self) -> int:
        """How far it varies."""
        return self.high - self.low

    def gap(self, other: "Range") -> int:
        """How far they are apart; 0 when they meet."""
        return max(self.low - other.high, other.low - self.high, 0)

    def __or__(self, other: "Range") -> "Range":
        return Range(min(self.low, other.low), max(self.high, other.high))

    def plain(self) -> int | list[int]:
        """As the file has it."""
        return self.low if self.low == self.high else [self.low, self.high]


NOTHING = Range(0, 0)


@dataclasses.dataclass(frozen=True)
class Test:
    """What came of one test."""

    name: str
    result: str                                 # one of OUTCOMES
    reason: str
    seen: dict[str, list[list[Any]]]            # {name: [the values of one run, ...]}
    moved: dict[str, dict[str, Range]]          # {end: {counter: difference}}


@dataclasses.dataclass(frozen=True)
class ResultFile:
    """One file, checked."""

    path: str
    content: dict[str, Any]
    tests: dict[str, Test]

    @property
    def runs(self) -> int:
        """How many runs it was made of."""
        return self.content["runs"]

    def counters(self, end: str) -> set[str]:
        """Names of all that was counted at an end, whether it moved or not."""
        return {name for values in self.content["counters"].get(end, {}).values()
                for name in values}

    def varying(self, end: str) -> set[str]:
        """Counters of an end that were not the same in all runs of a test, of any test."""
        return {name for test in self.tests.values()
                for name, values in test.moved.get(end, {}).items() if values.width}


def load(path: pathlib.Path) -> ResultFile:
    """The file at PATH; UsageError says what is wrong with it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path}: expected a result file of guest-tests/run.py, got what is no "
                         f"JSON: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = repr(content.get("format")) if isinstance(content, dict) else "none"
        raise UsageError(f"{path}: expected a result file of guest-tests/run.py, with the format "
                         f"{FORMAT!r}, got the format {found:.60}")
    if content.get("schema") != SCHEMA:
        raise UsageError(f"{path}: expected schema {SCHEMA}, got {content.get('schema')!r:.30}",
                         "files of another schema are read by the checkout that wrote them")
    try:
        return _checked(str(path), content)
    except _Wrong as wrong:
        raise UsageError(f"{path}: {wrong}") from None


def is_number(value: Any) -> bool:
    """A whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


class _Wrong(Exception):
    """Where the file is not as it must be; the text has the place and what is expected there."""


def _must(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    names = {dict: "an object", list: "a list", str: "a text", int: "a number"}
    if not isinstance(value, kind) or (kind is int and not is_number(value)):
        wanted = " or ".join(names[each] for each in (kind if isinstance(kind, tuple) else (kind,)))
        raise _Wrong(f"{where}: expected {wanted}, got {value!r:.60}")
    return value


def _checked(path: str, content: dict[str, Any]) -> ResultFile:
    for name in ("environment", "device", "counters"):
        _must(content.get(name), dict, name)
    if _must(content.get("runs"), int, "runs") < 1:
        raise _Wrong(f"runs: expected a number from 1 on, got {content['runs']}")
    for end, moments in content["counters"].items():
        for moment, values in _must(moments, dict, f"counters.{end}").items():
            _must(values, dict, f"counters.{end}.{moment}")
    tests: dict[str, Test] = {}
    for number, entry in enumerate(_must(content.get("tests"), list, "tests")):
        test = _test(_must(entry, dict, f"tests[{number}]"), f"tests[{number}]")
        if test.name in tests:
            raise _Wrong(f"tests[{number}]: expected each test once, got {test.name} again")
        tests[test.name] = test
    return ResultFile(path, content, tests)


def _test(entry: dict[str, Any], where: str) -> Test:
    name = _must(entry.get("name"), str, f"{where}.name")
    if entry.get("result") not in OUTCOMES:
        raise _Wrong(f"{where}.result ({name}): expected {', '.join(OUTCOMES)}, "
                     f"got {entry.get('result')!r:.30}")
    seen = {key: _seen(value, f"{where}.observed.{key}") for key, value in
            _must(entry.get("observed", {}), dict, f"{where}.observed").items()}
    moved = {}
    for end, values in _must(entry.get("counters", {}), dict, f"{where}.counters").items():
        moved[end] = {counter: _range(value, f"{where}.counters.{end}.{counter}")
                      for counter, value in _must(values, dict, f"{where}.counters.{end}").items()}
    return Test(name, entry["result"], _must(entry.get("reason", ""), str, f"{where}.reason"), seen,
                moved)


def _seen(value: Any, where: str) -> list[list[Any]]:
    if isinstance(value, dict):
        return [_must(each, list, where) for each in _must(value.get(ANY), list, where)]
    return [_must(value, list, where)]


def _range(value: Any, where: str) -> Range:
    if isinstance(value, list):
        if len(value) != 2 or not all(map(is_number, value)) or value[0] > value[1]:
            raise _Wrong(f"{where}: expected a number or [lowest, highest], got {value!r:.60}")
        return Range(*value)
    return Range(_must(value, int, where), value)


# ---- several runs in one file

def _describes(file: ResultFile) -> dict[str, Any]:
    """What files of one machine have in common."""
    environment = {name: value for name, value in file.content["environment"].items()
                   if name != "options"}
    return {"environment": environment, "device": file.content["device"]}


def merge(files: Sequence[ResultFile]) -> dict[str, Any]:
    """One file's content of several runs of one machine; UsageError when they are of several.

    The runs may have different tests; how far counters vary is known of those that were in more
    than one, so the file says in how many each test was at least.
    """
    first = files[0]
    for other in files[1:]:
        for name, value in _describes(first).items():
            if _describes(other)[name] != value:
                raise UsageError(f"{first.path} and {other.path}: expected runs of one machine, "
                                 f"but the files differ in {name}",
                                 "`lab parity` without --merge says in what")
    names = dict.fromkeys(name for file in files for name in file.tests)
    tests = [_merged([file.tests[name] for file in files if name in file.tests]) for name in names]
    runs = [sum(file.runs for file in files if name in file.tests) for name in names]
    return {**first.content, "runs": min(runs, default=1),
            "complete": all(file.content.get("complete") for file in files),
            "tests": tests}


def _merged(runs: list[Test]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": runs[0].name, "result": runs[0].result}
    results = {run.result for run in runs}
    if len(results) > 1:
        entry["result"] = "varies"
        entry["reason"] = ", ".join(sorted(results))
    elif runs[0].reason:
        entry["reason"] = runs[0].reason
    observed: dict[str, Any] = {}
    for name in dict.fromkeys(name for run in runs for name in run.seen):
        different: list[list[Any]] = []
        for values in (values for run in runs for values in run.seen.get(name, [])):
            if values not in different:
                different.append(values)
        observed[name] = different[0] if len(different) == 1 else {ANY: different}
    if observed:
        entry["observed"] = observed
    moved: dict[str, dict[str, Any]] = {}
    for end in dict.fromkeys(end for run in runs for end in run.moved):
        all_runs = [run.moved[end] for run in runs if end in run.moved]
        moved[end] = {}
        for counter in sorted({name for values in all_runs for name in values}):
            total = all_runs[0].get(counter, NOTHING)
            for one in all_runs[1:]:
                total |= one.get(counter, NOTHING)
            moved[end][counter] = total.plain()
    if moved:
        entry["counters"] = moved
    return entry


def write(path: pathlib.Path, content: dict[str, Any]) -> None:
    """Write a file, whole or not at all: a line for each test."""
    head = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in content.items()
            if name != "tests"]
    tests = ",\n".join("  " + json.dumps(entry) for entry in content["tests"])
    text = "{\n" + ",\n".join([*head, ' "tests": [\n' + tests + "\n ]"]) + "\n}\n"
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)
    except OSError as error:
        raise UsageError(f"--merge {path}: {error.strerror}") from error
