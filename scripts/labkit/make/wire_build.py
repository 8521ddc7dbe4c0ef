# SPDX-License-Identifier: GPL-2.0-or-later
"""The middlebox of tests/wire, as a program of the host.

Responsible for: building it with meson, and packing it for a guest, which has other libraries.
State: a build directory of this checkout in the cache.
"""

import pathlib
import re

from .. import paths, steps
from ..errors import LabError
from . import cpio

TARGET = "tests/wire/mlx5-wire"
PROGRAM, HOME = "/usr/local/bin/mlx5-wire", "/opt/mlx5-wire"      # in a guest
LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)     # a line of ldd's


def build() -> pathlib.Path:
    """The program, brought up to date; takes a moment when there is nothing to do."""
    folder = paths.cache_dir("wire", paths.checkout_id())
    with paths.lock("wire"), steps.Step("build the wire", log="wire-build", quiet=True) as step:
        if not paths.configured(folder):
            step.run(["meson", "setup", "-Dtests=false", folder, paths.REPO],
                     hint="`lab doctor` says what is missing")
        step.run(["ninja", "-C", folder, f"-j{steps.jobs()}", TARGET], progress=steps.Ninja())
    return folder / TARGET


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the program, with the host's libraries and loader, into a file of `folder`."""
    program, path = build(), folder / "wire.cpio"
    libraries = [pathlib.Path(name) for name in
                 LIBRARY.findall(steps.capture(["ldd", program]).stdout)]
    loaders = [library for library in libraries if library.name.startswith("ld-")]
    if len(loaders) != 1:
        raise LabError(f"ldd {program}: expected one loader, got "
                       + (", ".join(map(str, loaders)) or "none"))
    script = (f"#!/bin/sh\nexec {HOME}/{loaders[0].name} --library-path {HOME} "
              f'{HOME}/mlx5-wire "$@"\n')
    cpio.write(path, files=[(PROGRAM, script.encode(), 0o755),
                            (f"{HOME}/mlx5-wire", program.read_bytes(), 0o755),
                            *((f"{HOME}/{library.name}", library.read_bytes(), 0o755)
                              for library in libraries)])
    return path
