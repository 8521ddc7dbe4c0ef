# SPDX-License-Identifier: GPL-2.0-or-later
"""The base of all suites of `lab test`.

Responsible for: the class Suite, state shared by the suites of a run (Context), and running
programs that print TAP.
State: the products requested so far by a run.

A suite is a module of this folder with one class derived from Suite that has a name; __init__.py
finds it.
"""

import argparse
import pathlib
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from .. import ktap, steps
from ..errors import LabError
from ..make import products
from ..make.products import PARTS, Products
from ..run import session
from ..run.rundir import RunDir

HOST_TEST_LIMIT = 4 * 3600.0    # hang guard of a whole program
LIST_LIMIT = 600.0      # hang guard of a program that lists its tests
WHOLE = "(whole program)"


class Context:
    """State shared by all suites of a `lab test` run."""

    def __init__(self, args: argparse.Namespace, rundir: RunDir | None,
                 build: Callable[..., Products] = session.ensure_products) -> None:
        self.args = args
        self._rundir = rundir
        self.patterns = args.only or []
        self.partial = bool(self.patterns)      # not all tests of a suite are run
        self._build = build
        self._products: dict[tuple[tuple[str, ...], tuple[tuple[str, Any], ...]], Products] = {}

    def products(self, only: tuple[str, ...] = PARTS, **changes: Any) -> Products:
        """Return built products, of which `only` are needed; each combination is built once."""
        variant = tuple(sorted(changes.items()))
        for (parts, others), made in self._products.items():
            if others == variant and set(parts) >= set(only):
                return made
        made = self._build(self.args, only=only, **changes)
        self._products[only, variant] = made
        return made

    @property
    def rundir(self) -> RunDir:
        """Return the run's artifacts directory; a listing has none."""
        if self._rundir is None:
            raise ValueError("a listing of tests keeps no artifacts")
        return self._rundir

    def used(self) -> list[Products]:
        """Return the products built so far."""
        return list(self._products.values())

    def wants(self, suite: str, names: list[str]) -> list[str]:
        """Return those of `names` (without the suite) that --only selects."""
        return [name for name in names if ktap.selected(f"{suite}/{name}", self.patterns)]


class Suite:
    """One suite. What it needs of the host and of the builders it says here, and asks for by
    Context.products(): a run builds what its suites need and nothing else."""

    name = ""               # name for --suite; without one it is a base class
    about = ""              # a line for the help
    default = True          # part of a plain `lab test`
    by_name = False         # not even part of a full run: it takes long and must be named
    order = 500             # position in a run: quick ones first
    builds_to_list = False  # its tests are known only after a build
    parts: tuple[str, ...] = ()         # needed PARTS
    variant: dict[str, Any] = {}        # variant of products: keywords of products.ensure()
    # host packages (host.PACKAGES) in addition to those for the parts
    purposes: tuple[str, ...] = ()

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add options of `lab test` that only this suite has."""

    # pylint: disable-next=unused-argument      # others look at what is chosen
    def packages(self, context: Context) -> tuple[str, ...]:
        """Return the purposes of host packages (host.PACKAGES) needed to build and run it."""
        return (*products.purposes(self.parts), *self.purposes)

    def products(self, context: Context) -> Products:
        """Return the needed parts, built."""
        return context.products(only=self.parts, **self.variant)

    def tests(self, context: Context) -> list[str]:
        """Return the names of the tests, without the suite's name."""
        raise NotImplementedError

    def piece(self, name: str) -> str:
        """Tests of one piece are run by one program, and stay in one shard."""
        return name

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        """Run `names`, a subset of tests(), into the report."""
        raise NotImplementedError


def run_tap(argv: Sequence[object], *, what: str, env: dict[str, str] | None = None,
            log: pathlib.Path | None = None,
            limit: float = HOST_TEST_LIMIT) -> tuple[ktap.Parser, int | None, list[str]]:
    """Run a program that prints TAP; returns (parser, exit status, stderr's end).

    The status is None if it exceeded `limit` seconds and was ended.
    """
    started = time.monotonic()
    with steps.child(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE) as process:
        while True:
            try:
                out, err = process.communicate(timeout=0.25)
                status = process.returncode
                break
            except subprocess.TimeoutExpired:
                took = time.monotonic() - started
                steps.ticker.show(f"lab: {what}: {took:.0f}s")
                if took > limit:
                    steps.end_group(process)
                    out, err = process.communicate()
                    status = None
                    break
    steps.ticker.clear()
    if log:
        with open(log, "ab") as file:
            file.write(out + err)
    return (ktap.parse(out.decode(errors="replace")), status,
            err.decode(errors="replace").strip().splitlines()[-30:])


def complete(parser: ktap.Parser, status: int | None, errors: list[str],
             name: str) -> list[ktap.Result]:
    """Return the results of a program, with an additional failure if it exited abnormally."""
    results = parser.results()
    missing = (parser.plan or 0) - len(results)
    wrong = ""
    if status is None:
        wrong = "did not end in time"
    elif status < 0:
        wrong = f"was killed by signal {-status}"
    elif parser.bail:
        wrong = f"bailed out: {parser.bail}"
    elif status and not any(result.status == "fail" for result in results):
        wrong = f"ended with status {status}"
    elif missing > 0 and parser.plan:
        wrong = f"planned {parser.plan} tests and reported {len(results)}"
    elif not results and parser.plan is None:
        wrong = "reported no test"
    if wrong and not (parser.bail and any(result.status == "fail" for result in results)):
        results.append(ktap.Result([WHOLE], "fail", f"{name} {wrong}",
                                   parser.rest() + errors))
    return results


def glib_names(argv: Sequence[object], env: dict[str, str] | None = None) -> list[str]:
    """Return the paths of the tests in a GLib test program, or [] for any other program."""
    try:
        listed = steps.capture([*argv, "-l"], env=env, check=False, timeout=LIST_LIMIT)
    except LabError:
        return []
    # interspersed messages of the program itself become comments
    names = [line for line in listed.stdout.splitlines() if line.startswith("/")]
    others = [line for line in listed.stdout.splitlines()
              if line and not line.startswith(("/", "#", "TAP ", "1.."))]
    return [] if listed.returncode or others else [name.strip("/") for name in names]
