# SPDX-License-Identifier: GPL-2.0-or-later
"""Shards: one list of tests, run on several machines.

Responsible for: which tests shard I of N has, so that all take about as long, and how long a test
is known to take.
State: none. Every machine finds the same shards, as long as all have the same checkout and options.
"""

import argparse
import dataclasses
import hashlib
import pathlib
import re
import statistics
from collections.abc import Callable, Sequence

from . import paths
from .errors import LabError

DURATIONS = paths.REPO / "tests" / "durations.txt"
UNKNOWN = 1.0           # seconds, of a test in a suite of which nothing is known
MOST = 1000

Test = tuple[str, str]                          # suite, name
Piece = Callable[[Test], tuple[str, str]]       # tests of one piece stay together


@dataclasses.dataclass(frozen=True)
class Shard:
    """Shard `index` of `count`, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse(text: str) -> Shard:
    """The value of --shard."""
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]) <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected I/N with 1 <= I <= N <= {MOST}, such "
                                         "as 2/4")
    return Shard(int(found[1]), int(found[2]))


def durations(path: pathlib.Path = DURATIONS) -> dict[str, float]:
    """{suite/name: seconds} of the tests that somebody has measured."""
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        name, _, seconds = line.rpartition(" ")
        try:
            found[name.strip()] = float(seconds)
        except ValueError:
            raise LabError(f"{path}:{number}: expected \"suite/test seconds\", got "
                           f"{line!r}") from None
    return found


def save_durations(path: pathlib.Path, taken: dict[str, float]) -> None:
    """Write what durations() reads."""
    text = ("# SPDX-License-Identifier: GPL-2.0-or-later\n"
            "# Seconds that tests take; `lab test --shard` splits by them, `lab merge --durations` "
            "writes them.\n")
    text += "".join(f"{name} {seconds:.1f}\n" for name, seconds in sorted(taken.items()))
    path.write_text(text, encoding="utf-8")


def digest(tests: Sequence[Test]) -> str:
    """Names a list: shards of different lists do not belong together."""
    return hashlib.sha256("\n".join("/".join(test) for test in tests).encode()).hexdigest()[:16]


def split(tests: Sequence[Test], count: int, known: dict[str, float],
          piece: Piece = lambda test: test) -> list[list[Test]]:
    """`tests` in `count` lists of about the same duration, each in the order of `tests`.

    The longest piece goes first, each to the shard that has the least to do. A test of unknown
    duration is taken to last as long as the median of its suite.
    """
    of_suite: dict[str, list[float]] = {}
    for suite, name in tests:
        if f"{suite}/{name}" in known:
            of_suite.setdefault(suite, []).append(known[f"{suite}/{name}"])
    usual = {suite: statistics.median(all_known) for suite, all_known in of_suite.items()}
    weights: dict[tuple[str, str], float] = {}
    for test in tests:
        seconds = known.get("/".join(test), usual.get(test[0], UNKNOWN))
        weights[piece(test)] = weights.get(piece(test), 0.0) + seconds
    loads, owner = [0.0] * count, {}
    for key in sorted(weights, key=lambda each: (-weights[each], each)):
        least = min(range(count), key=lambda index: (loads[index], index))
        owner[key] = least
        loads[least] += weights[key]
    return [[test for test in tests if owner[piece(test)] == index] for index in range(count)]
