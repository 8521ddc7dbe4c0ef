# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that programs in the guest may request from the lab.

Responsible for: the table of actions and their implementation, and refusals with a reason.
State: the captures of a machine, and the command to run after a reboot.

The guest is trusted with its own machine and artifacts, and nothing else on the host: no action
takes a path, command or QMP command chosen by the guest.
"""

import dataclasses
import inspect
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import LabError
from .capture import Captures
from .machine import Machine
from .rundir import RunDir
from .wire import Wire

UNPLUG_TIMEOUT = 90.0
# Size of a record log, in bytes, above which records.start begins a new one; the device ends a log
# larger than its record-log-max, 1 GiB.
MAX_RECORDS = 64 << 20
RECORDS_CHUNK = 1 << 20
IMAGE_CHUNK = 4 << 20
HOST_PROPERTIES = {"caps", "record-log", "record-log-max", "memory-limit", "netdev", "mac",
                   "romfile"}


@dataclasses.dataclass(frozen=True)
class Need:
    """A feature that not every machine has, and the message where it is missing."""

    met: Callable[[Machine], bool]
    sentence: str


WIRE = Need(lambda machine: machine.wire is not None,
            "no middlebox is between the NICs of this machine (lab run --wire RULE puts one there)")


@dataclasses.dataclass(frozen=True)
class Action:
    """A row of the table."""

    name: str
    method: str                 # of class Actions; its parameters are the action's arguments
    need: Need | None


def action(name: str, need: Need | None = None) -> Callable[[Callable], Callable]:
    """Decorator: makes a method of Actions the action `name`, on machines with the feature it
    needs. A parameter `blob` is the path of a file with the bytes sent with the request."""
    def mark(function: Callable) -> Callable:
        setattr(function, "action", Action(name, function.__name__, need))
        return function
    return mark


def _parameters(method: Callable) -> inspect.Signature:
    """Return a method's parameters, for a message: names and defaults."""
    signature = inspect.signature(method)
    plain = [parameter.replace(annotation=inspect.Parameter.empty)
             for parameter in signature.parameters.values()]
    return signature.replace(parameters=plain, return_annotation=inspect.Signature.empty)


class Actions:
    """The actions of one machine."""

    def __init__(self, machine: Machine, rundir: RunDir) -> None:
        self.machine = machine
        self.rundir = rundir
        self.captures = Captures(machine, rundir)
        self.on_reset: Callable[[], None] = lambda: None
        self.on_next: Callable[[], None] = lambda: None
        self._next: list[str] | None = None     # command to run after a reboot

    def _table(self) -> dict[str, Action]:
        """Return all actions by name."""
        found = (getattr(function, "action", None) for function in vars(Actions).values())
        return {row.name: row for row in found if row}

    def names(self) -> list[str]:
        """Return the names of all actions of this machine."""
        return sorted(name for name, row in self._table().items()
                      if row.need is None or row.need.met(self.machine))

    def run(self, name: str, args: dict[str, Any], blob: pathlib.Path | None
            ) -> tuple[Any, bytes]:
        """Run an action; returns (result, bytes). Raises LabError with the reason."""
        row = self._table().get(name)
        if row is None:
            raise LabError(f"unknown action {name!r}; known: {', '.join(self.names())}")
        if row.need is not None and not row.need.met(self.machine):
            raise LabError(f"{name}: {row.need.sentence}")
        method = getattr(self, row.method)
        if "blob" in inspect.signature(method).parameters:
            if blob is None:
                raise LabError(f"{name}: needs the bytes of a blob")
            args = dict(args, blob=blob)
        elif blob is not None:
            raise LabError(f"{name}: takes no blob")
        try:
            inspect.signature(method).bind(**args)
        except TypeError as error:
            raise LabError(f"{name}: {error}; it takes {_parameters(method)}") from None
        result, data = done if isinstance(done := method(**args), tuple) else (done, b"")
        return result, data

    def _nic(self, nic: str) -> str:
        if nic not in self.machine.spec.nics:
            raise LabError(f"no NIC {nic!r}; this machine has: "
                           f"{', '.join(self.machine.spec.nics)}")
        return nic

    # lab

    @action("lab.info")
    def lab_info(self) -> dict[str, Any]:
        """Return information about this lab."""
        spec = self.machine.spec
        return {"topology": spec.topology, "nic_model": spec.nic_model, "actions": self.names(),
                "wire": self.machine.wire is not None, "ports": self.machine.ports(),
                "nics": {nic: {"netdev": f"net{nic[3:]}", "ifname": f"mlx{nic[3:]}",
                               "device": self.machine.nic_device(nic)} for nic in spec.nics}}

    @action("lab.log")
    def lab_log(self, text: object) -> None:
        """Write a line to the run's lab.log."""
        with open(self.rundir.file("lab.log"), "a", encoding="utf-8") as log:
            log.write(str(text).rstrip("\n") + "\n")

    @action("lab.next")
    def lab_next(self, argv: Any) -> None:
        """Set the command that `lab run` runs in place of its own when that is lost because the
        guest reboots: kexec, machine.reset. From now on its stdin is kept for this command."""
        if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
            raise LabError(f"lab.next: argv {argv!r}: expected a list of a program and its "
                           "arguments")
        self._next = argv
        self.on_next()

    def take_next(self) -> list[str] | None:
        """Return the command set by lab.next, once; None if there is none."""
        argv, self._next = self._next, None
        return argv

    # nic

    @action("nic.link")
    def nic_link(self, nic: str, up: bool) -> None:
        """QMP set_link: like pulling or plugging the cable."""
        self.machine.qmp("set_link", name=self._nic(nic), up=bool(up))

    @action("nic.unplug")
    def nic_unplug(self, nic: str, wait: float = UNPLUG_TIMEOUT) -> None:
        """device_del, and wait until the guest has released the device and it is gone."""
        self.machine.forget_events()
        self.machine.qmp("device_del", id=self._nic(nic))
        gone = self.machine.wait_event("DEVICE_DELETED", float(wait), {"data": {"device": nic}})
        if gone is None:
            raise LabError(f"{nic} was not released by the guest within {wait:.0f} s")

    @action("nic.plug")
    def nic_plug(self, nic: str, props: dict[str, Any] | None = None,
                 port: str | None = None) -> None:
        """device_add, as on the command line, optionally with other property values and into
        another port."""
        if port is not None and port not in self.machine.ports():
            raise LabError(f"no port {port!r}; this machine has: "
                           f"{', '.join(self.machine.ports())}")
        device = self.machine.nic_device(self._nic(nic), port)
        for name, value in (props or {}).items():
            if name in HOST_PROPERTIES or not re.fullmatch(r"[a-z0-9-]+=[a-z0-9.-]+",
                                                           f"{name}={value}"):
                raise LabError(f"nic.plug: {name}={value}: expected a property of the device's "
                               "own and a word or number")
            device += f",{name}={value}"
        answer = self.machine.hmp("device_add " + device)
        if answer:
            raise LabError(f"device_add {nic}: {answer}")

    @action("nic.aer")
    def nic_aer(self, nic: str, error: str, header: Sequence[int] = ()) -> None:
        """Inject a PCI Express error by its QEMU name, with up to four words of the packet's
        header."""
        if not re.fullmatch(r"[A-Z_]{1,20}", str(error)):
            raise LabError(f"nic.aer: error {error!r}: expected a name such as BAD_TLP, "
                           "COMP_TIME or DLP")
        if len(header) > 4 or not all(isinstance(word, int) and 0 <= word < 1 << 32
                                      for word in header):
            raise LabError(f"nic.aer: header {header!r}: expected up to four numbers of 32 bits")
        words = " ".join(f"{word:#x}" for word in header)
        answer = self.machine.hmp(f"pcie_aer_inject_error {self._nic(nic)} {error} {words}".strip())
        if not answer.startswith("OK "):
            raise LabError(f"nic.aer: {answer}")

    @action("nic.list")
    def nic_list(self, nic: str) -> dict[str, str]:
        """Return {name: type} of the device's QOM properties."""
        listed = self.machine.qmp("qom-list", path=f"/machine/peripheral/{self._nic(nic)}")
        return {entry["name"]: entry["type"] for entry in listed
                if not entry["type"].startswith(("link<", "child<"))}

    @action("nic.get")
    # pylint: disable-next=redefined-builtin      # QOM's word is the name of the argument
    def nic_get(self, nic: str, property: str) -> Any:
        """Return a QOM property of the device: a counter, a number of live objects."""
        return self.machine.qmp("qom-get", path=f"/machine/peripheral/{self._nic(nic)}",
                                property=str(property))

    @action("nic.set")
    # pylint: disable-next=redefined-builtin      # likewise
    def nic_set(self, nic: str, property: str, value: Any) -> None:
        """Set a QOM property of the device, of those that can be changed while it runs."""
        if property in HOST_PROPERTIES:
            raise LabError(f"nic.set: {property!r} names something of the host; "
                           "records.start sets record-log")
        self.machine.qmp("qom-set", path=f"/machine/peripheral/{self._nic(nic)}",
                         property=str(property), value=value)

    # records

    def _records(self, nic: str) -> pathlib.Path:
        return self.rundir.file(f"records-{self._nic(nic)}.jsonl")

    def _record_log(self, nic: str, path: object) -> None:
        self.machine.qmp("qom-set", path=f"/machine/peripheral/{nic}", property="record-log",
                         value=str(path))

    @action("records.start")
    def records_start(self, nic: str) -> dict[str, int]:
        """Start the device's record log; returns the offset of the next line."""
        path = self._records(nic)
        size = path.stat().st_size if path.exists() else 0
        if size > MAX_RECORDS:
            self._record_log(nic, "")
            path.unlink()
            size = 0
        self._record_log(nic, path)
        return {"next": size}

    @action("records.stop")
    def records_stop(self, nic: str) -> None:
        """Stop the record log."""
        self._record_log(self._nic(nic), "")

    @action("records.read")
    def records_read(self, nic: str, since: int = 0) -> tuple[dict[str, Any], bytes]:
        """Return complete lines from offset `since` on, up to 1 MiB, and the offset of the next
        one."""
        if not isinstance(since, int) or since < 0:
            raise LabError(f"since {since!r}: expected a number of bytes")
        path = self._records(nic)
        if not path.exists():
            raise LabError(f"{nic} has written no record log; records.start begins one")
        with open(path, "rb") as file:
            file.seek(since)
            data = file.read(RECORDS_CHUNK)
            end = data.rfind(b"\n") + 1
            data = data[:end]
            more = since + end < os.fstat(file.fileno()).st_size
        return {"next": since + end, "more": bool(more and end)}, data

    # fault

    def _qom(self, nic: str, command: str, **args: Any) -> Any:
        return self.machine.qmp(command, path=f"/machine/peripheral/{self._nic(nic)}", **args)

    @action("fault.add")
    def fault_add(self, nic: str, rules: str | list[str]) -> list[int]:
        """Add rules (docs/faults.md) to a device, all or none; returns their ids."""
        rules = [rules] if isinstance(rules, str) else [str(rule) for rule in rules]
        last = max((rule["id"] for rule in self.fault_list(nic)), default=0)
        self._qom(nic, "qom-set", property="fault", value=";".join(rules))
        return [rule["id"] for rule in self.fault_list(nic) if rule["id"] > last]

    @action("fault.list")
    def fault_list(self, nic: str) -> list[dict[str, Any]]:
        """Return the rules of a device, with their matches, hits, and amount of deferred work."""
        return self._qom(nic, "qom-get", property="faults")

    @action("fault.clear")
    def fault_clear(self, nic: str, rule: int | None = None) -> None:
        """Remove one rule of a device, or all, and release the work they deferred."""
        self._qom(nic, "qom-set", property="fault-clear",
                  value="all" if rule is None else str(int(rule)))

    @action("fault.release")
    def fault_release(self, nic: str, name: str | None = None) -> int:
        """Release deferred work in a device, by name or all; returns how much there was."""
        self._qom(nic, "qom-set", property="fault-release", value=str(name or ""))
        return int(self._qom(nic, "qom-get", property="fault-release"))

    # capture

    @action("capture.start")
    def capture_start(self, name: str, netdev: str = "net0") -> dict[str, str]:
        """Start capturing a netdev."""
        known = [f"net{nic[3:]}" for nic in self.machine.spec.nics]
        if netdev not in known:
            raise LabError(f"no netdev {netdev!r}; this machine has: {', '.join(known)}")
        return self.captures.start(str(name), netdev)

    @action("capture.stop")
    def capture_stop(self, name: str) -> dict[str, Any]:
        """Stop a capture; returns its size."""
        return self.captures.stop(str(name))

    @action("capture.contains")
    def capture_contains(self, name: str, blob: pathlib.Path, window: int = 16) -> dict[str, Any]:
        """Return whether any run of `window` bytes of the blob occurs in the capture."""
        if not isinstance(window, int) or not 16 <= window <= 4096:
            raise LabError(f"window {window!r}: expected a number from 16 to 4096")
        return self.captures.contains(str(name), blob, window)

    @action("capture.read")
    def capture_read(self, name: str, offset: int) -> tuple[None, bytes]:
        """Return up to 1 MiB of a stopped capture from `offset` on."""
        if not isinstance(offset, int) or offset < 0:
            raise LabError(f"offset {offset!r}: expected a number of bytes")
        return None, self.captures.read(str(name), offset)

    # wire

    def _wire(self) -> Wire:
        if self.machine.wire is None:
            raise LabError(WIRE.sentence)
        return self.machine.wire

    @action("wire.add", WIRE)
    def wire_add(self, rules: str | list[str]) -> Any:
        """Add rules, all or none; returns their ids."""
        return self._wire().call("add", rules=[rules] if isinstance(rules, str) else rules)

    @action("wire.rules", WIRE)
    def wire_rules(self) -> Any:
        """Return the rules, and how often each was applied."""
        return self._wire().call("rules")

    @action("wire.clear", WIRE)
    def wire_clear(self, rule: int | None = None) -> Any:
        """Remove one rule or all, and release the frames they held."""
        return self._wire().call("clear", rule=rule)

    @action("wire.stats", WIRE)
    def wire_stats(self) -> Any:
        """Return the counters of both directions."""
        return self._wire().call("stats")

    @action("wire.flows", WIRE)
    def wire_flows(self) -> Any:
        """Return the TCP connections seen, with packets, bytes and records per direction."""
        return self._wire().call("flows")

    @action("wire.log", WIRE)
    def wire_log(self, since: int = 0) -> Any:
        """Return the hits of rules, from number `since` on."""
        return self._wire().call("log", since=since)

    @action("wire.release", WIRE)
    def wire_release(self, name: str | None = None) -> Any:
        """Release held frames, by name or all; returns how many."""
        return self._wire().call("release", name=name)

    @action("wire.reset", WIRE)
    def wire_reset(self) -> Any:
        """Reset: no rules, no flows, counters 0, empty log."""
        return self._wire().call("reset")

    # machine

    @action("machine.reset")
    def machine_reset(self) -> None:
        """Reset the machine, like its reset button. Everything running in the guest is lost."""
        self.on_reset()

    @action("machine.image")
    def machine_image(self, part: str, offset: int = 0) -> tuple[dict[str, int], bytes]:
        """Return up to 4 MiB from `offset` on of the guest's boot image: "kernel" or "initrd"."""
        if part not in ("kernel", "initrd"):
            raise LabError(f"part {part!r}: expected kernel or initrd")
        if not isinstance(offset, int) or offset < 0:
            raise LabError(f"offset {offset!r}: expected a number of bytes")
        with open(self.machine.image(part), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            return {"size": size}, file.read(IMAGE_CHUNK)

    # artifact

    @action("artifact.put")
    def artifact_put(self, name: str, blob: pathlib.Path) -> dict[str, str]:
        """Store a file of the guest with the other artifacts."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", str(name)):
            raise LabError(f"artifact name {name!r}: expected letters, digits, '.', '_', '-'")
        target = self.rundir.file(f"guest-{name}")
        shutil.move(blob, target)       # the two may be on different file systems
        return {"path": str(target)}
