#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of a NIC, on the machine that has it: emulated in a guest, or real.

Responsible for: the command line. docs/tests.md says how to write and run tests.
State: none. Needs root, Python 3.11 or later, iproute2 and ethtool.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import tests                            # noqa: E402  registers every test
from lib import bench, env, preflight, runner       # noqa: E402

DESCRIPTION = """\
Run tests of a NIC and report them as KTAP. Exit status 0 when none failed, 1 when one did, 2 when
the command line or the environment is wrong.

environment (as kselftest's NetDrvEpEnv):
""" + "\n".join(f"  {name:12} {about}" for name, about in env.VARIABLES.items()) + """
  DISRUPTIVE   1: drivers may be unloaded and NICs unbound on this machine
  TLS_VERSION  of the sessions: 1.2 (default), or 1.3 on a kernel that gives it to the NIC
  FRESH_MACHINE  1: whoever started this has another machine; when a test has made this one
               unusable, end with status 3, and leave the remaining tests to that one
  NET_SETUP    command that applies names and addresses again after that (default: lab-net up)

With --iface the bench is set up by run.py itself, the variables about the two ends are not looked
at, and everything is taken down at the end.
"""


def add_bench_options(parser):
    """Options about a bench that is to be set up."""
    group = parser.add_argument_group("a bench of its own (docs/tests.md)")
    group.add_argument("--iface", metavar="NAME", help="the NIC under test")
    group.add_argument("--peer-iface", metavar="NAME",
                       help="the interface that is cabled to it: another one of this machine, "
                            f"which goes into the namespace {bench.PEER}, or with --peer-ssh of "
                            "the peer")
    group.add_argument("--peer-ssh", metavar="[USER@]HOST", default="",
                       help="the peer is another machine, reached with these arguments of ssh")
    group.add_argument("--net-v4", metavar="NET", type=bench.network(4), default=bench.NET_V4,
                       help="the first address is the NIC's, the second its peer's "
                            "(default: %(default)s)")
    group.add_argument("--net-v6", metavar="NET", type=bench.network(6), default=bench.NET_V6,
                       help="likewise (default: %(default)s)")
    group.add_argument("--preflight", action="store_true",
                       help="run no test and change nothing: say what is there, what is missing, "
                            "and how to get it")
    group.add_argument("--restore", action="store_true",
                       help="run no test: make the interfaces what they were before a run that was "
                            "killed; with --iface, those of its bench only")
    group.add_argument("--wire", metavar="PROGRAM", default="auto",
                       help="mlx5-wire, which is put between the ends for the tests that need it; "
                            "auto: look for it (default); none: skip these tests")


def restore(iface):
    """Mend what runs that died have left; returns the exit status."""
    done, problems = bench.restore(iface)
    for line in done:
        print(line)
    for line in problems:
        print(f"run.py: not as it was: {line}", file=sys.stderr)
    return runner.EXIT_FAILED if problems else runner.EXIT_OK


def plan_of(parser, args):
    """The bench.Plan of the command line; None when it asks for none."""
    if not args.iface:
        for option in ("peer_iface", "peer_ssh"):
            if getattr(args, option):
                parser.error(f"--{option.replace('_', '-')}: expected --iface as well")
        return None
    if not args.peer_iface:
        parser.error("--iface: expected --peer-iface as well")
    if args.iface == args.peer_iface and not args.peer_ssh:
        parser.error(f"--peer-iface {args.peer_iface}: expected another interface than --iface")
    return bench.Plan(args.iface, args.peer_iface, args.peer_ssh, args.net_v4, args.net_v6,
                      args.wire)


def main():
    """The command line."""
    tests.load()
    parser = argparse.ArgumentParser(prog="run.py", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PATTERN", action="append", default=[],
                        help="run the tests whose name or group matches this glob; may be given "
                             "several times")
    parser.add_argument("--list", action="store_true", help="print the names of the tests")
    parser.add_argument("--smoke", action="store_true", help="a short selection")
    parser.add_argument("--full", action="store_true", help="the tests too that take minutes each")
    parser.add_argument("--tap-indent", metavar="N", type=int, default=0,
                        help="blanks before every line, for a report inside a report")
    parser.add_argument("--result", metavar="FILE", type=pathlib.Path,
                        help="keep what came of each test there (docs/parity/format.md): no "
                             "addresses, no keys, no names of machines")
    parser.add_argument("--seed", default="guest-tests", help="seed of the payloads")
    parser.add_argument("--software-tls", action="store_true",
                        help="try out the TLS tests on a NIC without offload: they run with TLS "
                             "in software and end as SKIP")
    add_bench_options(parser)
    args = parser.parse_args()
    if args.restore:
        return restore(args.iface)
    plan = plan_of(parser, args)
    if args.preflight:
        if not plan:
            parser.error("--preflight: expected --iface as well")
        return runner.EXIT_OK if preflight.report(plan) else runner.EXIT_FAILED
    return runner.main(args, plan)


if __name__ == "__main__":
    sys.exit(main())
