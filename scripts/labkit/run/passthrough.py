# SPDX-License-Identifier: GPL-2.0-or-later
"""PCI functions of this host for a guest: looked at, taken from their drivers, and given back.

Responsible for: what a host lacks to give a function away by vfio-pci (preflight, which changes
nothing), binding to vfio-pci what was named and nothing else, and the way back.
State: the functions that are taken; the drivers that they had are in the journal.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import time
from collections.abc import Callable, Iterator, Sequence

from .. import steps
from ..errors import HostError, UsageError
from ..interrupts import held
from .journal import Journal

SYSFS = pathlib.Path("/sys")
VFIO = "vfio-pci"
ADDRESS = re.compile(r"(?:([0-9a-f]{4}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", re.IGNORECASE)
CLASS_NETWORK, CLASS_BRIDGE = "0x02", "0x06"
PATIENCE = 60.0     # seconds for a driver to let go, or to take a function; a hang guard


def address(text: str) -> str:
    """The address of a PCI function in full, of "3b:00.0" too; raises UsageError."""
    match = ADDRESS.fullmatch(text.strip())
    if not match:
        raise UsageError(f"{text!r}: expected the address of a PCI function, such as 0000:3b:00.0",
                         "`lspci -D | grep -i ethernet` lists them")
    return f"{match[1] or '0000'}:{match[2]}".lower()


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something that keeps a function from being given away, and what to do about it."""

    text: str
    hint: str


class Host:
    """This machine's PCI functions, as sysfs has them. `root` is sysfs, another one in tests."""

    def __init__(self, root: pathlib.Path = SYSFS) -> None:
        self.root = root

    def _path(self, bdf: str, *parts: str) -> pathlib.Path:
        return self.root.joinpath("bus/pci/devices", bdf, *parts)

    def read(self, bdf: str, name: str) -> str:
        """Text of an attribute, "" without it."""
        try:
            return self._path(bdf, name).read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def exists(self, bdf: str) -> bool:
        """Is there such a function?"""
        return self._path(bdf).exists()

    def driver(self, bdf: str) -> str:
        """The driver that has it, "" when none has."""
        link = self._path(bdf, "driver")
        return link.resolve().name if link.exists() else ""

    def override(self, bdf: str) -> str:
        """The only driver that it is for, "" when that is not said."""
        text = self.read(bdf, "driver_override")
        return "" if text == "(null)" else text

    def interfaces(self, bdf: str) -> list[str]:
        """Network interfaces that its driver has made of it, as far as this namespace sees."""
        return sorted(path.name for path in self._path(bdf).glob("net/*"))

    def group(self, bdf: str) -> list[str]:
        """All functions of its IOMMU group, itself too; [] without an IOMMU."""
        return sorted(path.name for path in self._path(bdf).glob("iommu_group/devices/*"))

    def group_number(self, bdf: str) -> str:
        """The name of its file in /dev/vfio."""
        return self._path(bdf, "iommu_group").resolve().name

    # changes

    def _write(self, path: pathlib.Path, text: str) -> None:
        try:
            path.write_text(text, encoding="ascii")
        except OSError as error:
            raise HostError(f"cannot write {text.strip()!r} to {path}: {error.strerror}") from error

    def set_override(self, bdf: str, driver: str) -> None:
        """Say which driver it is for; "" for any."""
        self._write(self._path(bdf, "driver_override"), f"{driver}\n")

    def release(self, bdf: str) -> None:
        """Take it from the driver that has it."""
        if self.driver(bdf):
            self._write(self._path(bdf, "driver/unbind"), bdf)
            self._wait(f"{bdf}: its driver lets go", lambda: not self.driver(bdf))

    def probe(self, bdf: str) -> None:
        """Let a driver that fits take it."""
        self._write(self.root / "bus/pci/drivers_probe", bdf)

    def give(self, bdf: str, driver: str) -> None:
        """Have it taken by `driver`, which must do so."""
        if self.driver(bdf) == driver:
            return
        self.release(bdf)
        self.probe(bdf)
        if self.driver(bdf) != driver:      # others are likelier to be for it: by name, then
            self._write(self.root / "bus/pci/drivers" / driver / "bind", bdf)
        self._wait(f"{bdf}: {driver} takes it", lambda: self.driver(bdf) == driver)

    @staticmethod
    def _wait(what: str, look: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not look():
            if time.monotonic() > end:
                raise HostError(f"{what}: not after {PATIENCE:.0f} s", "dmesg may say why")
            time.sleep(0.05)


# ---- preflight

def problems(host: Host, named: Sequence[str], devices: pathlib.Path = pathlib.Path("/dev/vfio"),
             user: int | None = None) -> list[Problem]:
    """All that keeps this host from giving the functions `named` to a guest. Changes nothing."""
    found = [problem for bdf in named for problem in _of_function(host, bdf, named)]
    if not (host.root / "bus/pci/drivers" / VFIO).exists() and not _module(VFIO):
        found.append(Problem(f"this kernel has no {VFIO}",
                             "a kernel with CONFIG_VFIO_PCI; Debian's have it"))
    if (os.geteuid() if user is None else user) != 0:
        found.append(Problem("not root: drivers are changed, and a guest's memory is locked",
                             "run it with sudo"))
    for bdf in named:
        node = devices / host.group_number(bdf)
        if host.exists(bdf) and host.driver(bdf) == VFIO and not node.exists():
            found.append(Problem(f"{bdf} is bound to {VFIO}, but there is no {node}",
                                 "in a container: give it /dev/vfio"))
    return found


def _of_function(host: Host, bdf: str, named: Sequence[str]) -> Iterator[Problem]:
    if not host.exists(bdf):
        yield Problem(f"{bdf}: no such PCI function", "`lspci -D` lists them")
        return
    if not host.read(bdf, "class").startswith(CLASS_NETWORK):
        yield Problem(f"{bdf}: its class is {host.read(bdf, 'class') or 'unknown'}, not that of a "
                      "network controller (0x02…)", "`lspci -D | grep -i ethernet` lists them")
    if not host.group(bdf):
        yield Problem(f"{bdf} is in no IOMMU group",
                      "enable VT-d or AMD-Vi in the firmware's setup, and boot with "
                      "intel_iommu=on on Intel; `dmesg | grep -e DMAR -e AMD-Vi` tells more")
    for other in host.group(bdf):
        # a group is isolated as a whole; ports of PCI Express stay with their driver
        if other not in named and host.driver(other) not in ("", VFIO) and \
                not host.read(other, "class").startswith(CLASS_BRIDGE):
            yield Problem(f"{bdf}: its IOMMU group {host.group_number(bdf)} has {other} too, which "
                          f"{host.driver(other)} has",
                          f"name it as well, take {host.driver(other)} off it, or put the card "
                          "into another slot")
    if host.read(bdf, "sriov_numvfs") not in ("", "0"):
        yield Problem(f"{bdf} has {host.read(bdf, 'sriov_numvfs')} virtual functions",
                      f"echo 0 >/sys/bus/pci/devices/{bdf}/sriov_numvfs")
    for name in host.interfaces(bdf):
        if name in _routes(host):
            yield Problem(f"{bdf} is {name}, and this machine's default route goes through it",
                          "give away another one, or route through another one first")


def _module(name: str) -> bool:
    return steps.capture(["modprobe", "--dry-run", "--quiet", name],
                         check=False).returncode == 0


def _routes(host: Host) -> set[str]:
    """Interfaces that a default route goes through."""
    found = set()
    for name, column, default in (("route", 1, "00000000"), ("ipv6_route", 0, "0" * 32)):
        with contextlib.suppress(OSError):
            text = (host.root.parent / "proc/net" / name).read_text(encoding="ascii")
            for words in map(str.split, text.splitlines()):
                if len(words) > 7 and words[column] == default and (name == "route"
                                                                    or words[1] == "00"):
                    found.add(words[0] if name == "route" else words[-1])
    return found - {"lo"}


def check(host: Host, named: Sequence[str]) -> None:
    """Raise HostError that names every problem, with what to do about each."""
    found = problems(host, named)
    if found:
        raise HostError("\n".join(problem.text for problem in found),
                        "\n".join(dict.fromkeys(problem.hint for problem in found)))


# ---- taking and giving back

def give_back(host: Host, bdf: str, driver: str, override: str) -> None:
    """A function as it was before: `driver` has it (none has, if ""), which it is for alone if
    `override` says so. It may be so already, or be gone."""
    if not host.exists(bdf):
        return
    host.set_override(bdf, override)
    if host.driver(bdf) == VFIO and driver != VFIO:
        host.release(bdf)
    if driver and host.driver(bdf) != driver:
        host.give(bdf, driver)


@contextlib.contextmanager
def taken(host: Host, named: Sequence[str], journal: Journal) -> Iterator[None]:
    """For the block the functions are vfio-pci's; afterwards they are those drivers' again that
    had them. What is changed is written down first. What labs that are gone have left taken is
    given back before."""
    restore(host, journal)
    others = journal.entries()
    for bdf in named:
        if bdf in others:
            raise HostError(f"{bdf} is taken by another lab, process {others[bdf]['pid']}")
    check(host, named)
    if not (host.root / "bus/pci/drivers" / VFIO).exists():
        steps.capture(["modprobe", VFIO])
    with contextlib.ExitStack() as stack:
        for bdf in named:
            with held():
                journal.add(bdf, {"driver": host.driver(bdf), "override": host.override(bdf)})
                stack.callback(_undo, host, journal, bdf)
                host.set_override(bdf, VFIO)
                host.give(bdf, VFIO)
        yield


def _undo(host: Host, journal: Journal, bdf: str) -> None:
    with held():
        entry = journal.entries()[bdf]
        give_back(host, bdf, entry["driver"], entry["override"])
        journal.remove(bdf)


def restore(host: Host, journal: Journal) -> list[str]:
    """Give back what labs that are gone have left taken; the functions."""
    left = [bdf for bdf, entry in journal.entries().items() if not journal.lives(entry)]
    for bdf in left:
        _undo(host, journal, bdf)
    return left
