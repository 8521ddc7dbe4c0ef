# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `random`: a million random packets through both the engine and its model.

Responsible for: running tests/unit/test-tls-random for long, with a printed seed, and keeping the
script that replays a failure.
State: none beyond the run; uses the program of the suite `unit`.
"""

import os
import pathlib
import random
import time

from .. import ktap, steps
from ..errors import UsageError
from .suite import WHOLE, Context, Suite, complete, glib_names, run_tap
from .unit import Unit

PROGRAM = "test-tls-random"
PACKETS = 1_000_000
REPLAY = "random-replay.txt"
FATAL = "Bail out! FATAL-ERROR: "
LIMIT = 6 * 3600.0          # a hang guard


class RandomPackets(Suite):
    """test-tls-random, with many packets."""

    name = "random"
    about = f"{PACKETS:,} random packets: engine against model (MLX5_TEST_PACKETS, MLX5_TEST_SEED)"
    default = False
    order = 620
    builds_to_list = True
    purposes = ("compile", "test")

    def __init__(self) -> None:
        self._unit = Unit()

    def tests(self, context: Context) -> list[str]:
        return [name.rsplit("/", 1)[1] for name in glib_names([self._unit.program(PROGRAM)])]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        program = self._unit.program(PROGRAM)
        seed, packets = number("MLX5_TEST_SEED"), number("MLX5_TEST_PACKETS")
        seed = random.SystemRandom().getrandbits(31) if seed is None else seed
        packets = packets or PACKETS
        replay = context.rundir.file(REPLAY)
        report.plan(len(names))
        report.emit(f"# MLX5_TEST_SEED={seed} MLX5_TEST_PACKETS={packets}", 1)
        for name in names:
            started = time.monotonic()
            parser, status, errors = run_tap(
                [program, "--tap", "-p", f"/tls/random/{name}"], limit=LIMIT,
                what=f"{name}, {packets} random packets",
                env={"MLX5_TEST_SEED": str(seed), "MLX5_TEST_PACKETS": str(packets),
                     "MLX5_TEST_REPLAY": str(replay)},
                log=context.rundir.file("random.log"))
            report.result(self._result(name, complete(parser, status, errors, PROGRAM), replay,
                                       time.monotonic() - started, report))

    @staticmethod
    def _result(name: str, results: list[ktap.Result], replay: pathlib.Path, seconds: float,
                report: ktap.MergedReport) -> ktap.Result:
        said = [line for result in results for line in result.output
                if not line.startswith(("# Start of", "# End of", "# random seed"))]
        bad = next((result for result in results if result.status == "fail"), None)
        if bad is None:
            for line in said:
                report.emit(line, 1)
            return ktap.Result([name], "pass", output=said, seconds=seconds)
        reason = next((line.removeprefix(FATAL) for line in said if line.startswith(FATAL)),
                      bad.reason if bad.path == [WHOLE] else bad.summary)
        if replay.exists():
            steps.say(f"the failing case, shrunk: {replay}")
            reason += f"\nthe case, shrunk: {replay}\nreplay: MLX5_TEST_SCRIPT={replay} {PROGRAM}"
        return ktap.Result([name], "fail", reason,
                           [line for line in said if not line.startswith(FATAL)], seconds)


def number(name: str) -> int | None:
    """Return a number from the environment, None if unset."""
    text = os.environ.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise UsageError(f"{name}={text!r}: expected a decimal number")
    return int(text)
