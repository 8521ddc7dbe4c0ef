# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `questions`: the experiments about open questions recognise each value of each knob.

Responsible for: guest-tests/tests/tls/knobs.py, which runs only here.
State: none.
"""

from .guest import GuestTests
from .suite import Context


class Questions(GuestTests):
    """Each experiment, with the device told to behave in each way that the knobs have."""

    name = "questions"
    about = "the experiments Q-* recognise each value of the device's knobs"
    default = False
    order = 690
    group = "knobs"

    def environment(self, context: Context) -> dict[str, str]:
        return {**super().environment(context), "QUESTIONS_KNOBS": "1"}
