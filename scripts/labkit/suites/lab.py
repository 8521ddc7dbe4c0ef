# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `lab`: tests of the lab itself through its command line, from tests/lab/.

Responsible for: finding them, building what the selected ones need, and running them in turn.
State: none.
"""

import contextlib
import sys
import time
import traceback
from typing import Any

from .. import ktap, paths, steps
from ..errors import LabError
from ..make import products
from .suite import Context, Suite


def _tests() -> list[Any]:
    """Return the tests of package `lab` in tests/lab: a list of lab.registry.Test."""
    folder = str(paths.TESTS)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # pylint: disable-next=import-outside-toplevel     # the product does not need its tests
    from lab import registry
    return registry.all_tests()


class Lab(Suite):
    """The lab's own promises."""

    name = "lab"
    about = "the lab's own promises: exit statuses, streams, failures, no stray process"
    order = 400

    def _chosen(self, context: Context) -> list[Any]:
        names = context.wants(self.name, self.tests(context))
        return [test for test in _tests() if test.name in names]

    def _parts(self, tests: list[Any]) -> tuple[str, ...]:
        return tuple(part for part in products.PARTS if any(part in test.parts for test in tests))

    def packages(self, context: Context) -> tuple[str, ...]:
        return products.purposes(self._parts(self._chosen(context)))

    def tests(self, context: Context) -> list[str]:
        named = {pattern.removeprefix(f"{self.name}/") for pattern in context.patterns}
        return [test.name for test in _tests()
                if not test.full or context.args.full or test.name in named]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        # pylint: disable-next=import-outside-toplevel     # likewise
        from lab import rig
        chosen = [test for test in _tests() if test.name in names]
        report.plan(len(chosen))
        if parts := self._parts(chosen):
            context.products(only=parts)
        with contextlib.closing(rig.LabRig(context)) as tools:
            for test in chosen:
                self._run(tools, test, report)

    def _run(self, rig: Any, test: Any, report: ktap.MergedReport) -> None:
        steps.ticker.show(f"lab: testing the lab: {test.name}")
        started = time.monotonic()
        result = ktap.Result([test.name], "pass")
        try:
            rig.enter(test.module)
            skip = test.function(rig)
            if skip:
                result.status, result.reason = "skip", skip
        except (AssertionError, LabError) as error:
            lines = str(error).splitlines() or ["failed"]
            result.status, result.reason, result.output = "fail", lines[0], lines[1:]
        # such as a socket without an answer: one failure, and the rest is still run
        except Exception as error:      # pylint: disable=broad-except
            result.status, result.reason = "fail", f"{type(error).__name__}: {error}"
            result.output = traceback.format_exc().splitlines()
        result.seconds = time.monotonic() - started
        steps.ticker.clear()
        report.result(result)
