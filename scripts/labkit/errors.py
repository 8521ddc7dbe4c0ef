# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors that end a lab command with a message instead of a traceback, and safe display of foreign
text.

State: none. The command line prints render() on stderr and exits with exit_status.
"""

import pathlib
import re
from collections.abc import Iterable

EXIT_TIMEOUT = 124      # the command in the guest timed out
EXIT_LAB = 125          # the lab itself failed


_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\u00a0-\u2027\u202f-\ud7ff\ue000-\uffef"
                          r"\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """Return text of a guest or program as one line for a terminal or report, without line ends and
    control characters."""
    return _UNPRINTABLE.sub("?", text)


class LabError(Exception):
    """The lab failed. MESSAGE names the item and what was expected, HINT says what the user can
    do."""

    exit_status = EXIT_LAB

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def render(self) -> str:
        """Return the text for stderr, with a prefix on every line."""
        lines = [f"lab: {printable(line)}" for line in self.message.rstrip().splitlines() or [""]]
        if self.hint:
            lines += [f"lab: hint: {printable(line)}"
                      for line in self.hint.rstrip().splitlines()]
        return "\n".join(lines)


class UsageError(LabError):
    """The user requested something nonexistent or inconsistent."""


class HostError(LabError):
    """This machine lacks something: a package, a distribution, a permission."""


class FetchError(LabError):
    """A package or source is not available from the archive."""


class SpaceError(LabError):
    """The disk is full or would become full."""


class OverlayError(LabError):
    """A QEMU tree does not match what scripts/overlay expects."""


class BuildError(LabError):
    """A build step failed; LOG is its full log and TAIL its last lines."""

    def __init__(self, message: str, hint: str | None = None, log: pathlib.Path | None = None,
                 tail: Iterable[str] = ()) -> None:
        super().__init__(message, hint)
        self.log = log
        self.tail = list(tail)

    def render(self) -> str:
        text = super().render()
        if self.tail:
            text = "\n".join(f"  | {printable(line)}" for line in self.tail) + "\n" + text
        if self.log:
            text += f"\nlab: full log: {self.log}"
        return text
