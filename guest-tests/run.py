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
from lib import env, runner             # noqa: E402

DESCRIPTION = """\
Run tests of a NIC and report them as KTAP. Exit status 0 when none failed, 1 when one did, 2 when
the command line or the environment is wrong.

environment (as kselftest's NetDrvEpEnv):
""" + "\n".join(f"  {name:12} {about}" for name, about in env.VARIABLES.items()) + """
  DISRUPTIVE   1: drivers may be unloaded and NICs unbound on this machine
  FRESH_MACHINE  1: whoever started this has another machine; when a test has made this one
               unusable, end with status 3, and leave the remaining tests to that one
  NET_SETUP    command that applies names and addresses again after that (default: lab-net up)
"""


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
    return runner.main(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
