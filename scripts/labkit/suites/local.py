# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `local`: the functional tests as the owner of a card runs them, in a guest that cannot
reach the lab.

Responsible for: a guest with two NICs back to back and nothing set up, run.py there with a bench
of its own, and the list of what could not be tested.
State: none beyond the run.
"""

import collections
import contextlib
import pathlib
import re
import sys

from .. import ktap, paths, steps
from ..errors import LabError
from ..make import guest_tests, portable, wire_build
from ..run.guest import Guest
from ..run.rundir import RunDir
from ..run.spec import OURS, Spec
from .guest import SILENCE, GuestTests, Stream
from .suite import LIST_LIMIT, Context

NUMBERED = ("T-*", "Q-*")
RESULT = "/tmp/result.json"     # in the guest
OWN = "bench"           # the group of benchcheck.py's tests
LINE = re.compile(rb"^(not )?ok \d+ ")
PATIENCE = 20           # seconds within which a run is interrupted, which is slow under emulation
WORST = 300.0           # a hang guard of a command, in seconds
# the owner of a card has none
BARE = ("rm", "/usr/local/bin/lab-net")


class Alone(GuestTests):
    """Guest tests in a guest that cannot reach the lab, with a bench of their own. Without a name:
    no suite by itself."""

    name = ""

    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        wire = self.middlebox(context, rundir)
        return Spec.from_args(context.args, topology="pair", initrds=[*initrds, wire], wire=None,
                              alone=True, bare=True)

    @staticmethod
    def middlebox(context: Context, rundir: RunDir) -> pathlib.Path:
        """The archive with the program that run.py puts between the ends."""
        built = context.args.built
        return portable.wire(built) if built else wire_build.archive(rundir.sockets)

    def prepare(self, guest: Guest) -> None:
        said(guest, *BARE)

    def arguments(self, context: Context) -> list[str]:
        return [*super().arguments(context), "--iface", "mlx0", "--peer-iface", "mlx1",
                "--result", RESULT]

    # pylint: disable-next=too-many-arguments       # as it is in the class above
    def _tests(self, context: Context, guest: Guest, stream: Stream, left: list[str],
               names: list[str], rundir: RunDir) -> str:
        problem = super()._tests(context, guest, stream, left, names, rundir)
        # the tests reach no lab that would keep it
        with contextlib.suppress(LabError):     # they ended before there was one
            rundir.file("guest-result.json").write_text(said(guest, "cat", RESULT) + "\n",
                                                        encoding="utf-8")
        return problem


class Local(Alone):
    """Smoke tests and numbered tests beside a NIC that is a NIC and no more."""

    name = "local"
    about = "functional tests in a guest that cannot reach the lab, as beside a card"
    default = False
    order = 700
    selection = True
    # of benchcheck.py, by the NICs of the guest: what a run leaves behind, however it ends
    own: list[str] = [f"{OWN}/both-arrangements", f"{OWN}/settings", f"{OWN}/interrupted"]

    def tests(self, context: Context) -> list[str]:
        if context.args.full:
            return super().tests(context) + self.own
        numbered = [word for pattern in NUMBERED for word in ("--only", pattern)]
        wanted = {*self._listed("--smoke"), *self._listed(*numbered)}
        # in the order of a whole run
        return [name for name in super().tests(context) if name in wanted] + self.own

    @staticmethod
    def _listed(*options: str) -> list[str]:
        argv = [sys.executable, "-B", paths.GUEST_TESTS / "run.py", "--list", *options]
        return steps.capture(argv, timeout=LIST_LIMIT).stdout.split()

    # pylint: disable-next=too-many-arguments       # as it is in the class above
    def _tests(self, context: Context, guest: Guest, stream: Stream, left: list[str],
               names: list[str], rundir: RunDir) -> str:
        own = [name for name in left if name in self.own]
        # the stream takes off this list what is done
        left[:] = [name for name in left if name not in self.own]
        try:
            problem = super()._tests(context, guest, stream, left, names, rundir) if left else ""
        finally:
            left += own
        if own and not problem:
            self._check_bench(guest, stream, own, rundir)
        return problem or violations(guest)

    @staticmethod
    def _check_bench(guest: Guest, stream: Stream, own: list[str], rundir: RunDir) -> None:
        """benchcheck.py in the guest; its tests have another name here."""
        rest = b""

        def feed(data: bytes) -> None:
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if not line.startswith(b"1.."):
                    stream.feed(LINE.sub(rb"\g<0>" + OWN.encode() + b"/", line) + b"\n")

        argv = ["python3", "-B", f"{guest_tests.AT}/benchcheck.py", "--iface", "mlx0",
                "--peer-iface", "mlx1", "--patience", str(PATIENCE)]
        with open(rundir.file("benchcheck-stderr.txt"), "wb") as errors:
            guest.run(argv + [name.removeprefix(f"{OWN}/") for name in own], stdout=feed,
                      stderr=errors.fileno(), cwd=guest_tests.AT, silence=SILENCE)

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        super().run(context, report, names)
        for line in account([result for suite, result in report.results
                             if suite == self.name and result.name not in self.own]):
            report.emit("# " + line, 1)


def said(guest: Guest, *argv: str) -> str:
    """What a command in the guest prints; LabError when it fails."""
    output, errors = bytearray(), bytearray()
    status = guest.run(argv, stdout=output.extend, stderr=errors.extend, timeout=WORST)
    if status:
        raise LabError(f"{' '.join(argv)} in the guest: status {status}, "
                       + errors.decode(errors="replace").strip())
    return output.decode(errors="replace").strip()


def violations(guest: Guest) -> str:
    """"" or what the devices have seen of what strict mode forbids, whoever drove them. Tests that
    reach no lab cannot look for themselves."""
    wrong = []
    spec = guest.machine.spec
    for nic in spec.nics if spec.nic_model == OURS else ():
        found = guest.machine.qmp("qom-get", path=f"/machine/peripheral/{nic}",
                                  property="strict-violations")
        wrong += [f"{nic}: {reason}: {count}" for reason, count in found.items() if count]
    return f"violations of strict mode: {', '.join(wrong)}" if wrong else ""


def account(results: list[ktap.Result]) -> list[str]:
    """How many tests ran, and why the others did not, the commonest reason first."""
    lines = []
    kinds: dict[str, list[ktap.Result]] = {}
    for result in results:
        kind = next((pattern for pattern in NUMBERED if result.name.startswith(pattern[:-1])),
                    "smoke and other tests")
        kinds.setdefault(kind, []).append(result)
    for kind, found in kinds.items():
        skipped = [result for result in found if result.status == "skip"]
        lines.append(f"{kind}: {len(found) - len(skipped)} run, {len(skipped)} skipped")
        reasons = collections.Counter(result.reason for result in skipped)
        lines += [f"  {count:4} {reason}" for reason, count in reasons.most_common()]
    return lines
