# SPDX-License-Identifier: GPL-2.0-or-later
"""The middlebox of tests/wire, a program of the host.

Responsible for: building it with meson, and packing it for a guest, which has other libraries.
State: a build directory of this checkout in the cache.
"""

import pathlib

from .. import paths, steps
from . import carry

TARGET = "tests/wire/mlx5-wire"
PROGRAM = "/usr/local/bin/mlx5-wire"     # in a guest


def build() -> pathlib.Path:
    """Return the program, rebuilt if necessary."""
    folder = paths.cache_dir("wire", paths.checkout_id())
    with paths.lock("wire"), steps.Step("build the wire", log="wire-build", quiet=True) as step:
        if not paths.configured(folder):
            step.run(["meson", "setup", "-Dtests=false", folder, paths.REPO],
                     hint="`lab doctor` says what is missing")
        step.run(["ninja", "-C", folder, f"-j{steps.jobs()}", TARGET], progress=steps.Ninja())
    return folder / TARGET


def path(folder: pathlib.Path) -> pathlib.Path:
    """Where archive() puts it."""
    return folder / "wire.cpio"


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the program for a guest into a file of `folder`."""
    return carry.archive(path(folder), {PROGRAM: build()})
