# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab coverage`: what the tests reach, of the engine, or of the Linux driver.

Responsible for: its options, and the kernel that counts.
State: none.
"""

import argparse
import pathlib

from ..errors import UsageError
from ..make import host, kernel_series, kernel_tree
from ..options import Parser
from . import test as test_command

DESCRIPTION = """\
Print which share of the lines the tests execute, and which lines they do not. Without
--driver: of the device's engine, by its unit tests (lab test --suite coverage). With
--driver: of the Linux driver's TLS offload and of the kernel's side of it, by the
guest's tests, on a kernel built from TREE (default: Debian's source) with gcov. The
lines not reached are in driver-coverage.txt in the artifacts.
"""

EPILOG = """\
examples:
  lab coverage
  lab coverage --driver
  lab coverage --driver --only 'T-*' --only 'tls-*' ~/linux
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `lab coverage` accepts."""
    parser.add_argument("tree", metavar="TREE", nargs="?", type=pathlib.Path,
                        help="kernel source tree, with --driver (default: Debian's)")
    parser.add_argument("--driver", action="store_true",
                        help="of the Linux driver, by the guest's tests")
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="run the guest's tests that match, as with lab test; may be given "
                             "several times")
    parser.add_argument("--full", action="store_true",
                        help="run the guest's tests that take long as well")
    parser.add_argument("--yes", "-y", action="store_true",
                        help="install missing packages without asking")


def main(args: argparse.Namespace) -> int:
    """Measure it; returns the exit status of the tests."""
    words = ["--yes"] if args.yes else []
    if args.driver:
        host.ensure_packages(args.yes, ("fetch", "compile", "kernel", "series"))
        tree = args.tree.expanduser().resolve() if args.tree else None
        kernel = kernel_tree.build(kernel_tree.Order(tree, kernel_series.Series([]), ("gcov",)))
        words += ["--suite", "driver-coverage", "--kernel", str(kernel),
                  *(["--full"] if args.full else []),
                  *(word for pattern in args.only for word in ("--only", pattern))]
    elif args.tree or args.only or args.full:
        raise UsageError("TREE, --only and --full: expected --driver as well")
    else:
        words += ["--suite", "coverage"]
    parser = Parser(prog="lab test")
    test_command.add_options(parser)
    return test_command.main(parser.parse_args(words))
