# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `instructions`: no packet costs the device more than the tree's baseline says.

Responsible for: the scenarios of `lab bench` against tests/bench/baseline.toml.
State: none.
"""

import time

from .. import ktap, steps
from ..run import instructions
from .suite import Context, Suite


class Instructions(Suite):
    """Each scenario of tests/bench under callgrind."""

    name = "instructions"
    about = "instructions per packet, within 3 % of tests/bench/baseline.toml"
    order = 260
    builds_to_list = True
    parts = ("qemu",)
    purposes = ("bench",)

    def tests(self, context: Context) -> list[str]:
        return instructions.scenarios(self.products(context))

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        products = self.products(context)
        made_with = instructions.made_with(products)
        kept = instructions.baseline().get(made_with, {})
        report.plan(len(names))
        for name in names:
            if name not in kept:
                report.result(ktap.Result([name], "skip",
                                          f"there is no baseline for it with {made_with}"))
                continue
            started = time.monotonic()
            steps.ticker.show(f"lab: {name} under callgrind")
            figure = instructions.per_packet(products, name)
            steps.ticker.clear()
            good, sentence = instructions.verdict(figure, kept[name])
            report.result(ktap.Result([name], "pass" if good else "fail",
                                      "" if good else sentence, [f"# {sentence}"] if good else [],
                                      time.monotonic() - started))
