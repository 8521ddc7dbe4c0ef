# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest from nothing to ready, and what is said about it.

Responsible for: the options that all commands with a guest share, building what is
missing, booting, and naming the artifacts at the end.
State: the list of artifacts to be named; what it opens it closes.
"""

import argparse
import contextlib
import pathlib
import re
import shlex
import sys

from .. import steps
from ..errors import LabError, UsageError
from ..make import products
from .guest import BOOT_TIMEOUT, Guest, GuestDied
from .machine import HANG_TIMEOUT, Machine, Spec
from .rundir import RunDir

named = []              # artifacts to be named when everything else has been said

MEMORY = re.compile(r"\d+[MmGg]?")
HOSTFWD = re.compile(r"(tcp|udp):[^:]*:\d+-[^:]*:\d+")


def add_build_options(parser):
    """Options about what QEMU, kernel and guest are made of."""
    group = parser.add_argument_group("what it runs on")
    group.add_argument("--yes", "-y", action="store_true",
                       help="install missing packages without asking")
    group.add_argument("--qemu-src", metavar="DIR", type=pathlib.Path,
                       help="build the device into this QEMU tree instead of a downloaded one")
    group.add_argument("--sanitize", action="store_true",
                       help="use a QEMU built with the address and undefined-behaviour sanitizers")
    group.add_argument("--kernel", metavar="WHAT",
                       help="the guest's kernel: 6.12 (default), another series that Debian has as "
                            "an image, such as 6.1 or 7.3, the directory of a kernel tree that "
                            "has been built, or a bzImage")


def add_machine_options(parser):
    """Options about the machine."""
    group = parser.add_argument_group("the machine")
    group.add_argument("--nic", metavar="PROPS", action="append", default=[],
                       help="properties added to every NIC, as in -device mlx5-ktls,PROPS "
                            "(`lab run --nic help` lists them)")
    group.add_argument("--nic-model", metavar="MODEL", default="mlx5-ktls",
                       help=argparse.SUPPRESS)
    group.add_argument("--smp", metavar="N", type=_count, default=2,
                       help="virtual CPUs (default: 2)")
    group.add_argument("--mem", metavar="M", type=_memory, default="2G",
                       help="memory, in megabytes or with M or G (default: 2G)")
    group.add_argument("--qemu-arg", metavar="ARG", action="append", default=[],
                       help="one more argument for QEMU; several in one string if it begins with "
                            "'-' and has blanks: --qemu-arg '-trace mlx5_*'")
    group.add_argument("--append", metavar="TEXT", default="",
                       help="more words for the kernel's command line")
    group.add_argument("--boot-timeout", metavar="S", type=seconds, default=BOOT_TIMEOUT,
                       help=f"give up on a guest that is not ready after S seconds "
                            f"(default: {BOOT_TIMEOUT:.0f})")
    group.add_argument("--hang-timeout", metavar="S", type=seconds, default=HANG_TIMEOUT,
                       help=f"give up on a guest that runs and has not answered for S seconds "
                            f"(default: {HANG_TIMEOUT:.0f})")
    group.add_argument("--artifacts", metavar="DIR",
                       help="where to keep dmesg, logs and captures (default: a new directory "
                            "below artifacts/ of the checkout, the last 20 are kept)")


def seconds(text):
    """argparse type: a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r}: a positive number of seconds expected")
    return value


def _count(text):
    if not text.isdigit() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to 8 expected "
                                         "(the guest's kernel has 8 CPUs at most)")
    return int(text)


def _memory(text):
    if not MEMORY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: a size such as 1024, 512M or 4G expected")
    size = int(text.rstrip("MmGg")) * (1024 if text[-1] in "Gg" else 1)
    if size < 384:
        raise argparse.ArgumentTypeError(f"{text!r}: the guest needs 384M at least")
    return text.upper()


def spec_of(args, **changes):
    """The machine that the command line asks for."""
    topology = getattr(args, "topology", "pair")
    hostfwd = list(getattr(args, "hostfwd", []) or [])
    share = getattr(args, "share", None)
    if hostfwd and topology != "user":
        raise UsageError("--hostfwd forwards ports of libslirp, which only --topology user has",
                         "add --topology user")
    for rule in hostfwd:
        if not HOSTFWD.fullmatch(rule):
            raise UsageError(f"--hostfwd {rule!r}: expected tcp|udp:[HOSTADDR]:HOSTPORT-"
                             "[GUESTADDR]:GUESTPORT, such as tcp::8443-:443")
    if share is not None:
        share = pathlib.Path(share).resolve()
        if not share.is_dir():
            raise UsageError(f"--share {share}: not a directory")
    wire = getattr(args, "wire", None)
    if wire and topology != "pair":
        raise UsageError("--wire stands between two NICs, which only --topology pair has")
    if wire:
        wire = [rule for rule in wire if rule != "none"]
    qemu_args = []
    for arg in args.qemu_arg:
        qemu_args += shlex.split(arg) if arg.startswith("-") and " " in arg.strip() else [arg]
    values = {"topology": topology, "nic_model": args.nic_model,
              "nic_props": [p.strip(",") for p in args.nic if p.strip(",")], "hostfwd": hostfwd,
              "share": share, "smp": args.smp, "mem": args.mem, "qemu_args": qemu_args,
              "append": args.append, "hang_timeout": args.hang_timeout, "wire": wire}
    return Spec(**dict(values, **changes))


def ensure_products(args, **changes):
    """Build or find QEMU, kernel and guest; the long steps show their progress."""
    wanted = {"yes": args.yes, "qemu_src": args.qemu_src, "sanitize": args.sanitize}
    if args.kernel:
        wanted["kernel"] = args.kernel
    return products.ensure(**dict(wanted, **changes))


def warn_network(text):
    """The network of the guest is not as it should be; the command runs all the same."""
    for line in text.splitlines():
        print(f"lab: warning: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def booted(products, spec, rundir, boot_timeout=BOOT_TIMEOUT, need_network=False, hints=True):
    """A ready guest; QEMU ends with the block, however it is left.

    need_network  fail when `lab-net up` failed, instead of only saying so
    hints         say at the end what lines of the kernel's log mean
    """
    with Machine(products, spec, rundir) as machine, Guest(machine, rundir) as guest, \
            _hinting(guest if hints else None):
        problem = guest.boot(boot_timeout)
        if problem and need_network:
            raise GuestDied("the guest's network did not come up: " + problem,
                            f"its kernel log: {rundir.file('dmesg.txt')}")
        if problem:
            warn_network(problem)
        yield guest
    report_exit(machine)


@contextlib.contextmanager
def _hinting(guest):
    """What the kernel's log meant is said at the end, whatever the end is."""
    try:
        yield
    finally:
        for hint in guest.hints.found() if guest else ():
            steps.hint(hint)


def report_exit(machine):
    """A QEMU that crashed while it ended is a failure, however well the run went before."""
    status = machine.exit_status
    if status is not None and status != 0:
        raise LabError(f"QEMU did not end well: {machine.epitaph()}", f"its log: {machine.log}")
    if machine.wire is not None and machine.wire.problem:
        raise LabError(machine.wire.problem, f"its log: {machine.wire.log}")


@contextlib.contextmanager
def artifacts(kind, where=None, quiet=False):
    """The run's directory; cli prints its place at the end, whatever the end is."""
    rundir = RunDir(kind, where)
    try:
        yield rundir
    finally:
        rundir.close()
        if not quiet:
            named.append(rundir.path)
