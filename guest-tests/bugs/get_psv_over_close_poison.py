# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as get_psv_over_close, in a kernel that poisons freed memory: nothing need be made of
it in between.

Responsible for: no more than that.
State: none.
Callers: bug.py.
"""

from . import NEEDS
from .get_psv_over_close import bring_about

__all__ = ("NEEDS", "run")


def run(env):
    """See the module's text."""
    bring_about(env, lambda: None)
