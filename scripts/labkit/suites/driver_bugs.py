# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `driver-bugs`: bugs of the Linux driver appear where they are known.

Responsible for: comparing the outcome of each with guest-tests/bugs/bugs.toml.
State: none.
"""

from .. import ktap
from ..errors import LabError
from ..make.products import PARTS
from ..run import session
from ..run.driverbugs import TABLE, Bug, Outcome, attempt, known, series
from .suite import Context, Suite


class DriverBugs(Suite):
    """Each bug on the current kernel, compared with the expectation."""

    name = "driver-bugs"
    about = "Linux driver bugs show where they are known to (docs/driver-bugs)"
    default = False
    order = 680
    parts = PARTS

    def tests(self, context: Context) -> list[str]:
        return list(known())

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        bugs, products = known(), self.products(context)
        report.plan(len(names))
        for name in names:
            cannot = untried(bugs[name], series(products))
            if cannot:
                report.result(cannot)
                continue
            where = context.rundir.file(f"bug-{name}")
            with session.artifacts(name, where, quiet=True) as rundir:
                try:
                    outcome = attempt(context.args, products, bugs[name], rundir)
                except LabError as error:
                    outcome = Outcome(None, error.message)
            report.result(expected(bugs[name], series(products), outcome))


def untried(bug: Bug, kernel: str) -> ktap.Result | None:
    """Return the result of a bug that this kernel lacks something for, else None."""
    lack = bug.lacks.get(kernel)
    if not lack:
        return None
    return ktap.Result([bug.name], "skip", f"Linux {kernel} of the lab lacks {lack}")


def expected(bug: Bug, kernel: str, outcome: Outcome) -> ktap.Result:
    """Return the test's result: whether the bug appears as expected."""
    want, lines = bug.shows.get(kernel), list(outcome.lines)
    if outcome.shown is None:
        return ktap.Result([bug.name], "fail", f"it could not be tried: {outcome.text}", lines)
    found = f"it {'shows' if outcome.shown else 'does not show'} on Linux {kernel}: {outcome.text}"
    if want is None:
        return ktap.Result([bug.name], "skip", f"nothing is known of this kernel; {found}", lines)
    if want == outcome.shown:
        return ktap.Result([bug.name], "pass", found, lines)
    change = "is new here" if outcome.shown else "is gone"
    return ktap.Result([bug.name], "fail", f"it {change}: {found}; {TABLE.name} says otherwise",
                       lines)
