# SPDX-License-Identifier: GPL-2.0-or-later
"""Stand-ins for the machine and the directory of a run, for tests without either.

Responsible for: having as much of them as those tests use, and nothing that starts anything.
State: none.
"""

import pathlib
from typing import Any


class _Machine:
    """A machine without a middlebox that nobody has started."""

    wire = None


class _Rundir:
    """A directory of the caller's, without a life of its own."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = self.sockets = path

    def file(self, name: str) -> pathlib.Path:
        """Path of an artifact."""
        return self.path / name


def unstarted_machine() -> Any:
    """In place of a run.machine.Machine."""
    return _Machine()


def plain_rundir(path: str | pathlib.Path) -> Any:
    """In place of a run.rundir.RunDir."""
    return _Rundir(pathlib.Path(path))
