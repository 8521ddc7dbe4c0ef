# SPDX-License-Identifier: GPL-2.0-or-later
"""Requirements of this machine: the distribution and its packages, and their installation.

Responsible for: the list of packages with their purpose, and asking before installation. State:
none; installs Debian packages on the system.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable

from .. import steps
from ..errors import BuildError, HostError
from . import aptsrc

# Debian releases on which everything from scratch to a running guest is known to work.
RELEASES = {"12": "bookworm", "13": "trixie"}

# package: what it is for. Grouped by purpose, so that a command asks only for what it needs.
PACKAGES = {
    "fetch": {
        "ca-certificates": "package archives over https",
        "debian-archive-keyring": "signatures of the Debian archive",
        "dpkg-dev": "unpacking source packages",
        "xz-utils": "unpacking source packages",
    },
    "compile": {
        "gcc": "compiler",
        "libc6-dev": "compiler",
        "make": "kernel and QEMU builds",
        "ninja-build": "QEMU build",
        "pkg-config": "QEMU build",
        "python3": "QEMU build",
        "libglib2.0-dev": "QEMU",
        "libssl-dev": "the device's cipher (libcrypto)",
        "zlib1g-dev": "QEMU, and the configuration in the device's flash",
    },
    "qemu": {
        "python3-venv": "QEMU build (its configure makes a virtual environment)",
        "libslirp-dev": "-netdev user",
        "libattr1-dev": "directories shared with the guest",
        "libcap-ng-dev": "directories shared with the guest",
    },
    "kernel": {
        "bc": "kernel build",
        "bison": "kernel build",
        "flex": "kernel build",
        "kmod": "kernel modules",
        "libelf-dev": "kernel build",
        "perl": "kernel build",
        "zstd": "kernel image",
    },
    "test": {
        "iproute2": "unit tests of the wire between interfaces",
        "meson": "unit tests of the engine",
        "ethtool": "unit tests of the guest tests' own bench",
    },
    "ssh": {        # not of DEFAULT_PURPOSES: the suite ssh-peer asks for it
        "dropbear-bin": "the ssh server of a guest",
        "openssh-client": "the ssh client of a guest",
    },
    "lint": {
        "pylint": "checks of the sources",
        "mypy": "checks of the sources",
        "shellcheck": "checks of the sources",
    },
    "kselftest": {  # not of DEFAULT_PURPOSES: `lab selftest` asks for it
        "clang": "BPF programs of the kernel's selftests",
        "llvm": "BPF programs of the kernel's selftests",
        "python3-yaml": "netlink code of the kernel's selftests",
    },
    "bench": {      # not of DEFAULT_PURPOSES: `lab bench` asks for it
        "valgrind": "counting instructions (callgrind)",
    },
    "series": {     # not of DEFAULT_PURPOSES: `lab kernel` asks for it
        "git": "reading source trees and series of patches",
    },
    "capture": {    # not of DEFAULT_PURPOSES: the test pcap asks for it
        "tshark": "reading captures in tests",
    },
    "plot": {       # not of DEFAULT_PURPOSES: the suite soak asks for it
        "python3-matplotlib": "the plot of `lab test --only soak`",
    },
}
DEFAULT_PURPOSES = ("fetch", "compile", "qemu", "kernel", "test", "lint")
LISTS_LOCK = "/var/lib/apt/lists/lock"
LOCK_TURNS = 5          # attempts at `apt-get update` while another one is running


def packages(purposes: Iterable[str] = DEFAULT_PURPOSES) -> dict[str, str]:
    """Return {package: purpose} for some purposes, by default all."""
    return {p: why for purpose in purposes for p, why in PACKAGES[purpose].items()}


def distribution() -> tuple[str, str]:
    """Return (ID, VERSION_ID) of this machine, e.g. ("debian", "12"); empty if unknown. Testing
    releases have no VERSION_ID."""
    release = aptsrc.os_release()
    return release.get("ID", ""), release.get("VERSION_ID", "")


def check_distribution() -> None:
    """Raise HostError on an unsupported machine: no Debian packages, or not x86-64."""
    machine = os.uname().machine
    if machine != "x86_64":
        raise HostError(f"this machine is {machine}; the lab builds for and on x86_64 only")
    for tool in ("apt-get", "dpkg-query", "dpkg-deb"):
        if shutil.which(tool) is None:
            name = aptsrc.os_release().get("PRETTY_NAME", "this system")
            raise HostError(f"{name} has no {tool}; the lab takes QEMU's and the kernel's source "
                            "and the guest's programs from Debian packages",
                            hint="use Debian 12 or 13, a container of it is enough")


def missing(purposes: Iterable[str] = DEFAULT_PURPOSES) -> dict[str, str]:
    """Return those of packages() that are not installed."""
    wanted = packages(purposes)
    # exit status 1 only means that some are unknown
    out = steps.capture(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Provides}\\n",
                         *wanted], check=False).stdout
    have = {line.split()[0] for line in out.splitlines() if " installed" in line}
    return {p: why for p, why in wanted.items() if p not in have}


def install_command(names: Iterable[str]) -> list[str]:
    """Return the command line that installs packages, with sudo if needed."""
    command = ["apt-get", "install", "-y", "--no-install-recommends", *sorted(names)]
    return command if os.geteuid() == 0 else ["sudo", *command]


def ensure_packages(yes: bool = False, purposes: Iterable[str] = DEFAULT_PURPOSES) -> list[str]:
    """Install missing packages; asks first unless YES. Returns the packages installed.

    Raises HostError with the exact command if it may not or cannot install.
    """
    check_distribution()
    lacking = missing(purposes)
    if not lacking:
        return []
    width = max(map(len, lacking))
    listing = "\n".join(f"  {p:{width}}  {why}" for p, why in sorted(lacking.items()))
    command = install_command(lacking)
    asked = f"these Debian packages are missing:\n{listing}"
    if os.geteuid() != 0 and shutil.which("sudo") is None:
        raise HostError(asked, hint="there is no sudo here; as root run: " + " ".join(command[1:]))
    if not yes:
        if not sys.stdin.isatty():
            raise HostError(asked, hint=f"run: {' '.join(command)}\nor give --yes")
        steps.say(asked)
        if not _agreed(f"lab: install them now with `{' '.join(command[:2])} ...`? [Y/n] "):
            raise HostError("nothing was installed", hint=f"run: {' '.join(command)}")
    else:
        steps.say(asked)
    _install(command)
    still = missing(purposes)
    if still:
        raise HostError("apt-get reported success, but these are still missing: "
                        + ", ".join(still))
    return sorted(lacking)


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def _update(step: steps.Step, command: list[str], env: dict[str, str]) -> None:
    """Refresh the package lists. apt-get does not wait if another one is doing so (such as the
    timers of a freshly booted machine), so we wait until it has released the lock."""
    for turn in range(LOCK_TURNS):
        try:
            step.run(command, env=env)
            return
        except BuildError as e:     # continue despite a third party's broken archive:
            step.note(str(e))       # the installation will show whether it mattered
            if turn == LOCK_TURNS - 1 or not any("Could not get lock" in line for line in e.tail):
                return
        with open(LISTS_LOCK, "a", encoding="ascii") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)


def _install(command: list[str]) -> None:
    """Refresh the system's package lists and install. As root this is a normal step; with sudo it
    runs in the foreground, since sudo may ask for a password."""
    options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "-q"]
    at = command.index("apt-get") + 1
    prefix = command[:at]
    update = [*prefix, *options, "update"]
    install = [*prefix, *options, *command[at:]]
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    if prefix[0] != "sudo":
        with steps.Step("install packages", "apt-install") as step:
            _update(step, update, env)
            step.run(install, env=env, progress=steps.AptFetch())
        return
    install = ["sudo", "DEBIAN_FRONTEND=noninteractive", *install[1:]]
    for argv in (update, install):
        steps.say(" ".join(argv))
        status = subprocess.call(argv, stdout=sys.stderr)
        if status != 0 and argv is install:
            raise HostError(f"installing packages failed (exit status {status})",
                            hint=f"try it by hand: {' '.join(command)}")
