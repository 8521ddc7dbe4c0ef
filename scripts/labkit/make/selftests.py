# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux's selftests of network drivers, built from a kernel's source.

Responsible for: the parts of the source that they need, their build, and an archive for the guest
with them, ours beside them, and the Debian programs that they call. The tests are never changed.
State: the cache's selftests/ directory. A user's tree is only read.

scripts/guest/selftest.toml has the lists.
"""

import dataclasses
import fnmatch
import pathlib
import re
import shutil
import stat
from typing import Any

import tomllib

from .. import paths, steps
from ..errors import BuildError, LabError, UsageError
from . import aptsrc, kernel_build, kernel_stock, rootfs

LIST = paths.GUEST / "selftest.toml"
BELOW = "tools/testing/selftests"
OURS = paths.GUEST_TESTS / "kselftest"      # tests that Linux does not have
PLACE = "drivers/net/hw"                    # where they belong
AT = "opt/linux"                # place of the source in the guest
FORMAT = 1                      # of the archives made here
SPACE = 700 << 20
# what the build needs of the source; a tool looks for the source's top by MAINTAINERS, without end
PARTS = ("Kbuild", "Kconfig", "MAINTAINERS", "Makefile", "Documentation/netlink", "arch/x86",
         "include", "scripts", "tools", "usr")
UNUSED = ("tools/perf", "tools/testing/selftests/bpf", "tools/testing/memblock")
KERNEL = "7.3"                  # whose tests they are, unless something else is asked for
LIBRARY = "drivers/net/lib/py/env.py"
LIBRARY_HAS = "remote_ifname"   # what ours use of the library, and 6.12's does not have
HELPER = "_peer"                # ends the name of a program that a test starts
HOST = ("kselftest",)           # purposes of host packages (host.PACKAGES)


@dataclasses.dataclass(frozen=True)
class Selftests:
    """Tests that were built."""

    archive: pathlib.Path       # for the guest, behind its root file system
    programs: list[str]         # names below tools/testing/selftests, such as "drivers/net/ping.py"
    missing: list[str]          # programs that could not be built


def load() -> dict[str, Any]:
    """The lists. Raises LabError if they are no TOML."""
    try:
        return tomllib.loads(LIST.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise LabError(f"{LIST}: {e}") from e


def build(what: str, runtime: rootfs.RootfsProduct) -> Selftests:
    """The selftests of the kernel WHAT, a series or the directory of a tree, built unless cached;
    RUNTIME is the userland that they run in. Raises UsageError for a kernel without source."""
    spec = load()
    with paths.lock("selftests"):
        if series := _series(what):
            suite, version = _found(series)
            home = paths.cache_dir("selftests", version)
            source = home / "src"
            _unpack(suite, series, version, source)
        else:
            tree = pathlib.Path(what).expanduser().absolute()
            home = paths.cache_dir("selftests", f"tree-{paths.digest(tree)}")
            source = home / "src"
            _copy(tree, source)
        with steps.Step("build the selftests", "selftests-build", quiet=True) as step:
            _make(step, spec, source)
            programs = _programs(spec, source)
            missing = _missing(spec, source)
        archive = home / "selftests.cpio"
        with steps.Step("pack the selftests", "selftests-pack", quiet=True) as step:
            _pack(step, spec, source, runtime, archive)
    return Selftests(archive, programs, missing)


def _series(what: str) -> str:
    """The series that --kernel names, "" for another kind of kernel."""
    series = what.removesuffix(kernel_build.STOCK)
    return series if kernel_stock.SERIES.fullmatch(series) else ""


def _found(series: str) -> tuple[str, str]:
    """The suite of Debian that has the source of a series, and its version there: that of the
    kernel if one was built."""
    if series in kernel_build.VERSIONS:
        suite, package = kernel_build.VERSIONS[series]
        return suite, kernel_build.known(series) or aptsrc.suite(suite).newest(package, series)
    return kernel_stock.known(series) or kernel_stock.find(series)


# ---- the source

def _unpack(suite_name: str, series: str, version: str, source: pathlib.Path) -> None:
    """Unpack the parts of Debian's source package."""
    whole = source.with_name("unpacked")
    if whole.exists():
        return
    suite = aptsrc.suite(suite_name)
    deb = suite.download_binary({f"linux-source-{series}": version},
                                f"fetch the source of Linux {version}")[0]
    paths.require_space(source, SPACE, f"unpacking parts of Linux {version}")
    kernel_build.unpack(deb, source, version, parts=PARTS, without=UNUSED)
    whole.touch()


def _copy(tree: pathlib.Path, source: pathlib.Path) -> None:
    """Copy the parts of a user's tree, as far as they have changed."""
    if not tree.is_dir():
        raise UsageError(f"--kernel {tree}: the selftests are built from a kernel's source: "
                         "a series or the directory of a kernel tree expected")
    if (tree / "source").is_dir():      # built with O=
        tree = (tree / "source").resolve()
    if not (tree / BELOW / "drivers/net").is_dir():
        raise UsageError(f"--kernel {tree}: a kernel tree with {BELOW}/drivers/net expected")
    with steps.Step(f"copy the selftests of {tree}", "selftests-unpack", quiet=True) as step:
        for name in PARTS:
            target = source / name
            paths.make_dir(target.parent)
            step.run(["cp", "-a", "-u", "-T", tree / name, target])


# ---- the build

def _make(step: steps.Step, spec: dict[str, Any], source: pathlib.Path) -> None:
    """Build all that can be built; what cannot is found by _missing()."""
    step.run(["make", "-C", source, f"-j{steps.jobs()}", "headers"], what="make headers")
    targets = " ".join([*spec["libraries"], *spec["directories"]])
    make = ["make", "-k", f"-j{steps.jobs()}", "-C", source / BELOW]
    step.run([*make, f"TARGETS={targets}", "FORCE_TARGETS="], what="make")
    for name in spec["programs"]:
        folder = source / BELOW / pathlib.Path(name).parent
        step.run(["make", "-C", folder, source / BELOW / name], what=f"make {name}")


def _variable(source: pathlib.Path, folder: str, name: str) -> list[str]:
    """The words of a variable of a directory's Makefile."""
    out = steps.capture(["make", "-s", "--no-print-directory", "-C", source / BELOW / folder,
                         f"--eval=lab-words: ; @echo $({name})", "lab-words"]).stdout
    return out.split()


def _programs(spec: dict[str, Any], source: pathlib.Path) -> list[str]:
    found = [f"{folder}/{name}" for folder in spec["directories"]
             for name in _variable(source, folder, "TEST_PROGS")]
    if not found:
        raise BuildError(f"the Makefiles of {', '.join(spec['directories'])} name no test")
    ours = [f"{PLACE}/{path.name}" for path in sorted(OURS.glob("*.py"))
            if not path.stem.endswith(HELPER)]
    library = source / BELOW / LIBRARY      # that of 6.1 does not exist
    if library.exists() and LIBRARY_HAS in library.read_text(encoding="utf-8"):
        found += ours
    else:
        steps.say(f"note: {', '.join(ours)} left out: the selftests' library of this source is "
                  f"too old; `--source {KERNEL}` takes the tests of a newer kernel")
    return [*found, *spec["programs"]]


def _missing(spec: dict[str, Any], source: pathlib.Path) -> list[str]:
    """Programs for the tests that make should have built and has not."""
    wanted = [pathlib.Path(source / BELOW / folder, name)
              for folder in [*spec["libraries"], *spec["directories"]]
              for name in _variable(source, folder, "TEST_GEN_FILES")]
    return [str(path.relative_to(source / BELOW)) for path in wanted if not path.exists()]


# ---- the archive

def _pack(step: steps.Step, spec: dict[str, Any], source: pathlib.Path,
          runtime: rootfs.RootfsProduct, archive: pathlib.Path) -> None:
    """Write the archive, unless it is there and as new as what it was made of."""
    files = _taken(spec, source)
    newest = max(path.lstat().st_mtime_ns for path in files.values())
    base = runtime.archives[0].parent
    stamp = f"{paths.digest(FORMAT, paths.content(spec), base.name, *files)} {newest}\n"
    known = archive.with_suffix(".stamp")
    if archive.exists() and known.exists() and known.read_text(encoding="utf-8") == stamp:
        return
    tree = rootfs.Tree()
    for name, path in files.items():
        tree.add_host(f"{AT}/{name}", path)
    work = archive.with_suffix(".work")
    shutil.rmtree(work, ignore_errors=True)
    _add_packages(tree, spec, work, base)
    jobs: list[tuple[pathlib.Path, pathlib.Path, str]] = []
    tag = rootfs.cache_tag(base)
    for name, entry in list(tree.entries.items()):
        if name.endswith(".py") and entry.kind == stat.S_IFREG and _is_module(name):
            where, _, file = name.rpartition("/")
            compiled = work / f"{len(jobs)}.pyc"
            jobs.append((pathlib.Path(str(entry.source)), compiled, f"/{name}"))
            tree.add(f"{where}/__pycache__/{file[:-3]}.{tag}.pyc",
                     rootfs.Entry(stat.S_IFREG, 0o644, compiled))
    rootfs.compile_python(runtime.python, jobs)
    tree.write(archive)
    paths.write_atomic(known, stamp)
    step.note(f"{len(tree.entries)} entries, {paths.human(archive.stat().st_size)}")
    shutil.rmtree(work)


def _is_module(name: str) -> bool:
    """Whether a file of Python is imported, as against run."""
    return "/lib/" in name or "/pyynl/" in name


def _taken(spec: dict[str, Any], source: pathlib.Path) -> dict[str, pathlib.Path]:
    """{name below the source: file} of what goes into the guest."""
    found = {}
    for part in spec["take"]:
        top = source / part
        if not top.exists():
            raise BuildError(f"{top} does not exist: a kernel tree that has it expected",
                             hint=f"correct {LIST}")
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            name = str(path.relative_to(source))
            if not path.is_dir() and "__pycache__" not in path.parts \
                    and not any(fnmatch.fnmatch(name, p) for p in spec["without"]):
                found[name] = path
    return found | {f"{BELOW}/{PLACE}/{path.name}": path for path in sorted(OURS.glob("*.py"))}


def _add_packages(tree: rootfs.Tree, spec: dict[str, Any], work: pathlib.Path,
                  base: pathlib.Path) -> None:
    """Add the programs of Debian, and the libraries that the base lacks. A package of a suite of
    its own replaces what the base has, and runs with the base's libraries."""
    guest = rootfs.load()
    suite = aptsrc.suite(guest["suite"])
    newer = {name: rule["suite"] for name, rule in spec["packages"].items() if "suite" in rule}
    versions = suite.closure(sorted(set(spec["packages"]) - set(newer)),
                             frozenset(guest["without"]))
    debs = dict(zip(versions, suite.download_binary(versions, "fetch the tests' programs")))
    for name, other in newer.items():
        debs[name] = aptsrc.suite(other).download_binary(
            {name: aptsrc.suite(other).newest(name)}, f"fetch {name} of Debian {other}")[0]
    roots = {}
    for package, deb in debs.items():
        roots[package] = work / "deb" / package
        rootfs.unpack(deb, roots[package])
    programs, replaced = rootfs.Tree(), rootfs.Tree()
    for package, rule in spec["packages"].items():
        rootfs.take(replaced if package in newer else programs, package, roots[package],
                    rule["take"])
    rootfs.Libraries(roots).complete(programs, [])
    have = set((base / "base.list").read_text(encoding="utf-8").split("\n"))
    for name, entry in programs.entries.items():
        if name not in have or entry.kind == stat.S_IFDIR:
            tree.add(name, entry)
    for name, entry in replaced.entries.items():
        tree.add(name, entry)


# ---- names

def chosen(programs: list[str], targets: list[str]) -> list[str]:
    """Those of PROGRAMS that TARGETS select, in their order: a directory, a program, or a pattern
    for either. No targets select all. Raises UsageError for one that selects nothing."""
    if not targets:
        return programs
    found: list[str] = []
    for target in targets:
        pattern = target.strip("/").removeprefix(f"{BELOW}/")
        hits = [name for name in programs
                if fnmatch.fnmatchcase(name, pattern) or name.rpartition("/")[0] == pattern
                or re.sub(r"\.(py|sh)$", "", name) == pattern]
        if not hits:
            raise UsageError(f"{target}: expected a directory or program of the selftests, such as "
                             "drivers/net or drivers/net/ping.py",
                             "`lab selftest --list` prints the programs")
        found += [name for name in hits if name not in found]
    return found
