# SPDX-License-Identifier: GPL-2.0-or-later
"""What was built, copied into one directory that runs on other machines, without building there.

Responsible for: packing products with the libraries that they were linked with, and finding them
in such a directory again.
State: none; the directory is the caller's.

It needs x86-64 Linux and Python there, not Debian, and no compiler.
"""

import json
import os
import pathlib
import shutil

from .. import paths
from ..errors import UsageError
from . import wire_build
from .carry import libraries
from .products import Products

INDEX = "products.json"
FORMAT = 1
WIRE = "wire"           # the middlebox, for guests that bring it up by themselves


def _program(program: pathlib.Path, folder: pathlib.Path) -> str:
    """Copy a program with all that it was linked with; the name of the script that starts it."""
    loader, others = libraries(program)
    paths.make_dir(folder / "lib")
    for path in (loader, *others):
        shutil.copyfile(path, folder / "lib" / path.name)
    shutil.copyfile(program, folder / "lib" / program.name)
    for name in (loader.name, program.name):
        (folder / "lib" / name).chmod(0o755)
    script = folder / program.name
    script.write_text('#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\n'
                      f'exec "$here/lib/{loader.name}" --library-path "$here/lib" '
                      f'"$here/lib/{program.name}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script.name


def pack(made: Products, folder: pathlib.Path) -> None:
    """Copy emulator, kernel and userland into `folder`, which must be empty or not be there."""
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: expected an empty directory, or none")
    if made.qemu is None or made.qemu_src is None or made.kernel is None or not made.initrds:
        raise UsageError("emulator, kernel and userland expected: what is packed is whole")
    paths.make_dir(folder)
    initrds = [f"initrd-{number}" for number, _ in enumerate(made.initrds)]
    index = {"format": FORMAT, "qemu": _program(made.qemu, folder), "kernel": "kernel",
             "kernel_args": made.kernel_args, "firmware": "firmware", "qemu_src": "qemu-src",
             "versions": made.versions, "initrds": initrds}
    shutil.copyfile(made.kernel, folder / "kernel")
    for name, path in zip(initrds, made.initrds):
        shutil.copyfile(path, folder / name)
    paths.make_dir(folder / "firmware")
    for source in made.firmware_dirs:
        for path in source.iterdir():
            if path.suffix in (".bin", ".rom") and not path.name.startswith(("pxe-", "efi-")):
                shutil.copyfile(path, folder / "firmware" / path.name)
    shutil.copytree(made.qemu_src / "python/qemu", folder / "qemu-src/python/qemu",
                    ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    if made.kernel_config is not None:
        shutil.copyfile(made.kernel_config, folder / "kernel-config")
    paths.make_dir(folder / WIRE)
    wire_build.archive(folder / WIRE)
    paths.write_atomic(folder / INDEX, json.dumps(index, indent=1) + "\n")


def load(folder: pathlib.Path) -> Products:
    """The products in a directory that pack() has filled; raises UsageError when it has none."""
    folder = folder.absolute()
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            raise ValueError(f"its format is {index['format']}, expected {FORMAT}")
        config = folder / "kernel-config"
        made = Products(
            qemu=folder / index["qemu"], qemu_src=folder / index["qemu_src"], qemu_build=None,
            qtests=[], bench=None, firmware_dirs=[folder / index["firmware"]],
            kernel=folder / index["kernel"], kernel_args=index["kernel_args"],
            kernel_config=config if config.exists() else None,
            initrds=[folder / name for name in index["initrds"]], rootfs_python=None,
            versions=index["versions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--built {folder}: not made by `lab build --pack`: {error}") from error
    for path in (made.qemu, made.kernel, *made.initrds):
        if path is None or not os.access(path, os.R_OK):
            raise UsageError(f"--built {folder}: {path} is missing")
    return made


def wire(folder: pathlib.Path) -> pathlib.Path:
    """The archive with the middlebox in such a directory."""
    return wire_build.path(folder.absolute() / WIRE)
