# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs of the Linux driver, each brought about in a guest of its own: `lab bug`, and the suite
`driver-bugs`.

Responsible for: the machine that a bug needs, and what came of it. A guest may die of a bug: it is
known by what the oops says, not by the death.
State: none beyond the run.

guest-tests/bugs/ has the bugs, bugs.toml there says where each is expected, docs/driver-bugs/ tells
about them.
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
KEYS = {"about", "append", "nic", "oops", "shows"}
OOPS = re.compile(r"^.*(?:\bBUG: |\bOops\b|general protection fault|Kernel panic).*$", re.MULTILINE)
STAMP = re.compile(r"^(?:\w+ *: )?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?", re.MULTILINE)
# of an oops: what tells nothing of the bug
TEDIOUS = re.compile(r"Modules linked in|Code: |R(?!IP)[A-Z0-9]{2}: |FS: |CS: |CR2: |DR\d: |PKRU: |"
                     r"Hardware name|\? ")


@dataclasses.dataclass(frozen=True)
class Bug:
    """One of the table."""

    name: str
    about: str
    shows: dict                     # kernel series -> whether it is expected to show
    append: str = ""
    nic: tuple = ()
    oops: tuple = ()                # regular expressions, all of them in the oops


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one."""

    shown: bool | None              # None: the situation was not there
    text: str                       # why, in a line
    lines: tuple = ()               # of the oops, or of what bug.py saw


def known() -> dict[str, Bug]:
    """{name: Bug} of the table."""
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
    """"6.12" of what is booted."""
    version = products.versions.get("kernel_release") or products.versions.get("kernel") or ""
    match = re.match(r"\d+\.\d+", version)
    return match[0] if match else ""


# ---- trying one

def attempt(args: argparse.Namespace, products: Products, bug: Bug, rundir: RunDir) -> Outcome:
    """Boot a guest, bring the bug about: an Outcome."""
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
    """What the guest's kernel has said, on whichever way."""
    found = []
    for name in ("console.log", "dmesg.txt"):
        with contextlib.suppress(OSError):
            found.append(rundir.file(name).read_text(encoding="utf-8", errors="replace"))
    return "\n".join(found)


def judge(bug: Bug, text: str, why: str) -> Outcome:
    """The Outcome of a guest that has died: is this the oops?"""
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
    """The first oops in a kernel log, without time stamps; "" when there is none."""
    text = STAMP.sub("", text.replace("\r", ""))
    first = OOPS.search(text)
    if not first:
        return ""
    rest = text[first.start():]
    end = re.search(r"^---\[ end (?:trace|Kernel panic).*$", rest, re.MULTILINE)
    return rest[:end.start()].rstrip() if end else rest[:6000]
