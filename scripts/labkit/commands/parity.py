# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab parity`: what differs between two result files, and what contradicts a guess about silicon.

Responsible for: its options, what it prints, and the exit status.
State: none.
"""

import argparse
import pathlib
import sys

from .. import parity, results
from ..errors import UsageError

EXIT_DIFFERS = 1

DESCRIPTION = """\
Compare two result files of guest-tests/run.py (docs/parity/README.md): device and card, two
firmwares, two kernels. Shown is what differs apart from speed: first what contradicts the
documents' guesses about silicon, then results, observations, and counters of tests that passed in
both.

How far a counter varies from run to run is known from files that --merge makes of several runs of
one machine; with two files of one run each, counters that are a quarter apart are shown.
Exit status 0 when nothing differs and no guess is contradicted, 1 otherwise.
"""

EPILOG = """\
examples:
  lab parity docs/parity/emulator-6.12.json card.json
  lab parity --json before.json after.json
  lab parity --merge card.json run1.json run2.json run3.json
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `lab parity` accepts."""
    parser.add_argument("files", nargs="+", metavar="FILE", type=pathlib.Path,
                        help="result files: two, or with --merge two and more")
    parser.add_argument("--json", action="store_true", help="all differences, for programs")
    parser.add_argument("--merge", metavar="FILE", type=pathlib.Path,
                        help="make this file of several runs of one machine")


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    if len(args.files) < 2 or (len(args.files) > 2 and not args.merge):
        raise UsageError(f"lab parity: expected two result files, got {len(args.files)}",
                         "several runs of one machine: --merge")
    files = [results.load(path) for path in args.files]
    if args.merge:
        results.write(args.merge, results.merge(files))
        return 0
    found = parity.compare(*files)
    sys.stdout.write(parity.as_json(found) if args.json else parity.as_text(found))
    return EXIT_DIFFERS if found.differs else 0
