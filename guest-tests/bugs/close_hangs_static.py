# SPDX-License-Identifier: GPL-2.0-or-later
"""The same as close_hangs.py, where the device refuses the static parameters: the SET_PSV behind
them is flushed with an error.

Responsible for: that rule; docs/driver-bugs/close-hangs.md.
State: none.
Callers: bug.py.
"""

from . import NEEDS, close_hangs

__all__ = ("NEEDS", "run")


def run(env):
    """See the module's text."""
    close_hangs.bring_about(env, "error wqe=UMR_STATIC dir=rx count=1")
