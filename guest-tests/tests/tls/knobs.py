# SPDX-License-Identifier: GPL-2.0-or-later
"""Does each experiment of questions.py recognise each behaviour? The emulated device is told to
behave in one way after the other; the experiment is not told.

They run when QUESTIONS_KNOBS is set, as the suite `questions` of `lab test` does.
"""

import os

from lib.asking import EXPERIMENTS
from lib.case import add

VALUES = {
    "Q-01/rx-resync-flag-at": ("magic", "loss", "both"),
    "Q-02/rx-resync-repeat": ("never", "1", "4", "40", "timeout"),
    "Q-03/rx-search-pattern": ("strict", "magic-only"),
    "Q-04/rx-auth-stage": ("on", "off"),
    "Q-05/rx-bad-tag": ("continue", "search"),
    "Q-06/rx-error-bytes": ("record", "packet", "wire"),
    "Q-07/tx-seq-check": ("drop", "error-cqe", "ignore"),
    "Q-08/rx-start-order-tolerance": ("65536", "1048576", "16777216"),
}
# what strict=on takes for wrong, and is
VIOLATES = {"tx-seq-check-is-ignore": ("tx_sequence",)}


def _told(experiment, value):
    def run(env):
        with env.lab.with_property(experiment.entry["knob"], value):
            experiment.run(env)

    run.__doc__ = f"The experiment answers {value}: Experiment.run() compares."
    return run


def _register():
    for name, values in VALUES.items():
        experiment = EXPERIMENTS[name]
        knob = experiment.entry["knob"]
        for value in values:
            word = f"{knob}-is-{value}"
            add(f"knobs/{word}", _told(experiment, value),
                needs=(f"lab:{knob}", *experiment.look.needs), allowed=experiment.allowed,
                violates=VIOLATES.get(word, ()))


if os.environ.get("QUESTIONS_KNOBS"):
    _register()
