# SPDX-License-Identifier: GPL-2.0-or-later
"""What a lab has changed on its host, written down before it is changed.

Responsible for: a file for each function that is taken, which is there exactly while it is, or has
not been given back well; and which of them are left by labs that are gone.
State: these files, beside and in the form of those that run.py keeps of a bench
(guest-tests/lib/bench_journal.py), in a file system that a reboot empties, as it does the changes.
"""

import json
import os
import pathlib
from typing import Any

from ..errors import HostError

FOLDER = pathlib.Path("/run/mlx5-ktls")
PREFIX = "function-"
VERSION = 1
Entry = dict[str, Any]


def _birth(process: int) -> int | None:
    """When a process was started, in the kernel's ticks; None when there is none. With the number
    it names a process: numbers come again."""
    try:
        stat = pathlib.Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


class Journal:
    """The entries of all labs of this host, one for each function that is taken. An entry has
    `pid` and `birth` of its lab, and the names and texts of its maker."""

    def __init__(self, folder: pathlib.Path = FOLDER) -> None:
        self.folder = folder

    def _path(self, function: str) -> pathlib.Path:
        return self.folder / f"{PREFIX}{function}.json"

    def add(self, function: str, about: dict[str, str]) -> None:
        """Begin an entry; it is on disk when this returns."""
        path = self._path(function)
        new = path.with_suffix(".new")
        entry: Entry = {"version": VERSION, "pid": os.getpid(), "birth": _birth(os.getpid()),
                        **about}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(new, "w", encoding="utf-8") as file:
                json.dump(entry, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.rename(path)
        except OSError as error:
            raise HostError(f"cannot write down what is to be changed: {error}") from error

    def entries(self) -> dict[str, Entry]:
        """{function: entry}; raises HostError about one that is none of ours."""
        found = {}
        for path in sorted(self.folder.glob(f"{PREFIX}*.json")):
            try:
                entry = json.loads(path.read_text(encoding="utf-8"))
                if entry["version"] != VERSION:
                    raise ValueError(f"its version is {entry['version']}, expected {VERSION}")
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise HostError(f"{path} cannot be read: {error}",
                                "it tells what a lab has taken; look, undo it, and remove it"
                                ) from error
            found[path.stem.removeprefix(PREFIX)] = entry
        return found

    @staticmethod
    def lives(entry: Entry) -> bool:
        """Is the lab that wrote it still there?"""
        return entry["birth"] is not None and _birth(entry["pid"]) == entry["birth"]

    def remove(self, function: str) -> None:
        """The function has been given back."""
        self._path(function).unlink(missing_ok=True)
