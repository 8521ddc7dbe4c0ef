# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a run needs, built or cached: emulator, kernel, root file system.

Responsible for: the order of the steps, and the paths of the results.
State: none; its parts own the cache.
"""

import dataclasses
import pathlib
from collections.abc import Iterable
from typing import ClassVar

from ..options import option
from . import aptsrc, host, kernel_build, qemu_build, rootfs

PARTS = ("qemu", "kernel", "rootfs")
# host packages (host.PACKAGES) for building each part; all parts together mean running guests,
# which may need the middlebox that meson builds
PURPOSES = {"qemu": ("fetch", "compile", "qemu"), "kernel": ("fetch", "compile", "kernel"),
            "rootfs": ("fetch",)}


@dataclasses.dataclass(frozen=True)
class Products:
    """The result of ensure(). Parts that were not requested are None or empty."""

    qemu: pathlib.Path | None               # qemu-system-x86_64, of this checkout alone
    qemu_src: pathlib.Path | None           # source tree; QEMU's Python modules are in python/
    qemu_build: pathlib.Path | None         # build directory, for tools that need one
    qtests: list[pathlib.Path]              # qtest programs; QTEST_QEMU_BINARY=qemu starts them
    bench: pathlib.Path | None              # the program of tests/bench, likewise
    firmware_dirs: list[pathlib.Path]       # for -L; qemu above finds its firmware without
    kernel: pathlib.Path | None             # bzImage
    kernel_args: str                        # required on this kernel's command line
    kernel_config: pathlib.Path | None      # its .config, None where that is not known
    initrds: list[pathlib.Path]             # cpio archives, to be concatenated in this order
    rootfs_python: pathlib.Path | None      # the guest's interpreter, see rootfs.compile_python
    versions: dict[str, str]                # "qemu", "kernel", "kernel_release", guest packages


def purposes(parts: Iterable[str]) -> tuple[str, ...]:
    """Return the purposes of packages needed for some PARTS."""
    if set(parts) == set(PARTS):
        return host.DEFAULT_PURPOSES
    return tuple(dict.fromkeys(purpose for part in parts for purpose in PURPOSES[part]))


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A request to ensure(). A new variant is a new field."""

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
    built: pathlib.Path | None = option(
        "--built", metavar="DIR", type=pathlib.Path, commands=("run", "demo", "test", "bug"),
        help="use what `lab build --pack DIR` has put there and build nothing")
    qemu_series: str = "10.0"           # or "10.2"
    only: tuple[str, ...] = PARTS       # which PARTS are needed
    breakable: bool = False     # an emulator whose device can be broken on purpose


def ensure(wanted: Wanted) -> Products:
    """Build what is missing and update the rest; a second call takes about a second.

    Raises a suitable LabError; an incomplete build is never mistaken for a complete one.
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
        # last, because it changes most, and its errors should be the last lines seen
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
        kernel_config=image.config if image else None,
        initrds=(root.archives if root else []) + (image.modules if image else []),
        rootfs_python=root.python if root else None,
        versions=versions)
