# SPDX-License-Identifier: GPL-2.0-or-later
"""What differs between two result files: device and card, two firmwares, two kernels.

Responsible for: comparing what was answered with what the documents guess, and two runs with each
other, apart from speed; the form of the answer.
State: none.

guest-tests/questions.toml has the questions about the silicon, with what the device does by
default: that is a guess, and a file from a card can contradict it.
"""

import dataclasses
import json
import textwrap
import tomllib
from typing import Any

from . import paths
from .errors import printable
from .results import ENDS, NOTHING, Range, ResultFile, Test, is_number

QUESTIONS = paths.GUEST_TESTS / "questions.toml"
ANSWER = "answer"           # the observation of a test that decides a question
# How far a counter may be off that varies by itself, or of which nobody knows whether it does:
# acknowledgements and interrupts come as they come. Some runs do not show all that can happen.
SLACK, LEAST = 0.25, 8
WIDTH = 34                  # of a column
NAMED = 3                   # tests that are named for a counter; --json has all


@dataclasses.dataclass(frozen=True)
class Question:
    """What public sources leave open about the silicon, and the test that decides it."""

    test: str
    asks: str
    guess: Any
    knob: str | None            # property of the device that selects another answer
    answers: dict[str, str]     # what they mean; there may be others


def questions() -> list[Question]:
    """All of them, in their order."""
    table = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    return [Question(test, entry["asks"], entry["guess"], entry.get("knob"),
                     entry.get("answers", {})) for test, entry in table.items()]


# ---- comparing

@dataclasses.dataclass(frozen=True)
class Difference:
    """One thing, and what it is in A and in B; None: the file does not say."""

    what: str
    a: Any
    b: Any
    more: str = ""


@dataclasses.dataclass
class Comparison:
    """Everything that was found."""

    a: ResultFile
    b: ResultFile
    contradictions: list[Difference]
    undecided: list[str]                # tests of questions that neither file answers
    results: list[Difference]
    only_one: list[Difference]          # tests that were run in one file alone
    observations: list[Difference]
    counters: dict[str, list[Difference]]       # {"END COUNTER": a line for each test}
    uncounted: list[Difference]         # counters that only one of the drivers has
    bench: list[Difference]             # environment and device

    @property
    def differs(self) -> bool:
        """Is there anything to be said?"""
        return any((self.contradictions, self.results, self.only_one, self.observations,
                    self.counters, self.uncounted, self.bench))


def compare(a: ResultFile, b: ResultFile) -> Comparison:
    """What differs between two files, and what in them contradicts a guess."""
    asked = questions()
    answered = {question.test for question in asked}
    both = [(a.tests[name], b.tests[name]) for name in a.tests if name in b.tests]
    only_one = [Difference(name, _outcome(a.tests.get(name)), _outcome(b.tests.get(name)))
                for name in [*a.tests, *(name for name in b.tests if name not in a.tests)]
                if not (name in a.tests and name in b.tests)]
    results = [Difference(x.name, _outcome(x), _outcome(y)) for x, y in both
               if x.result != y.result and "skip" not in (x.result, y.result)]
    only_one += [Difference(x.name, _outcome(x), _outcome(y)) for x, y in both
                 if x.result != y.result and "skip" in (x.result, y.result)]
    return Comparison(
        a, b, _contradictions(asked, a, b),
        [question.test for question in asked
         if not any(_answers(file, question) for file in (a, b))],
        results, only_one,
        [difference for x, y in both
         for difference in _observations(x, y, x.name in answered)],
        _counters(a, b, both), _uncounted(a, b), _bench(a, b))


def _outcome(test: Test | None) -> str | None:
    if test is None:
        return None
    first = (test.reason.splitlines() or [""])[0]
    return test.result + (f": {first}" if first and test.result != "pass" else "")


def _answers(file: ResultFile, question: Question) -> list[Any]:
    """What a file's runs answer, each answer once."""
    test = file.tests.get(question.test)
    found: list[Any] = []
    for values in test.seen.get(ANSWER, []) if test else ():
        found += [value for value in values if value not in found]
    return found


def _contradictions(asked: list[Question], a: ResultFile, b: ResultFile) -> list[Difference]:
    found = []
    for question in asked:
        answers = [_answers(file, question) for file in (a, b)]
        wrong = {str(answer): question.answers.get(str(answer), "") for side in answers
                 for answer in side if answer != question.guess}
        if wrong:
            said = "; ".join(f"{answer}: {means}" if means else answer
                             for answer, means in wrong.items())
            knob = f"; knob {question.knob}" if question.knob else ""
            found.append(Difference(
                question.test, _one(answers[0]), _one(answers[1]),
                f"{question.asks}: the guess is {question.guess}{knob}. {said}"))
    return found


def _one(values: list[Any]) -> Any:
    return None if not values else values[0] if len(values) == 1 else values


def _observations(x: Test, y: Test, answered: bool) -> list[Difference]:
    found = []
    for name in dict.fromkeys([*x.seen, *y.seen]):
        mine, yours = x.seen.get(name, []), y.seen.get(name, [])
        # an answer is told beside its guess
        if answered and name == ANSWER or "skip" in (x.result, y.result):
            continue
        if not any(values in yours for values in mine) and not _meet(mine, yours):
            found.append(Difference(f"{x.name} {name}", _shown(mine), _shown(yours)))
    return found


def _numbers(runs: list[list[Any]]) -> Range | None:
    """The range of an observation that is one number in each run."""
    if runs and all(len(values) == 1 and is_number(values[0]) for values in runs):
        return Range(min(values[0] for values in runs), max(values[0] for values in runs))
    return None


def _meet(mine: list[list[Any]], yours: list[list[Any]]) -> bool:
    """Are these numbers of which the ones are within what the others were?"""
    first, second = _numbers(mine), _numbers(yours)
    return first is not None and second is not None and first.gap(second) == 0


def _shown(runs: list[list[Any]]) -> Any:
    if not runs:
        return None
    shown = [values[0] if len(values) == 1 else values for values in runs]
    return shown[0] if len(shown) == 1 else {"any": shown}


def _counters(a: ResultFile, b: ResultFile, both: list[tuple[Test, Test]]
              ) -> dict[str, list[Difference]]:
    """{"END COUNTER": one difference for each test} of tests that passed in both."""
    known = max(a.runs, b.runs) > 1
    found: dict[str, list[Difference]] = {}
    for end in ENDS:
        common = a.counters(end) & b.counters(end)
        steady = common - a.varying(end) - b.varying(end) if known else set()
        for x, y in both:
            if (x.result, y.result) != ("pass", "pass") or not (end in x.moved and end in y.moved):
                continue
            mine, yours = x.moved[end], y.moved[end]
            for counter in sorted((mine.keys() | yours.keys()) & common):
                one, two = mine.get(counter, NOTHING), yours.get(counter, NOTHING)
                if _apart(one, two, counter in steady):
                    found.setdefault(f"{end} {counter}", []).append(
                        Difference(x.name, str(one), str(two)))
    return found


def _apart(one: Range, two: Range, steady: bool) -> bool:
    """Are they further apart than what varies from run to run?"""
    gap = one.gap(two)
    if steady:
        return gap > 0
    return gap > max(LEAST, SLACK * max(one.high, two.high), one.width, two.width)


def _uncounted(a: ResultFile, b: ResultFile) -> list[Difference]:
    found = []
    for end in ENDS:
        mine, yours = a.counters(end), b.counters(end)
        if mine and yours:
            found += [Difference(f"{end} {name}", name in mine or None, name in yours or None)
                      for name in sorted(mine ^ yours)]
    return found


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {key: leaf for name, each in value.items()
                for key, leaf in _flat(each, f"{prefix}{name}.").items()}
    return {prefix.rstrip("."): value}


def _bench(a: ResultFile, b: ResultFile) -> list[Difference]:
    mine, yours = ({**_flat(file.content["environment"]), **_flat(file.content["device"])}
                   for file in (a, b))
    return [Difference(name, mine.get(name), yours.get(name))
            for name in dict.fromkeys([*mine, *yours])
            if mine.get(name) != yours.get(name) and not name.startswith("options.")]


# ---- the forms of the answer

def as_json(found: Comparison) -> str:
    """All of it, for programs."""
    def plain(differences: list[Difference]) -> list[dict[str, Any]]:
        return [dataclasses.asdict(each) for each in differences]

    content = {
        "a": {"path": found.a.path, "runs": found.a.runs},
        "b": {"path": found.b.path, "runs": found.b.runs},
        "contradictions": plain(found.contradictions), "undecided": found.undecided,
        "results": plain(found.results), "run_in_one": plain(found.only_one),
        "observations": plain(found.observations),
        "counters": {name: plain(each) for name, each in found.counters.items()},
        "counted_in_one": plain(found.uncounted), "bench": plain(found.bench)}
    return json.dumps(content, indent=1) + "\n"


def _cell(value: Any) -> str:
    text = "-" if value is None else value if isinstance(value, str) else json.dumps(value)
    return printable(text)


def _rows(differences: list[Difference]) -> list[str]:
    """Both sides beside each other; what is too long for that comes below."""
    lines = []
    for each in differences:
        what, a, b = printable(each.what), _cell(each.a), _cell(each.b)
        if max(len(what), len(a)) < WIDTH:
            lines.append(f"  {what:{WIDTH}} {a:{WIDTH}} {b}")
        else:
            lines += [f"  {what}", f"  {'':8}A  {a}", f"  {'':8}B  {b}"]
        if each.more:
            lines += textwrap.wrap(printable(each.more), 98, initial_indent=" " * 10,
                                   subsequent_indent=" " * 10, break_on_hyphens=False)
    return lines


def _only_rows(differences: list[Difference]) -> list[str]:
    """Tests that a file does not have, by their names; those that were skipped, with the reason."""
    lines = []
    for letter, missing in (("A", "b"), ("B", "a")):
        names = [printable(each.what) for each in differences if getattr(each, missing) is None]
        if names:
            lines += textwrap.wrap(f"{letter}, {len(names)} tests: " + ", ".join(names), 98,
                                   initial_indent="  ", subsequent_indent=" " * 10,
                                   break_on_hyphens=False, break_long_words=False)
    return lines + _rows([each for each in differences if None not in (each.a, each.b)])


def _counter_rows(counters: dict[str, list[Difference]]) -> list[str]:
    lines = []
    for name, tests in sorted(counters.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = "; ".join(f"{each.what} {each.a} | {each.b}" for each in tests[:NAMED])
        more = f"; {len(tests) - NAMED} tests more" if len(tests) > NAMED else ""
        lines.append(f"  {printable(name):{WIDTH}} {printable(shown)}{more}")
    return lines


def _head(letter: str, file: ResultFile) -> list[str]:
    """A file in two lines: where it is from, and how much is in it."""
    environment, device = file.content["environment"], file.content["device"]
    driver = device.get("local", {}).get("driver", {})
    kernel = environment.get("kernel", {}).get("local", "?")
    count = {result: sum(test.result == result for test in file.tests.values())
             for result in ("pass", "fail", "skip")}
    runs = f", {file.runs} runs" if file.runs > 1 else ""
    unfinished = "" if file.content.get("complete") else ", the run did not come to its end"
    return [f"{letter}  {printable(file.path)}",
            printable(f"   Linux {kernel}, {driver.get('driver', '?')}, firmware "
                      f"{driver.get('firmware-version', '?')}"
                      f"{', emulated' if environment.get('lab') else ''}{runs}"),
            f"   {count['pass']} passed, {count['fail']} failed, {count['skip']} skipped"
            f"{unfinished}"]


def as_text(found: Comparison) -> str:
    """All of it, for people."""
    lines = [*_head("A", found.a), *_head("B", found.b)]
    for title, rows in (
            ("contradicts what the documents guess about the silicon",
             _rows(found.contradictions)),
            ("other results", _rows(found.results)),
            ("run in one of them only", _only_rows(found.only_one)),
            ("other observations", _rows(found.observations)),
            ("counters beyond what varies from run to run, of tests that passed in both",
             _counter_rows(found.counters)),
            ("counted by one of the drivers only", _rows(found.uncounted)),
            ("environment and device", _rows(found.bench))):
        if rows:
            lines += ["", f"{title}", *rows]
    if not found.differs:
        lines += ["", "nothing differs"]
    if found.undecided:
        lines += ["", *textwrap.wrap("open questions that neither file answers: "
                                     + ", ".join(found.undecided), 98, break_on_hyphens=False)]
    return "\n".join(lines) + "\n"
