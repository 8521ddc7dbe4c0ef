# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab bench`: instructions per packet in the device, a figure without noise.

Responsible for: running QEMU under callgrind while tests/bench drives it, counting only below the
device's entry points, and comparing with an earlier result.
State: none beyond the run; results go where --json says.

A scenario runs twice, with few and with many bursts: the difference, divided by the difference in
packets, excludes one-time costs. Only code called from ENTRIES is counted, not the qtest protocol,
the main loop or reading the socket.
"""

import argparse
import json
import os
import pathlib
import re
import tempfile

from .. import options, steps
from ..errors import LabError, UsageError
from ..make import host
from ..make.products import Products, Wanted
from ..run import session

# Functions of the device that QEMU's main loop calls: all its work for a packet is in calls from
# one of them, and they never call each other.
ENTRIES = ("bh_run", "nic_receive")
FEW, MANY = 8, 72                   # bursts
LIMIT = 3600.0                      # hang guard of a run, in seconds

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


def read_base(path: pathlib.Path) -> dict[str, float]:
    """Read the figures in PATH; raises UsageError if it is not valid."""
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["instructions_per_packet"]
        if not all(isinstance(value, (int, float)) and value > 0 for value in base.values()):
            raise ValueError("expected numbers above 0")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"--base {path}: expected figures written by --json: {error}") from error
    return base


def wrapper(folder: pathlib.Path, qemu: pathlib.Path) -> pathlib.Path:
    """Write a program, to be started by libqtest, that runs QEMU under callgrind; returns its path.

    Its name ends like QEMU's, since libqtest derives the architecture from it.
    """
    path = folder / qemu.name
    toggles = " ".join(f"--toggle-collect={entry}" for entry in ENTRIES)
    path.write_text("#!/bin/sh\n"
                    f"exec valgrind --tool=callgrind --callgrind-out-file='{folder}/out' "
                    f"{toggles} --log-file='{folder}/log' '{qemu}' \"$@\"\n", encoding="ascii")
    path.chmod(0o755)
    return path


def count(products: Products, scenario: str, bursts: int) -> tuple[int, int]:
    """Run a scenario; returns (instructions, packets)."""
    qemu, bench = products.qemu, products.bench
    assert qemu and bench       # main() had them built
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as name:
        folder = pathlib.Path(name)
        env = {"QTEST_QEMU_BINARY": str(wrapper(folder, qemu))}
        ran = steps.capture([bench, scenario, str(bursts)], env=env, check=False,
                            timeout=LIMIT)
        packets = re.search(r"^packets (\d+)$", ran.stdout, re.MULTILINE)
        if ran.returncode or not packets:
            raise LabError(f"{bench.name} {scenario} {bursts} ended with status "
                           f"{ran.returncode}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        text = (folder / "out").read_text(encoding="utf-8", errors="replace")
    total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    if not total or not int(total[1]):
        raise LabError(f"callgrind counted nothing below {', '.join(ENTRIES)}",
                       hint="are these still the device's entries? scripts/labkit knows them")
    return int(total[1]), int(packets[1])


def per_packet(products: Products, scenario: str) -> float:
    """Return the instructions for one more packet."""
    few, packets_few = count(products, scenario, FEW)
    many, packets_many = count(products, scenario, MANY)
    return (many - few) / (packets_many - packets_few)


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    base = read_base(args.base) if args.base else {}
    host.ensure_packages(args.yes, ("bench",))
    products = session.ensure_products(args, only=("qemu",))
    known = steps.capture([products.bench]).stdout.split()
    strange = [name for name in args.scenarios if name not in known]
    if strange:
        raise UsageError(f"scenario {strange[0]!r} does not exist; there are {', '.join(known)}")
    figures = {}
    print(f"{'scenario':10} {'instructions/packet':>20}" + (f" {'base':>10} {'ratio':>7}"
                                                             if base else ""))
    for name in args.scenarios or known:
        steps.ticker.show(f"lab: {name} under callgrind")
        figures[name] = per_packet(products, name)
        steps.ticker.clear()
        line = f"{name:10} {figures[name]:20.0f}"
        if name in base:
            line += f" {base[name]:10.0f} {figures[name] / base[name]:7.3f}"
        print(line, flush=True)
    if args.json:
        new = args.json.with_name(f".{args.json.name}.{os.getpid()}")
        new.write_text(json.dumps({"qemu": products.versions["qemu"],
                                   "instructions_per_packet": figures}, indent=1) + "\n",
                       encoding="utf-8")
        os.replace(new, args.json)
    return 0
