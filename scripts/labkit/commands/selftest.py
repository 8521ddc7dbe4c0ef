# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab selftest`: Linux's own selftests of network drivers.

Responsible for: its options, and its report on stdout.
State: none.
"""

import argparse
import pathlib
import sys

from .. import ktap, steps
from ..errors import EXIT_LAB
from ..make import host, selftests
from ..run import selftest, session
from ..run.rundir import RunDir
from ..suites import kselftest

DESCRIPTION = """\
Run the selftests that the kernel's source has for network drivers, unchanged, on the guest's two
NICs. They are built from the source of the kernel that the guest runs. The report on stdout is
KTAP, a subtest for each program. TARGET is a directory or program below tools/testing/selftests;
without one, all of drivers/net and drivers/net/hw, and net/tls. Exit status 0 when nothing failed,
1 when a case failed, 125 when the lab itself failed.
"""

EPILOG = """\
examples:
  lab selftest drivers/net/ping.py
  lab selftest 'drivers/net/hw/rss_*'
  lab selftest --kernel ~/src/linux drivers/net
  lab selftest --nic-model virtio-net-pci drivers/net/hw/csum.py
  lab test --suite kselftest
"""

EXIT_FAILED = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab selftest`."""
    parser.add_argument("targets", metavar="TARGET", nargs="*", help="what to run")
    parser.add_argument("--list", action="store_true",
                        help="print the programs instead of running them")
    parser.add_argument("--source", metavar="WHAT",
                        help="the kernel whose tests these are, a series or the directory of a "
                             "kernel tree (default: that of --kernel)")
    parser.add_argument("--save", metavar="FILE", type=pathlib.Path,
                        help="write what the cases did into this table of expectations, whose "
                             "reasons are kept")
    session.add_options(parser, "selftest")


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    host.ensure_packages(args.yes, (*host.DEFAULT_PURPOSES, *selftests.HOST))
    tests = selftest.build(args.source or args.kernel)
    programs = selftests.chosen(tests.programs, args.targets)
    if args.list:
        print("\n".join(programs))
        return 0
    products = session.ensure_products(args, kernel=args.kernel or selftest.KERNEL)
    for name in tests.missing:
        steps.say(f"note: {name} could not be built; what needs it will fail or be skipped")
    with session.artifacts("selftest", args.artifacts) as rundir:
        report = ktap.MergedReport(_out, rundir.file("results.ktap"))
        report.begin(len(programs))

        def folder(name: str) -> RunDir:
            return RunDir(name, rundir.file(name))

        for ran in selftest.run(args, products, tests, programs, folder):
            report.begin_suite(ran.program, len(ran.results))
            for result in ran.results:
                report.result(result)
            report.end_suite()
            if args.save:
                kselftest.save(args.save, args.nic_model, {ran.program: ran.results})
        good = report.close()
        try:
            report.save(rundir.file("results.json"), versions=products.versions,
                        nic_model=args.nic_model)
        except OSError as error:
            steps.say(f"the results could not be kept: {error}")
            return EXIT_LAB
    return 0 if good else EXIT_FAILED


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
