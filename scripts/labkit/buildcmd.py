# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab build`: everything the other commands need, ahead of time.

Responsible for: its options and what it prints.
State: none.
Callers: cli.
"""

from . import session

DESCRIPTION = """\
Install what is missing on this host, then download and build QEMU with the device, the
guest's kernel and its userland. The other commands do the same when they need it; what
is built already is kept. The paths of the products go to stdout.
"""


def add_options(parser):
    """What `lab build` accepts."""
    session.add_build_options(parser)


def main(args):
    """Run it; returns the exit status."""
    products = session.ensure_products(args)
    print(f"qemu    {products.qemu}")
    print(f"kernel  {products.kernel}")
    for initrd in products.initrds:
        print(f"initrd  {initrd}")
    for name, version in dict(products.versions).items():
        print(f"version {name} {version}")
    return 0
