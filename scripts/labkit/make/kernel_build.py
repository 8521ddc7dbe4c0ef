# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's kernel: Debian's unmodified source with our configuration, or another.

Responsible for: kernel image and modules archive for a guest, from the kernel source package, a
user's built tree, or a bare image; kernel_stock.py provides other series.
State: the cache's kernel/ directory. A user's tree is only read (its modules are installed into the
cache).
"""

import dataclasses
import os
import pathlib
import re
import shutil
from collections.abc import Iterable

from .. import paths, steps
from ..errors import BuildError, UsageError
from . import aptsrc, cpio, kernel_stock, qemu_build

DEFAULT = "6.12"
VERSIONS = {DEFAULT: ("trixie", "linux-source-6.12")}   # series built from source
STOCK = "-stock"        # behind a series: Debian's image nevertheless
FRAGMENT = paths.GUEST / "kernel.config"

SPACE_SOURCE = 1900 << 20       # unpacked source tree
SPACE_BUILD = 600 << 20
EXPECTED_FILES = 1750           # compiled files, for the progress display only

# Required in a user's kernel: without these the lab cannot talk to the guest or has no device.
REQUIRED = (
    ("CONFIG_VIRTIO_PCI", "y", "the lab's channel to the guest"),
    ("CONFIG_VIRTIO_CONSOLE", "ym", "the lab's channel to the guest"),
    ("CONFIG_SERIAL_8250_CONSOLE", "y", "the console"),
    ("CONFIG_BLK_DEV_INITRD", "y", "the root file system"),
    ("CONFIG_DEVTMPFS", "y", "/dev"),
    ("CONFIG_TMPFS", "y", "/run and /tmp"),
    ("CONFIG_MLX5_CORE_EN", "y", "the driver"),
)
# Optional: missing ones only cost features; reported once.
WANTED = ("CONFIG_MLX5_EN_TLS", "CONFIG_TLS_DEVICE", "CONFIG_NET_NS", "CONFIG_9P_FS",
          "CONFIG_HOTPLUG_PCI_PCIE", "CONFIG_NET_SCH_NETEM", "CONFIG_TRACING")


@dataclasses.dataclass(frozen=True)
class KernelProduct:
    """A kernel to boot."""

    image: pathlib.Path
    modules: list[pathlib.Path]     # cpio archives with /usr/lib/modules; may be empty
    version: str                    # package version, or the user's path
    release: str                    # uname -r, "" when unknown
    config: pathlib.Path | None     # .config, when known
    args: str = ""                  # required on its command line


def kernel(what: str | pathlib.Path | None = None) -> KernelProduct:
    """Return the kernel WHAT: a series ("6.12", the default, built by us; any other, and
    "6.12-stock", is Debian's stock image with the driver rebuilt), the directory of a built tree,
    or a bzImage file. Raises a suitable LabError."""
    name = str(what or DEFAULT)
    if name in VERSIONS:
        return _packaged(name)
    series = name.removesuffix(STOCK)
    if kernel_stock.SERIES.fullmatch(series):
        image, archive, version, release, config = kernel_stock.kernel(series, tuple(VERSIONS))
        return KernelProduct(image, [archive], version, release, config,
                             kernel_stock.KERNEL_ARGS)
    path = pathlib.Path(name).expanduser().absolute()
    if path.is_dir():
        return _tree(path)
    if path.is_file():
        return KernelProduct(path, [], str(path), image_release(path), None)
    raise UsageError(f"--kernel {name}: no such series, directory or file",
                     hint=f"give a series such as {', '.join([*VERSIONS, *kernel_stock.LIKELY])}, "
                          "a kernel tree that has been built, or a bzImage")


def image_release(image: pathlib.Path) -> str:
    """Return uname -r of a bzImage, from its header; raises UsageError if it is not one."""
    with open(image, "rb") as f:
        head = f.read(0x8000)
        if head[0x202:0x206] != b"HdrS":
            raise UsageError(f"--kernel {image}: not an x86 kernel image",
                             hint="expected arch/x86/boot/bzImage of a kernel build")
        at = int.from_bytes(head[0x20e:0x210], "little") + 0x200
        f.seek(at)
        text = f.read(256).split(b"\0")[0].decode(errors="replace")
    return text.split()[0] if text.split() else ""


# ---- configuration

def has(config: pathlib.Path, symbol: str) -> bool:
    """Whether a .config has SYMBOL (without CONFIG_) built in or as a module."""
    return re.search(rf"^CONFIG_{symbol}=[ym]$", config.read_text(encoding="utf-8"),
                     re.MULTILINE) is not None


def _values(config: pathlib.Path) -> dict[str, str]:
    """{symbol: value} of what a .config has on."""
    return dict(line.split("=", 1) for line in config.read_text(encoding="utf-8").splitlines()
                if line.startswith("CONFIG_") and "=" in line)


def absent(config: pathlib.Path) -> list[str]:
    """What a .config lacks of what the lab cannot do without, each with its purpose."""
    have = _values(config)
    return [f"{symbol} ({why})" for symbol, values, why in REQUIRED
            if have.get(symbol, "n") not in values]


def fragment_lines(path: pathlib.Path = FRAGMENT) -> list[str]:
    """Return the effective lines of a fragment: CONFIG_X=v and '# CONFIG_X is not set'."""
    return [line for line in path.read_text(encoding="utf-8").splitlines()
            if re.match(r"CONFIG_\w+=|# CONFIG_\w+ is not set$", line)]


def lost_lines(config: pathlib.Path, fragment: pathlib.Path) -> list[str]:
    """Return the lines of the fragment that the configuration lacks, each with what it has."""
    have = set(config.read_text(encoding="utf-8").splitlines())
    lost = []
    for line in fragment_lines(fragment):
        if line in have:
            continue
        symbol = re.findall(r"CONFIG_\w+", line)[0]
        if line.endswith("is not set") and not any(h.startswith(f"{symbol}=") for h in have):
            continue        # its dependencies are off as well, so it is not set
        now = next((h for h in have if re.search(rf"\b{symbol}\b", h)), "absent")
        lost.append(f"wanted {line}, got: {now}")
    return lost


def check_config(config: pathlib.Path, fragment: pathlib.Path = FRAGMENT) -> None:
    """Fail if a line of the fragment is missing in the final configuration."""
    lost = lost_lines(config, fragment)
    if lost:
        raise BuildError(f"{len(lost)} lines of {fragment} did not survive in {config}:\n"
                         + "\n".join(lost),
                         hint="the symbol was renamed or lacks a dependency in this kernel; "
                              "`make menuconfig` in the build directory tells which")


# ---- Debian's source

def quickest() -> str:
    """What kernel() has soonest for somebody who asks for none: the default one if it is there,
    and otherwise Debian's image of that series, of which only the driver is compiled."""
    version = known(DEFAULT)
    return DEFAULT if version and (_home(version) / "complete").exists() else DEFAULT + STOCK


def known(series: str) -> str:
    """The version of SERIES that was built last; "" when there is none."""
    current = paths.cache_dir("kernel") / f"current-{series}"
    return current.read_text(encoding="utf-8").strip() if current.exists() else ""


def _packaged(series: str) -> KernelProduct:
    suite_name, package = VERSIONS[series]
    home = paths.cache_dir("kernel")
    with paths.lock("kernel"):
        current = home / f"current-{series}"
        version = known(series)
        if not version or not (_home(version) / "complete").exists():
            version = aptsrc.suite(suite_name).newest(package, f"{series}.")
            if not (_home(version) / "complete").exists():
                _build(package, version, suite_name)
            paths.write_atomic(current, f"{version}\n")
        out = _home(version)
        return KernelProduct(out / "bzImage", [out / "modules.cpio"], version,
                             (out / "release").read_text(encoding="utf-8").strip(),
                             out / "config")


def _home(version: str) -> pathlib.Path:
    """Return the directory of a build, named by version, configuration and compiler."""
    key = paths.digest(version, "\n".join(fragment_lines()), qemu_build.compiler())
    return paths.cache_dir("kernel", create=False) / f"{version}-{key}"


def _build(package: str, version: str, suite_name: str) -> None:
    """Fetch, unpack, configure, compile; produces image, modules, System.map and configuration.

    An interrupted build is resumed. Source and objects (2 GB) are removed at the end: the package
    stays in download/, and with ccache a changed configuration costs little.
    """
    home = _home(version)
    for path in home.parent.glob(f"{DEFAULT}.*"):   # other interrupted or failed builds: useless
        if path != home and not (path / "complete").exists():
            shutil.rmtree(path, ignore_errors=True)
    deb = aptsrc.suite(suite_name).download_binary({package: version},
                                                   f"fetch {package} {version}")[0]
    src, out = home / "src", home / "build"
    paths.require_space(home, SPACE_SOURCE + SPACE_BUILD, f"building Linux {version}")
    if not (home / "unpacked").exists():
        unpack(deb, src, version)
        (home / "unpacked").touch()
    # reproducible: the image contains nothing of this machine
    env = {"KBUILD_BUILD_TIMESTAMP": "1970-01-01", "KBUILD_BUILD_USER": "lab",
           "KBUILD_BUILD_HOST": "lab", **qemu_build.ccache_env()}
    make = ["make", "-C", src, f"O={out}", f"-j{steps.jobs()}"]
    if qemu_build.has_ccache():
        make += ["CC=ccache gcc", "HOSTCC=ccache gcc"]
    paths.make_dir(out)
    with steps.Step(f"configure Linux {version}", "kernel-config") as step:
        step.run([*make, f"KCONFIG_ALLCONFIG={FRAGMENT}", "allnoconfig"], env=env,
                 hint="`lab doctor` checks the packages that a kernel build needs")
        check_config(out / ".config")
    with steps.Step(f"build Linux {version}", "kernel-build") as step:
        step.run([*make, "bzImage", "modules"], env=env, what="make",
                 progress=steps.Kbuild(EXPECTED_FILES))
    with steps.Step("pack kernel modules", "kernel-modules") as step:
        release = install_modules(step, make, home / "modules.cpio", env)
    shutil.copyfile(out / "arch/x86/boot/bzImage", home / "bzImage")
    shutil.copyfile(out / ".config", home / "config")
    shutil.copyfile(out / "System.map", home / "System.map")
    (home / "release").write_text(f"{release}\n", encoding="utf-8")
    (home / "unpacked").unlink()
    (home / "complete").touch()
    shutil.rmtree(src)
    shutil.rmtree(out)


def unpack(deb: pathlib.Path, src: pathlib.Path, version: str, *,
           parts: Iterable[str] = (), without: Iterable[str] = ()) -> None:
    """Unpack the source tree from the tarball in the package: all of it, or only these files and
    directories of its top; never what is named as WITHOUT."""
    label = f"unpack parts of Linux {version}" if parts else f"unpack Linux {version}"
    with steps.Step(label, log="kernel-unpack") as step:
        holder = src.with_name("deb")
        for path in (src, holder):
            shutil.rmtree(path, ignore_errors=True)
        aptsrc.unpack_deb(deb, holder)
        tarball = next((holder / "usr/src").glob("linux-source-*.tar.*"), None)
        if tarball is None:
            raise BuildError(f"{deb} has no usr/src/linux-source-*.tar.*")
        top = tarball.name.partition(".tar")[0]
        paths.make_dir(src)
        step.run(["tar", "-x", "-f", tarball, "-C", src, "--strip-components=1",
                  *(f"--exclude={top}/{name}" for name in without),
                  *(f"{top}/{name}" for name in parts)])
        shutil.rmtree(holder)


def install_modules(step: steps.Step, make: list, archive: pathlib.Path,
                    env: dict[str, str] | None = None) -> str:
    """Install the stripped modules of the build of MAKE (a command line), and pack them into
    ARCHIVE as /usr/lib/modules; returns the kernel's release."""
    tree = archive.with_suffix(".tree")
    shutil.rmtree(tree, ignore_errors=True)
    step.run([*make, f"INSTALL_MOD_PATH={tree}", "INSTALL_MOD_STRIP=1", "modules_install"],
             env=env, what="make modules_install")
    releases = [p for p in (tree / "lib/modules").iterdir() if p.is_dir()]
    if len(releases) != 1:
        raise BuildError(f"expected the modules of one kernel in {tree}, found {len(releases)}",
                         log=step.log)
    for name in ("build", "source"):
        (releases[0] / name).unlink(missing_ok=True)
    tmp = archive.with_name(f".{archive.name}.new")
    cpio.write(tmp, trees=[(tree / "lib/modules", "/usr/lib/modules")])
    tmp.replace(archive)
    shutil.rmtree(tree)
    return releases[0].name


# ---- the user's kernel

def _tree(tree: pathlib.Path) -> KernelProduct:
    """Use a kernel build directory (in-tree or O=). Modules are packed again if it was rebuilt."""
    image, config = tree / "arch/x86/boot/bzImage", tree / ".config"
    if not (tree / "Makefile").exists():
        raise UsageError(f"--kernel {tree}: not a kernel tree (no Makefile)")
    # of a directory of O= the link leads to the source
    mend = f"scripts/lab kernel {os.path.realpath(tree / 'source')}" \
        if (tree / "source").exists() else f"scripts/lab kernel {tree}"
    if not image.exists() or not config.exists():
        lacks = "no .config" if not config.exists() else "no arch/x86/boot/bzImage"
        raise UsageError(f"--kernel {tree}: not built ({lacks})",
                         hint=f"this builds it, and prints the directory to give: {mend}")
    have = _values(config)
    lacking = absent(config)
    if lacking:
        raise UsageError(f"--kernel {tree}: its configuration lacks {', '.join(lacking)}",
                         hint="this builds it with them, and prints the directory to give: "
                              + mend)
    missing = [s for s in WANTED if have.get(s, "n") == "n"]
    if missing:
        steps.say(f"note: the kernel of {tree} lacks {', '.join(missing)}; "
                  "what needs them will be skipped or fail")
    home = paths.cache_dir("kernel", f"tree-{paths.digest(tree)}")
    with paths.lock(f"kernel-{home.name}"):
        archive, stamp = home / "modules.cpio", home / "stamp"
        now = "".join(f"{p} {p.stat().st_mtime_ns}\n" for p in
                      (image, config, tree / "modules.order") if p.exists())
        if not archive.exists() or not stamp.exists() or stamp.read_text() != now:
            if have.get("CONFIG_MODULES") == "y" and (tree / "modules.order").exists():
                with steps.Step(f"pack the modules of {tree}", "kernel-modules") as step:
                    install_modules(step, ["make", "-C", tree], archive)
            else:
                cpio.write(archive)
            paths.write_atomic(stamp, now)
    return KernelProduct(image, [archive], str(tree), image_release(image), config)
