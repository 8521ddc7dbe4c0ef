# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs of the Linux driver, each reproduced in a guest of its own: `lab bug`, and the suite
`driver-bugs`.

Responsible for: the machine that a bug needs, and the outcome. A bug may crash the guest: it is
identified by the text of the oops, not by the crash alone.
State: none beyond the run.

guest-tests/bugs/ has the bugs, its bugs.toml says where each is expected, docs/driver-bugs/
describes them.
"""

import argparse
import contextlib
import dataclasses
import re

import tomllib
from typing import Any

from .. import paths, steps
from ..errors import LabError
from ..make import guest_tests
from ..make.products import Products
from . import session
from .guest import CommandTimeout, GuestDied
from .rundir import RunDir
from .spec import Spec

NOT_SHOWN, SHOWN = 0, 1             # exit statuses of bug.py, and of `lab bug`
TABLE = paths.GUEST_TESTS / "bugs" / "bugs.toml"
LIMIT = 1100.0                      # seconds for one bug: beyond the guard of bug.py
KEYS = {"about", "append", "lacks", "nic", "oops", "shows"}
OOPS = re.compile(r"^.*(?:\bBUG: |\bOops\b|general protection fault|Kernel panic).*$", re.MULTILINE)
STAMP = re.compile(r"^(?:\w+ *: )?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?", re.MULTILINE)
# lines of an oops that do not identify the bug
TEDIOUS = re.compile(r"Modules linked in|Code: |R(?!IP)[A-Z0-9]{2}: |FS: |CS: |CR2: |DR\d: |PKRU: |"
                     r"Hardware name|\? ")


@dataclasses.dataclass(frozen=True)
class Bug:
    """A row of the table."""

    name: str
    about: str
    shows: dict                     # kernel series -> whether it is expected to show
    append: str = ""
    nic: tuple = ()
    oops: tuple = ()                # regular expressions, all of them in the oops
    lacks: dict = dataclasses.field(default_factory=dict)   # kernel series -> what it has not


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of trying a bug."""

    shown: bool | None              # None: the precondition was not met
    text: str                       # one line with the reason
    lines: tuple = ()               # of the oops, or of bug.py's output


def known() -> dict[str, Bug]:
    """Return {name: Bug} of the table."""
    found = {}
    for name, entry in tomllib.loads(TABLE.read_text(encoding="utf-8")).items():
        strange = set(entry) - KEYS
        if strange or not {"about", "shows"} <= set(entry):
            raise LabError(f"{TABLE}: [{name}]: expected {', '.join(sorted(KEYS))}, of which "
                           f"about and shows must be there; found: {', '.join(entry)}")
        fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value
                                  for key, value in entry.items()}
        found[name] = Bug(name, **fields)
    return found


def series(products: Products) -> str:
    """Return the series of the booted kernel, such as "6.12"."""
    version = products.versions.get("kernel_release") or products.versions.get("kernel") or ""
    match = re.match(r"\d+\.\d+", version)
    return match[0] if match else ""


# ---- trying a bug

def attempt(args: argparse.Namespace, products: Products, bug: Bug, rundir: RunDir) -> Outcome:
    """Boot a guest and try to reproduce the bug; returns an Outcome."""
    archive = guest_tests.archive(rundir.sockets)
    asked = Spec.from_args(args, topology="pair", initrds=[archive], wire=[])
    spec = dataclasses.replace(asked, nic=[*bug.nic, *asked.nic],
                               append=" ".join(filter(None, (bug.append, asked.append))))
    said, started = bytearray(), False
    try:
        with open(rundir.file("bug.txt"), "wb", buffering=0) as copy, \
                session.booted(products, spec, rundir, need_network=True) as guest:
            def take(data: bytes) -> None:
                said.extend(data)
                copy.write(data)

            started = True
            steps.ticker.show(f"lab: {bug.name}: guest ready after {guest.booted_in:.0f} s")
            status = guest.run(["python3", "-B", f"{guest_tests.AT}/bug.py", bug.name],
                               stdout=take, stderr=take, cwd=guest_tests.AT, timeout=LIMIT)
    except CommandTimeout as error:
        return Outcome(None, error.message)
    except GuestDied as error:
        if not started:
            raise
        return judge(bug, console(rundir), error.message)
    finally:
        steps.ticker.clear()
    lines = [line for line in said.decode(errors="replace").strip().splitlines()
             if not line.startswith("#")]
    text = lines[0] if lines else "it said nothing"
    shown = {NOT_SHOWN: False, SHOWN: True}.get(status)
    if shown and bug.oops:
        shown, text = None, f"bug.py ended with status {status}, and no oops: {text}"
    return Outcome(shown, text, tuple(lines[1:]))


def console(rundir: RunDir) -> str:
    """Return the guest's kernel log, from console and channel."""
    found = []
    for name in ("console.log", "dmesg.txt"):
        with contextlib.suppress(OSError):
            found.append(rundir.file(name).read_text(encoding="utf-8", errors="replace"))
    return "\n".join(found)


def judge(bug: Bug, text: str, why: str) -> Outcome:
    """Return the Outcome of a guest that has died, by its oops."""
    splat = oops(text)
    if not splat:
        return Outcome(None, f"the guest ended without an oops: {why.splitlines()[0]}")
    missing = [pattern for pattern in bug.oops if not re.search(pattern, splat)]
    lines = tuple(line for line in splat.splitlines() if not TEDIOUS.match(line.strip()))
    if not bug.oops or missing:
        lack = f"{missing[0]!r} is not in it" if missing else "none is expected"
        return Outcome(None, f"another oops than that of the bug: {lack}", lines)
    return Outcome(True, lines[0], lines)


def oops(text: str) -> str:
    """Return the first oops in a kernel log, without timestamps; "" if there is none."""
    text = STAMP.sub("", text.replace("\r", ""))
    first = OOPS.search(text)
    if not first:
        return ""
    rest = text[first.start():]
    end = re.search(r"^---\[ end (?:trace|Kernel panic).*$", rest, re.MULTILINE)
    return rest[:end.start()].rstrip() if end else rest[:6000]
