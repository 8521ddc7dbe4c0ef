# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU with the device: source, overlay, configuration, incremental build.

Responsible for: fetching QEMU's source package, hooking this checkout into the tree as described in
scripts/overlay/, building a minimal emulator, and providing a binary that no other checkout's build
can replace.
State: the cache's qemu/ and firmware/ directories; in a user's tree only the overlay's links and
lines.

Directories: qemu/VERSION-KEY/ has src/ (source with overlay) and build-KEY2/ (one for each
configuration) and bin-CHECKOUT-KEY2/ (binaries). The device's own sources are not in any key: ninja
detects changes in them. Several checkouts may share one cache, so the overlay's links are
redirected to the current checkout before ninja runs. Three locks order that: "qemu" for sources and
links, one for the links of each tree (shared by the builds that read through them), one for each
build directory.
"""

import base64
import contextlib
import dataclasses
import glob
import hashlib
import os
import pathlib
import re
import shutil
import zipfile

import tomllib

from .. import paths, steps
from ..errors import BuildError, FetchError, LabError, OverlayError, UsageError
from . import aptsrc

SUITES = {"10.0": "trixie", "10.2": "sid"}  # QEMU series -> Debian suite that carries its source
TARGET = "qemu-system-x86_64"
BENCH = "tests/qtest/mlx5-bench/mlx5-ktls-bench"
MESON_MINIMUM = (1, 5, 0)
STAMP = ".mlx5-ktls-checkout"       # in a source tree: whose sources the links point to

# The system interpreter: a user's own Python may lack venv or be replaced under the build.
PYTHON = "/usr/bin/python3"

BASE_ARGS = (
    f"--python={PYTHON}",
    "--target-list=x86_64-softmmu",
    "--without-default-features",
    "--enable-tcg", "--enable-kvm",
    "--enable-slirp",                   # -netdev user
    "--enable-virtfs", "--enable-attr", "--enable-cap-ng",  # --share
    "--disable-install-blobs",          # Debian's source has none; see firmware()
    "--without-default-devices", "--with-devices-x86_64=mlx5",
)
NORMAL_ARGS = ("--disable-debug-info",)
# Line tables only: enough for the sanitizers' reports.
SANITIZE_ARGS = ("--enable-asan", "--enable-ubsan", "--disable-debug-info", "--extra-cflags=-g1")
# A device that can be made to misbehave, for the tests of strict=on.
BREAK_ARGS = (*NORMAL_ARGS, "--extra-cflags=-DMLX5_BREAK")

# Needed by later versions in addition to mlx5.mak: their ACPI tables require CXL.
LATER_DEVICES = tuple(((10, 1), f"CONFIG_{name}=y") for name in ("PXB", "CXL", "CXL_MEM_DEVICE"))

SPACE_SOURCE = 600 << 20
SPACE_BUILD = {False: 400 << 20, True: 900 << 20}


@dataclasses.dataclass(frozen=True)
class QemuProduct:
    """The result of a build. All paths are absolute."""

    binary: pathlib.Path        # a private copy of this checkout; firmware is found beside it
    src: pathlib.Path           # source tree; python/qemu is below it
    build: pathlib.Path         # build directory (shared between checkouts: build results only)
    qtests: list[pathlib.Path]  # qtest programs, one for each tests/qtest/mlx5-ktls*-test.c
    bench: pathlib.Path         # the program of tests/bench
    firmware: pathlib.Path      # for -L when another binary is used
    version: str                # e.g. "10.0.13+ds-0+deb13u1", or "tree" for a user's source


# ---- the overlay

@dataclasses.dataclass(frozen=True)
class Overlay:
    """The contents of scripts/overlay/overlay.toml."""

    links: list[tuple[str, str]]            # (in the QEMU tree, in the repository)
    copies: list[tuple[str, str]]
    lines: list[dict[str, str]]
    key: str


def load_overlay() -> Overlay:
    """Read the overlay's data; its key covers the data and the files copied."""
    path = paths.OVERLAY / "overlay.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        links = [(e["at"], e["to"]) for e in raw.get("link", [])]
        copies = [(e["at"], e["from"]) for e in raw.get("copy", [])]
        lines = raw.get("line", [])
        for entry in lines:
            if not {"file", "anchor"} <= entry.keys() or ("before" in entry) == ("after" in entry):
                raise KeyError(f"{entry}: expected file, anchor and one of before, after")
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as e:
        raise OverlayError(f"{path}: {e}") from e
    files = [(paths.REPO / source).read_bytes() for _, source in copies]
    return Overlay(links, copies, lines, paths.digest(paths.content(raw), *files))


def hook_lines(src: pathlib.Path, overlay: Overlay) -> None:
    """Insert the overlay's lines into a QEMU tree, unless already present.

    All anchors are checked before the first file is written. Raises OverlayError with file and
    anchor.
    """
    texts: dict[pathlib.Path, list[str]] = {}
    changed = []
    for entry in overlay.lines:
        path = src / entry["file"]
        if path not in texts:
            try:
                texts[path] = path.read_text(encoding="utf-8").splitlines()
            except OSError as e:
                raise OverlayError(f"{path}: {e.strerror}",
                                   hint=f"is {src} a QEMU source tree?") from e
        lines = texts[path]
        new = entry["before"] if "before" in entry else entry["after"]
        if new in lines:
            continue
        hits = [n for n, line in enumerate(lines) if re.fullmatch(entry["anchor"], line)]
        if len(hits) != 1:
            found = "not found" if not hits else \
                "found on lines " + ", ".join(str(n + 1) for n in hits)
            raise OverlayError(
                f"{path}: the anchor of the line {new.strip()!r} must match exactly one line\n"
                f"anchor: {entry['anchor']!r}, {found}",
                hint="this QEMU version needs another anchor in scripts/overlay/overlay.toml")
        lines.insert(hits[0] + ("after" in entry), new)
        changed.append(path)
    for path in dict.fromkeys(changed):
        paths.write_atomic(path, "\n".join(texts[path]) + "\n")


def place_links(src: pathlib.Path, overlay: Overlay) -> bool:
    """Point the overlay's links to this checkout and copy its files; returns whether a link was
    added, changed or removed.

    Links whose source file no longer exists are removed. Anything else in the place of a link is
    never replaced.
    """
    changed = False
    for at, frm in overlay.copies:
        target = src / at
        data = (paths.REPO / frm).read_bytes()
        if target.suffix == ".mak":
            data += "".join(f"{line}\n" for line in later_devices(src)).encode()
        if not target.exists() or target.read_bytes() != data:
            paths.make_dir(target.parent)
            paths.write_atomic(target, data)
    for at, to in overlay.links:
        if "*" in to:
            wanted = {src / at.replace("*", p.name[len(pathlib.Path(to).name.partition("*")[0]):
                                                   -len(to.rpartition("*")[2])]): p
                      for p in map(pathlib.Path, sorted(glob.glob(str(paths.REPO / to))))}
            for old in map(pathlib.Path, glob.glob(str(src / at))):
                if old.is_symlink() and old not in wanted:
                    old.unlink()
                    changed = True
        else:
            paths.make_dir(paths.REPO / to)     # git does not store empty directories
            wanted = {src / at: paths.REPO / to}
        for link, target in wanted.items():
            if link.is_symlink():
                if os.readlink(link) == str(target):
                    continue
                link.unlink()
            elif link.exists():
                raise OverlayError(f"{link} exists and is not a link of ours",
                                   hint="move it away, or give the lab a tree without it")
            paths.make_dir(link.parent)
            link.symlink_to(target)
            changed = True
    return changed


def later_devices(src: pathlib.Path) -> list[str]:
    """Return lines of the device list that only this tree's version needs."""
    try:
        text = (src / "VERSION").read_text(encoding="ascii")
        version = tuple(int(n) for n in text.strip().split(".")[:2])
    except (OSError, ValueError) as e:
        raise OverlayError(f"{src / 'VERSION'}: expected a version such as 10.0.3: {e}") from e
    return [line for since, line in LATER_DEVICES if version >= since]


def unhook(src: pathlib.Path) -> list[str]:
    """Remove the overlay from a user's tree; returns what was removed."""
    overlay, removed = load_overlay(), []
    for entry in overlay.lines:
        path, new = src / entry["file"], entry.get("before", entry.get("after"))
        lines = path.read_text(encoding="utf-8").splitlines()
        if new in lines:
            lines.remove(new)
            paths.write_atomic(path, "\n".join(lines) + "\n")
            removed.append(f"{entry['file']}: {new.strip()}")
    for at, _ in overlay.links:
        for link in map(pathlib.Path, glob.glob(str(src / at))):
            if link.is_symlink():
                link.unlink()
                removed.append(str(link.relative_to(src)))
    for name in [at for at, _ in overlay.copies] + [STAMP]:
        with contextlib.suppress(FileNotFoundError):
            (src / name).unlink()
            removed.append(name)
    return removed


def adopt(src: pathlib.Path, overlay: Overlay) -> None:
    """Make a QEMU tree build this checkout's device.

    If the links pointed to another checkout, everything built from its files is deleted from the
    build directories: ninja compares timestamps, and files of this checkout may be older than the
    objects.
    """
    hook_lines(src, overlay)
    moved = _checkout_of(src) != str(paths.REPO)
    if place_links(src, overlay) or moved:
        # the set of source files may have changed: make ninja run meson again
        os.utime(src / "hw/net/meson.build")
    if not moved:
        return
    for build in _builds_of(src):
        for pattern in ("*/*hw_net_mlx5*", "trace/*hw_net_mlx5*", "tests/qtest/*mlx5-ktls*"):
            for path in build.glob(pattern):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
    paths.write_atomic(src / STAMP, f"{paths.REPO}\n")


def _checkout_of(src: pathlib.Path) -> str | None:
    """Return the checkout that the links of a QEMU tree point to."""
    stamp = src / STAMP
    return stamp.read_text(encoding="utf-8").strip() if stamp.exists() else None


def _builds_of(src: pathlib.Path) -> list[pathlib.Path]:
    """Return the build directories configured from SRC."""
    return [b for b in paths.cache_dir("qemu").glob("*/build-*")
            if (b / "source").exists() and (b / "source").read_text().strip() == str(src)]


# ---- source and firmware

def _home(version: str, overlay: Overlay) -> pathlib.Path:
    """Return the directory of everything built from a source package with an overlay."""
    name = f"{aptsrc.upstream(version)}-{paths.digest(version, overlay.key)}"
    return paths.cache_dir("qemu", create=False) / name


def _source(version: str, suite: str, overlay: Overlay) -> pathlib.Path:
    """Return the unpacked source package of VERSION, patched and ready to build."""
    home = _home(version, overlay)
    src = home / "src"
    if (home / "source-complete").exists():
        return src
    dsc = aptsrc.suite(suite).download_source("qemu", version)
    paths.require_space(home, SPACE_SOURCE, "the QEMU source")
    with steps.Step(f"unpack QEMU {aptsrc.upstream(version)}", "qemu-unpack") as step:
        paths.make_dir(home)
        shutil.rmtree(src, ignore_errors=True)
        # applies the package's own patches, which make the source build without its blobs
        step.run(["dpkg-source", "--no-check", "-x", dsc, src])
        shutil.rmtree(src / "roms")             # two thirds of the tree, only to build firmware
    if not list((src / "python/wheels").glob("meson-*.whl")):
        _provide_meson(src)
    (home / "source-complete").touch()
    return src


def _provide_meson(src: pathlib.Path) -> None:
    """Provide a meson that QEMU accepts in a source tree with an empty python/wheels/.

    Debian 12's own meson is too old; trixie's package is pure Python, so it is repacked as the
    wheel that QEMU's configure looks for.
    """
    wheels = src / "python/wheels"
    suite = aptsrc.suite("trixie")
    version = suite.newest("meson")
    deb = suite.download_binary({"meson": version})[0]
    unpacked = paths.cache_dir("download") / f"meson_{paths.digest(version)}"
    aptsrc.unpack_deb(deb, unpacked)
    try:
        number = make_wheel(unpacked / "usr/lib/python3/dist-packages", wheels)
    finally:
        shutil.rmtree(unpacked)
    if tuple(int(n) for n in number.split(".")[:3]) < MESON_MINIMUM:
        raise FetchError(f"meson {number} is too old for QEMU, which needs "
                         f"{'.'.join(map(str, MESON_MINIMUM))} or newer")
    deps = src / "pythondeps.toml"
    text, count = re.subn(r'^(\[meson\]\n(?:[^\[].*\n)*?meson = \{.*installed = )"[^"]*"',
                          rf'\1"{number}"', deps.read_text(encoding="utf-8"), flags=re.M)
    if count != 1:
        raise OverlayError(f"{deps}: expected 'meson = {{ ... installed = \"...\" }}' in the "
                           "section [meson]")
    paths.write_atomic(deps, text)


def make_wheel(packages: pathlib.Path, out: pathlib.Path) -> str:
    """Repack Debian's python3 meson (unpacked below PACKAGES) as a wheel in OUT; returns its
    version."""
    infos = sorted(packages.glob("meson-*.egg-info")) + sorted(packages.glob("meson-*.dist-info"))
    if not infos:
        raise FetchError(f"no meson-*.egg-info or meson-*.dist-info in {packages}")
    info = infos[0]
    number = re.findall(r"^meson-([0-9.]+[0-9])", info.name)[0]
    metadata = next(p for p in (info / "METADATA", info / "PKG-INFO", info) if p.is_file())
    name = f"meson-{number}.dist-info"
    files = {str(p.relative_to(packages)): p.read_bytes()
             for p in sorted((packages / "mesonbuild").rglob("*"))
             if p.is_file() and "__pycache__" not in p.parts}
    files[f"{name}/METADATA"] = metadata.read_bytes()
    files[f"{name}/WHEEL"] = (b"Wheel-Version: 1.0\nGenerator: labkit\nRoot-Is-Purelib: true\n"
                              b"Tag: py3-none-any\n")
    files[f"{name}/entry_points.txt"] = b"[console_scripts]\nmeson = mesonbuild.mesonmain:main\n"
    record = "".join(
        f"{n},sha256={base64.urlsafe_b64encode(hashlib.sha256(d).digest()).decode().rstrip('=')},"
        f"{len(d)}\n" for n, d in files.items()) + f"{name}/RECORD,,\n"
    files[f"{name}/RECORD"] = record.encode()
    paths.make_dir(out)
    with zipfile.ZipFile(out / f"meson-{number}-py3-none-any.whl", "w",
                         zipfile.ZIP_DEFLATED) as wheel:
        for member, data in files.items():
            wheel.writestr(member, data)
    return number


def firmware() -> pathlib.Path:
    """Return a directory for -L: BIOS, option ROMs for -kernel, PXE ROMs of the other NICs.

    From trixie's packages, to match the emulator whatever this machine's release is.
    """
    home = paths.cache_dir("firmware")
    current = home / "current"
    if (current / "complete").exists():
        return current.resolve()
    suite = aptsrc.suite("trixie")
    packages = {p: suite.newest(p) for p in ("seabios", "qemu-system-data", "ipxe-qemu")}
    debs = suite.download_binary(packages, "fetch firmware for the emulator")
    key = paths.digest(*sorted(packages.items()))
    raw, out = home / f"{key}.raw", home / key
    for path in (raw, out):
        shutil.rmtree(path, ignore_errors=True)
    for deb in debs:
        aptsrc.unpack_deb(deb, raw)
    paths.make_dir(out)
    for path in sorted(raw.rglob("*")):
        if path.suffix in (".bin", ".rom") and path.is_file():  # follows links
            shutil.copyfile(path, out / path.name)
    for name in ("bios-256k.bin", "linuxboot_dma.bin", "kvmvapic.bin"):
        if not (out / name).exists():
            raise FetchError(f"the firmware packages have no {name}: "
                             + ", ".join(f"{p} {v}" for p, v in packages.items()))
    shutil.rmtree(raw)
    (out / "complete").touch()
    new = home / f".current.{os.getpid()}"
    new.unlink(missing_ok=True)
    new.symlink_to(key)
    os.replace(new, current)
    return out


# ---- building

def compiler() -> str:
    """Return the C compiler's version, part of every build's key."""
    return steps.capture(["gcc", "-dumpfullversion"]).stdout.strip()


def ccache_env() -> dict[str, str]:
    """Return the environment for ccache, with a private cache."""
    return {"CCACHE_DIR": str(paths.cache_dir("ccache")), "CCACHE_MAXSIZE": "3G",
            "CCACHE_BASEDIR": str(paths.cache_dir()), "CCACHE_NOHASHDIR": "1"}


def has_ccache() -> bool:
    """Return whether ccache is installed; it is optional."""
    return shutil.which("ccache") is not None


def _configure(src: pathlib.Path, build: pathlib.Path, args: list[str]) -> None:
    """Run QEMU's configure; BUILD/source records success and the source tree."""
    shutil.rmtree(build, ignore_errors=True)
    paths.make_dir(build)
    with steps.Step("configure QEMU", "qemu-configure") as step:
        try:
            step.run([src / "configure", *args], cwd=build, env=ccache_env(),
                     hint="`lab doctor` checks the packages that QEMU's configure needs")
        except BuildError as e:
            e.tail = _interesting(e.tail)
            raise
    paths.write_atomic(build / "source", f"{src}\n")


def _interesting(tail: list[str]) -> list[str]:
    """Find the ERROR line of configure, which ends with advice."""
    errors = [n for n, line in enumerate(tail) if "ERROR" in line]
    return tail[errors[0]:] if errors else tail


def qtest_programs() -> list[str]:
    """Return the names of this checkout's qtest programs."""
    return sorted(p.stem for p in (paths.REPO / "tests/qtest").glob("mlx5-ktls*-test.c"))


def _targets() -> list[str]:
    """Return ninja's targets: the emulator, the qtest programs, the program of tests/bench."""
    return [TARGET, *(f"tests/qtest/{t}" for t in qtest_programs()), BENCH]


def _compile(build: pathlib.Path, what: str) -> None:
    """Run ninja; takes half a second if nothing has changed."""
    first = not (build / TARGET).exists()
    with steps.Step(f"build QEMU {what}", f"qemu-{build.name}", quiet=not first) as step:
        step.run(["ninja", f"-j{steps.jobs()}", *_targets()], cwd=build, env=ccache_env(),
                 progress=steps.Ninja(), what=f"ninja in {build}",
                 hint=f"the device's sources are those of {paths.REPO}")
    if not (build / TARGET).exists():
        raise BuildError(f"ninja succeeded but {build / TARGET} is missing", log=step.log)


def _publish(build: pathlib.Path, fw: pathlib.Path) -> list[pathlib.Path]:
    """Copy the binaries to a directory of this checkout, with the firmware where they look for it.

    A running lab keeps its binary when another checkout builds in the same directory.
    """
    out = build.with_name(f"bin-{paths.checkout_id()}-{build.name.partition('-')[2]}")
    paths.make_dir(out)
    made = []
    for name in _targets():
        target = out / pathlib.Path(name).name
        _copy_newer(build / name, target)
        made.append(target)
    # QEMU looks for its data in a directory of this name beside the binary
    for bundle in (out, build):
        share = bundle / "qemu-bundle/usr/local/share/qemu"
        paths.make_dir(share)
        for rom in fw.iterdir():
            link = share / rom.name
            if link.is_symlink() and os.readlink(link) != str(rom):
                link.unlink()
            if not link.is_symlink() and not link.exists():
                link.symlink_to(rom)
    return made


def _copy_newer(source: pathlib.Path, target: pathlib.Path) -> None:
    have, want = target.stat() if target.exists() else None, source.stat()
    if have and (have.st_mtime_ns, have.st_size) == (want.st_mtime_ns, want.st_size):
        return
    tmp = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copy2(source, tmp)
        os.replace(tmp, target)
    finally:
        tmp.unlink(missing_ok=True)


def _user_tree(tree: pathlib.Path) -> pathlib.Path:
    tree = tree.expanduser().absolute()
    for name in ("configure", "hw/net/meson.build", "VERSION"):
        if not (tree / name).is_file():
            raise UsageError(f"--qemu-src {tree}: not a QEMU source tree (no {name})",
                             hint="give the top directory of an unpacked QEMU source")
    return tree.resolve()


def build(series: str = "10.0", qemu_src: pathlib.Path | None = None, sanitize: bool = False,
          breakable: bool = False) -> QemuProduct:
    """Build the emulator, or update it to this checkout.

    SERIES selects Debian's source package ("10.0", "10.2"); QEMU_SRC is a user's tree instead,
    which only gets the overlay. SANITIZE makes a separate build with ASan and UBSan, BREAKABLE one
    whose device has the property `break`. Raises a suitable LabError.
    """
    if series not in SUITES:
        raise UsageError(f"no QEMU series {series!r}; known: {', '.join(SUITES)}")
    overlay = load_overlay()
    with contextlib.ExitStack() as held:
        with paths.lock("qemu"):
            if qemu_src:
                src = _user_tree(pathlib.Path(qemu_src))
                home = paths.cache_dir("qemu", f"tree-{paths.digest(src)}")
                version, what = "tree", f"of {src}"
                args = list(BASE_ARGS)
            else:
                version = _pick_version(series, overlay)
                src = _source(version, SUITES[series], overlay)
                home, what = src.parent, aptsrc.upstream(version)
                args = [*BASE_ARGS, "--disable-download"]
            fw = firmware()
            links = f"qemu-links-{paths.digest(src)}"
            if _checkout_of(src) == str(paths.REPO):
                adopt(src, overlay)
            else:           # wait while another checkout's ninja reads through the links
                with paths.lock(links):
                    adopt(src, overlay)
            held.enter_context(paths.lock(links, shared=True))
        args += BREAK_ARGS if breakable else SANITIZE_ARGS if sanitize else NORMAL_ARGS
        if breakable:
            what += " that can be broken"
        elif sanitize:
            what += " with sanitizers"
        if has_ccache():
            args.append("--cc=ccache gcc")
        kind = "brk" if breakable else "san" if sanitize else "rel"
        extra = later_devices(src)
        out = home / f"build-{kind}-{paths.digest(compiler(), overlay.key, *args, *extra)}"
        held.enter_context(paths.lock(f"qemu-{home.name}-{out.name}"))
        if out not in _builds_of(src):      # missing, or from a cache that has been moved
            paths.require_space(home, SPACE_BUILD[sanitize], "building QEMU")
            _configure(src, out, args)
        _compile(out, what)
        binary, *qtests, bench = _publish(out, fw)
    return QemuProduct(binary, src, out, qtests, bench, fw, version)


def _pick_version(series: str, overlay: Overlay) -> str:
    """Return the version to build: one already built, or the newest of the suite."""
    current = paths.cache_dir("qemu") / f"current-{series}"
    if current.exists():
        version = current.read_text(encoding="utf-8").strip()
        if (_home(version, overlay) / "source-complete").exists():
            return version
    version = aptsrc.suite(SUITES[series]).newest("qemu", f"{series}.", source=True)
    paths.write_atomic(current, f"{version}\n")
    return version


if __name__ == "__main__":
    import sys
    if len(sys.argv) != 3 or sys.argv[1] != "unhook":
        sys.exit("usage: python3 -m labkit.make.qemu_build unhook QEMU-TREE")
    try:
        print("\n".join(unhook(pathlib.Path(sys.argv[2]))) or "nothing of the overlay found")
    except (LabError, OSError) as error:
        sys.exit(error.render() if isinstance(error, LabError) else f"lab: {error}")
