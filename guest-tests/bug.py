#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Brings about one of the bugs in bugs/, on the machine that has the NIC.

Responsible for: the bench around it, and an exit status for each outcome. docs/driver-bugs has a
page for each bug; the lab runs this (`lab bug`), for the machine may die of it.
State: none. Needs what run.py needs.
"""

import importlib
import pathlib
import sys
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from bugs import Shown                  # noqa: E402
from lib import needs                   # noqa: E402
from lib.env import Env, EnvironmentProblem     # noqa: E402
from lib.runner import EXPECTED, Hang, guard    # noqa: E402

TABLE = pathlib.Path(__file__).resolve().parent / "bugs" / "bugs.toml"
NOT_SHOWN, SHOWN, UNKNOWN = 0, 1, 2
GUARD = 900.0       # seconds; a hang guard, for nothing here takes longer than one minute


def main(argv):
    """The exit status: 0 the bug has not shown, 1 it has, 2 it could not be tried."""
    known = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    if len(argv) != 2 or argv[1] not in known:
        print(f"usage: bug.py NAME, one of: {', '.join(known)}", file=sys.stderr)
        return UNKNOWN
    module = importlib.import_module(f"bugs.{argv[1].replace('-', '_')}")
    try:
        env = Env()
    except EnvironmentProblem as problem:
        print(f"bug.py: {problem}", file=sys.stderr)
        return UNKNOWN
    try:
        with guard(GUARD):
            env.open()
            reason = needs.missing(env, module.NEEDS)
            if reason:
                print(f"bug.py: {reason}", file=sys.stderr)
                return UNKNOWN
            with env.cleanup:
                module.run(env)
    except Shown as what:
        print(what, flush=True)
        return SHOWN
    except (Hang, *EXPECTED) as problem:
        text = f"no end after {GUARD:.0f} s" if isinstance(problem, Hang) else str(problem)
        print(f"bug.py: the situation did not come about: {text}", file=sys.stderr)
        return UNKNOWN
    finally:
        env.close()
    print("the situation came about, and nothing was wrong", flush=True)
    return NOT_SHOWN


if __name__ == "__main__":
    sys.exit(main(sys.argv))
