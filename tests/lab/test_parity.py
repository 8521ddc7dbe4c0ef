# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab parity`: what is said of two result files, and what the documents say about the
questions that are open.

Responsible for: scripts/labkit/results.py and parity.py with files that are made up, and
guest-tests/questions.toml beside docs/device.md.
State: none.
"""

import contextlib
import copy
import io
import json
import pathlib
import re
import sys
from typing import Any

from labkit import cli, parity, paths, results, steps
from labkit.errors import UsageError

from .judge import check, raises, same, temporary_folder
from .made_up_bench import written

def _content(**tests: Any) -> dict[str, Any]:
    """A file's content; a test as {name: (result, observed, counters of the local end)}."""
    counted = {"before": {"rx_tls_err": 0, "tx_packets": 0}, "after": {"rx_tls_err": 9,
                                                                       "tx_packets": 9}}
    return {"format": results.FORMAT, "schema": results.SCHEMA, "runs": 1, "complete": True,
            "seconds": 5.0,
            "environment": {"kernel": {"local": "6.12.1", "remote": "6.12.1"}, "lab": True,
                            "options": {"only": ["x"]}},
            "device": {"local": {"driver": {"driver": "mlx5_core", "firmware-version": "1.2"},
                                 "features": {"rx-gro-hw": "off"}}},
            "counters": {"local": counted},
            "tests": [{"name": name, "result": outcome, "seconds": 1.0, "observed": observed,
                       "counters": {"local": moved}}
                      for name, (outcome, observed, moved) in tests.items()]}


def _file(content: dict[str, Any]) -> results.ResultFile:
    with temporary_folder() as folder:
        path = folder / "r.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return results.load(path)


def _compared(a: dict[str, Any], b: dict[str, Any]) -> parity.Comparison:
    return parity.compare(_file(a), _file(b))


PLAIN = _content(**{"Q-01/rx-resync-flag-at": ("pass", {"answer": ["magic"]}, {"tx_packets": 100}),
                    "ping/v4": ("pass", {"lost": [0]}, {"tx_packets": 1000, "rx_tls_err": 0})})


def _changed(**paths_: Any) -> dict[str, Any]:
    """PLAIN with changes: {"tests.1.result": value}, dots between the steps."""
    content = copy.deepcopy(PLAIN)
    for path, value in paths_.items():
        place: Any = content
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            place = place[step]
        place[last] = value
    return content


def test_parity_of_the_same(_rig: object) -> None:
    """Nothing is said of a file and itself, nor of two that differ in speed alone."""
    for other in (PLAIN, _changed(**{"tests/0/seconds": 77.0, "seconds": 99.0,
                                     "environment/options": {}})):
        found = _compared(PLAIN, other)
        check(not found.differs, parity.as_json(found))
        check("nothing differs" in parity.as_text(found), parity.as_text(found))
    with temporary_folder() as folder:
        path = written(folder)
        check(not parity.compare(results.load(path), results.load(path)).differs,
              "a real file and itself")


def test_parity_names_differences(_rig: object) -> None:
    """Each kind of difference is named, with both sides, and nothing else."""
    cases: list[tuple[dict[str, Any], str, Any]] = [
        ({"tests/1/result": "fail", "tests/1/reason": "lost\nmore"}, "results",
         ("ping/v4", "pass", "fail: lost")),
        ({"tests/1/result": "skip"}, "only_one", ("ping/v4", "pass", "skip")),
        ({"tests/1/name": "ping/v6"}, "only_one", ("ping/v4", "pass", None)),
        ({"tests/1/observed": {"lost": [3]}}, "observations", ("ping/v4 lost", 0, 3)),
        ({"tests/1/observed": {}}, "observations", ("ping/v4 lost", 0, None)),
        ({"environment/kernel/local": "7.3"}, "bench", ("kernel.local", "6.12.1", "7.3")),
        ({"device/local/features/rx-gro-hw": "off fixed"}, "bench",
         ("local.features.rx-gro-hw", "off", "off fixed")),
        ({"counters/local/after/tx_nop": 1}, "uncounted", ("local tx_nop", None, True)),
    ]
    for changes, kind, (what, a, b) in cases:
        found = _compared(PLAIN, _changed(**changes))
        first = getattr(found, kind)[0]
        same((first.what, first.a, first.b), (what, a, b), f"{kind} of {changes}")
        others = [name for name in ("contradictions", "results", "only_one", "observations",
                                    "counters", "uncounted", "bench")
                  if name != kind and getattr(found, name)]
        same(others, [], f"what else is said of {changes}")
        text = parity.as_text(found)
        shown = b if isinstance(b, str) else json.dumps(b) if b else "-"
        check(what in text and shown in text, text)


def test_parity_counters(_rig: object) -> None:
    """A counter is named when it is further off than what varies from run to run: one that was
    always the same in several runs when it is another number, any other when it is a quarter off.
    Of a test that failed, or a counter that one driver has, none."""
    def said(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
        return list(_compared(a, b).counters)

    for count, named in ((1200, []), (1400, ["local tx_packets"]), (600, ["local tx_packets"])):
        same(said(PLAIN, _changed(**{"tests/1/counters/local/tx_packets": count})), named,
             f"1000 and {count}")
    few = {"tests/1/counters/local/rx_tls_err": 8}
    same(said(PLAIN, _changed(**few)), [], "0 and 8 in one run each")
    runs = results.merge([_file(PLAIN), _file(_changed(**{
        "tests/1/counters/local/tx_packets": 1100}))])
    for count, named in ((1201, []), (1467, ["local tx_packets"]), (724, ["local tx_packets"])):
        same(said(runs, _changed(**{"tests/1/counters/local/tx_packets": count})), named,
             f"1000..1100 and {count}")
    wide = results.merge([_file(PLAIN), _file(_changed(**{
        "tests/1/counters/local/tx_packets": 2000}))])
    same(said(wide, _changed(**{"tests/1/counters/local/tx_packets": 2900})), [],
         "1000..2000 and 2900: no further off than it varies")
    same(said(runs, _changed(**few)), ["local rx_tls_err"], "0 in both of two runs, and 8")
    # it varies, as another test shows, so the two runs only happened to be the same in this one
    same(said(runs, _changed(**{"tests/0/counters/local/tx_packets": 108})), [],
         "100 in both runs, and 108")
    same(said(results.merge([_file(PLAIN), _file(PLAIN)]),
              _changed(**{"tests/0/counters/local/tx_packets": 101})), ["local tx_packets"],
         "a counter that is always the same")
    failed = _changed(**few, **{"tests/1/result": "fail"})
    same(said(runs, failed), [], "of a test that failed")
    gone = _changed(**few)
    for moment in ("before", "after"):
        del gone["counters"]["local"][moment]["rx_tls_err"]
    same(said(runs, gone), [], "a counter that one of the drivers does not have")


def test_parity_guesses(_rig: object) -> None:
    """What contradicts a documented guess is told first, with what it means, for either side; a
    question that nobody has asked is listed."""
    other = _changed(**{"tests/0/observed": {"answer": ["loss"]}})
    for a, b in ((PLAIN, other), (other, PLAIN), (other, other)):
        found = _compared(a, b)
        same([each.what for each in found.contradictions], ["Q-01/rx-resync-flag-at"], "what")
        same(found.observations, [], "the answer is told once")
        text = parity.as_text(found)
        check("the guess is magic" in text and "tracking was lost" in text, text)
        check(text.index("guess is magic") < text.index("open questions"), text)
    check("Q-05/rx-bad-tag" in found.undecided, f"{found.undecided}")
    check("Q-01/rx-resync-flag-at" not in found.undecided, f"{found.undecided}")


def test_parity_merges_runs(_rig: object) -> None:
    """Several runs in one file: what varies is known, and what does not is as in each; runs of two
    machines are refused."""
    second = _changed(**{"tests/1/observed": {"lost": [2]}, "tests/0/result": "fail",
                         "tests/1/counters/local/tx_packets": 900})
    third = _changed(**{"tests/1/observed": {"lost": [5]}})
    merged = results.merge([_file(PLAIN), _file(second), _file(third)])
    same(merged["runs"], 3, "runs")
    same(merged["tests"][1]["observed"], {"lost": {"any": [[0], [2], [5]]}}, "observations")
    same(merged["tests"][1]["counters"]["local"]["tx_packets"], [900, 1000], "a counter")
    same((merged["tests"][0]["result"], merged["tests"][0]["counters"]["local"]["tx_packets"]),
         ("varies", 100), "a result that varies, a counter that does not")
    for seen, named in (([4], 0), ([6], 1), ([[0]], 1), (["0"], 1)):
        found = _compared(merged, _changed(**{"tests/1/observed": {"lost": seen}}))
        same(len(found.observations), named, f"{seen} beside 0, 2, 5")
    twice = results.merge([_file(merged), _file(PLAIN)])
    same((twice["runs"], twice["tests"][1]), (4, merged["tests"][1]), "a merged file again")
    # halves of a run say nothing of how far a counter varies
    half = copy.deepcopy(PLAIN)
    other = copy.deepcopy(PLAIN)
    del half["tests"][0], other["tests"][1]
    same(results.merge([_file(half), _file(other)])["runs"], 1, "runs of two halves")
    same(results.merge([_file(PLAIN), _file(PLAIN), _file(half)])["runs"], 2, "two and a half")
    with raises(UsageError, "expected runs of one machine", "environment"):
        results.merge([_file(PLAIN), _file(_changed(**{"environment/kernel/local": "7.3"}))])


def test_parity_bad_input(_rig: object) -> None:
    """What is no result file is refused with its place and what was expected there."""
    with temporary_folder() as folder:
        path = folder / "x.json"
        with raises(UsageError, str(path), "No such file"):
            results.load(path)
        for text, words in (("{", ("no JSON",)), ("[]", ("expected a result file", "none")),
                            ('{"format": "x"}', ("the format", "'x'"))):
            path.write_text(text, encoding="utf-8")
            with raises(UsageError, str(path), *words):
                results.load(path)
    cases: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        ({"schema": 2}, ("expected schema 1, got 2", "the checkout that wrote them")),
        ({"schema": "1"}, ("expected schema 1",)),
        ({"runs": 0}, ("runs: expected a number from 1 on",)),
        ({"runs": True}, ("runs: expected a number",)),
        ({"tests": {}}, ("tests: expected a list",)),
        ({"environment": 3}, ("environment: expected an object, got 3",)),
        ({"tests/1": 3}, ("tests[1]: expected an object",)),
        ({"tests/1/name": None}, ("tests[1].name: expected a text",)),
        ({"tests/1/name": "Q-01/rx-resync-flag-at"}, ("expected each test once",)),
        ({"tests/1/result": "good"}, ("tests[1].result (ping/v4): expected pass", "'good'")),
        ({"tests/1/observed": {"lost": 3}}, ("tests[1].observed.lost: expected a list",)),
        ({"tests/1/counters/local/x": [2, 1]}, ("counters.local.x: expected a number or [",)),
        ({"tests/1/counters/local/x": True}, ("counters.local.x: expected a number",)),
        ({"counters/local/after": []}, ("counters.local.after: expected an object",)),
    ]
    for changes, words in cases:
        with raises(UsageError, *words):
            _file(_changed(**changes))


def test_parity_command(_rig: object) -> None:
    """The command: exit status, both forms, --merge, and how many files it takes."""
    def run(*words: str) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["parity", *words])
        return status, out.getvalue() + err.getvalue()

    with temporary_folder() as folder:
        one, two, both = (str(folder / name) for name in ("a.json", "b.json", "c.json"))
        results.write(pathlib.Path(one), PLAIN)
        results.write(pathlib.Path(two), _changed(**{"tests/1/result": "fail"}))
        same(run(one, one)[0], 0, "status of the same")
        status, text = run(one, two)
        same(status, 1, "status of two")
        check(re.search(r"ping/v4 +pass +fail", text) is not None, text)
        found = json.loads(run("--json", one, two)[1])
        same(found["results"], [{"what": "ping/v4", "a": "pass", "b": "fail", "more": ""}], "JSON")
        same(run("--merge", both, one, one), (0, ""), "merging")
        same(results.load(pathlib.Path(both)).runs, 2, "runs")
        for words, wanted in (([one], "expected two result files, got 1"),
                              ([one, one, one], "expected two result files, got 3"),
                              ([one, f"{folder}/no"], "No such file"),
                              (["--merge", f"{folder}/no/x", one, two], "--merge")):
            status, text = run(*words)
            same(status, 125, f"status of {words}")
            check(wanted in text and text.startswith("lab: "), text)


# ---- the documents

def _listed(pattern: str) -> list[str]:
    """Guest tests that a pattern chooses, those of the suite `questions` too."""
    return steps.capture([sys.executable, "-B", paths.GUEST_TESTS / "run.py", "--list", "--full",
                          "--only", pattern], env={"QUESTIONS_KNOBS": "1"}).stdout.split()


def test_questions_and_knobs(_rig: object) -> None:
    """Each knob of docs/device.md names the test that decides it, or why none can; the guess in
    questions.toml is the knob's default, its answers are the knob's values; each question has its
    test, and each value of a knob the one that tries whether it is recognised."""
    same(_listed("Q-*"), [question.test for question in parity.questions()], "questions and tests")
    tried = _listed("knobs")
    text = (paths.REPO / "docs" / "device.md").read_text(encoding="utf-8")
    table = text[text.index("| knob |"):].split("\n\n")[0].splitlines()[2:]
    knobs: dict[str, list[tuple[str, str]]] = {}
    decided: dict[str, str] = {}
    for line in table:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0]:
            name = cells[0].strip("`")
            knobs[name], decided[name] = [], cells[3]
        knobs[name].append((cells[1].strip("`"), cells[2]))
    asked = {question.knob: question for question in parity.questions() if question.knob}
    check(asked.keys() <= knobs.keys(), f"no knobs: {asked.keys() - knobs.keys()}")
    for name, values in knobs.items():
        question = asked.get(name)
        if question is None:
            check(decided[name] and "Q-" not in decided[name], f"{name}: {decided[name]!r}")
            continue
        check(question.test.split("/")[0] in decided[name], f"{name}: {decided[name]!r}")
        same(question.guess, values[0][0], f"the guess about {name}")
        for answer in (value for value, _ in values if value != "N" and not value.isdigit()):
            check(answer in question.answers, f"{name}: {answer} is not explained")
        for value in (value for value, _ in values if value != "N"):
            check(f"knobs/{name}-is-{value}" in tried, f"{name}={value} is not tried: {tried}")
