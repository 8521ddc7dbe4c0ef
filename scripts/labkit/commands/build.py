# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab build`: everything the other commands need, ahead of time.

Responsible for: its options and what it prints.
State: none.
"""

import argparse
import pathlib
import time

from .. import options, steps
from ..make import portable
from ..make.products import PARTS, Wanted
from ..run import session

DESCRIPTION = """\
Install what is missing on this host, then download and build QEMU with the device, the
guest's kernel and its userland. The other commands do the same when needed; existing
builds are kept. The paths of the products go to stdout.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab build`."""
    parser.add_argument("--part", metavar="PART", choices=PARTS, action="append",
                        help=f"build only this part: {', '.join(PARTS)}; may be given several "
                             "times")
    parser.add_argument("--pack", metavar="DIR", type=pathlib.Path,
                        help="copy it all into this new directory, for other machines and the "
                             "option --built of the other commands")
    options.add_options(parser, Wanted, "build")


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    started = time.monotonic()
    products = session.ensure_products(args, only=tuple(args.part or PARTS))
    lines = [("qemu", products.qemu), ("kernel", products.kernel),
             *(("initrd", path) for path in products.initrds),
             *(("qtest", path) for path in products.qtests)]
    for name, path in lines:
        if path:
            print(f"{name:7} {path}")
    for name in ("qemu", "kernel", "kernel_release"):
        if name in products.versions:
            print(f"version {name} {products.versions[name]}")
    if args.pack:
        portable.pack(products, args.pack)
        print(f"packed  {args.pack}")
    steps.say(f"everything is there, after {steps.duration(time.monotonic() - started)}")
    return 0
