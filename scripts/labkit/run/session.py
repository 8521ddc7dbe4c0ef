# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest from the command line to ready, and the messages about it.

Responsible for: the options about guests, building missing products, booting, and listing the
artifacts at the end.
State: the list of artifacts to be listed.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from .. import options, steps
from ..errors import LabError, UsageError
from ..make import kernel_build, portable, products
from ..make.products import PARTS, Products, Wanted
from . import passthrough
from .guest import Guest, GuestDied
from .journal import Journal
from .machine import Machine
from .rundir import RunDir
from .spec import NIC_MODELS, Spec

BOOTS = 3               # boots if QEMU loses a race: see lost_race()
TAIL = 4096             # bytes of a log searched for that

named = []              # artifacts to be listed after everything else


def add_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options about the machine and its parts."""
    group = options.add_options(parser, Spec, command)
    group.add_argument("--artifacts", metavar="DIR",
                       help="where to keep dmesg, logs and captures (default: a new directory "
                            "below artifacts/ of the checkout, the last 20 are kept)")
    options.add_options(parser, Wanted, command)


def ensure_products(args: argparse.Namespace, **changes: Any) -> Products:
    """Build or find the requested products; long steps show their progress."""
    wanted = Wanted(**{**options.values(Wanted, args), **changes})
    if wanted.built is None:
        return products.ensure(wanted)
    if dataclasses.replace(wanted, built=None, yes=False, only=PARTS) != Wanted():
        raise UsageError(f"--built {wanted.built}: expected no option about what is built beside "
                         "it, and no test that takes another kernel or QEMU")
    return portable.load(wanted.built)


def check_driver(made: Products, spec: Spec) -> None:
    """Refuse a NIC that the guest's kernel has no driver for, before it is booted in vain."""
    driver, symbol = NIC_MODELS[spec.nic_model]
    if made.kernel_config is not None and not kernel_build.has(made.kernel_config, symbol):
        raise UsageError(f"--nic-model {spec.nic_model}: Linux {made.versions['kernel_release']} "
                         f"has no {driver} (CONFIG_{symbol}): a kernel with this driver expected",
                         "Debian's kernels have it: --kernel 7.3")


def warn_network(text: str) -> None:
    """Warn that the guest's network is not set up as expected; the command still runs."""
    for line in text.splitlines():
        print(f"lab: warning: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def booted(made: Products, spec: Spec, rundir: RunDir, need_network: bool = False,
           hints: bool = True) -> Iterator[Guest]:
    """A ready guest; QEMU ends with the block in any case.

    need_network  fail if `lab-net up` failed, instead of only a warning
    hints         explain lines of the kernel's log at the end
    """
    check_driver(made, spec)
    with contextlib.ExitStack() as stack:
        if spec.functions:
            stack.enter_context(passthrough.taken(passthrough.Host(), spec.functions, Journal()))
        guest, problem = _boot(stack, made, spec, rundir, hints)
        if problem and need_network:
            raise GuestDied("the guest's network did not come up: " + problem,
                            f"its kernel log: {rundir.file('dmesg.txt')}")
        if problem:
            warn_network(problem)
        yield guest
    report_exit(guest.machine)


def _boot(stack: contextlib.ExitStack, made: Products, spec: Spec, rundir: RunDir,
          hints: bool) -> tuple[Guest, str]:
    """Boot a guest, to be ended with `stack`; returns it and the complaint about its network."""
    for boot in range(1, BOOTS + 1):
        with contextlib.ExitStack() as this:
            machine = this.enter_context(Machine(made, spec, rundir))
            guest = this.enter_context(Guest(machine, rundir))
            this.enter_context(_hinting(guest if hints else None))
            try:
                problem = guest.boot()
            except GuestDied:
                if boot == BOOTS or not lost_race(machine):
                    raise
            else:
                stack.push(this.pop_all())
                return guest, problem
        kept = machine.log.rename(machine.log.with_name(f"qemu-race-{boot}.log"))
        if machine.console.exists():
            machine.console.rename(machine.console.with_name(f"console-race-{boot}.log"))
        steps.say(f"QEMU's TCG has lost a race while the guest booted ({kept.name}; QEMU's issue "
                  "1921); booting once more")
    raise AssertionError("the last boot returns or raises")


def lost_race(machine: Machine) -> bool:
    """Return whether a vCPU has accessed a device while another one changed the memory map.

    QEMU's log ends with its assertion then; or the access reached another device, and if it was
    the end of an interrupt, the vCPU gets none any more, which the guest's kernel reports. This
    happens while a guest sets up PCI, once in some hundred boots.
    """
    return (b"iotlb_to_section: Assertion" in _tail(machine.log)
            or b"rcu: \tPossible timer handling issue on cpu=" in _tail(machine.console))


def _tail(log: pathlib.Path) -> bytes:
    try:
        return log.read_bytes()[-TAIL:]
    except OSError:
        return b""


@contextlib.contextmanager
def _hinting(guest: Guest | None) -> Iterator[None]:
    """Print explanations of the kernel's log at the end, however it ends."""
    try:
        yield
    finally:
        for hint in guest.hints.found() if guest else ():
            steps.hint(hint)


def report_exit(machine: Machine) -> None:
    """Report a QEMU crash at exit as a failure, even after a successful run."""
    status = machine.exit_status
    if status is not None and status != 0:
        raise LabError(f"QEMU did not end well: {machine.epitaph()}", f"its log: {machine.log}")
    if machine.wire is not None and machine.wire.problem:
        raise LabError(machine.wire.problem, f"its log: {machine.wire.log}")


@contextlib.contextmanager
def artifacts(kind: str, where: str | pathlib.Path | None = None,
              quiet: bool = False) -> Iterator[RunDir]:
    """Create the run's directory; cli prints its path at the end in any case."""
    rundir = RunDir(kind, where)
    try:
        yield rundir
    finally:
        rundir.close()
        if not quiet:
            named.append(rundir.path)
