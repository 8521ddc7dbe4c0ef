# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab bench`: instructions per packet in the device.

Responsible for: choosing scenarios, showing their figures, and comparing with an earlier result.
State: none beyond the run; results go where --json and --baseline say.
"""

import argparse
import json
import pathlib

from .. import options, steps
from ..errors import UsageError
from ..make import host
from ..make.products import Wanted
from ..run import instructions, session

DESCRIPTION = """\
Count the device's instructions per packet: QEMU runs under callgrind (valgrind) and is driven
without a guest. The figures hardly depend on the machine's load, so you can compare two checkouts:
--json FILE in one, --base FILE in the other. The packets' path through the device counts, with the
user side of system calls, but not QEMU's main loop.
"""

EPILOG = """\
examples:
  lab bench
  lab bench --json before.json
  lab bench --base before.json
  lab bench tx-tls rx-tls
  lab bench --baseline
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab bench`."""
    options.add_options(parser, Wanted, "bench")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help="only these (default: all)")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path,
                        help="write the figures there")
    parser.add_argument("--base", metavar="FILE", type=pathlib.Path,
                        help="compare with figures written by --json")
    parser.add_argument("--baseline", action="store_true",
                        help="write the figures to tests/bench/baseline.toml, which the suite "
                             "instructions holds the device to")


def read_base(path: pathlib.Path) -> instructions.Figures:
    """Read the figures in PATH; raises UsageError if it is not valid."""
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["instructions_per_packet"]
        if not all(isinstance(value, (int, float)) and value > 0 for value in base.values()):
            raise ValueError("expected numbers above 0")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"--base {path}: expected figures written by --json: {error}") from error
    return dict(base)


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    base = read_base(args.base) if args.base else {}
    host.ensure_packages(args.yes, ("bench",))
    products = session.ensure_products(args, only=("qemu",))
    known = instructions.scenarios(products)
    strange = [name for name in args.scenarios if name not in known]
    if strange:
        raise UsageError(f"scenario {strange[0]!r} does not exist; there are {', '.join(known)}")
    figures = {}
    print(f"{'scenario':10} {'instructions/packet':>20}" + (f" {'base':>10} {'ratio':>7}"
                                                             if base else ""))
    for name in args.scenarios or known:
        steps.ticker.show(f"lab: {name} under callgrind")
        figures[name] = instructions.per_packet(products, name)
        steps.ticker.clear()
        line = f"{name:10} {figures[name]:20.0f}"
        if name in base:
            line += f" {base[name]:10.0f} {figures[name] / base[name]:7.3f}"
        print(line, flush=True)
    if args.json:
        instructions.write(args.json, json.dumps({"qemu": products.versions["qemu"],
                                                  "instructions_per_packet": figures},
                                                 indent=1) + "\n")
    if args.baseline:
        instructions.keep_baseline(products, figures)
    return 0
