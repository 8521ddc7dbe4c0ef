# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a run needs, made or found: emulator, kernel, root file system.

Responsible for: the order of the steps, and the answer to "what do I start?".
State: none; its parts own the cache.
"""

import dataclasses
import pathlib
from collections.abc import Iterable
from typing import ClassVar

from ..options import option
from . import aptsrc, host, kernel_build, qemu_build, rootfs

PARTS = ("qemu", "kernel", "rootfs")
# packages of the host (host.PACKAGES) that making a part takes; whoever has them all runs guests,
# and between its NICs may stand what meson builds
PURPOSES = {"qemu": ("fetch", "compile", "qemu"), "kernel": ("fetch", "compile", "kernel"),
            "rootfs": ("fetch",)}


@dataclasses.dataclass(frozen=True)
class Products:
    """What ensure() gives. A part that was not asked for is None or empty."""

    qemu: pathlib.Path | None               # qemu-system-x86_64, of this checkout alone
    qemu_src: pathlib.Path | None           # source tree; QEMU's Python modules are in python/
    qemu_build: pathlib.Path | None         # build directory, for tools that need one
    qtests: list[pathlib.Path]              # qtest programs; QTEST_QEMU_BINARY=qemu starts them
    bench: pathlib.Path | None              # the program of tests/bench, likewise
    firmware_dirs: list[pathlib.Path]       # for -L; qemu above finds its firmware without
    kernel: pathlib.Path | None             # bzImage
    kernel_args: str                        # what this kernel wants on its command line
    initrds: list[pathlib.Path]             # cpio archives, to be concatenated in this order
    rootfs_python: pathlib.Path | None      # the guest's interpreter, see rootfs.compile_python
    versions: dict[str, str]                # "qemu", "kernel", "kernel_release", guest packages


def purposes(parts: Iterable[str]) -> tuple[str, ...]:
    """Purposes of the packages that some PARTS need."""
    if set(parts) == set(PARTS):
        return host.DEFAULT_PURPOSES
    return tuple(dict.fromkeys(purpose for part in parts for purpose in PURPOSES[part]))


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What ensure() is asked for. A new variant is a new field."""

    TITLE: ClassVar[str] = "what it runs on"

    yes: bool = option("--yes", "-y", action="store_true", default=False,
                       help="install missing packages without asking")
    qemu_src: pathlib.Path | None = option(
        "--qemu-src", metavar="DIR", type=pathlib.Path,
        help="build the device into this QEMU tree instead of a downloaded one")
    sanitize: bool = option(
        "--sanitize", action="store_true", default=False,
        help="use a QEMU built with the address and undefined-behaviour sanitizers")
    kernel: str | None = option(
        "--kernel", metavar="WHAT",
        help="the guest's kernel: 6.12 (default), another series with a Debian image, such as 6.1 "
             "or 7.3, the directory of a built kernel tree, or a bzImage")
    qemu_series: str = "10.0"           # or "10.2"
    only: tuple[str, ...] = PARTS       # which PARTS are needed
    breakable: bool = False     # an emulator whose device can be broken on purpose, for strict=on


def ensure(wanted: Wanted) -> Products:
    """Make what is missing and bring the rest up to date; a second call takes about a second.

    Raises LabError of the kind that fits; nothing half made is ever taken for whole.
    """
    host.ensure_packages(wanted.yes, purposes(wanted.only))
    versions: dict[str, str] = {}
    qemu = image = root = None
    if "kernel" in wanted.only:
        image = kernel_build.kernel(wanted.kernel)
        versions |= {"kernel": image.version, "kernel_release": image.release}
    if "rootfs" in wanted.only:
        root = rootfs.build()
        versions |= root.versions
    if "qemu" in wanted.only:
        # last: it is the one that changes, and its errors should be the last lines seen
        qemu = qemu_build.build(wanted.qemu_series, wanted.qemu_src, wanted.sanitize,
                                wanted.breakable)
        versions["qemu"] = aptsrc.upstream(qemu.version).partition("+")[0]
    return Products(
        qemu=qemu.binary if qemu else None,
        qemu_src=qemu.src if qemu else None,
        qemu_build=qemu.build if qemu else None,
        qtests=qemu.qtests if qemu else [],
        bench=qemu.bench if qemu else None,
        firmware_dirs=[qemu.firmware] if qemu else [],
        kernel=image.image if image else None,
        kernel_args=image.args if image else "",
        initrds=(root.archives if root else []) + (image.modules if image else []),
        rootfs_python=root.python if root else None,
        versions=versions)
