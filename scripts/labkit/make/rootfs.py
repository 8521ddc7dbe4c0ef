# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's userland: an initramfs from Debian packages, made without root.

Responsible for: two uncompressed archives, the base (programs from scripts/guest/packages.toml) and
the guest part (scripts/guest/rootfs/ unchanged). They are separate so that a change of the agent or
init takes only a fraction of a second.
State: the cache's rootfs/ directory.
"""

import dataclasses
import fnmatch
import json
import os
import pathlib
import shutil
import stat
import struct
import subprocess
from typing import BinaryIO

import tomllib

from .. import paths, steps
from ..errors import BuildError, FetchError, LabError
from . import aptsrc

LIST = paths.GUEST / "packages.toml"
GUEST_FILES = paths.GUEST / "rootfs"
FORMAT = 1                      # of the archives made here: part of their key
SPACE = 700 << 20
KEEP = 3                        # older root file systems to keep, 100 MB each
LIBDIRS = ("usr/lib/x86_64-linux-gnu", "usr/lib")
LOADER = "usr/lib64/ld-linux-x86-64.so.2"


@dataclasses.dataclass(frozen=True)
class RootfsProduct:
    """The archives, in the order in which the kernel should unpack them."""

    archives: list[pathlib.Path]
    versions: dict[str, str]        # package: version
    python: pathlib.Path            # the guest's interpreter, unpacked; see compile_python()


@dataclasses.dataclass(frozen=True)
class Entry:
    """An archive member. SOURCE is a path to copy from, bytes, or a link's target."""

    kind: int                       # stat.S_IFREG, S_IFDIR or S_IFLNK
    mode: int = 0o755
    source: pathlib.Path | bytes | str = b""


class Tree:
    """The contents of an archive: guest path without leading slash -> Entry."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> None:
        """Add or replace a member; missing parents are added."""
        name = name.strip("/")
        parent = name.rpartition("/")[0]
        if parent and parent not in self.entries:
            self.add(parent, Entry(stat.S_IFDIR))
        self.entries[name] = entry

    def add_host(self, name: str, path: pathlib.Path) -> None:
        """Add a file, link or directory (itself, not its content) of this machine."""
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            self.add(name, Entry(stat.S_IFLNK, 0o777, os.readlink(path)))
        elif stat.S_ISDIR(mode):
            self.add(name, Entry(stat.S_IFDIR))
        elif stat.S_ISREG(mode):
            self.add(name, Entry(stat.S_IFREG, 0o755 if mode & 0o111 else 0o644, path))
        else:
            raise BuildError(f"{path} is neither file, directory nor link")

    def provides(self, program: str) -> bool:
        """Return whether one of the usual directories has a command of that name."""
        return any(f"{d}/{program}" in self.entries
                   for d in ("usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"))

    def write(self, archive: pathlib.Path) -> None:
        """Write a reproducible newc archive: sorted, owned by root, time 0."""
        tmp = archive.with_name(f".{archive.name}.{os.getpid()}")
        try:
            with open(tmp, "wb") as out:
                for number, name in enumerate(sorted(self.entries), 1):
                    entry = self.entries[name]
                    data = entry.source
                    if isinstance(data, pathlib.Path):
                        data = data.read_bytes()
                    elif isinstance(data, str):
                        data = os.fsencode(data)
                    links = 2 if entry.kind == stat.S_IFDIR else 1
                    _put(out, number, name, entry.kind | entry.mode, links, data)
                _put(out, 0, "TRAILER!!!", 0, 1, b"")
            os.replace(tmp, archive)
        finally:
            tmp.unlink(missing_ok=True)


def _put(out: BinaryIO, number: int, name: str, mode: int, links: int, data: bytes) -> None:
    """Write a member: magic, 13 fields of 8 hex digits, name, content, each padded to 4 bytes."""
    encoded = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + encoded
    out.write(head + b"\0" * (-len(head) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


# ---- ELF

def elf_needed(path: pathlib.Path) -> list[str] | None:
    """Return DT_NEEDED of a 64-bit ELF file; [] for a static one, None if it is not an ELF file."""
    with open(path, "rb") as f:
        head = f.read(64)
        if head[:5] != b"\x7fELF\x02":
            return None
        phoff, phentsize, phnum = (struct.unpack_from("<Q", head, 32)[0],
                                   *struct.unpack_from("<HH", head, 54))
        f.seek(phoff)
        table = f.read(phentsize * phnum)
        loads, dynamic = [], None
        for n in range(phnum):
            kind, _, offset, vaddr, _, filesz = struct.unpack_from("<IIQQQQ", table, n * phentsize)
            if kind == 1:               # PT_LOAD
                loads.append((vaddr, offset, filesz))
            elif kind == 2:             # PT_DYNAMIC
                dynamic = (offset, filesz)
        if dynamic is None:
            return []
        f.seek(dynamic[0])
        tags = list(struct.iter_unpack("<qQ", f.read(dynamic[1] // 16 * 16)))
        address = next((v for t, v in tags if t == 5), None)     # DT_STRTAB
        if address is None:
            return []
        offset = next(o + address - v for v, o, size in loads if v <= address < v + size)
        names = []
        for at in (v for t, v in tags if t == 1):               # DT_NEEDED
            f.seek(offset + at)
            names.append(f.read(256).split(b"\0")[0].decode())
        return names


class Libraries:
    """Finds shared libraries in the unpacked packages."""

    def __init__(self, roots: dict[str, pathlib.Path]) -> None:
        self._found: dict[str, tuple[str, pathlib.Path]] = {}
        for root in roots.values():
            for where in LIBDIRS:
                if (root / where).is_dir():
                    for path in (root / where).iterdir():
                        if ".so" in path.name:
                            self._found.setdefault(path.name, (f"{where}/{path.name}", path))

    def find(self, name: str) -> tuple[str, pathlib.Path] | None:
        """Return (guest path, file) of a soname; links between versions are followed, so the file
        is stored once, under the name that programs request."""
        hit = self._found.get(name)
        if hit is None:
            return None
        guest, path = hit
        seen = 0
        while path.is_symlink() and seen < 8:
            target = os.path.basename(os.readlink(path))
            if target not in self._found:
                return None
            path, seen = self._found[target][1], seen + 1
        return guest, path

    def complete(self, tree: Tree, extra: list[str]) -> None:
        """Add the libraries needed by programs in TREE, recursively. Fails if one is missing."""
        todo = [(n, e.source) for n, e in tree.entries.items()
                if e.kind == stat.S_IFREG and isinstance(e.source, pathlib.Path)]
        wanted = [("packages.toml", name) for name in extra]
        have = {n.rpartition("/")[2] for n in tree.entries}
        missing: dict[str, list[str]] = {}
        while todo or wanted:
            while todo:
                name, path = todo.pop()
                wanted += [(name, lib) for lib in elf_needed(path) or []]
            user, lib = wanted.pop()
            if lib in have:
                continue
            hit = self.find(lib)
            if hit is None:
                missing.setdefault(lib, []).append(user)
                continue
            have.add(lib)
            tree.add_host(hit[0], hit[1])
            todo.append(hit)
        if missing:
            raise BuildError("the guest lacks shared libraries:\n" + "\n".join(
                f"{lib}, needed by {', '.join(sorted(set(users))[:5])}"
                for lib, users in sorted(missing.items())),
                hint=f"add the package that has it to {LIST}, or take it out of \"without\"")


# ---- building

def load() -> dict:
    """Read the package list. Raises LabError if it is not valid TOML."""
    try:
        with open(LIST, "rb") as f:
            return tomllib.load(f)
    except tomllib.TOMLDecodeError as e:
        raise LabError(f"{LIST}: {e}") from e


def _versions(spec: dict, refresh: bool) -> dict[str, str]:
    """Return the package versions to use: those of the last build, unless the list changed."""
    key = paths.digest(spec["suite"], *sorted(spec["packages"]), "/", *sorted(spec["without"]))
    memo = paths.cache_dir("rootfs") / f"versions-{key}.json"
    if memo.exists() and not refresh:
        return json.loads(memo.read_text(encoding="utf-8"))
    versions = aptsrc.suite(spec["suite"]).closure(sorted(spec["packages"]),
                                                   frozenset(spec["without"]))
    paths.write_atomic(memo, json.dumps(versions, indent=1))
    return versions


def build() -> RootfsProduct:
    """Build the archives unless cached."""
    spec = load()
    with paths.lock("rootfs"):
        versions = _versions(spec, refresh=False)
        home = _home(spec, versions)
        if not (home / "complete").exists():
            try:
                debs = aptsrc.suite(spec["suite"]).download_binary(
                    versions, "fetch the guest's packages")
            except FetchError:
                # the versions chosen are no longer in Debian's archive
                versions = _versions(spec, refresh=True)
                home = _home(spec, versions)
                debs = aptsrc.suite(spec["suite"]).download_binary(
                    versions, "fetch the guest's packages")
            _build_base(spec, dict(zip(versions, debs)), home)
        guest = _build_guest(home)
    return RootfsProduct([home / "base.cpio", guest], versions, home / "python")


def base_key(spec: dict, versions: dict[str, str]) -> str:
    """Return the key of the base archive, from the package list and the versions used."""
    return paths.digest(FORMAT, paths.content(spec), paths.content(versions))


def _home(spec: dict, versions: dict[str, str]) -> pathlib.Path:
    return paths.cache_dir("rootfs", create=False) / base_key(spec, versions)


def _build_base(spec: dict, debs: dict[str, pathlib.Path], home: pathlib.Path) -> None:
    _prune(home)
    paths.require_space(home, SPACE, "the guest's root file system")
    work = paths.cache_dir("rootfs", home.name, "work")
    with steps.Step("make the guest's root file system", "rootfs") as step:
        roots = {}
        for package, deb in debs.items():
            step.tick(f"unpack {package}")
            roots[package] = work / "deb" / package
            unpack(deb, roots[package])
        libraries = Libraries(roots)
        tree = Tree()
        for name in spec["directories"]["names"]:
            tree.add(name, Entry(stat.S_IFDIR))
        for name, target in spec["links"].items():
            tree.add(name, Entry(stat.S_IFLNK, 0o777, target))
        for name, text in spec["files"].items():
            tree.add(name, Entry(stat.S_IFREG, 0o644, text.lstrip("\n").encode()))
        for package, rule in spec["packages"].items():
            take(tree, package, roots[package], rule.get("take", []))
        loader = libraries.find("ld-linux-x86-64.so.2")
        if loader is None:
            raise BuildError("libc6 has no ld-linux-x86-64.so.2")
        tree.add_host(LOADER, loader[1])
        _busybox(tree, roots["busybox"], loader[1].parent, spec["busybox"]["without"])
        step.tick("compile Python's library")
        _python(step, spec, roots, libraries, tree, home)
        libraries.complete(tree, spec["libraries"]["extra"])
        _check_links(tree)
        tree.write(home / "base.cpio")
        listing = "".join(f"{n}\n" for n in sorted(tree.entries))
        (home / "base.list").write_text(listing, encoding="utf-8")
        step.note(f"{len(tree.entries)} entries, "
                  f"{paths.human((home / 'base.cpio').stat().st_size)}")
        shutil.rmtree(work)
        (home / "complete").touch()


def _prune(home: pathlib.Path) -> None:
    """Remove interrupted builds, and all but the newest of the others."""
    others = sorted((p for p in home.parent.iterdir() if p.is_dir()),
                    key=lambda p: p.stat().st_mtime, reverse=True)
    whole = [p for p in others if (p / "complete").exists()]
    for path in others:
        if path == home or path not in whole[:KEEP]:
            shutil.rmtree(path, ignore_errors=True)


def unpack(deb: pathlib.Path, root: pathlib.Path) -> None:
    """Unpack usr-merged: files shipped in /lib go to usr/lib."""
    for name in ("bin", "sbin", "lib", "lib64"):
        paths.make_dir(root / "usr" / name)
        (root / name).symlink_to(f"usr/{name}")
    aptsrc.unpack_deb(deb, root)


def take(tree: Tree, package: str, root: pathlib.Path, globs: list[str]) -> None:
    """Add the files of a package, unpacked in ROOT, that match GLOBS. Each must match some."""
    for pattern in globs:
        if "*" in pattern or "[" in pattern:
            hits = sorted(root.glob(pattern))
        else:                       # glob() does not find a link whose target is elsewhere
            hits = [root / pattern] if os.path.lexists(root / pattern) else []
        if not hits:
            raise BuildError(f"package {package} has nothing that matches {pattern!r}",
                             hint=f"correct {LIST}")
        for path in hits:
            tree.add_host(str(path.relative_to(root)), path)


def _busybox(tree: Tree, root: pathlib.Path, libc: pathlib.Path, without: list[str]) -> None:
    """Add links for the applets that no other package provides."""
    # through the guest's loader: this machine's C library may be older
    out = steps.capture([libc / "ld-linux-x86-64.so.2", "--library-path", libc,
                         root / "usr/bin/busybox", "--list"], check=False)
    applets = out.stdout.split()
    if "udhcpc" not in applets:
        raise BuildError("the guest's busybox does not run here or has no udhcpc:\n" + out.stderr)
    for applet in applets:
        if not tree.provides(applet) and not any(fnmatch.fnmatch(applet, w) for w in without):
            tree.add(f"usr/bin/{applet}", Entry(stat.S_IFLNK, 0o777, "busybox"))


def _check_links(tree: Tree) -> None:
    """Check that links to files of the base are not dangling; links into /run, /proc etc. may
    be."""
    for name, entry in tree.entries.items():
        if entry.kind != stat.S_IFLNK:
            continue
        link = os.fspath(entry.source) if not isinstance(entry.source, bytes) else ""
        target = os.path.normpath(os.path.join("/", os.path.dirname(name), link))
        for top in ("/bin", "/sbin", "/lib", "/lib64"):
            if target.startswith(f"{top}/"):
                target = "/usr" + target
        if target.startswith(("/run", "/proc", "/dev", "/var", "/etc")):
            continue
        if target.strip("/") not in tree.entries:
            raise BuildError(f"/{name} in the guest is a link to {link}, which is missing",
                             hint=f"take its target as well in {LIST}")


# ---- Python

_COMPILE = """
import sys, py_compile
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
for line in sys.stdin:
    source, target, name = line.rstrip("\\n").split("\\t")
    py_compile.compile(source, target, name, doraise=True, invalidation_mode=mode)
"""


def _python(step: steps.Step, spec: dict, roots: dict, libraries: Libraries, tree: Tree,
            home: pathlib.Path) -> None:
    """Add Python's library, compiled by the guest's own interpreter, without source."""
    runtime = home / "python"
    binary = next(p for r in roots.values() for p in r.glob("usr/bin/python3.*[0-9]"))
    without = spec["python"]["without"]
    parts = [n for n, rule in spec["packages"].items() if rule.get("python")]
    for package in parts:
        root = roots[package]
        for path in sorted(root.glob("usr/lib/python3*/**/*")):
            name = str(path.relative_to(root))
            if not any(fnmatch.fnmatch(name, w) for w in without) and not path.is_dir():
                target = runtime / name
                paths.make_dir(target.parent)
                shutil.copyfile(path, target)
    # an interpreter that runs here: binary, loader and the libraries needed by them and the modules
    local = Tree()
    for path in [binary, *runtime.glob("usr/lib/python3*/lib-dynload/*.so")]:
        local.add_host(f"x/{path.name}", path)
    libraries.complete(local, ["ld-linux-x86-64.so.2"])
    paths.make_dir(runtime / "lib")
    for name, entry in local.entries.items():
        if entry.kind == stat.S_IFREG and not name.startswith("x/"):
            shutil.copyfile(entry.source, runtime / "lib" / name.rpartition("/")[2])
    loader = libraries.find("ld-linux-x86-64.so.2")
    if loader is None:
        raise BuildError("libc6 has no ld-linux-x86-64.so.2")
    for path in (binary, loader[1]):
        name = "python3" if path == binary else "loader"
        shutil.copyfile(path, runtime / name)
        (runtime / name).chmod(0o755)
    sources = sorted(runtime.glob("usr/lib/python3*/**/*.py"))
    compile_python(runtime, [(p, p.with_suffix(".pyc"), f"/{p.relative_to(runtime)}")
                             for p in sources])
    for path in sorted(runtime.glob("usr/lib/python3*/**/*")):
        if path.is_file() and path.suffix != ".py":
            tree.add_host(str(path.relative_to(runtime)), path)
    step.note(f"{len(sources)} Python modules")


def compile_python(runtime: pathlib.Path, jobs: list[tuple[pathlib.Path, pathlib.Path, str]]
                   ) -> None:
    """Compile Python with the guest's interpreter (RUNTIME as in RootfsProduct.python).

    JOBS: (source, .pyc to write, path of the source in the guest). The results do not depend on
    timestamps of the source, so they suit archives without any. Raises BuildError.
    """
    text = "".join(f"{s}\t{t}\t{n}\n" for s, t, n in jobs)
    with steps.child([runtime / "loader", "--library-path", runtime / "lib", runtime / "python3",
                      "-S", "-c", _COMPILE],
                     stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                     env={"PYTHONHOME": str(runtime / "usr"), "PYTHONPATH": "",
                          "PYTHONDONTWRITEBYTECODE": "1"}) as proc:
        error = proc.communicate(text)[1]
        status = proc.returncode
    if status != 0:
        paths.require_space(runtime, steps.DISK_FULL, "compiling Python's library")
        raise BuildError("the guest's Python cannot compile:\n"
                         + "\n".join(error.strip().splitlines()[-6:]))


# ---- the guest part

def _build_guest(home: pathlib.Path) -> pathlib.Path:
    """Pack scripts/guest/rootfs/. Modules are precompiled, scripts are not."""
    files = [p for p in sorted(GUEST_FILES.rglob("*"))
             if "__pycache__" not in p.parts and p.suffix != ".pyc"]
    names = (f"{p.relative_to(GUEST_FILES)} {p.lstat().st_mode:o}" for p in files)
    key = paths.digest(FORMAT, *names, *(p.read_bytes() for p in files if p.is_file()))
    archive = home / f"guest-{key}.cpio"
    if archive.exists():
        return archive
    tree = Tree()
    jobs: list[tuple[pathlib.Path, pathlib.Path, str]] = []
    work = paths.cache_dir("rootfs", home.name, f"pyc-{os.getpid()}")
    try:
        for path in files:
            name = str(path.relative_to(GUEST_FILES))
            tree.add_host(name, path)
            if path.suffix == ".py" and path.is_file():
                pyc = work / f"{len(jobs)}.pyc"
                jobs.append((path, pyc, f"/{name}"))
                where, _, base = name.rpartition("/")
                tree.add(f"{where}/__pycache__/{base[:-3]}.{cache_tag(home)}.pyc",
                         Entry(stat.S_IFREG, 0o644, pyc))
        if "init" not in tree.entries:
            raise BuildError(f"{GUEST_FILES} has no init")
        compile_python(home / "python", jobs)
        tree.write(archive)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    for old in home.glob("guest-*.cpio"):
        if old != archive and old.stat().st_mtime < archive.stat().st_mtime - 24 * 3600:
            old.unlink(missing_ok=True)
    return archive


def cache_tag(home: pathlib.Path) -> str:
    """Return 'cpython-313', from the name of the library directory."""
    library = next((home / "python/usr/lib").glob("python3.*"))
    return "cpython-" + library.name.removeprefix("python").replace(".", "")
