# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of what `lab build --pack` makes and `--built` takes, with a program in the emulator's
place; registered in the suite `lab`. The suite `vfio` runs the real ones on another system.

Responsible for: that everything is found again and the program starts with its own libraries, and
refusals.
State: none.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

from labkit import options
from labkit.errors import UsageError
from labkit.make import cpio, guest_tests, portable, wire_build
from labkit.make.products import Products
from labkit.run import session

from .judge import check, raises, same, temporary_folder


def _products(folder: pathlib.Path, **changes: Any) -> Products:
    (folder / "src/python/qemu/machine").mkdir(parents=True)
    (folder / "src/python/qemu/machine/__init__.py").write_text("A = 1\n")
    (folder / "fw").mkdir()
    for name in ("bios-256k.bin", "efi-virtio.rom", "complete"):
        (folder / "fw" / name).write_text(name)
    for name in ("bzImage", "config", "base.cpio", "guest.cpio"):
        (folder / name).write_text(name)
    shell = shutil.which("dash") or shutil.which("sh")
    assert shell is not None
    made: dict[str, Any] = {
        "qemu": pathlib.Path(shell), "qemu_src": folder / "src", "qemu_build": None, "qtests": [],
        "bench": None, "firmware_dirs": [folder / "fw"], "kernel": folder / "bzImage",
        "kernel_args": "a=b", "kernel_config": folder / "config", "rootfs_python": None,
        "initrds": [folder / "base.cpio", folder / "guest.cpio"], "versions": {"qemu": "1.2"}}
    return Products(**{**made, **changes})


@contextlib.contextmanager
def _without_wire() -> Iterator[None]:
    """The middlebox would have to be built."""
    with mock.patch.object(wire_build, "archive", lambda folder: folder):
        yield


def test_portable_products(_rig: object) -> None:
    """What was packed is found where the directory has been moved to, and the emulator runs with
    the libraries beside it."""
    with temporary_folder() as folder:
        made = _products(folder)
        with _without_wire():
            portable.pack(made, folder / "packed")
        (folder / "packed").rename(folder / "moved")
        found = portable.load(folder / "moved")
        same([path.read_text() for path in found.initrds], ["base.cpio", "guest.cpio"], "initrds")
        same((found.kernel_args, found.versions), ("a=b", {"qemu": "1.2"}), "kernel's words")
        for path in (found.kernel, found.kernel_config):
            check(path is not None and path.is_relative_to(folder / "moved"), f"where {path} is")
        same(sorted(path.name for path in found.firmware_dirs[0].iterdir()), ["bios-256k.bin"],
             "firmware")
        check((found.qemu_src or folder).joinpath("python/qemu/machine/__init__.py").exists(),
              "QEMU's Python modules are missing")
        out = subprocess.run([str(found.qemu), "-c", "cat /proc/$$/maps; echo \"$1\"", "x", "a b"],
                             capture_output=True, text=True, check=True).stdout
        same(out.splitlines()[-1], "a b", "its arguments")
        libraries = {line.split()[-1] for line in out.splitlines() if "libc.so" in line}
        same(libraries, {str((folder / "moved/lib/libc.so.6").resolve())}, "its C library")


def test_portable_refusals(_rig: object) -> None:
    """A directory with something in it, products with something missing, and a directory that is
    none of ours."""
    with temporary_folder() as folder:
        made = _products(folder)
        with raises(UsageError, str(folder), "expected an empty directory"):
            portable.pack(made, folder)
        with raises(UsageError, "emulator, kernel and userland expected"):
            portable.pack(_products(folder / "x", kernel=None), folder / "packed")
        with raises(UsageError, f"--built {folder}", "not made by `lab build --pack`"):
            portable.load(folder)
        with _without_wire():
            portable.pack(made, folder / "packed")
        index = folder / "packed" / portable.INDEX
        index.write_text(json.dumps({**json.loads(index.read_text()), "format": 99}))
        with raises(UsageError, "its format is 99, expected 1"):
            portable.load(folder / "packed")
        index.write_text(json.dumps({**json.loads(index.read_text()), "format": 1}))
        (folder / "packed/kernel").unlink()
        with raises(UsageError, "packed/kernel is missing"):
            portable.load(folder / "packed")


def test_portable_alone(_rig: object) -> None:
    """--built is the whole answer: beside it nothing is said of kernel or QEMU, nor asked for by
    a suite."""
    with temporary_folder() as folder:
        cases: list[tuple[list[str], dict[str, Any]]] = [
            (["--kernel", "7.3"], {}), (["--sanitize"], {}), ([], {"kernel": "7.3"}),
            ([], {"breakable": True})]
        for words, changes in cases:
            parser = options.Parser(prog="lab test", allow_abbrev=False)
            session.add_options(parser, "test")
            args = parser.parse_args(["--yes", "--built", str(folder), *words])
            with raises(UsageError, f"--built {folder}", "expected no option about what is built"):
                session.ensure_products(args, **changes)
            with raises(UsageError, "not made by `lab build --pack`"):
                session.ensure_products(parser.parse_args(["--yes", "--built", str(folder)]))


def test_portable_checkout(_rig: object) -> None:
    """A lab in a guest finds in its checkout all that it packs for a guest of its own."""
    trees, files = guest_tests.checkout("/at")
    with temporary_folder() as folder:
        for source, target in trees:
            shutil.copytree(source, folder / target.lstrip("/"),
                            ignore=shutil.ignore_patterns(*cpio.SKIPPED))
        for target, data, mode in files:
            path = folder / target.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(mode)
        program = ("import pathlib, sys; sys.path.insert(0, sys.argv[1] + '/scripts')\n"
                   "from labkit.make import guest_tests\n"
                   "print(guest_tests.archive(pathlib.Path(sys.argv[1])))")
        done = subprocess.run([sys.executable, "-B", "-c", program, str(folder / "at")],
                              capture_output=True, text=True, check=False)
        same(done.returncode, 0, done.stderr.strip().rpartition("\n")[2])
        same(pathlib.Path(done.stdout.strip()).read_bytes(),
             guest_tests.archive(folder).read_bytes(), "the archives of both checkouts")
