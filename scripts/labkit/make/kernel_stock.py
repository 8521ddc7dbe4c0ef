# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's own kernel images with the driver rebuilt: other versions of kernel and driver.

Responsible for: finding the suite with a kernel series, unpacking its stock image (nothing is
installed), compiling only mlx5_core, with TLS offload enabled, from the source package of the same
version and against the stock kernel's headers, and packing the modules needed by the guest. The
source is not patched; the driver's configuration is the stock one plus DRIVER.
State: the cache's kernel/stock/ directory.

Debian disables CONFIG_MLX5_EN_TLS. Nothing outside the driver depends on it, so a driver with it
fits the stock kernel: symbols and their versions are unchanged.
"""

import fnmatch
import lzma
import os
import pathlib
import re
import shlex
import shutil

import tomllib

from .. import paths, steps
from ..errors import BuildError, FetchError, LabError, UsageError
from . import aptsrc, cpio, qemu_build, rootfs

SUITES = ("bookworm", "trixie", "trixie-backports", "sid")
LIKELY = {"6.1": "bookworm", "6.12": "trixie", "7.3": "trixie-backports"}     # where to look first
LIST = paths.GUEST / "stock-modules.toml"
DRIVER = ("MLX5_EN_TLS",)       # enabled in addition to the stock configuration
FORMAT = 1                      # of the archives made here
SPACE = 1200 << 20

# The guest ends on an oops, like our own kernel; no cipher self-tests at boot.
KERNEL_ARGS = "oops=panic cryptomgr.notests"

SERIES = re.compile(r"\d+\.\d+")
BELOW = "drivers/net/ethernet/mellanox"     # the driver's directory in the source
PARTS = ("mlx5", "mlxfw")                   # mlx5 includes a header of mlxfw
MODULE = re.compile(r"(.+)\.ko(\.xz)?$")


# ---- available versions

def _series(version: str) -> str:
    """'6.1.176-1' -> '6.1'."""
    found = SERIES.match(aptsrc.upstream(version))
    return found[0] if found else ""


def _carried(suite_name: str, series: str) -> str | None:
    """Return the newest version of SERIES for which the suite has both image and source."""
    suite = aptsrc.suite(suite_name)
    source = set(suite.versions(f"linux-source-{series}"))
    return next((v for v in suite.versions("linux-image-amd64")
                 if _series(v) == series and v in source), None)


def available() -> dict[str, str]:
    """Return {series: suite} of the images available from Debian now."""
    found = {}
    for name in SUITES:
        for version in aptsrc.suite(name).versions("linux-image-amd64"):
            series = _series(version)
            if series not in found and _carried(name, series):
                found[series] = name
    return found


def find(series: str, others: tuple[str, ...] = ()) -> tuple[str, str]:
    """Return (suite, version) of SERIES; OTHERS are names known to the caller, for the message.

    Raises UsageError with the available series.
    """
    likely = LIKELY.get(series)
    for name in sorted(SUITES, key=lambda n: n != likely):
        version = _carried(name, series)
        if version:
            return name, version
    have = available() | {name: "built from source" for name in others}
    listing = ", ".join(f"{s} ({where})" for s, where in
                        sorted(have.items(), key=lambda item: [int(n) for n in item[0].split(".")]))
    raise UsageError(f"--kernel {series}: Debian has no kernel of this series; there are: "
                     f"{listing}",
                     hint="or give the directory of a built kernel tree, or a bzImage")


def kernel(series: str, others: tuple[str, ...] = ()
           ) -> tuple[pathlib.Path, pathlib.Path, str, str, pathlib.Path]:
    """Return (image, archive, version, release, configuration) of SERIES, built if missing."""
    with paths.lock(f"kernel-{series}"):
        suite, version = known(series) or ("", "")
        if not version or not _whole(version):
            suite, version = find(series, others)
            if not _whole(version):
                _build(series, suite, version)
            paths.write_atomic(_current(series), f"{suite} {version}\n")
        out = _home(version)
        release = (out / "release").read_text(encoding="utf-8").strip()
        steps.inform(f"kernel {release} (Debian {suite}, {version}), mlx5_core rebuilt")
        return out / "vmlinuz", out / "modules.cpio", version, release, out / "config"


def _current(series: str) -> pathlib.Path:
    return paths.cache_dir("kernel", "stock") / f"current-{series}"


def known(series: str) -> tuple[str, str] | None:
    """(suite, version) of SERIES that was built last; None when there is none."""
    current = _current(series)
    words = current.read_text(encoding="utf-8").split() if current.exists() else []
    return (words[0], words[1]) if len(words) == 2 else None


def built() -> list[str]:
    """Return the versions already built."""
    home = paths.cache_dir("kernel", "stock", create=False)
    return sorted(p.parent.name.rpartition("-")[0] for p in home.glob("*/complete"))


def _home(version: str) -> pathlib.Path:
    """Return the directory of a version, named by version, options and compiler."""
    key = paths.digest(version, *DRIVER, qemu_build.compiler())
    return paths.cache_dir("kernel", "stock", create=False) / f"{version}-{key}"


def _list() -> dict:
    try:
        return tomllib.loads(LIST.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as e:
        raise LabError(f"{LIST}: {e}") from e


def stamp() -> str:
    """Return the key of the modules packed beside the driver; if it changes, only they are packed
    again."""
    return paths.digest(FORMAT, paths.content(_list()))


def _whole(version: str) -> bool:
    """Return whether the build is complete."""
    complete = _home(version) / "complete"
    return complete.exists() and complete.read_text(encoding="utf-8") == stamp()


# ---- packages

def _packages(suite: aptsrc.Suite, series: str, version: str) -> dict[str, str]:
    """{package: version}: image, modules, headers and their tools, and the source.

    Names contain an ABI number or a release, so they are found through dependencies, starting from
    the fixed names linux-image-amd64 and linux-headers-amd64.
    """
    found = {f"linux-source-{series}": version}
    todo = ["linux-image-amd64", "linux-headers-amd64"]
    while todo:
        package = todo.pop()
        for name in suite.depends(package, version):
            if re.match(r"linux-(image|modules|binary|base|headers|kbuild)-\d", name) \
                    and name not in found:
                found[name] = version
                todo.append(name)
    for kind in ("image", "headers", "kbuild"):
        if not any(name.startswith(f"linux-{kind}-") for name in found):
            raise FetchError(f"Debian {suite.name}: linux {version} has no linux-{kind} package "
                             f"among what its packages depend on: {', '.join(sorted(found))}")
    return found


def _tool_libraries(suite: aptsrc.Suite, tools: str, version: str, into: pathlib.Path) -> None:
    """Unpack the libraries, including the C library, of the build tools of the headers.

    Those of this machine may be too old for them.
    """
    libraries = aptsrc.suite(suite.name.partition("-")[0])
    names = [n for n in suite.depends(tools, version) if n.startswith(("lib", "zlib"))]
    wanted = libraries.closure(names)
    what = f"fetch libraries of the build tools of {version}"
    for deb in libraries.download_binary(wanted, what):
        aptsrc.unpack_deb(deb, into)


def _merged(root: pathlib.Path) -> pathlib.Path:
    """Create an empty root in which /lib is usr/lib, whatever packages ship."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        paths.make_dir(root / "usr" / name)
        (root / name).symlink_to(f"usr/{name}")
    return root


# ---- building

def _build(series: str, suite_name: str, version: str) -> None:
    """Fetch, unpack, compile the driver, pack; produces image, modules and configuration."""
    home = _home(version)
    for path in home.parent.glob(f"{series}.*"):        # other builds of the series are obsolete
        if path != home:
            shutil.rmtree(path, ignore_errors=True)
    suite = aptsrc.suite(suite_name)
    steps.inform(f"--kernel {series}: Linux {version} of Debian {suite_name}")
    packages = _packages(suite, series, version)
    paths.require_space(home, SPACE, f"unpacking Linux {version}")
    debs = suite.download_binary(packages, f"fetch the packages of Linux {version}")
    work = home / "work"
    root, tools = work / "root", work / "tools"
    shutil.rmtree(work, ignore_errors=True)
    for place in (root, tools):
        _merged(place)
    kbuild = next(name for name in packages if name.startswith("linux-kbuild-"))
    _tool_libraries(suite, kbuild, version, tools)
    with steps.Step(f"unpack Linux {version}", "kernel-unpack") as step:
        for package, deb in zip(packages, debs):
            step.tick(package)
            aptsrc.unpack_deb(deb, root)
        core = _unpack_driver(step, root, series, work)
        headers = _prepare_headers(root, tools)
    modules = next((root / "usr/lib/modules").iterdir())
    _listed(modules)        # a list that does not fit this kernel fails now, not after make
    driver = home / "mlx5_core.ko"
    if not driver.exists():             # otherwise only the rest was interrupted or has changed
        with steps.Step(f"build mlx5_core of Linux {version}", "kernel-stock-build") as step:
            shutil.copyfile(_compile(step, core, headers), home / "new.ko")
            (home / "new.ko").replace(driver)
    with steps.Step("pack kernel modules", "kernel-modules") as step:
        _check_driver(driver, modules)
        _pack(step, modules, driver, home / "modules.cpio")
    image = next((p for p in (modules / "vmlinuz", root / f"boot/vmlinuz-{modules.name}")
                  if p.is_file()), None)
    if image is None:
        raise BuildError(f"Debian's packages of Linux {version} hold no vmlinuz")
    shutil.copyfile(image, home / "vmlinuz")
    shutil.copyfile(headers / ".config", home / "config")
    (home / "release").write_text(f"{modules.name}\n", encoding="utf-8")
    paths.write_atomic(home / "complete", stamp())
    shutil.rmtree(work)


def _unpack_driver(step: steps.Step, root: pathlib.Path, series: str, work: pathlib.Path
                   ) -> pathlib.Path:
    """Unpack the driver's directory from the source tarball; returns the one with its Makefile."""
    tarball = next((root / "usr/src").glob("linux-source-*.tar.*"), None)
    if tarball is None:
        raise BuildError(f"linux-source-{series} has no usr/src/linux-source-*.tar.*")
    src = work / "src"
    paths.make_dir(src)
    top = tarball.name.partition(".tar")[0]
    step.run(["tar", "-x", "-f", tarball, "-C", src, "--strip-components=4",
              *(f"{top}/{BELOW}/{part}" for part in PARTS)])
    tarball.unlink()
    return src / "mellanox/mlx5/core"


def _prepare_headers(root: pathlib.Path, tools: pathlib.Path) -> pathlib.Path:
    """Make the unpacked headers usable in place; returns the directory to build against."""
    headers = next((p for p in (root / "usr/src").glob("linux-headers-*")
                    if (p / "Module.symvers").exists()), None)
    if headers is None:
        raise BuildError(f"no linux-headers-*/Module.symvers among the unpacked packages in {root}")
    makefile = headers / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("/usr/src/", f"{root}/usr/src/"), encoding="utf-8")
    loader = tools / "usr/lib64/ld-linux-x86-64.so.2"
    libraries = ":".join(str(tools / d) for d in rootfs.LIBDIRS)
    for path in list((root / "usr/lib").glob("linux-kbuild-*/**/*")):
        if path.is_symlink() or not path.is_file() or ".real-" in path.name \
                or rootfs.elf_needed(path) is None:
            continue
        # modpost and objtool are wrappers that select a program by target
        real = next((p for suffix in ("lsb-64", "x86-64", "x86")
                     if (p := path.with_name(f"{path.name}.real-{suffix}")).exists()), None)
        if real is None:
            real = path.with_name(f"{path.name}.real-")
            path.rename(real)
        path.unlink(missing_ok=True)
        words = [loader, "--library-path", libraries, real]
        path.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, words))} \"$@\"\n",
                        encoding="utf-8")
        path.chmod(0o755)
    return headers


def _compile(step: steps.Step, core: pathlib.Path, headers: pathlib.Path) -> pathlib.Path:
    """Build the module in CORE; returns it."""
    compiler = "ccache gcc" if qemu_build.has_ccache() else "gcc"
    make = ["make", "-C", headers, f"M={core}", f"-j{steps.jobs()}", f"CC={compiler}",
            *(f"CONFIG_{option}=y" for option in DRIVER),
            # off in the stock kernel's headers; no debug information: a third of the size
            "KCFLAGS=" + " ".join([*(f"-DCONFIG_{option}=1" for option in DRIVER), "-g0"]),
            "CONFIG_DEBUG_INFO_BTF_MODULES="]
    if not _accepts("-fmin-function-alignment=16"):
        # the kernel's compiler had it, this one does not: make kbuild use the other form of
        # alignment
        make.append("CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=")
    step.run([*make, "modules"], env=qemu_build.ccache_env(), what="make",
             progress=steps.Kbuild(len(list(core.rglob("*.c")))),
             hint="`lab doctor` checks the packages that a kernel build needs")
    driver = core / "mlx5_core.ko"
    if not driver.exists():
        raise BuildError(f"make succeeded but {driver} is missing", log=step.log)
    return driver


def _accepts(option: str) -> bool:
    """Return whether the compiler supports OPTION."""
    return steps.capture(["gcc", option, "-E", "-x", "c", os.devnull],
                         check=False).returncode == 0


# ---- modules

def module_name(path: pathlib.Path) -> str:
    """Return the module name of a file, as used by modprobe."""
    match = MODULE.match(path.name)
    if match is None:
        raise ValueError(f"{path}: expected the file of a kernel module")
    return match[1].replace("-", "_")


def read_module(path: pathlib.Path) -> bytes:
    """Return a module's contents, decompressed."""
    data = path.read_bytes()
    return lzma.decompress(data) if path.suffix == ".xz" else data


def modinfo(data: bytes, field: str) -> str:
    """Return a field as printed by modinfo, "" if there is none."""
    found = re.search(rb"(?:^|\0)" + field.encode() + rb"=([^\0]*)\0", data)
    return found[1].decode() if found else ""


def _check_driver(driver: pathlib.Path, modules: pathlib.Path) -> None:
    """Fail if the stock kernel would not load the driver, or it has no TLS."""
    ours = driver.read_bytes()
    stock = next((p for p in modules.glob(f"kernel/{BELOW}/**/mlx5_core.ko*")), None)
    if stock is None:
        raise BuildError(f"{modules} has no mlx5_core to replace")
    wanted, got = modinfo(read_module(stock), "vermagic"), modinfo(ours, "vermagic")
    if wanted != got:
        raise BuildError(f"the driver was built for another kernel: vermagic {got!r}, "
                         f"the stock one has {wanted!r}")
    if "tls" not in modinfo(ours, "depends").split(","):
        raise BuildError(f"the rebuilt driver does not use the tls module: {', '.join(DRIVER)} "
                         "had no effect; was it renamed?")


def choose(modules: dict[str, pathlib.Path], builtin: set[str], patterns: list[str]) -> set[str]:
    """Return those of MODULES (path below kernel/ without suffix, '-' as '_': file) that match
    PATTERNS."""
    taken = set()
    for pattern in patterns:
        optional, pattern = pattern.startswith("?"), pattern.removeprefix("?")
        hits = fnmatch.filter(modules, pattern)
        if not hits and not optional and not fnmatch.filter(builtin, pattern):
            raise BuildError(f"the stock kernel has no module {pattern}, and none of that name is "
                             "built in", hint=f"correct {LIST}")
        taken.update(hits)
    return taken


def _short(name: str) -> str:
    return MODULE.sub(r"\1", name.removeprefix("kernel/")).replace("-", "_")


def _listed(stock: pathlib.Path) -> tuple[dict[str, pathlib.Path], set[str], set[str]]:
    """The modules of an unpacked kernel ({path as in the list: file}), what it has built in, and
    those modules that the list names. BuildError if it lacks one."""
    files = {_short(str(p.relative_to(stock))): p for p in sorted(stock.glob("kernel/**/*.ko*"))
             if MODULE.match(p.name)}
    builtin = {_short(line) for line in
               (stock / "modules.builtin").read_text(encoding="utf-8").split()}
    patterns = [pattern for group in _list()["take"].values() for pattern in group]
    return files, builtin, choose(files, builtin, patterns)


def _pack(step: steps.Step, stock: pathlib.Path, driver: pathlib.Path, archive: pathlib.Path
          ) -> None:
    """Write the archive of /usr/lib/modules: the listed modules and their dependencies."""
    files, builtin, taken = _listed(stock)
    by_name = {module_name(p): key for key, p in files.items()}
    built = {key.rpartition("/")[2] for key in builtin}
    todo = sorted(taken)
    tree = archive.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    top = tree / "lib/modules" / stock.name
    done = set()
    while todo:
        key = todo.pop()
        if key in done:
            continue
        done.add(key)
        step.tick(key.rpartition("/")[2])
        path = files[key]
        ours = module_name(path) == module_name(driver)
        data = read_module(driver if ours else path)
        for name in filter(None, modinfo(data, "depends").split(",")):
            if name.replace("-", "_") in by_name:
                todo.append(by_name[name.replace("-", "_")])
            elif name.replace("-", "_") not in built:
                raise BuildError(f"{path.name} depends on {name}, which the stock kernel lacks")
        out = top / path.relative_to(stock)
        out = out.with_name(out.name.removesuffix(".xz"))
        paths.make_dir(out.parent)
        out.write_bytes(data)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        if (stock / name).exists():
            shutil.copyfile(stock / name, top / name)
    depmod = shutil.which("depmod", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if depmod is None:
        raise LabError("there is no depmod", hint="apt-get install kmod")
    step.run([depmod, "-b", tree, stock.name])
    loads = "".join(f"{name}\n" for name in _list()["load"])
    tmp = archive.with_name(f".{archive.name}.new")
    cpio.write(tmp, trees=[(tree / "lib/modules", "/usr/lib/modules")],
               files=[("/etc/modules-load.d/lab.conf", loads.encode(), 0o644)])
    tmp.replace(archive)
    step.note(f"{len(done)} modules, {paths.human(archive.stat().st_size)}")
    shutil.rmtree(tree)
