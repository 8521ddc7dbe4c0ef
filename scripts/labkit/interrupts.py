# SPDX-License-Identifier: GPL-2.0-or-later
"""Interruption of the lab by signals.

Responsible for: turning SIGINT, SIGTERM and SIGHUP into one exception, raised at a point where
everything can be cleaned up.
State: the process's signal handlers, the depth of `held()` and the signal received meanwhile.
cli.py installs it once; sections that must not be interrupted use held().
"""

import contextlib
import signal
import types
from collections.abc import Iterator

WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The lab was interrupted. `status` is the exit status of the process."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"interrupted by {signal.Signals(number).name}")

    @property
    def status(self) -> int:
        """Return 128 + signal, as a shell reports it."""
        return 128 + self.number


_depth = 0
_waiting = None


def _handler(number: int, _frame: types.FrameType | None) -> None:
    global _waiting     # pylint: disable=global-statement  # of this module, as signals are
    if _depth and _waiting is None:
        _waiting = number
        return
    # not held, or a second signal: do not make an impatient user wait
    _waiting = None
    raise Interrupted(number)


def install() -> None:
    """Install the handlers. A signal ignored by the parent stays ignored, except SIGCHLD: ignoring
    it would hide exit statuses, and all children would seem to have succeeded."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in WANTED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handler)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """A section that a first signal does not interrupt; it is raised at the end."""
    global _depth, _waiting     # pylint: disable=global-statement  # likewise
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth and _waiting is not None:
            number, _waiting = _waiting, None
            raise Interrupted(number)
