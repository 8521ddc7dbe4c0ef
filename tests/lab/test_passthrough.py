# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of giving PCI functions of the host to a guest, on a sysfs of our own; registered in the
suite `lab`.

Responsible for: what preflight finds and what it lets pass, binding and the way back. The suite
`vfio` does the same with a kernel and an IOMMU.
State: none.
"""

import contextlib
import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

from labkit.errors import HostError, UsageError
from labkit.run import passthrough
from labkit.run.journal import Journal
from labkit.run.passthrough import VFIO, Host

from .judge import check, raises, same, temporary_folder

NIC, PEER, PORT, SOUND = "0000:3b:00.0", "0000:3b:00.1", "0000:00:01.0", "0000:3b:00.2"
DRIVERS = {NIC: "mlx5_core", PEER: "mlx5_core", PORT: "pcieport", SOUND: "snd"}
CLASSES = {NIC: "0x020000", PEER: "0x020000", PORT: "0x060400", SOUND: "0x040300"}


class Kernel(Host):
    """A sysfs in a directory, in which writing does what the kernel does."""

    def __init__(self, root: pathlib.Path, groups: list[list[str]]) -> None:
        super().__init__(root / "sys")
        self.written: list[tuple[str, str]] = []        # (path below devices or drivers, text)
        self.refuses: set[str] = set()                  # drivers that take nothing
        (root / "proc/net").mkdir(parents=True)
        for name in {VFIO, *DRIVERS.values()}:
            (self.root / "bus/pci/drivers" / name).mkdir(parents=True)
        for bdf, driver in DRIVERS.items():
            self._path(bdf).mkdir(parents=True)
            self._path(bdf, "class").write_text(CLASSES[bdf], encoding="ascii")
            self._path(bdf, "driver_override").write_text("(null)\n", encoding="ascii")
            self._bind(bdf, driver)
        for number, group in enumerate(groups):
            for bdf in group:
                place = self.root / f"kernel/iommu_groups/{number}"
                (place / "devices" / bdf).mkdir(parents=True)
                self._path(bdf, "iommu_group").symlink_to(place)

    def _bind(self, bdf: str, driver: str) -> None:
        if driver not in self.refuses:
            self._path(bdf, "driver").symlink_to(self.root / "bus/pci/drivers" / driver)
            if driver == "mlx5_core":
                self._path(bdf, "net", f"ens{bdf[-1]}").mkdir(parents=True)

    def _write(self, path: pathlib.Path, text: str) -> None:
        self.written.append((str(path.relative_to(self.root / "bus/pci")), text.strip()))
        if path.name == "driver_override":
            path.write_text(text.strip() or "(null)")
        elif path.name == "unbind":
            self._path(text, "driver").unlink()
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self._path(text, "net"))
        elif path.name == "drivers_probe" and not self.driver(text):
            self._bind(text, self.override(text) or DRIVERS[text])
        elif path.name == "bind":
            self._bind(text, path.parent.name)


@contextlib.contextmanager
def _kernel(*groups: list[str]) -> Iterator[Kernel]:
    with temporary_folder() as folder:
        yield Kernel(folder, list(groups) or [[PORT, NIC], [PEER], [SOUND]])


def _said(host: Host, *named: str, user: int = 0) -> str:
    found = passthrough.problems(host, named, devices=pathlib.Path("/no/such/place"), user=user)
    return "\n".join(f"{problem.text} [{problem.hint}]" for problem in found)


def test_passthrough_addresses(_rig: object) -> None:
    """Addresses are completed; what is none is refused."""
    same(passthrough.address("3B:00.1"), PEER, "without a domain")
    same(passthrough.address(" 0000:3b:00.0"), NIC, "in full")
    for wrong in ("", "3b:00", "3b:00.8", "eth0", "0000:3b:00.0x"):
        with raises(UsageError, repr(wrong), "expected the address of a PCI function"):
            passthrough.address(wrong)


def test_passthrough_preflight(_rig: object) -> None:
    """Functions that can be given away pass; whatever stands in the way is named. Nothing is
    written."""
    with _kernel() as host:
        same(_said(host, NIC, PEER), "", "two ports in groups of their own")
        check("not root" in _said(host, NIC, user=1000), "an ordinary user passes")
        for named, words in (("0000:77:00.0", "no such PCI function"),
                             (SOUND, "its class is 0x040300"), (PORT, "its class is 0x060400")):
            check(words in _said(host, named), f"{named}: {_said(host, named)}")
        (host.root / "bus/pci/devices" / NIC / "sriov_numvfs").write_text("4\n")
        check("has 4 virtual functions" in _said(host, NIC), _said(host, NIC))
        same(host.written, [], "what preflight wrote")


def test_passthrough_groups(_rig: object) -> None:
    """All of an IOMMU group goes, or nothing of it: ports of PCI Express and functions without a
    driver, or with vfio-pci, do not count."""
    with _kernel([PORT, NIC, PEER], [SOUND]) as host:
        check(f"has {PEER} too, which mlx5_core has" in _said(host, NIC), _said(host, NIC))
        same(_said(host, NIC, PEER), "", "both named")
        host.release(PEER)
        same(_said(host, NIC), "", "the other has no driver")
    with _kernel([NIC, SOUND], [PEER]) as host:
        check(f"has {SOUND} too, which snd has" in _said(host, NIC, PEER), _said(host, NIC, PEER))
    with _kernel([PORT], [SOUND]) as host:
        check("is in no IOMMU group" in _said(host, NIC), _said(host, NIC))


def test_passthrough_default_route(_rig: object) -> None:
    """The interface that the machine is reached by is not given away."""
    v4 = ("Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n"
          "ens0\t{}\t01\t3\t0\t0\t0\t0\n")
    v6 = "0" * 32 + " 00 " + "0" * 32 + " 00 " + "0" * 32 + " 00000400 1 0 00000003 ens1\n"
    with _kernel() as host:
        net = host.root.parent / "proc/net"
        (net / "route").write_text(v4.format("0002000A"))
        same(_said(host, NIC, PEER), "", "a route that is not the default")
        (net / "route").write_text(v4.format("00000000"))
        check(f"{NIC} is ens0" in _said(host, NIC, PEER), _said(host, NIC, PEER))
        (net / "route").write_text("")
        (net / "ipv6_route").write_text(v6)
        check(f"{PEER} is ens1" in _said(host, NIC, PEER), _said(host, NIC, PEER))


def test_passthrough_check(_rig: object) -> None:
    """All problems are said at once, with what to do about each."""
    with _kernel([PORT], [SOUND]) as host:
        with raises(HostError, f"{NIC} is in no IOMMU group", f"{PEER} is in no IOMMU group",
                    "intel_iommu=on"):
            passthrough.check(host, [NIC, PEER])


@contextlib.contextmanager
def _as_root() -> Iterator[None]:
    with mock.patch.object(passthrough.os, "geteuid", return_value=0):
        yield


def _drivers(host: Host) -> dict[str, tuple[str, str]]:
    return {bdf: (host.driver(bdf), host.override(bdf)) for bdf in DRIVERS}


def test_passthrough_taken(_rig: object) -> None:
    """Only what is named is vfio-pci's for the block; then all is as it was, however it ends, and
    nothing is left in the journal."""
    with _kernel() as host, _as_root():
        journal = Journal(host.root / "journal")
        host.set_override(PEER, "mlx5_core")
        host.release(SOUND)
        before = _drivers(host)
        for error in (None, KeyboardInterrupt, HostError):
            with contextlib.suppress(KeyboardInterrupt, HostError), \
                    passthrough.taken(host, [NIC, PEER], journal):
                same(_drivers(host), before | {NIC: (VFIO, VFIO), PEER: (VFIO, VFIO)}, "taken")
                same([(bdf, entry["driver"], entry["override"])
                      for bdf, entry in journal.entries().items()],
                     [(NIC, "mlx5_core", ""), (PEER, "mlx5_core", "mlx5_core")], "the journal")
                if error is not None:
                    raise error("out")
            same(_drivers(host), before, f"given back after {error}")
            same(journal.entries(), {}, "left in the journal")


def test_passthrough_half_taken(_rig: object) -> None:
    """When the second function cannot be taken the first is given back, and the second too."""
    with _kernel() as host, _as_root(), mock.patch.object(passthrough, "PATIENCE", 0.1):
        journal = Journal(host.root / "journal")
        before, real = _drivers(host), host._bind       # pylint: disable=protected-access

        def bind(bdf: str, driver: str) -> None:
            if (bdf, driver) != (PEER, VFIO):
                real(bdf, driver)

        with mock.patch.object(host, "_bind", bind), \
                raises(HostError, f"{PEER}: {VFIO} takes it", "dmesg"), \
                passthrough.taken(host, [NIC, PEER], journal):
            raise AssertionError("both were taken")
        same(_drivers(host), before, "drivers")
        same(journal.entries(), {}, "left in the journal")


def test_passthrough_killed_lab(_rig: object) -> None:
    """What a lab that is gone has left is given back, by the next one too; what one that lives has
    taken is not."""
    with _kernel() as host, _as_root():
        journal = Journal(host.root / "journal")
        before = _drivers(host)
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            gone.wait()
        for owner, given in ((1, []), (gone.pid, [NIC])):
            with mock.patch("os.getpid", return_value=owner):
                journal.add(NIC, {"driver": "mlx5_core", "override": ""})
            host.set_override(NIC, VFIO)
            host.give(NIC, VFIO)
            if not given:
                with raises(HostError, f"{NIC} is taken by another lab, process 1"), \
                        passthrough.taken(host, [NIC, PEER], journal):
                    raise AssertionError("it was taken twice")
            same(passthrough.restore(host, journal), given, f"given back for process {owner}")
            same(_drivers(host) == before, bool(given), f"drivers as before, process {owner}")
            journal.remove(NIC)
        with mock.patch("os.getpid", return_value=gone.pid):
            journal.add(NIC, {"driver": "mlx5_core", "override": ""})
        host.set_override(NIC, VFIO)
        host.give(NIC, VFIO)
        with passthrough.taken(host, [NIC, PEER], journal):
            same(host.driver(NIC), VFIO, "driver of what was left")
        same(_drivers(host), before, "drivers after the next lab")


def test_passthrough_journal(_rig: object) -> None:
    """What is in the journal's place and none of ours stops everything, by name; a bench's journal
    does not count, and a number of a process that has come again is another process."""
    with _kernel() as host, _as_root():
        journal = Journal(host.root / "journal")
        journal.add(NIC, {"driver": "mlx5_core", "override": ""})
        (journal.folder / "bench-ens0.json").write_text("{}")
        same(list(journal.entries()), [NIC], "entries")
        path = next(journal.folder.glob("function-*"))
        entry = json.loads(path.read_text())
        check(journal.lives(entry), "our own entry is left by a lab that is gone")
        check(not journal.lives({**entry, "birth": entry["birth"] - 1}), "another process is ours")
        for text, words in (("{", "cannot be read"), ("[]", "cannot be read"),
                            (json.dumps({**entry, "version": 9}), "its version is 9, expected 1")):
            path.write_text(text)
            with raises(HostError, str(path), words), \
                    passthrough.taken(host, [NIC, PEER], journal):
                raise AssertionError("it was taken")
