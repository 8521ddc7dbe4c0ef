# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab merge`: the results of several runs as those of one.

Responsible for: what belongs together, and the joint report.
State: none.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
from typing import Any

from .. import ktap, shards
from ..errors import UsageError

EXIT_FAILED = 1

DESCRIPTION = """\
Join the results of the shards of one `lab test` (--shard I/N), each run anywhere: a
KTAP report on stdout, its last line "N passed, N failed, N skipped", and the exit
status that one run of all would have had.
"""

EPILOG = """\
examples:
  lab merge shard-*/results.json --junit results.xml
  lab merge artifacts/20260101-120000-test artifacts/20260101-120500-test
  lab merge --durations tests/durations.txt artifacts/latest
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `lab merge` accepts."""
    parser.add_argument("results", metavar="RESULTS", nargs="+",
                        help="results.json of a run, or the directory of its artifacts")
    parser.add_argument("--junit", metavar="FILE", help="write the joint results as JUnit XML")
    parser.add_argument("--json", metavar="FILE", help="write them as results.json")
    parser.add_argument("--durations", metavar="FILE",
                        help="write how long each test took, as --shard wants to know it "
                             "(tests/durations.txt)")


@dataclasses.dataclass(frozen=True)
class _Run:
    """One results.json."""

    path: pathlib.Path
    data: dict[str, Any]

    @property
    def shard(self) -> dict[str, Any] | None:
        """What the run says of its shard; None if it was no shard."""
        return self.data.get("shard")


def _read(text: str) -> _Run:
    path = pathlib.Path(text)
    if path.is_dir():
        path /= "results.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        for result in data["results"]:
            _result(result)
        if (shard := data.get("shard")) is not None:
            _ = shard["index"], shard["count"], shard["list"]
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: expected the results.json of a `lab test`: "
                         f"{type(error).__name__}: {error}") from None
    return _Run(path, data)


def _result(entry: dict[str, Any]) -> ktap.Result:
    if entry["status"] not in ("pass", "fail", "skip"):
        raise ValueError(f"status {entry['status']!r}")
    return ktap.Result(entry["name"].split("/"), entry["status"], entry["reason"],
                       list(entry["output"]), entry["seconds"])


def _check(runs: list[_Run]) -> None:
    """The shards of one list, each once; or a single run."""
    if len(runs) == 1 and runs[0].shard is None:
        return
    seen: dict[int, _Run] = {}
    first = runs[0]
    for run in runs:
        if run.shard is None or first.shard is None:
            raise UsageError(f"{run.path if run.shard is None else first.path} is no shard: "
                             "expected the shards of one `lab test --shard I/N`")
        if (run.shard["count"], run.shard["list"]) != (first.shard["count"], first.shard["list"]):
            raise UsageError(f"{first.path} and {run.path} are not shards of the same list: "
                             f"{first.shard['index']}/{first.shard['count']} of "
                             f"{first.shard['list']}, {run.shard['index']}/{run.shard['count']} of "
                             f"{run.shard['list']}")
        if run.shard["index"] in seen:
            raise UsageError(f"{seen[run.shard['index']].path} and {run.path} are the same shard: "
                             f"{run.shard['index']}/{run.shard['count']}")
        seen[run.shard["index"]] = run
    assert first.shard is not None
    missing = sorted(set(range(1, first.shard["count"] + 1)) - set(seen))
    if missing:
        raise UsageError("missing: shard " + ", ".join(f"{index}/{first.shard['count']}"
                                                       for index in missing))


def main(args: argparse.Namespace) -> int:
    """Join them; returns the exit status."""
    runs = [_read(text) for text in args.results]
    _check(runs)
    report = ktap.MergedReport(sys.stdout.write)
    suites: dict[str, list[ktap.Result]] = {}
    for run in sorted(runs, key=lambda each: (each.shard or {"index": 1})["index"]):
        for entry in run.data["results"]:
            suites.setdefault(entry["suite"], []).append(_result(entry))
    report.begin(len(suites))
    for suite, results in suites.items():
        report.begin_suite(suite, len(results))
        for result in results:
            report.result(result)
        report.end_suite()
    good = report.close()
    if args.junit:
        report.junit(args.junit)
    if args.json:
        report.save(pathlib.Path(args.json), versions=runs[0].data.get("versions", {}),
                    seconds=sum(run.data.get("seconds", 0.0) for run in runs))
    if args.durations:
        _write_durations(pathlib.Path(args.durations), suites)
    return 0 if good else EXIT_FAILED


def _write_durations(path: pathlib.Path, suites: dict[str, list[ktap.Result]]) -> None:
    shards.save_durations(path, {
        f"{suite}/{result.name}": result.seconds for suite, results in suites.items()
        for result in results if result.seconds is not None and result.status == "pass"})
