# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest from nothing to ready, and what is said about it.

Responsible for: giving a command the options about guests, building what is missing,
booting, and naming the artifacts at the end.
State: the list of artifacts to be named; what it opens it closes.
"""

import argparse
import contextlib
import pathlib
import sys
from collections.abc import Iterator
from typing import Any

from .. import options, steps
from ..errors import LabError
from ..make import products
from ..make.products import Products, Wanted
from .guest import Guest, GuestDied
from .machine import Machine
from .rundir import RunDir
from .spec import Spec

BOOTS = 3               # when QEMU loses a race: see lost_race()
TAIL = 4096             # bytes of its log in which that is looked for

named = []              # artifacts to be named when everything else has been said


def add_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Options about the machine, and about what it is made of."""
    group = options.add_options(parser, Spec, command)
    group.add_argument("--artifacts", metavar="DIR",
                       help="where to keep dmesg, logs and captures (default: a new directory "
                            "below artifacts/ of the checkout, the last 20 are kept)")
    options.add_options(parser, Wanted, command)


def ensure_products(args: argparse.Namespace, **changes: Any) -> Products:
    """Build or find what the command line asks for; the long steps show their progress."""
    return products.ensure(Wanted(**{**options.values(Wanted, args), **changes}))


def warn_network(text: str) -> None:
    """The network of the guest is not as it should be; the command runs all the same."""
    for line in text.splitlines():
        print(f"lab: warning: {line}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def booted(made: Products, spec: Spec, rundir: RunDir, need_network: bool = False,
           hints: bool = True) -> Iterator[Guest]:
    """A ready guest; QEMU ends with the block, however it is left.

    need_network  fail when `lab-net up` failed, instead of only saying so
    hints         say at the end what lines of the kernel's log mean
    """
    with contextlib.ExitStack() as stack:
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
    """A guest that has booted, ended with `stack`, and what was wrong with its network."""
    for boot in range(1, BOOTS + 1):
        with contextlib.ExitStack() as this:
            machine = this.enter_context(Machine(made, spec, rundir))
            guest = this.enter_context(Guest(machine, rundir))
            this.enter_context(_hinting(guest if hints else None))
            try:
                problem = guest.boot()
            except GuestDied:
                if boot == BOOTS or not lost_race(machine.log):
                    raise
            else:
                stack.push(this.pop_all())
                return guest, problem
        kept = machine.log.rename(machine.log.with_name(f"qemu-race-{boot}.log"))
        steps.say(f"QEMU's TCG has lost a race while the guest booted ({kept.name}; QEMU's issue "
                  "1921); booting once more")
    raise AssertionError("the last boot returns or raises")


def lost_race(log: pathlib.Path) -> bool:
    """Does QEMU's log end with the assertion that a vCPU runs into when the memory map changes
    under its hands? While a guest sets up PCI that happens, once in some hundred boots."""
    try:
        return b"iotlb_to_section: Assertion" in log.read_bytes()[-TAIL:]
    except OSError:
        return False


@contextlib.contextmanager
def _hinting(guest: Guest | None) -> Iterator[None]:
    """What the kernel's log meant is said at the end, whatever the end is."""
    try:
        yield
    finally:
        for hint in guest.hints.found() if guest else ():
            steps.hint(hint)


def report_exit(machine: Machine) -> None:
    """A QEMU that crashed while it ended is a failure, however well the run went before."""
    status = machine.exit_status
    if status is not None and status != 0:
        raise LabError(f"QEMU did not end well: {machine.epitaph()}", f"its log: {machine.log}")
    if machine.wire is not None and machine.wire.problem:
        raise LabError(machine.wire.problem, f"its log: {machine.wire.log}")


@contextlib.contextmanager
def artifacts(kind: str, where: str | pathlib.Path | None = None,
              quiet: bool = False) -> Iterator[RunDir]:
    """The run's directory; cli prints its place at the end, whatever the end is."""
    rundir = RunDir(kind, where)
    try:
        yield rundir
    finally:
        rundir.close()
        if not quiet:
            named.append(rundir.path)
