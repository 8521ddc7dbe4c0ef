# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `guest`: guest-tests/run.py in the guest, one boot for all.

Responsible for: passing the tests to the guest, processing their report as it arrives, and starting
another guest for the remaining tests if one dies.
State: none between suites.
"""

import argparse
import dataclasses
import pathlib
import sys
import time

from .. import ktap, paths, steps
from ..errors import LabError
from ..make import guest_tests
from ..make.products import PARTS, Products
from ..run import session
from ..run.guest import Guest
from ..run.rundir import RunDir
from ..run.spec import NIC_MODELS, OURS, Spec
from .suite import LIST_LIMIT, Context, Suite

SILENCE = 3600.0        # a guest test silent for this long hangs; longer than its own guard
UNUSABLE = 3            # run.py's exit status: a test has made its machine unusable
VERSIONS = ("1.2", "1.3")
BOOTS = 4               # of the guest suite: after a crash the rest runs on another machine


def watched(spec: Spec) -> Spec:
    """Return a machine whose devices check themselves, unless the user's --nic says strict=off.

    guest-tests/lib/runner.py evaluates their findings.
    """
    if spec.nic_model != OURS or spec.functions:
        return spec
    return dataclasses.replace(spec, nic=["strict=on", *spec.nic])


class GuestTests(Suite):
    """guest-tests/run.py in the guest: one boot for all tests, another one if the guest dies."""

    name = "guest"
    about = "functional tests in the guest"
    order = 300
    parts: tuple[str, ...] = PARTS
    extra_args: tuple[str, ...] = ()
    group: str | None = None            # the only test group of this suite
    selection = False                   # tests() names some of them only

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        if self.name != GuestTests.name:    # it is the others' too
            return
        parser.add_argument("--tls-version", choices=VERSIONS, default=VERSIONS[0],
                            help="TLS version of the guest tests' sessions (default: "
                                 "%(default)s); 1.3 needs a kernel that offloads it")

    def tests(self, context: Context) -> list[str]:
        run = paths.GUEST_TESTS / "run.py"
        if not run.is_file():
            raise LabError(f"{run} does not exist: there are no guest tests to run")
        only = ["--only", self.group] if self.group else []
        listed = steps.capture([sys.executable, "-B", run, "--list", *only,
                                *self.arguments(context)], env=self.environment(context),
                               timeout=LIST_LIMIT)
        names = [line.strip() for line in listed.stdout.splitlines() if line.strip()]
        if not names:
            raise LabError(f"{run} --list names no test")
        return names

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        products = self.products(context)
        report.plan(len(names))
        left = list(names)
        for boot in range(1, BOOTS + 1):
            end = self._boot(context, report, products, left, boot, names)
            if not left:
                return
            reason = end.reason
            if end.hopeless:
                break
            if not end.reported:
                report.result(ktap.Result([left.pop(0)], "fail", reason))
            if not left:
                return
            if boot < BOOTS:
                steps.say(f"{len(left)} guest tests are left; booting again")
            reason = f"not run: {BOOTS} guests died before it"
        for name in left:
            report.result(ktap.Result([name], "fail", reason))

    def _boot(self, context: Context, report: ktap.MergedReport, products: Products,
              left: list[str], boot: int, names: list[str]) -> "_End":
        """One guest: runs `left` and takes what was done off it."""
        where = context.rundir.file(self.name + (f"-{boot}" if boot > 1 else ""))
        with session.artifacts(self.name, where, quiet=True) as rundir:
            asked = self.machine(context, [guest_tests.archive(rundir.sockets)], rundir)
            stream = Stream(report, left, rundir.file("guest.ktap"))
            problem, started = "", False
            try:
                with session.booted(products, watched(asked), rundir,
                                    need_network=True) as guest:
                    steps.say(f"guest ready after {guest.booted_in:.1f} s, running "
                              f"{len(left)} tests")
                    started = True
                    self.prepare(guest)
                    problem = self._tests(context, guest, stream, left, names, rundir)
                    self.finish(guest, rundir)
            except LabError as error:   # it died, hangs, or QEMU crashed at exit
                problem = error.message
                steps.say(problem.splitlines()[0])
            finally:
                stream.close()
            verdict = self.verdict(rundir)
            if (problem or verdict) and not left:
                report.result(ktap.Result(["(machine)"], "fail", verdict or problem))
            elif verdict:
                problem = f"{verdict}\n{problem}"
            return _End(problem or "the test program ended without a result for it",
                        hopeless=not started or stream.bail, reported=stream.unusable)

    def _tests(self, context: Context, guest: Guest, stream: "Stream", left: list[str],
               names: list[str], rundir: RunDir) -> str:
        argv = ["python3", "-B", f"{guest_tests.AT}/run.py", *self.arguments(context)]
        if len(left) < len(names) or context.partial or self.group or self.selection:
            for name in left:
                argv += ["--only", name]
        with open(rundir.file("guest-stderr.txt"), "wb") as errors:
            status = guest.run(argv, stdout=stream.feed, stderr=errors.fileno(),
                               cwd=guest_tests.AT, silence=SILENCE,
                               env=self.environment(context))
        stream.unusable = status == UNUSABLE
        if left:
            tail = rundir.file("guest-stderr.txt").read_text(errors="replace").splitlines()[-20:]
            return f"the test program ended with status {status}\n" + "\n".join(tail)
        return ""

    # pylint: disable-next=unused-argument      # others put something into the run's directory
    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        """The machine to boot, with these archives in it."""
        return Spec.from_args(context.args, topology="pair", initrds=initrds, wire=[])

    def prepare(self, guest: Guest) -> None:
        """What the guest needs before the tests run; LabError when that fails."""

    def finish(self, guest: Guest, rundir: RunDir) -> None:
        """What is taken out of the guest after its tests; LabError when that fails."""

    def nic_model(self, context: Context) -> str:
        """Return the NIC model that they test; a listing of tests has no machine."""
        return getattr(context.args, "nic_model", OURS)

    def arguments(self, context: Context) -> list[str]:
        """Return additional arguments for the test program: all of its tests in a full run; on a
        NIC without TLS offload the TLS tests run in software."""
        software = self.nic_model(context) != OURS
        return [*self.extra_args, *(["--full"] if context.args.full else []),
                *(["--software-tls"] if software else [])]

    def environment(self, context: Context) -> dict[str, str]:
        """More environment for the tests: this machine is theirs alone, what drives its NIC, and
        the version of their sessions."""
        return {"DISRUPTIVE": "1", "FRESH_MACHINE": "1",
                "DRIVER": NIC_MODELS[self.nic_model(context)][0],
                "TLS_VERSION": getattr(context.args, "tls_version", VERSIONS[0])}

    # pylint: disable-next=unused-argument      # others look into QEMU's log
    def verdict(self, rundir: RunDir) -> str:
        """Return "" or what is wrong with the whole run, from its artifacts."""
        return ""


@dataclasses.dataclass(frozen=True)
class _End:
    """How a guest ended that had tests left."""

    reason: str
    hopeless: bool          # another guest is no use
    reported: bool          # the test that did it is reported: the next one has no part in it


class Stream:
    """Processes the guest's KTAP as it arrives: group lines pass through, test results are
    renumbered."""

    def __init__(self, report: ktap.MergedReport, left: list[str], copy: pathlib.Path) -> None:
        self._report = report
        self._left = left
        self._parser = ktap.Parser(self._on_result)
        self._rest = b""
        self.unusable = False       # the program says so of its machine
        self._taken = 0
        self._time = time.monotonic()
        self._copy = open(copy, "wb")  # pylint: disable=consider-using-with  # until close()

    def feed(self, data: bytes) -> None:
        """Process bytes of the program's stdout."""
        self._copy.write(data)
        self._copy.flush()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            line = raw.decode(errors="replace").rstrip("\r")
            if line.startswith("  "):
                self._report.emit(line, 1)
            self._parser.line(line)

    def _on_result(self, result: ktap.Result, depth: int, group: bool) -> None:
        if depth:
            return
        now = time.monotonic()
        leaves = self._parser.results()[self._taken:]
        self._taken += len(leaves)
        if group:
            self._report.result(ktap.Result(list(result.path), result.status, result.reason),
                                seen=True)
            for leaf in leaves:
                self._report.count(leaf)
        else:
            if result.seconds is None:
                result.seconds = now - self._time
            self._report.result(result)
        self._time = now
        if result.path[0] in self._left:
            self._left.remove(result.path[0])

    @property
    def bail(self) -> bool:
        """Return whether the program itself gave up."""
        return self._parser.bail is not None

    def close(self) -> None:
        """End the stream."""
        self._copy.close()
