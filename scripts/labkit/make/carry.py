# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of the host, for a guest that has other libraries.

Responsible for: an archive with programs, the libraries that they are linked with, and the host's
loader, which starts them.
State: none; the archive is the caller's.
"""

import pathlib
import re

from .. import steps
from ..errors import LabError
from . import cpio

HOME = "/opt/carried"           # in the guest, where the files themselves are
LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)      # a line of ldd's


def libraries(program: pathlib.Path) -> tuple[pathlib.Path, list[pathlib.Path]]:
    """(loader, libraries) that a program of the host is linked with."""
    found = [pathlib.Path(name)
             for name in LIBRARY.findall(steps.capture(["ldd", program]).stdout)]
    loaders = [path for path in found if path.name.startswith("ld-")]
    if len(loaders) != 1:
        raise LabError(f"ldd {program}: expected one loader, got "
                       + (", ".join(map(str, loaders)) or "none"))
    return loaders[0], [path for path in found if path not in loaders]


def archive(path: pathlib.Path, programs: dict[str, pathlib.Path]) -> pathlib.Path:
    """Pack programs into the file `path`: {place in the guest: program of the host}. Returns it."""
    files = {}
    for place, program in programs.items():
        loader, others = libraries(program)
        name = pathlib.PurePath(place).name
        script = (f"#!/bin/sh\nexec {HOME}/{loader.name} --argv0 {name} "
                  f'--library-path {HOME} {HOME}/bin/{name} "$@"\n')
        files[place] = script.encode()
        files[f"{HOME}/bin/{name}"] = program.read_bytes()
        for library in (loader, *others):
            files[f"{HOME}/{library.name}"] = library.read_bytes()
    cpio.write(path, files=[(place, data, 0o755) for place, data in files.items()])
    return path
