# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes cpio archives in the "newc" form that the kernel unpacks as initramfs.

Responsible for: packing a directory of the host, or single files, for one run in addition to the
guest's base image.
State: none.

Archives are reproducible: sorted, owner 0:0, time 0, only the executable bit kept.
"""

import os
import pathlib
import stat
from collections.abc import Iterable, Iterator

SKIPPED = {"__pycache__", ".git"}


def _entry(number: int, name: str, mode: int, data: bytes = b"", links: int = 1) -> bytes:
    encoded = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return _padded(header) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)


def _walk(root: pathlib.Path) -> Iterator[str]:
    """Return every file, directory and link below `root`, relative, parents first, sorted."""
    for base, folders, files in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED)
        relative = os.path.relpath(base, root)
        for name in sorted(folders + files):
            if not name.endswith(".pyc"):
                yield os.path.normpath(os.path.join(relative, name))


def write(out_path: pathlib.Path, trees: Iterable[tuple[pathlib.Path, str]] = (),
          files: Iterable[tuple[str, bytes, int]] = ()) -> None:
    """Write an archive to `out_path`.

    trees  (host directory, guest path) pairs, copied whole
    files  (guest path, bytes, mode) triples
    Guest paths are absolute; missing parent directories are made.
    """
    made = set()
    number = 0
    with open(out_path, "wb") as out:

        def add(name: str, mode: int, data: bytes = b"") -> None:
            nonlocal number
            number += 1
            out.write(_entry(number, name, mode, data, 2 if stat.S_ISDIR(mode) else 1))

        def parents(name: str) -> None:
            parts = name.split("/")
            for count in range(1, len(parts)):
                folder = "/".join(parts[:count])
                if folder not in made:
                    made.add(folder)
                    add(folder, stat.S_IFDIR | 0o755)

        def folder(name: str) -> None:
            parents(name + "/x")

        for host, guest in trees:
            guest = guest.strip("/")
            folder(guest)
            for relative in _walk(host):
                path, name = os.path.join(host, relative), f"{guest}/{relative}"
                mode = os.lstat(path).st_mode
                if stat.S_ISDIR(mode):
                    folder(name)
                elif stat.S_ISLNK(mode):
                    add(name, stat.S_IFLNK | 0o777, os.fsencode(os.readlink(path)))
                elif stat.S_ISREG(mode):
                    with open(path, "rb") as source:
                        add(name, stat.S_IFREG | (0o755 if mode & 0o100 else 0o644), source.read())
        for guest, data, mode in files:
            guest = guest.strip("/")
            parents(guest)
            add(guest, stat.S_IFREG | mode, data)
        out.write(_entry(0, "TRAILER!!!", 0))
