# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab doctor`: shows the findings of checkup.py.

Responsible for: the form of the output and the exit status.
State: none.
"""

import argparse
import os
import sys

from ..make import checkup

EXIT_BAD = 1

DESCRIPTION = """\
Report what is missing or wrong on this host, with fixes. Changes nothing and downloads
only one small file, to see whether the package archive answers. Exit status 0 when
nothing is in the way, 1 otherwise.
"""

WORDS = {checkup.OK: "ok", checkup.NOTE: "note", checkup.BAD: "WRONG"}
COLOURS = {checkup.OK: "32", checkup.NOTE: "33", checkup.BAD: "1;31"}


def add_options(_parser: argparse.ArgumentParser) -> None:
    """`lab doctor` has no options."""


def main(_args: argparse.Namespace) -> int:
    """Print the checks; returns the exit status."""
    colour = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" \
        and "NO_COLOR" not in os.environ
    bad = 0
    for check in checkup.checks():
        bad += check.status == checkup.BAD
        word = f"{WORDS[check.status]:5}"
        if colour:
            word = f"\x1b[{COLOURS[check.status]}m{word}\x1b[0m"
        first, *more = check.text.splitlines() or [""]
        print(f"{word}  {check.name:12} {first}")
        for line in more:
            print(f"{'':20}{line}")
        for number, line in enumerate(check.fix.splitlines()):
            print(f"{'':20}{'fix: ' if not number else '     '}{line}")
    print()
    print("nothing stands in the way" if not bad else
          f"{bad} thing{'s' if bad > 1 else ''} to put right")
    return EXIT_BAD if bad else 0
