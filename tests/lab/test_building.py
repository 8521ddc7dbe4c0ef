# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of those parts of the lab that fetch and build; none of them fetches or builds.

Responsible for: the overlay, where packages come from, the kernel's configuration, archives and
libraries of the guest, and how steps fail.
State: none beyond temporary directories.
"""

import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import time
import zipfile
from unittest import mock

import tomllib
from labkit import paths, steps
from labkit.errors import (BuildError, HostError, LabError, OverlayError,
                           UsageError)
from labkit.make import (aptsrc, host, kernel_build, kernel_stock, qemu_build,
                         rootfs)

from .judge import check, quiet_steps, raises, same, temporary_folder

# ---- the overlay

def _qemu_like(root: pathlib.Path, overlay: qemu_build.Overlay) -> dict[str, str]:
    """A directory with just the files the overlay touches, each with its anchor."""
    anchors = {"hw/net/Kconfig": "config IGB_PCI_EXPRESS", "hw/net/meson.build": "subdir('can')",
               "meson.build": "    'hw/net',", "tests/qtest/meson.build": "qtest_executables = {}"}
    same({e["file"] for e in overlay.lines}, set(anchors), "files the overlay changes")
    (root / "VERSION").write_text("10.0.13\n")
    for name, anchor in anchors.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"first\n{anchor}\nlast\n")
    return {name: (root / name).read_text() for name in anchors}


def test_overlay_applies_once(_rig: object) -> None:
    """The overlay adds its lines to each file, a second time nothing, and comes out again."""
    overlay = qemu_build.load_overlay()
    with temporary_folder() as root:
        before = _qemu_like(root, overlay)
        for _ in range(2):
            qemu_build.hook_lines(root, overlay)
            for name, text in before.items():
                added = [line for line in (root / name).read_text().splitlines()
                         if line not in text.splitlines()]
                wanted = [entry for entry in overlay.lines if entry["file"] == name]
                same(len(added), len(wanted), f"lines added to {name}")
        check(qemu_build.place_links(root, overlay), "no link was made")
        check(not qemu_build.place_links(root, overlay), "links were made twice")
        same(os.readlink(root / "hw/net/mlx5"), str(paths.REPO / "hw/net/mlx5"), "link")
        qemu_build.unhook(root)
        same({name: (root / name).read_text() for name in before}, before, "files afterwards")
        same([p for p in root.rglob("*") if p.is_symlink()], [], "links left")


def test_overlay_device_list(_rig: object) -> None:
    """Later versions get the symbols they need, a tree without version is refused."""
    overlay = qemu_build.load_overlay()
    with temporary_folder() as root:
        for version, there in (("10.0.13", False), ("10.2.2", True), ("11.0.50", True)):
            _qemu_like(root, overlay)
            (root / "VERSION").write_text(f"{version}\n")
            qemu_build.place_links(root, overlay)
            text = (root / "configs/devices/x86_64-softmmu/mlx5.mak").read_text()
            check("\nCONFIG_MLX5_KTLS=y\n" in text, "the device is not in the list")
            same("\nCONFIG_CXL=y\n" in text, there, f"CXL in {version}")
        (root / "VERSION").write_text("unknown\n")
        with raises(OverlayError, "VERSION"):
            qemu_build.place_links(root, overlay)


def test_overlay_anchors(_rig: object) -> None:
    """A missing or a second anchor, and a file in a link's place, stop it before any change."""
    overlay = qemu_build.load_overlay()
    with temporary_folder() as root:
        for change, word in (("", "not found"), ("    'hw/net',\n    'hw/net',\n", "lines 2, 3")):
            before = _qemu_like(root, overlay)
            before["meson.build"] = before["meson.build"].replace("    'hw/net',\n", change)
            (root / "meson.build").write_text(before["meson.build"])
            with raises(OverlayError, "meson.build", "'hw/net'", word):
                qemu_build.hook_lines(root, overlay)
            same({name: (root / name).read_text() for name in before}, before, "files")
        (root / "hw/net/mlx5").mkdir()
        with raises(OverlayError, "hw/net/mlx5", "not a link"):
            qemu_build.place_links(root, overlay)
        with raises(UsageError, "not a QEMU source tree"):
            qemu_build.build(qemu_src=root)
    with raises(UsageError, "9.9", "10.0"):
        qemu_build.build(series="9.9")


def test_keys_without_comments(_rig: object) -> None:
    """In the lists that cache keys depend on, comments do not change a key, other changes do."""
    with temporary_folder() as root:
        for path, change, key in (
                (paths.OVERLAY / "overlay.toml", "subdir('mlx5')",
                 lambda: qemu_build.load_overlay().key),
                (rootfs.LIST, '"trixie"', lambda: rootfs.base_key(rootfs.load(), {})),
                (kernel_stock.LIST, '"tls"', kernel_stock.stamp)):
            copy = root / path.name
            text = path.read_text(encoding="utf-8")
            check(change in text, f"{change} is not in {path}")
            with mock.patch.object(paths, "OVERLAY", root), \
                    mock.patch.object(rootfs, "LIST", copy), \
                    mock.patch.object(kernel_stock, "LIST", copy):
                copy.write_text(text, encoding="utf-8")
                before = key()
                copy.write_text(f"# another comment\n{text}", encoding="utf-8")
                same(key(), before, f"key with another comment in {path.name}")
                copy.write_text(text.replace(change, f"{change[:-1]}x{change[-1]}"),
                                encoding="utf-8")
                check(key() != before, f"{path.name}: another {change} has the same key")


def test_wheel(_rig: object) -> None:
    """An unpacked meson becomes a wheel that pip would take."""
    with temporary_folder() as root:
        (root / "in/mesonbuild/__pycache__").mkdir(parents=True)
        (root / "in/mesonbuild/mesonmain.py").write_text("def main(): return 0\n")
        (root / "in/mesonbuild/__pycache__/x.pyc").write_bytes(b"x")
        (root / "in/meson-1.7.0.egg-info").mkdir()
        (root / "in/meson-1.7.0.egg-info/PKG-INFO").write_text("Name: meson\nVersion: 1.7.0\n")
        same(qemu_build.make_wheel(root / "in", root / "out"), "1.7.0", "version")
        with zipfile.ZipFile(root / "out/meson-1.7.0-py3-none-any.whl") as wheel:
            names = set(wheel.namelist())
            record = wheel.read("meson-1.7.0.dist-info/RECORD").decode()
        same(names, {"mesonbuild/mesonmain.py"} | {
            f"meson-1.7.0.dist-info/{n}" for n in ("METADATA", "WHEEL", "entry_points.txt",
                                                   "RECORD")}, "members")
        same({line.split(",")[0] for line in record.splitlines()}, names, "RECORD")


# ---- packages

def test_package_source(_rig: object) -> None:
    """The machine's own Debian archive is found among others, in both notations."""
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
    cases = [
        ({"sources.list": "# deb http://no/debian bookworm main\n"
                          "deb http://sec/debian-security bookworm-security main\n"
                          "deb [arch=amd64 signed-by=/k.gpg] http://yes/debian bookworm main\n"},
         "http://yes/debian", "signed-by=/k.gpg"),
        ({"sources.list.d/a.list": "deb [signed-by=/k] https://third/party bookworm main\n",
          "sources.list.d/debian.sources":
          "Types: deb deb-src\nURIs: mirror+file:/etc/apt/mirrors/debian.list\n"
          "Suites: bookworm bookworm-updates\nComponents: main\n\n"
          "Enabled: no\nTypes: deb\nURIs: http://no/debian\nSuites: bookworm\n"
          "Components: main\n"}, "mirror+file:/etc/apt/mirrors/debian.list", ""),
        ({"sources.list.d/debian.sources":
          "Types: deb\nURIs: http://yes/debian\nSuites: bookworm\nComponents: main\n"
          f"Signed-By:\n {key}\n .\n abc\n"}, "http://yes/debian", "signed-by="),
    ]
    for files, uri, option in cases:
        with temporary_folder() as etc:
            for name, text in files.items():
                (etc / name).parent.mkdir(exist_ok=True)
                (etc / name).write_text(text)
            source = aptsrc.system_source(etc, "bookworm")
            same(source.uri, uri, "archive")
            line = source.line("deb", "trixie", etc / "key.asc")
            check(line.endswith(f"{uri} trixie main\n") and option in line, f"line: {line!r}")
            if key in str(files):
                same((etc / "key.asc").read_text(), f"{key}\n\nabc\n", "key block")
    with temporary_folder() as etc, raises(HostError, "bookworm", str(etc)):
        aptsrc.system_source(etc, "bookworm")


def test_versions(_rig: object) -> None:
    """Versions are taken apart and ordered as dpkg orders them."""
    same(aptsrc.upstream("1:10.0.13+ds-0+deb13u1"), "10.0.13+ds", "upstream part")
    same(aptsrc.upstream("6.12.107-1"), "6.12.107", "upstream part")
    suite = aptsrc.suite("trixie")
    have = ["6.12.9-1", "6.12.107-1", "6.12.107~rc1-1"]
    with mock.patch.object(suite, "versions", lambda *_: aptsrc.newest_first(have)):
        same(suite.newest("x", "6.12."), "6.12.107-1", "newest")
        with raises(LabError, "x 6.13.x", "trixie", "6.12.9-1"):
            suite.newest("x", "6.13.")


def test_packages_not_installed_unasked(_rig: object) -> None:
    """Without --yes and without a terminal nothing is installed and the command is named."""
    old_missing, old_stdin = host.missing, sys.stdin
    host.missing = lambda *_: {"some-package": "a reason"}
    try:
        with open(os.devnull, encoding="utf-8") as sys.stdin:
            with raises(HostError, "some-package", "a reason", "apt-get install"):
                host.ensure_packages(yes=False)
    finally:
        host.missing, sys.stdin = old_missing, old_stdin


# ---- the kernel

def test_kernel_fragment(_rig: object) -> None:
    """Each symbol once; a line that does not survive is reported with what became of it."""
    lines = kernel_build.fragment_lines()
    symbols = [re.findall(r"CONFIG_\w+", line)[0] for line in lines]
    same(len(set(symbols)), len(symbols), "symbols in the fragment")
    with temporary_folder() as root:
        final = root / ".config"
        kept = [line for line in lines if not line.startswith("#")]
        final.write_text("\n".join(kept) + "\n")
        kernel_build.check_config(final)            # "is not set" holds for an absent symbol
        final.write_text("\n".join(kept).replace("CONFIG_MLX5_EN_TLS=y", "") + "\n")
        with raises(BuildError, "CONFIG_MLX5_EN_TLS=y", "absent"):
            kernel_build.check_config(final)
        final.write_text("\n".join(kept).replace("MLX5_CORE=m", "MLX5_CORE=y") + "\n")
        with raises(BuildError, "wanted CONFIG_MLX5_CORE=m, got: CONFIG_MLX5_CORE=y"):
            kernel_build.check_config(final)


def test_kernel_given(_rig: object) -> None:
    """--kernel says what is wrong with what it was given."""
    with temporary_folder() as root:
        with raises(UsageError, "nothing: no such series, directory or file", "6.12", "6.1", "7.3"):
            kernel_build.kernel(str(root / "nothing"))
        for wrong in ("6", "6.x", "v6.1", "6.1.5", "linux-6.1"):
            with raises(UsageError, f"--kernel {wrong}: no such series, directory or file"):
                kernel_build.kernel(wrong)
        with raises(UsageError, "not a kernel tree"):
            kernel_build.kernel(root)
        (root / "Makefile").write_text("")
        with raises(UsageError, "not built", "no .config"):
            kernel_build.kernel(root)
        (root / ".config").write_text("CONFIG_VIRTIO_PCI=y\n")
        (root / "arch/x86/boot").mkdir(parents=True)
        image = root / "arch/x86/boot/bzImage"
        image.write_bytes(b"\0" * 4096)
        with raises(UsageError, "CONFIG_VIRTIO_CONSOLE", "CONFIG_MLX5_CORE_EN"):
            kernel_build.kernel(root)
        with raises(UsageError, "not an x86 kernel image"):
            kernel_build.kernel(image)
        data = bytearray(4096)
        data[0x202:0x206], data[0x20e:0x210] = b"HdrS", (0x300).to_bytes(2, "little")
        data[0x500:0x512] = b"6.12.1-test (x@y)\0"
        image.write_bytes(data)
        same(kernel_build.kernel(image).release, "6.12.1-test", "release")


class _Suite:
    """As much of a suite as the search for a stock kernel needs."""

    def __init__(self, images: list[str], sources: dict[str, list[str]]) -> None:
        self._have = {"linux-image-amd64": images,
                      **{f"linux-source-{s}": v for s, v in sources.items()}}

    def versions(self, package: str) -> list[str]:
        """Versions of a package, newest first."""
        return self._have.get(package, [])


def test_kernel_series(_rig: object) -> None:
    """A series is taken where image and source are of one version; an unknown one is named, and
    so is what there is."""
    suites = {"bookworm": _Suite(["6.1.9-1"], {"6.1": ["6.1.8-1", "6.1.9-1"]}),
              "trixie": _Suite(["6.12.5-1"], {"6.12": ["6.12.5-1"]}),
              "trixie-backports": _Suite(["7.3.4-1~bpo13+1"], {"7.3": ["7.3.4-1~bpo13+1"]}),
              "sid": _Suite(["7.3.5-1", "7.10.1-1"], {"7.3": ["7.3.5-1"], "7.10": ["7.10.0-1"]})}
    with mock.patch.object(aptsrc, "suite", suites.__getitem__):
        same(kernel_stock.find("6.1"), ("bookworm", "6.1.9-1"), "6.1")
        same(kernel_stock.find("7.3"), ("trixie-backports", "7.3.4-1~bpo13+1"), "7.3")
        suites["trixie-backports"] = _Suite(["7.3.4-1~bpo13+1"], {"7.3": ["7.3.3-1~bpo13+1"]})
        same(kernel_stock.find("7.3"), ("sid", "7.3.5-1"), "no source of the image's version")
        for wrong in ("5.4", "6.11", "7.10"):       # of 7.10 there is no source to build from
            with raises(UsageError, f"--kernel {wrong}: ", "6.1 (bookworm)",
                        "6.12 (built from source), 7.3 (sid)\n"):
                kernel_stock.find(wrong, ("6.12",))


def test_kernel_modules(_rig: object) -> None:
    """The list of modules parses and names the driver; wrong names are refused, built-in ones are
    not; what a module says of itself is read."""
    spec = tomllib.loads(kernel_stock.LIST.read_text(encoding="utf-8"))
    patterns = [p for group in spec["take"].values() for p in group]
    same(len(set(patterns)), len(patterns), "patterns")
    check(all("-" not in p for p in patterns), "a pattern with '-' matches nothing")
    driver = "drivers/net/ethernet/mellanox/mlx5/core/mlx5_core"
    check(driver in patterns, "the driver is not among them")
    have = dict.fromkeys((driver, "net/tls/tls", "net/sched/cls_u32"), pathlib.Path())
    wanted = [driver, "net/sched/cls_*", "crypto/gcm", "?x/y"]
    same(kernel_stock.choose(have, {"crypto/gcm"}, wanted),
         {driver, "net/sched/cls_u32"}, "chosen")
    with raises(BuildError, "crypto/gmc", str(kernel_stock.LIST)):
        kernel_stock.choose(have, {"crypto/gcm"}, ["crypto/gmc"])
    info = b"ELF\0license=GPL\0depends=tls,pci-hyperv-intf\0vermagic=6.1 SMP \0"
    same(kernel_stock.modinfo(info, "depends"), "tls,pci-hyperv-intf", "depends")
    same(kernel_stock.modinfo(info, "vermagic"), "6.1 SMP ", "vermagic")
    same(kernel_stock.modinfo(info, "alias"), "", "no such field")
    with temporary_folder() as root:
        (root / "a-b.ko").write_bytes(info)
        (root / "a-b.ko.xz").write_bytes(lzma.compress(info))
        for name in ("a-b.ko", "a-b.ko.xz"):
            same(kernel_stock.read_module(root / name), info, name)
            same(kernel_stock.module_name(root / name), "a_b", name)


# ---- the guest's archives

def _members(data: bytes) -> dict[str, tuple[int, bytes]]:
    """{name: (mode, content)} of a newc archive; independent of the writer."""
    at = 0
    found: dict[str, tuple[int, bytes]] = {}
    while True:
        same(data[at:at + 6], b"070701", f"magic at {at}")
        fields = [int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        start = (at + 110 + fields[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        check(name not in found, f"{name} is there twice")
        found[name] = (fields[1], data[start:start + fields[6]])
        at = (start + fields[6] + 3) // 4 * 4


def test_rootfs_archive(_rig: object) -> None:
    """Parents before children, modes and links kept, the same bytes each time."""
    with temporary_folder() as root:
        (root / "tool").write_bytes(b"#!/bin/sh\n")
        (root / "tool").chmod(0o700)
        images = []
        for _ in range(2):
            tree = rootfs.Tree()
            tree.add_host("usr/bin/tool", root / "tool")
            tree.add("/etc/x", rootfs.Entry(stat.S_IFREG, 0o644, b"12345"))
            tree.add("/bin", rootfs.Entry(stat.S_IFLNK, 0o777, "usr/bin"))
            tree.write(root / "a.cpio")
            images.append((root / "a.cpio").read_bytes())
            os.utime(root / "tool", (1, 1))
        same(images[0], images[1], "second archive")
        found = _members(images[0])
        same(list(found), ["bin", "etc", "etc/x", "usr", "usr/bin", "usr/bin/tool"], "names")
        same(found["usr/bin/tool"], (stat.S_IFREG | 0o755, b"#!/bin/sh\n"), "tool")
        same(found["etc/x"], (stat.S_IFREG | 0o644, b"12345"), "file")
        same(found["bin"], (stat.S_IFLNK | 0o777, b"usr/bin"), "link")


def test_libraries(_rig: object) -> None:
    """Needed libraries are read as readelf reads them; a missing one is named with its user."""
    program = pathlib.Path(shutil.which("openssl") or "/bin/ls")
    text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True,
                          check=True).stdout
    same(rootfs.elf_needed(program), re.findall(r"\(NEEDED\).*\[(.*)\]", text), "DT_NEEDED")
    same(rootfs.elf_needed(pathlib.Path(__file__)), None, "of a text file")
    with temporary_folder() as root:
        tree = rootfs.Tree()
        tree.add_host("usr/bin/prog", program)
        with raises(BuildError, "libc.so.6, needed by", "usr/bin/prog"):
            rootfs.Libraries({"empty": root}).complete(tree, [])


# ---- steps

def test_step_failure(_rig: object) -> None:
    """A failed command ends with its status, its last lines and the name of the full log."""
    with quiet_steps() as said:
        step = steps.Step("check of a failure", "check-failure")
        with raises(BuildError, "exit status 7", "| reason", "| 100", str(step.log)) as failure:
            with step:
                step.run(["sh", "-c", "seq 100; echo reason >&2; exit 7"])
        check("| 80\n" not in failure[0].render(), "more than the last lines are shown")
        same(step.log.read_text().splitlines()[-1], "reason", "end of the log")
        check("FAILED" in said.getvalue(), "the step does not say that it failed")
        with raises(LabError, "no-such-program-here"):
            with steps.Step("check of a missing program", "check-missing") as step:
                step.run(["no-such-program-here"])


def test_step_leaves_nothing(_rig: object) -> None:
    """What a step started is gone when it ends, also grandchildren that ignore SIGTERM."""
    with temporary_folder() as root, quiet_steps():
        pid = root / "pid"
        script = f"(trap '' TERM; echo $BASHPID >{pid}; exec sleep 600) & wait"
        try:
            with steps.child(["bash", "-c", script]):
                limit = time.monotonic() + 60
                while not pid.exists() or not pid.read_text():
                    check(time.monotonic() < limit, "the grandchild never started")
                    time.sleep(0.02)
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
        gone = pathlib.Path(f"/proc/{pid.read_text().strip()}/stat")
        try:
            state = gone.read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:         # FileNotFoundError, or ESRCH when it goes while it is read
            state = "gone"
        check(state in ("gone", "Z", "X"), f"the grandchild is still there, state {state}")


def test_progress(_rig: object) -> None:
    """What is read out of the output of ninja and kbuild."""
    same(steps.Ninja()("[12/345] Compiling x"), "12 of 345", "ninja")
    same(steps.Ninja()("warning: [1/2]"), None, "no ninja line")
    kbuild = steps.Kbuild(2)
    same([kbuild(line) for line in ("  CC      a.o", "  LD      b", "  CC [M]  c.o", "  AS d.o")],
         ["1 of about 2 files", None, "2 of about 2 files", "3 of about 3 files"], "kbuild")
    same([steps.duration(s) for s in (0.5, 59.7, 61)], ["0.5s", "1m00s", "1m01s"], "duration")


def test_quiet(_rig: object) -> None:
    """With --quiet a step is not mentioned, however long it takes, unless it fails."""
    with quiet_steps() as said:
        steps.ticker.quiet = True
        with steps.Step("check of quiet", "check-quiet") as step:
            step.run(["sleep", "0.6"])      # longer than until the first sign of progress
            step.tick("half of it")
        steps.inform("told by the way")
        same(said.getvalue(), "", "what was said")
        with raises(BuildError, "exit status 1"):
            with steps.Step("check of quiet", "check-quiet") as step:
                step.run(["false"])
        check("FAILED" in said.getvalue(), "a failed step is not mentioned")


def test_space(_rig: object) -> None:
    """A directory that cannot hold a result is named with what is needed and what is there."""
    with raises(LabError, "a test: about", str(paths.REPO), "free"):
        paths.require_space(paths.REPO, 1 << 60, "a test")
