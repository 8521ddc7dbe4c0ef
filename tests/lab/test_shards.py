# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of shards: `lab test --shard I/N` and `lab merge`.

Responsible for: that the shards of a list are the list, that they are even, and that joined results
say what one run would have said.
State: none.
"""

import argparse
import contextlib
import io
import json
import pathlib
import random
import subprocess
import sys
import xml.etree.ElementTree as xml

from labkit import ktap, shards
from labkit.commands import merge
from labkit.errors import LabError, UsageError

from .judge import check, raises, same, temporary_folder

SUITES = ("unit", "qtest", "guest")


def _list(count: int) -> list[shards.Test]:
    return [(SUITES[index % len(SUITES)], f"group/{index:03}") for index in range(count)]


def test_shard_split(_rig: object) -> None:
    """Each test is in one shard, in the order of the list, whatever is known of durations."""
    draw = random.Random(7)
    for count in (1, 2, 3, 8):
        tests = _list(60)
        known = {"/".join(test): draw.uniform(0.1, 30) for test in tests if draw.random() < 0.7}
        parts = shards.split(tests, count, known)
        same(len(parts), count, "shards")
        same(sorted(test for part in parts for test in part), sorted(tests), "all tests, each once")
        for part in parts:
            same(part, [test for test in tests if test in part], "their order")
        same(parts, shards.split(tests, count, known), "the same again")


def test_shard_even(_rig: object) -> None:
    """No shard takes longer than the mean and the longest test together; what is unknown counts
    as the median of its suite."""
    draw = random.Random(8)
    tests = _list(100)
    known = {"/".join(test): draw.expovariate(0.1) for test in tests}
    for count in (2, 4, 10):
        loads = [sum(known["/".join(test)] for test in part)
                 for part in shards.split(tests, count, known)]
        check(max(loads) <= sum(loads) / count + max(known.values()), f"{count} shards: {loads}")
    known = {f"guest/group/{index:03}": 60.0 for index in range(2, 30, 3)}
    slow = [test for test in tests if test[0] == "guest"]
    parts = shards.split(tests, len(slow), known)
    check(all(sum(test in slow for test in part) == 1 for part in parts),
          f"guest tests, known and unknown, are not spread: {parts}")


def test_shard_pieces(_rig: object) -> None:
    """Tests of one piece stay together."""
    tests = [("unit", f"program-{index % 5}/{index}") for index in range(50)]
    for part in shards.split(tests, 3, {}, lambda test: (test[0], test[1].split("/")[0])):
        programs = {name.split("/")[0] for _, name in part}
        same(len(part), 10 * len(programs), f"tests of {programs}")


def test_shard_words(_rig: object) -> None:
    """Values of --shard that make no sense, and a file of durations that is none."""
    same(shards.parse("2/4"), shards.Shard(2, 4), "2/4")
    for text in ("0/4", "5/4", "1", "a/b", "1/0", "-1/2", "1/1001"):
        try:
            shards.parse(text)
        except argparse.ArgumentTypeError as error:
            check("expected I/N" in str(error), f"{text}: {error}")
        else:
            raise AssertionError(f"--shard {text} was taken")
    with temporary_folder() as folder:
        same(shards.durations(folder / "none"), {}, "durations without a file")
        (folder / "list").write_text("# a comment\nguest/a 1.5\nguest/b\n", encoding="utf-8")
        with raises(LabError, "list:3", "expected \"suite/test seconds\""):
            shards.durations(folder / "list")


def _results(folder: pathlib.Path, tests: list[shards.Test], index: int, count: int,
             statuses: dict[str, str]) -> pathlib.Path:
    """results.json of one shard, made as `lab test` makes it."""
    report = ktap.MergedReport(lambda _: None)
    part = shards.split(tests, count, {})[index - 1]
    for suite in SUITES:
        report.begin_suite(suite)
        for owner, name in part:
            if owner == suite:
                status = statuses.get(name, "pass")
                report.result(ktap.Result(name.split("/"), status,
                                          f"of {name}" if status != "pass" else "", [], 1.5))
        report.end_suite()
    path = folder / f"shard-{index}.json"
    report.save(path, seconds=1.0, versions={}, shard={"index": index, "count": count,
                                                       "list": shards.digest(tests)})
    return path


def _merge(*words: object) -> tuple[int, str]:
    """(exit status, output) of `lab merge`."""
    parser = argparse.ArgumentParser()
    merge.add_options(parser)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = merge.main(parser.parse_args([str(word) for word in words]))
    return status, out.getvalue()


def test_merge(_rig: object) -> None:
    """Shards joined: every test once, the tally, failures with their reason, JUnit, durations."""
    tests = _list(31)
    statuses = {"group/004": "fail", "group/010": "skip"}
    with temporary_folder() as folder:
        paths = [_results(folder, tests, index, 4, statuses) for index in (3, 1, 4, 2)]
        status, text = _merge(*paths, "--junit", folder / "all.xml", "--json", folder / "all.json",
                              "--durations", folder / "durations.txt")
        same(status, 1, "the exit status with a failure")
        same(text.splitlines()[-1], "29 passed, 1 failed, 1 skipped", "the last line")
        check("# of group/004\n" in text and " # SKIP of group/010\n" in text, text)
        parsed = ktap.parse(text).results()
        same(sorted(tuple(result.name.split("/", 1)) for result in parsed), sorted(tests),
             "tests in the report")
        cases = [(case.get("classname"), case.get("name"))
                 for case in xml.parse(folder / "all.xml").iter("testcase")]
        same(sorted(cases), sorted((f"{suite}.group", name.split("/")[1])
                                   for suite, name in tests), "tests in JUnit's file")
        known = shards.durations(folder / "durations.txt")
        same((len(known), set(known.values())), (29, {1.5}), "durations of tests that passed")
        paths = [_results(folder, tests, index, 2, {}) for index in (1, 2)]
        same(_merge(*paths)[0], 0, "the exit status without a failure")


def test_merge_refusals(_rig: object) -> None:
    """What does not belong together is not joined."""
    tests = _list(30)
    with temporary_folder() as folder:
        one, two, three = (_results(folder, tests, index, 3, {}) for index in (1, 2, 3))
        for words, said in (((one, two), "missing: shard 3/3"),
                            ((one, two, three, two), "are the same shard: 2/3"),
                            ((folder / "none.json",), "No such file"),
                            ((one, two, folder), "results.json")):
            with raises(UsageError, said):
                _merge(*words)
        other = folder / "other"
        other.mkdir()
        with raises(UsageError, "are not shards of the same list"):
            _merge(one, two, _results(other, tests[:-1], 3, 3, {}))
        data = json.loads(one.read_text(encoding="utf-8"))
        del data["shard"]
        (folder / "whole.json").write_text(json.dumps(data), encoding="utf-8")
        with raises(UsageError, "is no shard"):
            _merge(folder / "whole.json", two)
        data["results"][0]["status"] = "good"
        (folder / "wrong.json").write_text(json.dumps(data), encoding="utf-8")
        with raises(UsageError, "status 'good'"):
            _merge(folder / "wrong.json")


def test_shards_of_a_suite(_rig: object) -> None:
    """The shards of a real list, as `lab test --list` prints them, are the list."""
    def listed(*words: str) -> list[str]:
        done = subprocess.run([sys.executable, "-B", sys.argv[0], "test", "--suite", "guest",
                               "--list", *words], capture_output=True, text=True, timeout=600,
                              check=True)
        return done.stdout.split()

    whole = listed()
    parts = [listed("--shard", f"{index}/3") for index in (1, 2, 3)]
    same(sorted(name for part in parts for name in part), sorted(whole), "all tests, each once")
    check(all(len(part) > len(whole) / 10 for part in parts),
          f"sizes {[len(part) for part in parts]}")
