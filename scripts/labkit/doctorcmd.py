# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab doctor`: shows what doctor.py found.

Responsible for: the form of the answer and the exit status.
State: none.
Callers: cli.
"""

import os
import sys

from . import doctor

EXIT_BAD = 1

DESCRIPTION = """\
Say what is missing or wrong on this host, each with the fix. Changes nothing and
downloads nothing but one small file, to see whether the package archive answers.
Exit status 0 when nothing stands in the way, 1 otherwise.
"""

WORDS = {doctor.OK: "ok", doctor.NOTE: "note", doctor.BAD: "WRONG"}
COLOURS = {doctor.OK: "32", doctor.NOTE: "33", doctor.BAD: "1;31"}


def add_options(_parser):
    """`lab doctor` has no options."""


def main(_args):
    """Print the checks; returns the exit status."""
    colour = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" \
        and "NO_COLOR" not in os.environ
    bad = 0
    for check in doctor.checks():
        bad += check.status == doctor.BAD
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
