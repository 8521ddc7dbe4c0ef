# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab test`: everything that passes or fails, in one KTAP report.

Responsible for: choosing suites and tests, running them in order, and the report's
forms (stdout, results.ktap, results.json, JUnit).
State: none beyond the run.
"""

import argparse
import os
import sys
import time
import traceback
from typing import Any

from .. import ktap, shards, steps
from ..errors import EXIT_LAB, BuildError, LabError, UsageError
from ..make import host
from ..run import passthrough, session
from ..run.journal import Journal
from ..run.rundir import RunDir
from ..run.spec import Spec
from ..suites import all_suites
from ..suites.suite import Context, Suite
from ..suites.vfio import OnFunctions
from . import this_machine

EXIT_FAILED = 1
TARGETS = ("lab", "local", "vfio")
Planned = tuple[Suite, list[str], LabError | None]      # tests to run, or the error of listing them


def _when(suite: Suite) -> str:
    """When it runs, for the help."""
    if suite.by_name:
        return " (by name)"
    return "" if suite.default else " (--full)"


DESCRIPTION = """\
Run the tests and report them as KTAP on stdout; the last line says
"N passed, N failed, N skipped". Exit status 0 when nothing failed, 1 when a test
failed, 125 when the lab itself failed.

suites:
""" + "\n".join(f"  {suite.name:11} {suite.about}{_when(suite)}" for suite in all_suites())

EPILOG = """\
examples:
  lab test
  lab test --list
  lab test --only 'tls*' --only guest/probe
  lab test --suite unit --suite qtest
  lab test --full --junit results.xml
  lab test --target local --iface ens2f0 --peer-iface ens2f1 --only 'T-*'
  lab test --shard 2/4
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab test`."""
    parser.add_argument("--list", action="store_true",
                        help="print the names of the tests instead of running them")
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="run the tests whose name, group or suite matches this glob; may be "
                             "given several times")
    parser.add_argument("--suite", metavar="NAME", action="append", default=[],
                        help="run this suite; may be given several times")
    parser.add_argument("--full", action="store_true",
                        help="also run the suites that take long")
    parser.add_argument("--shard", metavar="I/N", type=shards.parse,
                        help="run the I-th of N parts that take about as long as one another; "
                             "`lab merge` joins the results")
    parser.add_argument("--target", choices=TARGETS, default=TARGETS[0],
                        help="whose NICs the guest's tests are about: lab, emulated ones "
                             "(default); local, --iface and --peer-iface of this machine; vfio, "
                             "its functions --bdf and --peer-bdf, given to the guest")
    parser.add_argument("--restore", action="store_true",
                        help="run no test: give this machine back what runs that were killed have "
                             "taken or changed")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    session.add_options(parser, "test")
    this_machine.add_options(parser)
    for suite in all_suites():
        suite.add_options(parser)


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    if args.restore:
        return _restore()
    suites = _target(args)
    if args.preflight:
        return _preflight(args)
    if args.list:
        return _list(args, suites)
    if args.junit:
        _check_writable(args.junit)
    with session.artifacts("test", args.artifacts) as rundir:
        context = Context(args, rundir)
        _packages(context, suites)
        plan = _plan(context, suites)
        more = {}
        if args.shard:
            plan, more["shard"] = _part(args.shard, plan)
            context.partial = True
        report = ktap.MergedReport(_out, rundir.file("results.ktap"))
        report.begin(len(plan))
        started = time.monotonic()
        try:
            for suite, names, error in plan:
                _run(context, report, suite, names, error)
        finally:
            kept = _keep(report, rundir, args, seconds=time.monotonic() - started,
                         versions=_versions(context), **more)
        good = report.close()
        for where, result in report.results:
            if result.status == "fail":
                steps.say(f"FAILED {where}/{result.name}: {result.summary or 'see above'}")
    if not good:
        return EXIT_FAILED
    return 0 if kept else EXIT_LAB


def _keep(report: ktap.MergedReport, rundir: RunDir, args: argparse.Namespace, **more: Any) -> bool:
    """Write the report's other forms; returns False if the disk was full. stdout has its closing
    line in any case."""
    try:
        report.save(rundir.file("results.json"), **more)
        if args.junit:
            report.junit(args.junit)
    except OSError as error:
        steps.say(f"the results could not be kept: {error}")
        return False
    return True


# what the other targets are told with; the preflight is of either
WORDS = {"local": ("iface", "peer_iface", "peer_ssh"), "vfio": ("bdf", "peer_bdf")}


def _target(args: argparse.Namespace) -> list[Suite]:
    """The suites of the target. That of another one than the lab is `guest`, run there."""
    for target, names in WORDS.items():
        for name in names if args.target != target else ():
            if getattr(args, name):
                raise UsageError(f"--{name.replace('_', '-')}: expected --target {target} as well")
    if args.target == "lab":
        if args.preflight:
            raise UsageError("--preflight: expected --target local or --target vfio as well")
        return _choose(args)
    if [name for name in args.suite if name != "guest"]:
        raise UsageError(f"--target {args.target}: expected no --suite but guest, got "
                         + " ".join(args.suite))
    if args.target == "local":
        return [this_machine.ThisMachine()]
    if not args.bdf or not args.peer_bdf:
        raise UsageError("--target vfio: expected --bdf and --peer-bdf, functions of this machine",
                         "`lspci -D | grep -i ethernet` lists them")
    return [OnFunctions()]


def _preflight(args: argparse.Namespace) -> int:
    """Say what this machine lacks, and change nothing; 0 when it lacks nothing."""
    if args.target == "local":
        return this_machine.ask("--preflight", *this_machine.bench_arguments(args, build=False))
    spec = Spec.from_args(args)
    passthrough.check(passthrough.Host(), spec.functions)
    steps.say(f"{' and '.join(spec.functions)} can be given to a guest")
    return 0


def _choose(args: argparse.Namespace) -> list[Suite]:
    """Return the suites named on the command line, or those of a plain run."""
    suites = all_suites()
    known = {suite.name for suite in suites}
    for name in args.suite:
        if name not in known:
            raise UsageError(f"--suite {name!r}: no such suite; there are: "
                             f"{', '.join(suite.name for suite in suites)}")
    firsts = {pattern.strip("/").split("/")[0] for pattern in args.only}
    named = firsts & known
    if args.suite:
        return [suite for suite in suites if suite.name in args.suite]
    if firsts and firsts <= known:
        # all patterns name their suite: the other suites need not be built for listing
        return [suite for suite in suites if suite.name in named]
    if args.full:
        return [suite for suite in suites if not suite.by_name or suite.name in named]
    return [suite for suite in suites if suite.default or suite.name in named]


def _restore() -> int:
    """What --restore asks for, of functions and of interfaces; the exit status."""
    for bdf in passthrough.restore(passthrough.Host(), Journal()):
        steps.say(f"{bdf} is given back")
    return this_machine.ask("--restore")


def _packages(context: Context, suites: list[Suite]) -> None:
    """Ensure the host packages of all suites at once, before the long part. Products that were
    built elsewhere need none."""
    if context.args.built:
        return
    purposes = dict.fromkeys(purpose for suite in suites for purpose in suite.packages(context))
    if purposes:
        host.ensure_packages(context.args.yes, tuple(purposes))


def _names(context: Context, suite: Suite) -> tuple[list[str], list[str], LabError | None]:
    """Return (all names, chosen names, error) of a suite."""
    try:
        names = suite.tests(context)
    except LabError as error:
        return [], [], error
    return names, context.wants(suite.name, names), None


def _plan(context: Context, suites: list[Suite]) -> list[Planned]:
    """Return the tests to run: [(suite, names, error of listing)]."""
    plan = []
    for suite in suites:
        names, chosen, error = _names(context, suite)
        # a suite that cannot be listed is a failure, unless other tests were requested
        if chosen or (error and (not context.patterns or _asked(context, suite))):
            plan.append((suite, chosen, error))
        elif not names and not error:
            plan.append((suite, [], LabError("it has no test")))
    if not plan:
        raise UsageError(f"no test matches --only {' '.join(context.patterns)}",
                         "`lab test --list` prints all names")
    return plan


def _part(shard: shards.Shard, plan: list[Planned]) -> tuple[list[Planned], dict[str, Any]]:
    """What shard `shard` has of the plan, and what its results say of that. A suite that cannot be
    listed fails in the first shard."""
    tests = [(suite.name, name) for suite, names, _ in plan for name in names]
    by_name = {suite.name: suite for suite, _, _ in plan}
    if len(tests) < shard.count:
        raise UsageError(f"--shard {shard}: expected at most as many shards as tests, which are "
                         f"{len(tests)}")
    mine = set(shards.split(tests, shard.count, shards.durations(),
                            lambda test: (test[0], by_name[test[0]].piece(test[1])))
               [shard.index - 1])
    part: list[Planned] = []
    for suite, names, error in plan:
        left = [name for name in names if (suite.name, name) in mine]
        if left or (error and shard.index == 1):
            part.append((suite, left, error))
    return part, {"index": shard.index, "count": shard.count, "list": shards.digest(tests)}


def _asked(context: Context, suite: Suite) -> bool:
    return any(pattern.split("/")[0] == suite.name for pattern in context.patterns)


def _run(context: Context, report: ktap.MergedReport, suite: Suite, names: list[str],
         error: LabError | None) -> None:
    report.begin_suite(suite.name)
    if error is None:
        try:
            suite.run(context, report, names)
        except LabError as failure:
            error = failure
        except BrokenPipeError:
            raise               # the report's reader is gone
        # such as a full disk: the other suites still run, and the report is completed
        except Exception as failure:    # pylint: disable=broad-except
            error = BuildError(f"{type(failure).__name__}: {failure}",
                               tail=traceback.format_exc().splitlines()[-20:])
    if error is not None:
        # tests that could not run have failed: a broken build must not look like fewer tests
        print(error.render(), file=sys.stderr, flush=True)
        report.result(ktap.Result(["(suite)"], "fail", error.message,
                                  list(getattr(error, "tail", ()))))
    report.end_suite()


def _list(args: argparse.Namespace, suites: list[Suite]) -> int:
    context = Context(args, None)
    _packages(context, [suite for suite in suites if suite.builds_to_list])
    failed = False
    listed: list[Planned] = [(suite, *_names(context, suite)[1:]) for suite in suites]
    if args.shard:
        listed, _ = _part(args.shard, listed)
    for suite, chosen, error in listed:
        if error:
            failed = True
            print(error.render(), file=sys.stderr, flush=True)
        for name in chosen:
            _out(f"{suite.name}/{name}\n")
    return EXIT_LAB if failed else 0


def _versions(context: Context) -> dict[str, str]:
    """Return the versions used: QEMU, kernel, guest packages."""
    versions = {}
    for products in context.used():
        versions.update(products.versions)
    return versions


def _check_writable(path: str) -> None:
    """Fail now rather than after an hour of tests."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"--junit {path}: {folder} is not a directory that can be written to")


def _out(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
