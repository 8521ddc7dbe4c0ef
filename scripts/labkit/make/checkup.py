# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks for missing or wrong settings of this host, each with its fix.

Responsible for: the list of checks. Requires no download or installation, changes nothing, and a
failed check does not hide another.
State: none.
"""

import dataclasses
import os
import pathlib
import sys

from .. import paths, steps
from ..errors import LabError
from . import aptsrc, host, kernel_build, kernel_stock, qemu_build

OK, NOTE, BAD = "ok", "note", "bad"

SPACE_COLD = 5 << 30            # peak disk use of a build from scratch, in bytes
MEMORY_GUEST = 2 << 30          # for one guest, with the emulator and page cache around it
PYTHON_MINIMUM = (3, 11)


@dataclasses.dataclass(frozen=True)
class Check:
    """The result of a check. STATUS is OK, NOTE (works with restrictions) or BAD (something will
    fail)."""

    name: str
    status: str
    text: str
    fix: str = ""


def _distribution() -> Check:
    ident, number = host.distribution()
    pretty = aptsrc.os_release().get("PRETTY_NAME", "unknown system")
    try:
        host.check_distribution()
    except LabError as e:
        return Check("system", BAD, e.message, e.hint or "")
    if ident == "debian" and number in host.RELEASES:
        return Check("system", OK, pretty)
    return Check("system", NOTE, f"{pretty}: only Debian {' and '.join(host.RELEASES)} are tried",
                 "if something fails, use one of these, a container is enough")


def _python() -> Check:
    text = "Python " + ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MINIMUM:
        return Check("python", BAD, text, "install Python 3.11 or newer")
    if not pathlib.Path(qemu_build.PYTHON).exists():
        return Check("python", BAD, f"{text}, but there is no {qemu_build.PYTHON}",
                     "apt-get install python3")
    return Check("python", OK, text)


def _packages() -> Check:
    lacking = host.missing()
    if not lacking:
        return Check("packages", OK, f"all {len(host.packages())} packages are installed")
    return Check("packages", BAD, f"{len(lacking)} are missing\n" + "\n".join(
        f"{p}: {why}" for p, why in sorted(lacking.items())),
        " ".join(host.install_command(lacking)) + "\nor let lab do it: --yes")


def _ccache() -> Check:
    if qemu_build.has_ccache():
        return Check("ccache", OK, "used: rebuilding after a change of configuration is cheap")
    return Check("ccache", NOTE, "not installed; only rebuilding is slower without",
                 "apt-get install ccache")


def _source() -> Check:
    source = aptsrc.system_source()
    return Check("archive", OK, f"{source.uri} (from {source.origin})")


def _network() -> Check:
    """Check whether apt reaches the archive, by fetching one small file."""
    source = aptsrc.system_source()
    if not source.uri.startswith(("http://", "https://")):
        return Check("network", NOTE, f"not tried: {source.uri} is no web address")
    try:
        reached = aptsrc.suite("trixie").reachable()
    except LabError as e:
        return Check("network", BAD, e.message, e.hint or "")
    return Check("network", OK, reached)


def _disk() -> Check:
    cache = paths.cache_dir(create=False)
    free = paths.free_bytes(cache)
    text = f"{paths.human(free)} free for {cache}"
    if _built() == 0:
        if free < SPACE_COLD:
            return Check("disk", BAD, f"{text}; the first build needs {paths.human(SPACE_COLD)}",
                         "free some space, or point XDG_CACHE_HOME at a larger disk")
    elif free < 500 << 20:
        return Check("disk", BAD, f"{text}; runs and rebuilds need 500 MB",
                     "free some space, or point XDG_CACHE_HOME at a larger disk")
    return Check("disk", OK, text)


def _writable() -> Check:
    for path in (paths.cache_dir(create=False), paths.artifacts_dir(create=False)):
        there = path
        while not there.exists():
            there = there.parent
        if not os.access(there, os.W_OK | os.X_OK):
            return Check("directories", BAD, f"cannot write to {there}",
                         "set XDG_CACHE_HOME (cache) or LAB_ARTIFACTS (artifacts)")
    return Check("directories", OK, "cache and artifacts can be written")


def _memory() -> Check:
    for line in pathlib.Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            have = int(line.split()[1]) << 10
            text = f"{paths.human(have)} available"
            if have < MEMORY_GUEST:
                return Check("memory", BAD, f"{text}; a guest and its emulator want "
                             f"{paths.human(MEMORY_GUEST)}",
                             "end something, or use a smaller --mem")
            return Check("memory", OK, text)
    return Check("memory", NOTE, "unknown")


def _kvm() -> Check:
    kvm = pathlib.Path("/dev/kvm")
    if not kvm.exists():
        return Check("kvm", NOTE, "no /dev/kvm: guests run emulated, which is what the tests "
                                  "expect; no action needed")
    if not os.access(kvm, os.R_OK | os.W_OK):
        return Check("kvm", NOTE, "/dev/kvm is there but not for this user; guests run emulated",
                     "to use it, join group kvm; --qemu-arg '-accel kvm' asks for it")
    return Check("kvm", NOTE, "/dev/kvm is there; guests still run emulated unless asked "
                              "(some nested KVM hang at boot)")


def _tun() -> Check:
    tun = pathlib.Path("/dev/net/tun")
    if not tun.exists():
        return Check("tap", NOTE, "no /dev/net/tun: -netdev tap cannot be used; nothing else "
                                  "needs it", "modprobe tun")
    if not os.access(tun, os.R_OK | os.W_OK) or os.geteuid() != 0:
        return Check("tap", NOTE, "-netdev tap needs root; nothing else does")
    return Check("tap", OK, "-netdev tap can be used")


def _overlay() -> Check:
    overlay = qemu_build.load_overlay()
    kernel_build.fragment_lines()
    return Check("checkout", OK, f"{paths.REPO} (overlay {overlay.key})")


def _built() -> int:
    cache = paths.cache_dir(create=False)
    return sum(bool(list(cache.glob(g))) for g in
               ("qemu/*/bin-*/qemu-system-x86_64", "kernel/*/complete", "rootfs/*/complete"))


def _cache() -> Check:
    cache = paths.cache_dir(create=False)
    if not cache.exists():
        return Check("cache", NOTE, f"{cache} is empty: the first run downloads 250 MB and builds "
                                    "QEMU and a kernel, about half an hour on two cores")
    have = _built()
    text = f"{cache}: {have} of 3 parts (QEMU, kernel, guest) are built"
    return Check("cache", OK if have == 3 else NOTE, text)


def _kernels() -> Check:
    """List the --kernel SERIES already built; nothing is fetched to find out what is available."""
    if not kernel_stock.LIST.is_file():
        return Check("kernels", BAD, f"{kernel_stock.LIST} is missing", "the checkout is damaged")
    have = kernel_stock.built()
    lacks = [s for s in kernel_stock.LIKELY if not any(v.startswith(f"{s}.") for v in have)]
    text = f"--kernel {kernel_build.DEFAULT} (default)"
    if have:
        text += f"; stock images with the driver rebuilt: {', '.join(have)}"
    if lacks:
        text += f"; {' and '.join(lacks)} would be fetched (300 MB each) and the driver built"
        free = paths.free_bytes(paths.cache_dir(create=False))
        if free < kernel_stock.SPACE:
            return Check("kernels", NOTE, f"{text}, which needs {paths.human(kernel_stock.SPACE)}: "
                         f"{paths.human(free)} are free", "free some space to use --kernel "
                         + " or ".join(lacks))
    return Check("kernels", OK, text)


def _jobs() -> Check:
    return Check("jobs", OK, f"builds use {steps.jobs()} jobs (LAB_JOBS changes that)")


CHECKS = (_distribution, _python, _packages, _source, _network, _disk, _writable, _memory, _cache,
          _kernels, _ccache, _kvm, _tun, _overlay, _jobs)


def checks() -> list[Check]:
    """Return all checks, in reading order."""
    results = []
    for check in CHECKS:
        try:
            results.append(check())
        except LabError as e:
            results.append(Check(check.__name__.strip("_"), BAD, e.message, e.hint or ""))
        except OSError as e:
            results.append(Check(check.__name__.strip("_"), BAD, str(e)))
    return results
