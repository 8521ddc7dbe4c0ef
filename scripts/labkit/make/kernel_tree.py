# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel out of anybody's source tree: mirrored, patched, configured, built out of tree.

Responsible for: the directory kernel/user/KEY/ of the cache: `src`, a mirror of the tree with the
series applied, and `build`, which --kernel takes. The tree itself is only read.
State: that directory, and `src.json` in it, which says what of the mirror is as it was copied. All
of it is kept, so that the next build compiles what has changed.
"""

import dataclasses
import filecmp
import json
import os
import pathlib
import shutil
import stat
from collections.abc import Collection
from typing import Any

from .. import paths, steps
from ..errors import BuildError, LabError, UsageError
from . import aptsrc, kernel_build, kernel_series, qemu_build

FLAVOURS = paths.GUEST / "flavours"
SPACE_MIRROR = 1900 << 20
SPACE_BUILD = 2500 << 20        # with debugging aids
# What a flavour has to say to make. gcov counts in what the project is about: the driver's TLS
# offload and the kernel's side of it. kbuild names an object by its path below its Makefile;
# that of older kernels by its name alone.
WORDS = {"gcov": tuple(f"GCOV_PROFILE_{folder}{name}.o=y" for folder, names in (
    ("en_accel/", "ktls ktls_rx ktls_stats ktls_tx ktls_txrx fs_tcp"), ("lib/", "crypto"),
    ("", "ktls ktls_rx ktls_stats ktls_tx ktls_txrx fs_tcp crypto tls_device tls_device_fallback"))
    for name in names.split())}
# Of the lab's configuration, what is a matter of taste or one of several that exclude one another:
# a tree's own configuration has the say.
TASTE = frozenset(f"CONFIG_{name}" for name in (
    "CC_OPTIMIZE_FOR_PERFORMANCE", "DEBUG_INFO_NONE", "EXPERT", "HZ_250", "KERNEL_ZSTD",
    "NO_HZ_IDLE", "PREEMPT_VOLUNTARY", "UNWINDER_FRAME_POINTER"))


@dataclasses.dataclass(frozen=True)
class Order:
    """What to build."""

    tree: pathlib.Path | None           # None: Debian's source of the default series
    series: kernel_series.Series
    flavours: tuple[str, ...] = ()
    fragments: tuple[pathlib.Path, ...] = ()
    own_config: bool = False            # the lab's configuration, whatever the tree has


def flavours() -> list[str]:
    """Names of the fragments that come with the lab."""
    return sorted(path.stem for path in FLAVOURS.glob("*.config"))


def build(order: Order) -> pathlib.Path:
    """Mirror, patch, configure and compile; returns the build directory."""
    if order.tree is not None:
        _check_tree(order.tree)
    key = paths.digest(order.tree or kernel_build.DEFAULT, *order.flavours)
    home = paths.cache_dir("kernel", "user", key)
    with paths.lock(f"kernel-user-{key}"):
        src, out = home / "src", home / "build"
        if not (out / "vmlinux").exists():
            paths.require_space(home, SPACE_MIRROR + SPACE_BUILD, "building a kernel")
        tree = order.tree or _debian()
        source(order.series, tree, src)
        make = ["make", "-C", src, f"O={out}", f"-j{steps.jobs()}",
                *(word for name in order.flavours for word in WORDS.get(name, ()))]
        env = {"KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "lab",
               "KBUILD_BUILD_HOST": "lab", **qemu_build.ccache_env()}
        if qemu_build.has_ccache():
            make += ["CC=ccache gcc", "HOSTCC=ccache gcc"]
        paths.make_dir(out)
        with steps.Step("configure it", "kernel-config") as step:
            _configure(order, tree, out, step, make, env)
        with steps.Step("build it", "kernel-user-build") as step:
            step.run([*make, "bzImage", "modules"], env=env, what="make",
                     progress=steps.Kbuild())
    return out


# ---- the source

def _check_tree(tree: pathlib.Path) -> None:
    if not (tree / "Kbuild").is_file() or not (tree / "MAINTAINERS").is_file():
        raise UsageError(f"{tree}: expected the source tree of a Linux kernel")


def _debian() -> pathlib.Path:
    """Debian's source of the default series, unpacked once and never changed."""
    suite_name, package = kernel_build.VERSIONS[kernel_build.DEFAULT]
    with paths.lock("kernel-source"):
        version = kernel_build.known(kernel_build.DEFAULT) or \
            aptsrc.suite(suite_name).newest(package, f"{kernel_build.DEFAULT}.")
        home = paths.cache_dir("kernel", "source", version)
        if not (home / "complete").exists():
            deb = aptsrc.suite(suite_name).download_binary({package: version},
                                                           f"fetch {package} {version}")[0]
            paths.require_space(home, SPACE_MIRROR, f"unpacking Linux {version}")
            kernel_build.unpack(deb, home / "src", version)
            (home / "complete").touch()
    return home / "src"


def _listed(tree: pathlib.Path) -> list[str]:
    """Files of the source, below TREE: of a git tree what git tracks or would, otherwise all."""
    if (tree / ".git").exists():
        found = steps.capture(["git", "-c", "safe.directory=*", "-C", tree, "ls-files", "-z",
                               "--cached", "--others", "--exclude-standard"])
        names = [name for name in found.stdout.split("\0") if name]
    elif (tree / "include/config").exists():
        raise UsageError(f"{tree}: it was built in place and is no git tree, so that source and "
                         "products cannot be told apart",
                         f"keep its .config elsewhere, and: make -C {tree} mrproper")
    else:
        names = [os.path.relpath(os.path.join(folder, name), tree)
                 for folder, _, files in os.walk(tree) for name in files]
    return sorted(set(names) - {".config"})


def source(series: kernel_series.Series, tree: pathlib.Path, src: pathlib.Path) -> None:
    """Make SRC what TREE is, with the series applied."""
    changes = {name for patch in series.patches for name in patch.files}
    with steps.Step(f"mirror {tree}", "kernel-mirror") as step:
        undone = mirror(tree, src, changes, step)
    if series.patches:
        count = len(series.patches)
        with steps.Step(f"apply {count} patch{'es' if count > 1 else ''}", "kernel-patch") as step:
            for patch in series.patches:
                step.note(f"{patch.title}: {' '.join(patch.files)}")
            kernel_series.apply(series, src)
    keep_stamps(src, undone)


Undone = dict[str, tuple[bytes, int]]       # name: content, and time of the change in ns


def mirror(tree: pathlib.Path, src: pathlib.Path, changes: Collection[str] = (),
           step: steps.Step | None = None) -> Undone:
    """Make SRC what TREE is, uncommitted changes too, and return what a series had changed in it
    and is undone now, for keep_stamps(). CHANGES are the files that the next series will change.

    make goes by time stamps. So a file with the content that it had stays untouched, and any other
    gets the time of now: that of the tree may be older than what was compiled of another content.
    """
    names = [name for name in _listed(tree) if os.path.lexists(tree / name)]
    records, undone = _records(src), _remove_others(src, set(names))
    now: dict[str, Any] = {}
    made: set[str] = set()
    for number, name in enumerate(names):
        if step is not None and number % 1000 == 0:
            step.tick(f"{number} of {len(names)} files")
        origin, copy = os.path.join(tree, name), os.path.join(src, name)
        about, record = _about(origin), records.get(name)
        if record is None or record != [about, _about(copy)]:
            folder = os.path.dirname(name)
            if folder not in made:
                paths.make_dir(src / folder)
                made.add(folder)
            if not _same(origin, copy):
                if os.path.isfile(copy) and not os.path.islink(copy):
                    undone[name] = _content(copy)
                _copy(origin, copy)
        if name not in changes:
            now[name] = [about, _about(copy)]
    paths.write_atomic(_records_file(src), json.dumps(now))
    return undone


def keep_stamps(src: pathlib.Path, undone: Undone) -> None:
    """Give files that have the content again that mirror() has undone the time that they had, so
    that building with the same series again compiles nothing."""
    for name, (data, stamp) in undone.items():
        path = src / name
        if path.is_file() and path.read_bytes() == data:
            os.utime(path, ns=(stamp, stamp))


def _records_file(src: pathlib.Path) -> pathlib.Path:
    return src.with_name(f"{src.name}.json")


def _records(src: pathlib.Path) -> dict[str, Any]:
    """{name: [what _about() said of the origin, and of the copy]} of the last mirror()."""
    try:
        found = json.loads(_records_file(src).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}               # then files are compared
    return found if isinstance(found, dict) else {}


def _about(path: str) -> list[int] | None:
    """What changes when a file does; None when there is none."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    return [found.st_mtime_ns, found.st_size, found.st_mode]


def _content(path: str) -> tuple[bytes, int]:
    return pathlib.Path(path).read_bytes(), os.lstat(path).st_mtime_ns


def _same(origin: str, copy: str) -> bool:
    try:
        modes = os.lstat(origin).st_mode, os.lstat(copy).st_mode
    except FileNotFoundError:
        return False
    if modes[0] != modes[1]:
        return False
    if stat.S_ISLNK(modes[0]):
        return os.readlink(origin) == os.readlink(copy)
    return filecmp.cmp(origin, copy, shallow=False)


def _copy(origin: str, copy: str) -> None:
    if os.path.lexists(copy):
        os.unlink(copy)
    shutil.copyfile(origin, copy, follow_symlinks=False)
    if not os.path.islink(copy):
        shutil.copymode(origin, copy)


def _remove_others(src: pathlib.Path, wanted: set[str]) -> Undone:
    """Remove what TREE does not have, and return it."""
    gone = {}
    for folder, _, files in os.walk(src):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, src) not in wanted:
                if not os.path.islink(path):
                    gone[os.path.relpath(path, src)] = _content(path)
                os.unlink(path)
    return gone


# ---- the configuration

def flavour(name: str) -> pathlib.Path:
    """The fragment of a flavour; UsageError when there is none of this name."""
    path = FLAVOURS / f"{name}.config"
    if not path.is_file():
        raise UsageError(f"--flavour {name}: expected one of {', '.join(flavours())}")
    return path


def _configure(order: Order, tree: pathlib.Path, out: pathlib.Path, step: steps.Step,
               make: list, env: dict[str, str]) -> None:
    """The tree's own configuration, or the lab's, with what the lab needs, flavours and fragments
    on top; those must survive."""
    extra = [*map(flavour, order.flavours), *order.fragments]
    theirs = tree / ".config"
    if theirs.is_file() and not order.own_config:
        wanted = out / "lab-needs.config"
        lines = switched_on(theirs)
        wanted.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        merge(out / ".config", [theirs, *([wanted] if lines else []), *extra])
        step.run([*make, "olddefconfig"], env=env)
        steps.say(f"{len(lines)} options that {theirs} has off are on, since the lab and its tests "
                  f"use them: {wanted}")
    else:
        together, wanted = out / "lab-all.config", kernel_build.FRAGMENT
        merge(together, [wanted, *extra])
        step.run([*make, f"KCONFIG_ALLCONFIG={together}", "allnoconfig"], env=env)
    lost = [line for line in kernel_build.lost_lines(out / ".config", wanted)
            if not _overruled(line, extra)]
    if lost and order.tree is None:
        raise BuildError("the lab's configuration did not survive:\n" + "\n".join(lost))
    if lost:
        steps.say(f"note: {len(lost)} of the lab's options this kernel cannot have: "
                  + ", ".join(_symbol(line.removeprefix("wanted ")) for line in lost))
    for fragment in extra:
        kernel_build.check_config(out / ".config", fragment)
    absent = kernel_build.absent(out / ".config")
    if absent:
        raise BuildError(f"this tree cannot have {', '.join(absent)}",
                         f"make -C {out} menuconfig shows on what each depends; switch that on "
                         "with --config FRAGMENT")


def switched_on(config: pathlib.Path) -> list[str]:
    """The lines of the lab's configuration that a tree's own has off and does not decide. What is
    on stays as it is, built in or a module."""
    on = {_symbol(line) for line in kernel_build.fragment_lines(config)
          if line.endswith(("=y", "=m"))}
    return [line for line in kernel_build.fragment_lines() if line.endswith(("=y", "=m"))
            and _symbol(line) not in on | TASTE]


def _symbol(line: str) -> str:
    return line.removeprefix("# ").partition("=")[0].partition(" ")[0]


def _overruled(lost: str, fragments: list[pathlib.Path]) -> bool:
    """Whether a fragment on top says something else about the symbol of a lost line."""
    symbol = _symbol(lost.removeprefix("wanted "))
    return any(_symbol(line) == symbol for path in fragments
               for line in kernel_build.fragment_lines(path))


def merge(into: pathlib.Path, fragments: list[pathlib.Path]) -> None:
    """One file in which the last word about each symbol counts."""
    last: dict[str, str] = {}
    for path in fragments:
        try:
            lines = kernel_build.fragment_lines(path)
        except OSError as error:
            raise UsageError(f"--config {path}: {error.strerror}") from None
        if not lines:
            raise LabError(f"{path}: expected lines such as CONFIG_KASAN=y, or # CONFIG_KASAN is "
                           "not set")
        for line in lines:
            last.pop(_symbol(line), None)
            last[_symbol(line)] = line
    into.write_text("".join(f"{line}\n" for line in last.values()), encoding="utf-8")
