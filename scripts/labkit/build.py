# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a run needs, made or found: emulator, kernel, root file system.

Responsible for: the order of the steps, and the answer to "what do I start?".
State owned: none; its parts own the cache.
Called by the command line (demo, run, test) and by hand: python3 -m labkit.build --help
"""

import argparse
import dataclasses
import pathlib
import sys
import time

from . import aptsrc, host, interrupts, kernel_build, paths, qemu_build, rootfs, steps
from .errors import LabError

PARTS = ("qemu", "kernel", "rootfs")


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


def ensure(*, yes: bool = False, qemu_src=None, sanitize: bool = False, qemu_series: str = "10.0",
           kernel=None, only=PARTS, breakable: bool = False) -> Products:
    """Make what is missing and bring the rest up to date; a second call takes about a second.

    yes          install missing Debian packages without asking
    qemu_src     a QEMU tree of the user's own instead of Debian's source
    sanitize     emulator built with ASan and UBSan
    qemu_series  "10.0" or "10.2"
    kernel       None or "6.12", another series that Debian has, the directory of a built kernel
                 tree, or a bzImage
    only         which PARTS are needed
    breakable    emulator whose device can be broken on purpose, for tests of strict=on
    Raises LabError of the kind that fits; nothing half made is ever taken for whole.
    """
    host.ensure_packages(yes)
    versions: dict[str, str] = {}
    qemu = image = root = None
    if "kernel" in only:
        image = kernel_build.kernel(kernel)
        versions |= {"kernel": image.version, "kernel_release": image.release}
    if "rootfs" in only:
        root = rootfs.build()
        versions |= root.versions
    if "qemu" in only:
        # last: it is the one that changes, and its errors should be the last lines seen
        qemu = qemu_build.build(qemu_series, qemu_src, sanitize, breakable)
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


def main(argv=None) -> int:
    """Build from the command line and print what came of it."""
    parser = argparse.ArgumentParser(prog="python3 -m labkit.build", description=main.__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part")
    parser.add_argument("--sanitize", action="store_true", help="QEMU with ASan and UBSan")
    parser.add_argument("--qemu-src", metavar="DIR", help="a QEMU source tree of your own")
    parser.add_argument("--qemu-series", default="10.0", choices=sorted(qemu_build.SUITES))
    parser.add_argument("--kernel", help="6.12, 6.1, 7.3, a built kernel tree, or a bzImage")
    parser.add_argument("--yes", action="store_true", help="install packages without asking")
    args = parser.parse_args(argv)
    start = time.monotonic()
    interrupts.install()
    try:
        made = ensure(yes=args.yes, qemu_src=args.qemu_src, sanitize=args.sanitize,
                      qemu_series=args.qemu_series, kernel=args.kernel, only=args.only or PARTS)
    except LabError as e:
        print(e.render(), file=sys.stderr)
        return e.exit_status
    except interrupts.Interrupted as e:
        print(f"lab: {e}", file=sys.stderr)
        return e.status
    for field in dataclasses.fields(made):
        value = getattr(made, field.name)
        if field.name == "versions":
            value = ", ".join(f"{k} {v}" for k, v in value.items()
                              if k in ("qemu", "kernel", "kernel_release"))
        for item in value if isinstance(value, list) else [value]:
            if item:
                print(f"{field.name}={item}")
    steps.say(f"ready after {steps.duration(time.monotonic() - start)}; "
              f"cache {paths.cache_dir()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
