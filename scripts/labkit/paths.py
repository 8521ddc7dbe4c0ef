# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths of the checkout, the cache and the artifacts; and the locks that protect the cache.

State: none; directories are created when first requested.

Layout of the cache (everything in it may be deleted at any time; the next run rebuilds it):

    apt/SUITE/      private apt state of one Debian suite
    download/       .deb and source packages as downloaded
    firmware/       BIOS and option ROMs, unpacked
    qemu/KEY/       QEMU source with the overlay, build directory, binaries of each checkout
    kernel/KEY/     bzImage, modules.cpio, config
    kernel/stock/KEY/  the same of Debian's own images, with the driver rebuilt
    kernel/user/KEY/   mirror and build directory of a tree given to `lab kernel`
    kernel/source/V/   Debian's source, for `lab kernel` without a tree
    rootfs/KEY/     root.cpio
    selftests/KEY/  the kernel's selftests: parts of its source, built, and selftests.cpio
    ccache/         compiler cache, when ccache is installed
    logs/           the full log of every step
    locks/          lock files
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator

from .errors import LabError, SpaceError

REPO = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = REPO / "scripts"
OVERLAY = SCRIPTS / "overlay"
GUEST = SCRIPTS / "guest"
GUEST_TESTS = REPO / "guest-tests"
TESTS = REPO / "tests"
PDEATH = SCRIPTS / "labkit" / "pdeath.py"


def cache_dir(*parts: str, create: bool = True) -> pathlib.Path:
    """Return the cache directory, or a directory below it, created unless told otherwise.

    ${XDG_CACHE_HOME:-~/.cache}/mlx5-ktls. A relative XDG_CACHE_HOME is ignored, as the
    XDG base directory specification asks.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = pathlib.Path(base) if base.startswith("/") else pathlib.Path.home() / ".cache"
    path = root.joinpath("mlx5-ktls", *parts)
    if create:
        make_dir(path)
    return path


def artifacts_dir(*parts: str, create: bool = True) -> pathlib.Path:
    """Return the directory for dmesg, QEMU's log, captures: $LAB_ARTIFACTS or the checkout's
    artifacts/."""
    base = os.environ.get("LAB_ARTIFACTS")
    root = pathlib.Path(base).absolute() if base else REPO / "artifacts"
    path = root.joinpath(*parts)
    if create:
        make_dir(path)
    return path


def make_dir(path: pathlib.Path) -> None:
    """mkdir -p with a helpful error."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise LabError(f"cannot create directory {path}: {e.strerror}",
                       hint="set XDG_CACHE_HOME (cache) or LAB_ARTIFACTS (artifacts) to a "
                            "writable place") from e


def checkout_id() -> str:
    """Return a short name of this checkout, to separate several checkouts in one cache."""
    return hashlib.sha256(str(REPO).encode()).hexdigest()[:12]


def configured(folder: pathlib.Path) -> bool:
    """Return whether meson has configured FOLDER for this checkout, at its current location.

    A folder configured elsewhere (in a cache that was moved or copied) is deleted.
    """
    try:
        about = json.loads((folder / "meson-info/meson-info.json").read_text(encoding="utf-8"))
        places = about["directories"]
        same = ((folder / "build.ninja").exists()
                and os.path.realpath(places["build"]) == os.path.realpath(folder)
                and os.path.realpath(places["source"]) == os.path.realpath(REPO))
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
    return same


def digest(*parts: object) -> str:
    """Return the key of a product: 12 hex digits over its ingredients, in order."""
    h = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        h.update(str(len(data)).encode() + b":" + data)
    return h.hexdigest()[:12]


def content(data: object) -> str:
    """Return parsed data as text for digest(): without the comments and the layout of its file.

    The order of entries counts, since products may depend on it.
    """
    return json.dumps(data)


def free_bytes(path: pathlib.Path) -> int:
    """Return the bytes available to an ordinary user in the file system of PATH (or its first
    existing parent)."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def human(size: float) -> str:
    """1234567 -> '1.2 MB'."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def require_space(path: pathlib.Path, need: int, what: str) -> None:
    """Fail before a long step if its directory lacks the space. NEED is in bytes."""
    have = free_bytes(path)
    if have < need:
        raise SpaceError(f"{what}: about {human(need)} are needed in {path}, "
                         f"{human(have)} are free",
                         hint="free some space there, or point XDG_CACHE_HOME at a larger disk")


@contextlib.contextmanager
def lock(name: str, shared: bool = False) -> Iterator[None]:
    """Hold the cache's lock NAME, so that two labs never build the same thing at once.

    SHARED: together with other shared holders. The lock ends with the process, so a killed lab
    leaves none behind. Reports once if it has to wait for another lab.
    """
    path = cache_dir("locks") / f"{name}.lock"
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    with open(path, "a+", encoding="utf-8") as f:
        try:
            fcntl.flock(f, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            f.seek(0)
            owner = f.read().strip() or "?"
            print(f"lab: waiting for another lab (process {owner}) that is using {name}",
                  file=sys.stderr, flush=True)
            fcntl.flock(f, kind)
        f.seek(0)
        f.truncate()
        f.write(f"{os.getpid()}\n")
        f.flush()
        yield


def write_atomic(path: pathlib.Path, data: str | bytes) -> None:
    """Write a small file atomically: readers see either the old or the new contents."""
    tmp = path.with_name(f".{path.name}.{os.getpid()}")
    if isinstance(data, str):
        data = data.encode()
    try:
        tmp.write_bytes(data)
        os.replace(tmp, path)
    except OSError as e:
        tmp.unlink(missing_ok=True)
        raise LabError(f"cannot write {path}: {e.strerror}") from e
