# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `lint`: checks of the source text, in tests/lint/.

Responsible for: running tests/lint/run.py, which lists and runs them.
State: none.
"""

import sys

from .. import ktap, paths, steps
from .suite import LIST_LIMIT, Context, Suite, complete, run_tap

RUN = paths.TESTS / "lint" / "run.py"


class Lint(Suite):
    """Checks without a build or machine: style, and documents against code, each with a proof."""

    name = "lint"
    about = "the sources as text: style, linters, documents held against the code"
    order = 50
    purposes = ("lint",)

    def tests(self, context: Context) -> list[str]:
        listed = steps.capture([sys.executable, "-B", RUN, "--list"], timeout=LIST_LIMIT)
        return [line.split()[0] for line in listed.stdout.splitlines()]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        report.plan(len(names))
        parser, status, errors = run_tap([sys.executable, "-B", RUN, *names], what="lint",
                                         log=context.rundir.file("lint.log"))
        results = complete(parser, status, errors, "tests/lint/run.py")
        done = {result.name for result in results}
        results += [ktap.Result([name], "fail", "not run: tests/lint/run.py ended before it")
                    for name in names if name not in done]
        for result in results:
            report.result(result)
