# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab kernel`: a kernel out of a source tree, with a series applied and debugging aids.

Responsible for: its options, what it prints, and the answer to `git bisect run`.
State: none.
"""

import argparse
import json
import pathlib

from .. import steps
from ..errors import EXIT_LAB
from ..make import host, kernel_build, kernel_series, kernel_tree
from ..options import Parser
from ..run import session
from ..run.spec import Spec
from . import test as test_command

GOOD, BAD, CANNOT_BE_TESTED = 0, 1, EXIT_LAB        # as `git bisect run` has them

DESCRIPTION = f"""\
Build a kernel that the other commands take with --kernel; the path to give them goes to
stdout. TREE is the source tree of a Linux kernel, with uncommitted changes and all; it
is mirrored into the cache, built there, and never written to. Without TREE it is
Debian's source of {kernel_build.DEFAULT}. A second build compiles what has changed.

The configuration is the tree's .config with what the lab needs switched on, or the
lab's own if the tree has none.
"""

EPILOG = """\
examples:
  lab run --kernel "$(lab kernel ~/linux)" -- uname -r
  lab kernel --patch series.mbx ~/net-next
  b4 am -o - 20260101.1234-1@example.org | lab kernel --patch - --flavour kasan
  git bisect run lab kernel --bisect guest/T-06/tx-ooo-payload .
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `lab kernel` accepts."""
    parser.add_argument("tree", metavar="TREE", nargs="?", type=pathlib.Path,
                        help="source tree (default: Debian's)")
    parser.add_argument("--patch", metavar="WHAT", action="append", default=[],
                        help="apply this first: an mbox or a patch file, a directory of patch "
                             "files, or - for standard input; may be given several times")
    parser.add_argument("--flavour", metavar="NAME", action="append", default=[],
                        help="add a debugging aid: " + ", ".join(kernel_tree.flavours())
                             + "; may be given several times")
    parser.add_argument("--config", metavar="FRAGMENT", type=pathlib.Path, action="append",
                        default=[],
                        help="add a fragment of configuration; may be given several times")
    parser.add_argument("--lab-config", action="store_true",
                        help="take the lab's own configuration although the tree has one")
    parser.add_argument("--bisect", metavar="PATTERN", action="append", default=[],
                        help="run the tests that match (lab test --only) on it as well, and end "
                             "as `git bisect run` expects: 0 none failed, 1 one failed, 125 the "
                             "tree does not build, its kernel does not bring the NICs up, or no "
                             "test ran; may be given several times")
    parser.add_argument("--yes", "-y", action="store_true",
                        help="install missing packages without asking")


def main(args: argparse.Namespace) -> int:
    """Build it, and test it if asked to; returns the exit status. A tree that does not build ends
    with 125, as every failure of the lab does, and as `git bisect run` wants to have it."""
    host.ensure_packages(args.yes, ("fetch", "compile", "kernel", "series"))
    tree = args.tree.expanduser().resolve() if args.tree else None
    order = kernel_tree.Order(tree, kernel_series.read(args.patch),
                              tuple(sorted(set(args.flavour))),
                              tuple(path.expanduser().resolve() for path in args.config),
                              args.lab_config)
    out = kernel_tree.build(order)
    product = kernel_build.kernel(out)          # refused here, if the lab could not use it
    steps.say(f"kernel {product.release}")
    if args.bisect:
        return _verdict(out, args)
    print(out)
    return 0


def _verdict(kernel: pathlib.Path, args: argparse.Namespace) -> int:
    """Good, bad, or neither. A kernel that does not get as far as the tests says nothing about
    them: that is tried first, and LabError ends with 125."""
    parser = Parser(prog="lab test")
    test_command.add_options(parser)
    wanted = parser.parse_args(["--kernel", str(kernel), *(["--yes"] if args.yes else []),
                                *(word for each in args.bisect for word in ("--only", each))])
    with session.artifacts("bisect", quiet=True) as rundir, \
            session.booted(session.ensure_products(wanted), Spec.from_args(wanted), rundir,
                           need_network=True):
        pass
    status = test_command.main(wanted)
    if status not in (GOOD, BAD):
        return status
    found = json.loads((session.named[-1] / "results.json").read_text(encoding="utf-8"))
    if not found["passed"] and not found["failed"]:
        steps.say("no test ran: this kernel cannot be tested")
        return CANNOT_BE_TESTED
    return BAD if found["failed"] else GOOD
