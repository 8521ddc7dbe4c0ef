# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `calls`: call graph of the device's files, from the object files of a build.

Responsible for: running tests/lint/callgraph.py on QEMU's build, and on deliberately wrong floors,
which it must refuse.
State: none.
"""

import subprocess
import sys
import tempfile

from .. import ktap, paths
from ..errors import LabError
from .suite import Context, Suite

SCRIPT = paths.TESTS / "lint" / "callgraph.py"
FLOORS = paths.TESTS / "lint" / "floors.txt"
OBJECTS = "libcommon.a.p"       # object files of devices
LIMIT = 300.0                   # hang guard


class Calls(Suite):
    """No file of the device calls one on a higher floor."""

    name = "calls"
    about = "no file of the device calls one that stands above it (tests/lint/floors.txt)"
    order = 250
    parts = ("qemu",)

    def tests(self, context: Context) -> list[str]:
        return ["floors", "broken/upward", "broken/missing"]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        build = self.products(context).qemu_build
        if build is None:
            raise LabError("there is no build of QEMU to look at")
        declared = FLOORS.read_text(encoding="utf-8").splitlines()
        floors = [line for line in declared if line and not line.startswith("#")]
        wrong = {"floors": declared, "broken/upward": list(reversed(floors)),
                 "broken/missing": floors[:-1]}
        report.plan(len(names))
        for name in names:
            with tempfile.NamedTemporaryFile("w", prefix="floors-") as file:
                file.write("\n".join(wrong[name]) + "\n")
                file.flush()
                done = subprocess.run([sys.executable, "-B", SCRIPT, build / OBJECTS, file.name],
                                      capture_output=True, text=True, check=False, timeout=LIMIT)
            passed = done.returncode == (1 if name.startswith("broken/") else 0)
            report.result(ktap.Result(
                [name], "pass" if passed else "fail", "" if passed else
                f"callgraph.py ended with status {done.returncode}",
                [] if passed else (done.stdout + done.stderr).splitlines()))
