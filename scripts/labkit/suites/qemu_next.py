# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `qemu-10.2`: the device compiles in the next QEMU series.

Responsible for: distinguishing a failed build from a failure of the lab.
State: none.
"""

import time

from .. import ktap
from ..errors import BuildError
from .suite import Context, Suite


class NextQemu(Suite):
    """The device compiles in the next QEMU series."""

    name = "qemu-10.2"
    about = "the device compiles in QEMU 10.2"
    default = False
    order = 660
    parts = ("qemu",)
    variant = {"qemu_series": "10.2"}

    def tests(self, context: Context) -> list[str]:
        return ["compile"]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        report.plan(1)
        started = time.monotonic()
        try:
            self.products(context)
            result = ktap.Result(["compile"], "pass")
        except BuildError as error:
            result = ktap.Result(["compile"], "fail", error.message, error.tail)
        result.seconds = time.monotonic() - started
        report.result(result)
