# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab explain`: was each TLS connection of a run offloaded, from where to where, and why not.

Responsible for: its options, and what it prints of a run that was kept.
State: none.
"""

import argparse
import pathlib
import sys

from .. import explain, timeline
from ..errors import LabError
from ..run import watch

DESCRIPTION = """\
Explain the TLS connections of a run that `lab run --explain -- CMD` has observed: which of
them a NIC encrypted and decrypted, where it lost its place and how it came back, and for
those that were not offloaded the reason and what to change. The verdict, with cause and
fix, comes first, then a part for each connection, then the evidence (docs/explain.md).
"""

EPILOG = """\
examples:
  lab run --explain -- /mnt/share/mytest
  lab explain artifacts/latest
  lab explain --json artifacts/latest
  lab explain --picture connections.html artifacts/latest
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab explain`."""
    parser.add_argument("folder", metavar="DIR", type=pathlib.Path,
                        help="the artifacts of a run with --explain")
    parser.add_argument("--json", action="store_true",
                        help="the same for programs, with all figures")
    parser.add_argument("--picture", metavar="FILE", type=pathlib.Path,
                        help="also make this HTML page, a timeline of each connection")


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    seen = watch.load(args.folder)
    if args.picture:
        try:
            args.picture.write_text(timeline.page(seen), encoding="utf-8")
        except OSError as error:
            raise LabError(f"--picture {args.picture}: {error.strerror}") from error
    sys.stdout.write(explain.as_json(seen) if args.json else explain.as_text(seen))
    return 0
