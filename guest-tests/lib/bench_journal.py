# SPDX-License-Identifier: GPL-2.0-or-later
"""What a bench is about to change, written down before it is changed.

Responsible for: one file for each NIC under test, which is there exactly while its bench is set up
or has not been taken down well; and telling whether the run that wrote it is still on its way.
State: the file. It is in a file system that a reboot empties, as it does the settings.
Callers: bench.py.
"""

import json
import os
import pathlib

FOLDER = pathlib.Path("/run/mlx5-ktls")
VERSION = 1


class Busy(Exception):
    """There is a journal already; the text says whose."""


def path_of(iface):
    """The journal of a NIC under test."""
    return FOLDER / f"bench-{iface}.json"


def all_paths():
    """Journals of this machine."""
    return sorted(FOLDER.glob("bench-*.json"))


def _birth(pid):
    """When a process was started, in the kernel's ticks; None when there is none. With the number
    it names a process: numbers come again."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def write(iface, content):
    """Begin a journal; it is on disk when this returns. Busy when there is one."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    path = path_of(iface)
    if path.exists():
        raise Busy(whose(path))
    content = {"version": VERSION, "pid": os.getpid(), "birth": _birth(os.getpid()), **content}
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)


def read(path):
    """A journal's content; ValueError when it is none of ours."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise ValueError(f"{path}: expected version {VERSION} of a bench's journal")
    return content


def alive(content):
    """Is the run that wrote it on its way?"""
    return content["birth"] is not None and _birth(content["pid"]) == content["birth"]


def whose(path):
    """A sentence about a journal that is in the way."""
    try:
        content = read(path)
    except (OSError, ValueError) as error:
        return f"{path} cannot be read: {error}"
    if alive(content):
        return f"another run (process {content['pid']}) has this bench"
    return (f"an earlier run (process {content['pid']}) died before it had taken its bench down: "
            "`run.py --restore` does that")
