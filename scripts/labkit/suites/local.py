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
import sys
from typing import Any

from .. import ktap, paths, steps
from ..errors import LabError
from ..make import portable, wire_build
from ..run.guest import Guest
from ..run.rundir import RunDir
from ..run.spec import Spec
from .guest import GuestTests
from .suite import LIST_LIMIT, Context

NUMBERED = "T-*"
RESULT = "/tmp/result.json"     # in the guest
WORST = 300.0           # a hang guard of a command, in seconds
# the owner of a card has none
BARE = ("rm", "/usr/local/bin/lab-net")


class Alone(GuestTests):
    """Guest tests in a guest that cannot reach the lab, with a bench of their own. Without a name:
    no suite by itself."""

    name = ""

    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        built = context.args.built
        wire = portable.wire(built) if built else wire_build.archive(rundir.sockets)
        return Spec.from_args(context.args, topology="pair", initrds=[*initrds, wire], wire=None,
                              alone=True, bare=True)

    def prepare(self, guest: Guest) -> None:
        said(guest, *BARE)

    def arguments(self, context: Context) -> list[str]:
        return [*super().arguments(context), "--iface", "mlx0", "--peer-iface", "mlx1",
                "--result", RESULT]

    def _tests(self, context: Context, guest: Guest, stream: Any, left: list[str],
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

    def tests(self, context: Context) -> list[str]:
        if context.args.full:
            return super().tests(context)
        wanted = {*self._listed("--smoke"), *self._listed("--only", NUMBERED)}
        # in the order of a whole run
        return [name for name in super().tests(context) if name in wanted]

    @staticmethod
    def _listed(*options: str) -> list[str]:
        argv = [sys.executable, "-B", paths.GUEST_TESTS / "run.py", "--list", *options]
        return steps.capture(argv, timeout=LIST_LIMIT).stdout.split()

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        super().run(context, report, names)
        for line in account([result for suite, result in report.results if suite == self.name]):
            report.emit("# " + line, 1)


def said(guest: Guest, *argv: str) -> str:
    """What a command in the guest prints; LabError when it fails."""
    output, errors = bytearray(), bytearray()
    status = guest.run(argv, stdout=output.extend, stderr=errors.extend, timeout=WORST)
    if status:
        raise LabError(f"{' '.join(argv)} in the guest: status {status}, "
                       + errors.decode(errors="replace").strip())
    return output.decode(errors="replace").strip()


def account(results: list[ktap.Result]) -> list[str]:
    """How many tests ran, and why the others did not, the commonest reason first."""
    lines = []
    kinds = {"smoke and other tests": [result for result in results
                                       if not result.path[0].startswith(NUMBERED[:-1])],
             NUMBERED: [result for result in results
                        if result.path[0].startswith(NUMBERED[:-1])]}
    for kind, found in kinds.items():
        skipped = [result for result in found if result.status == "skip"]
        lines.append(f"{kind}: {len(found) - len(skipped)} run, {len(skipped)} skipped")
        reasons = collections.Counter(result.reason for result in skipped)
        lines += [f"  {count:4} {reason}" for reason, count in reasons.most_common()]
    return lines
