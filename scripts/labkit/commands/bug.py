# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab bug`: reproducing one Linux driver bug.

Responsible for: its options, what it prints, and the exit status.
State: none.
"""

import argparse

from .. import steps
from ..errors import EXIT_LAB, UsageError
from ..run import session
from ..run.driverbugs import NOT_SHOWN, SHOWN, attempt, known, series

DESCRIPTION = """\
Reproduce a Linux driver bug, in a guest that may crash, and report the outcome. Exit status: 0
the situation arose and the bug did not show, 1 the bug shows, 125 it could not be tried. Without
NAME: list the bugs. docs/driver-bugs/ describes each.
"""

EPILOG = """\
examples:
  lab bug
  lab bug get-psv-over-close
  lab bug get-psv-over-close --kernel 7.3
  lab bug rx-queue-gone --kernel ~/src/linux
  lab test --suite driver-bugs --kernel 7.3
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab bug`."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="the bug")
    session.add_options(parser, "bug")


def main(args: argparse.Namespace) -> int:
    """Try a bug; returns the exit status."""
    bugs = known()
    if args.name is None:
        for bug in bugs.values():
            where = ", ".join(f"{'' if value else 'not '}{key}" for key, value in bug.shows.items())
            print(f"{bug.name:26} {bug.about} ({where})")
        return 0
    if args.name not in bugs:
        raise UsageError(f"lab bug {args.name!r}: no such bug; there are: {', '.join(bugs)}")
    bug = bugs[args.name]
    products = session.ensure_products(args)
    with session.artifacts("bug", args.artifacts) as rundir:
        outcome = attempt(args, products, bug, rundir)
    kernel = series(products)
    for line in outcome.lines:
        print(f"  | {line}")
    if outcome.shown is None:
        steps.say(f"{bug.name} could not be tried: {outcome.text}")
        return EXIT_LAB
    known_as = {None: "nothing is known of this kernel", True: "it is known to show there",
                False: "it is known not to show there"}[bug.shows.get(kernel)]
    print(f"{'SHOWN' if outcome.shown else 'NOT SHOWN'} on Linux {kernel} ({known_as}): "
          f"{outcome.text}")
    return SHOWN if outcome.shown else NOT_SHOWN
