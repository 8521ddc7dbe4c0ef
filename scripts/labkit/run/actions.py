# SPDX-License-Identifier: GPL-2.0-or-later
"""What a program in the guest may ask the lab for.

Responsible for: the line protocol of the port `lab.channel` (its guest end is
labclient.py, which describes it) and the table of actions.
State: the request being received, with its blob in a temporary file.

The guest is trusted with its own machine and its own artifacts, with nothing else of the host: no
action takes a path, a command or a QMP command of the guest's choice.
"""

import base64
import binascii
import contextlib
import inspect
import json
import os
import re
import shutil

from ..errors import LabError
from .capture import Captures

MAX_LINE = 64 * 1024
MAX_BLOB = 256 << 20
BLOB_CHUNK = 24 * 1024
UNPLUG_TIMEOUT = 90.0
# Bytes of a record log, when records.start begins another one; the device ends one that is longer
# than its record-log-max, 1 GiB.
MAX_RECORDS = 64 << 20
RECORDS_CHUNK = 1 << 20
IMAGE_CHUNK = 4 << 20
HOST_PROPERTIES = {"record-log", "record-log-max", "memory-limit", "netdev", "mac",
                   "romfile"}


class Actions:
    """The table. A public method `nic_link` is the action `nic.link`."""

    def __init__(self, machine, rundir):
        self.machine = machine
        self.rundir = rundir
        self.captures = Captures(machine, rundir)
        self.on_reset = lambda: None
        self.on_next = lambda: None
        self._next = None           # what runs after the guest has booted again

    def names(self):
        """Every action there is."""
        groups = re.compile(r"(lab|nic|records|fault|capture|machine|artifact" +
                            (r"|wire)_" if self.machine.wire else r")_"))
        return sorted(name.replace("_", ".", 1) for name, value in inspect.getmembers(self)
                      if inspect.ismethod(value) and groups.match(name))

    def run(self, name, args, blob):
        """Run one action; returns (result, bytes). Raises LabError with the reason."""
        if name.startswith("wire.") and not self.machine.wire:
            raise LabError(f"{name}: no middlebox is between the NICs of this machine "
                           "(lab run --wire RULE puts one there)")
        if name not in self.names():
            raise LabError(f"unknown action {name!r}; known: {', '.join(self.names())}")
        method = getattr(self, name.replace(".", "_", 1))
        if "blob" in inspect.signature(method).parameters:
            if blob is None:
                raise LabError(f"{name}: needs the bytes of a blob")
            args = dict(args, blob=blob)
        elif blob is not None:
            raise LabError(f"{name}: takes no blob")
        try:
            inspect.signature(method).bind(**args)
        except TypeError as error:
            raise LabError(f"{name}: {error}; it takes "
                           f"{inspect.signature(method)}") from None
        result = method(**args)
        return result if isinstance(result, tuple) else (result, b"")

    def _nic(self, nic):
        if nic not in self.machine.spec.nics:
            raise LabError(f"no NIC {nic!r}; this machine has: "
                           f"{', '.join(self.machine.spec.nics)}")
        return nic

    # lab

    def lab_info(self):
        """What this lab is."""
        spec = self.machine.spec
        return {"topology": spec.topology, "nic_model": spec.nic_model, "actions": self.names(),
                "wire": self.machine.wire is not None, "ports": self.machine.ports(),
                "nics": {nic: {"netdev": f"net{nic[3:]}", "ifname": f"mlx{nic[3:]}",
                               "device": self.machine.nic_device(nic)} for nic in spec.nics}}

    def lab_log(self, text):
        """A line in the run's lab.log."""
        with open(self.rundir.file("lab.log"), "a", encoding="utf-8") as log:
            log.write(str(text).rstrip("\n") + "\n")

    def lab_next(self, argv):
        """What `lab run` runs, in place of its command, when the guest boots again and its
        command is lost with that: kexec, machine.reset. Its stdin is kept for that from now on."""
        if not isinstance(argv, list) or not argv or not all(isinstance(a, str) for a in argv):
            raise LabError(f"lab.next: argv {argv!r}: a list of a program and its arguments "
                           "expected")
        self._next = argv
        self.on_next()

    def take_next(self):
        """What lab.next asked for, once; None when nobody has asked."""
        argv, self._next = self._next, None
        return argv

    # nic

    def nic_link(self, nic, up):
        """QMP set_link: what pulling the cable does."""
        self.machine.qmp("set_link", name=self._nic(nic), up=bool(up))

    def nic_unplug(self, nic, wait=UNPLUG_TIMEOUT):
        """device_del, and wait until the guest has let the device go and it is gone."""
        self.machine.forget_events()
        self.machine.qmp("device_del", id=self._nic(nic))
        gone = self.machine.wait_event("DEVICE_DELETED", float(wait), {"data": {"device": nic}})
        if gone is None:
            raise LabError(f"{nic} was not released by the guest within {wait:.0f} s")

    def nic_plug(self, nic, props=None, port=None):
        """device_add, as on the command line, with other values of some properties if wanted, and
        into another port."""
        if port is not None and port not in self.machine.ports():
            raise LabError(f"no port {port!r}; this machine has: "
                           f"{', '.join(self.machine.ports())}")
        device = self.machine.nic_device(self._nic(nic), port)
        for name, value in (props or {}).items():
            if name in HOST_PROPERTIES or not re.fullmatch(r"[a-z0-9-]+=[a-z0-9.-]+",
                                                           f"{name}={value}"):
                raise LabError(f"nic.plug: {name}={value}: a property of the device's own and a "
                               "word or number expected")
            device += f",{name}={value}"
        answer = self.machine.hmp("device_add " + device)
        if answer:
            raise LabError(f"device_add {nic}: {answer}")

    def nic_aer(self, nic, error, header=()):
        """An error of PCI Express, by the name that QEMU has for it, with up to four words of the
        packet's header."""
        if not re.fullmatch(r"[A-Z_]{1,20}", str(error)):
            raise LabError(f"nic.aer: error {error!r}: a name such as BAD_TLP, COMP_TIME or DLP "
                           "expected")
        if len(header) > 4 or not all(isinstance(word, int) and 0 <= word < 1 << 32
                                      for word in header):
            raise LabError(f"nic.aer: header {header!r}: up to four numbers of 32 bits expected")
        words = " ".join(f"{word:#x}" for word in header)
        answer = self.machine.hmp(f"pcie_aer_inject_error {self._nic(nic)} {error} {words}".strip())
        if not answer.startswith("OK "):
            raise LabError(f"nic.aer: {answer}")

    def nic_list(self, nic):
        """{name: type} of the device's QOM properties."""
        listed = self.machine.qmp("qom-list", path=f"/machine/peripheral/{self._nic(nic)}")
        return {entry["name"]: entry["type"] for entry in listed
                if not entry["type"].startswith(("link<", "child<"))}

    def nic_get(self, nic, property):   # pylint: disable=redefined-builtin
        """One QOM property of the device: a counter, a number of live objects."""
        return self.machine.qmp("qom-get", path=f"/machine/peripheral/{self._nic(nic)}",
                                property=str(property))

    def nic_set(self, nic, property, value):    # pylint: disable=redefined-builtin
        """Set a QOM property of the device: what can be changed while it runs."""
        if property in HOST_PROPERTIES:
            raise LabError(f"nic.set: {property!r} names something of the host; "
                           "records.start sets record-log")
        self.machine.qmp("qom-set", path=f"/machine/peripheral/{self._nic(nic)}",
                         property=str(property), value=value)

    # records

    def _records(self, nic):
        return self.rundir.file(f"records-{self._nic(nic)}.jsonl")

    def _record_log(self, nic, path):
        self.machine.qmp("qom-set", path=f"/machine/peripheral/{nic}", property="record-log",
                         value=str(path))

    def records_start(self, nic):
        """The device begins to write its record log; where the next line will be."""
        path = self._records(nic)
        size = path.stat().st_size if path.exists() else 0
        if size > MAX_RECORDS:
            self._record_log(nic, "")
            path.unlink()
            size = 0
        self._record_log(nic, path)
        return {"next": size}

    def records_stop(self, nic):
        """No more lines."""
        self._record_log(self._nic(nic), "")

    def records_read(self, nic, since=0):
        """Whole lines from the offset `since` on, up to 1 MiB, and where the next one begins."""
        if not isinstance(since, int) or since < 0:
            raise LabError(f"since {since!r}: a number of bytes expected")
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

    def _qom(self, nic, command, **args):
        return self.machine.qmp(command, path=f"/machine/peripheral/{self._nic(nic)}", **args)

    def fault_add(self, nic, rules):
        """Add rules (docs/faults.md) to a device, all or none; their ids."""
        rules = [rules] if isinstance(rules, str) else [str(rule) for rule in rules]
        last = max((rule["id"] for rule in self.fault_list(nic)), default=0)
        self._qom(nic, "qom-set", property="fault", value=";".join(rules))
        return [rule["id"] for rule in self.fault_list(nic) if rule["id"] > last]

    def fault_list(self, nic):
        """The rules of a device, what each has met, and how much waits because of it."""
        return self._qom(nic, "qom-get", property="faults")

    def fault_clear(self, nic, rule=None):
        """Remove one rule of a device, or all, and let go what they made wait."""
        self._qom(nic, "qom-set", property="fault-clear",
                  value="all" if rule is None else str(int(rule)))

    def fault_release(self, nic, name=None):
        """Let go what waits in a device, under a name or at all; how much it was."""
        self._qom(nic, "qom-set", property="fault-release", value=str(name or ""))
        return int(self._qom(nic, "qom-get", property="fault-release"))

    # capture

    def capture_start(self, name, netdev="net0"):
        """Begin to capture a netdev."""
        known = [f"net{nic[3:]}" for nic in self.machine.spec.nics]
        if netdev not in known:
            raise LabError(f"no netdev {netdev!r}; this machine has: {', '.join(known)}")
        return self.captures.start(str(name), netdev)

    def capture_stop(self, name):
        """End a capture; how much it holds."""
        return self.captures.stop(str(name))

    def capture_contains(self, name, blob, window=16):
        """Does any run of `window` bytes of the blob occur in the capture?"""
        if not isinstance(window, int) or not 16 <= window <= 4096:
            raise LabError(f"window {window!r}: a number from 16 to 4096 expected")
        return self.captures.contains(str(name), blob, window)

    def capture_read(self, name, offset):
        """Up to 1 MiB of a stopped capture from `offset` on."""
        if not isinstance(offset, int) or offset < 0:
            raise LabError(f"offset {offset!r}: a number of bytes expected")
        return None, self.captures.read(str(name), offset)

    # wire

    def wire_add(self, rules):
        """Add rules, all or none; their ids."""
        return self.machine.wire.call("add", rules=[rules] if isinstance(rules, str) else rules)

    def wire_rules(self):
        """The rules, and how often each was applied."""
        return self.machine.wire.call("rules")

    def wire_clear(self, rule=None):
        """Remove one rule or all, and let go what they made wait."""
        return self.machine.wire.call("clear", rule=rule)

    def wire_stats(self):
        """Counters of both directions."""
        return self.machine.wire.call("stats")

    def wire_flows(self):
        """The TCP connections seen: packets, bytes and records in each direction."""
        return self.machine.wire.call("flows")

    def wire_log(self, since=0):
        """What rules were applied to, from hit number `since` on."""
        return self.machine.wire.call("log", since=since)

    def wire_release(self, name=None):
        """Let go what is held, under a name or at all; how many frames."""
        return self.machine.wire.call("release", name=name)

    def wire_reset(self):
        """Begin anew: no rules, no flows, counters 0, the log empty."""
        return self.machine.wire.call("reset")

    # machine

    def machine_reset(self):
        """Reset the machine as its button does. Whatever runs in the guest ends with it."""
        self.on_reset()

    def machine_image(self, part, offset=0):
        """Up to 4 MiB from `offset` on of what the guest was booted from: "kernel", "initrd"."""
        if part not in ("kernel", "initrd"):
            raise LabError(f"part {part!r}: kernel or initrd expected")
        if not isinstance(offset, int) or offset < 0:
            raise LabError(f"offset {offset!r}: a number of bytes expected")
        with open(self.machine.image(part), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(offset)
            return {"size": size}, file.read(IMAGE_CHUNK)

    # artifact

    def artifact_put(self, name, blob):
        """Keep a file of the guest beside the other artifacts."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", str(name)):
            raise LabError(f"artifact name {name!r}: letters, digits, '.', '_', '-' expected")
        target = self.rundir.file(f"guest-{name}")
        shutil.move(blob, target)       # the two may be on different file systems
        return {"path": str(target)}


class Channel:
    """Bytes of the port in, bytes to the port out; runs one action at a time."""

    def __init__(self, actions):
        self._actions = actions
        self._buffer = bytearray()
        self._request = None        # (message, open file, bytes missing)
        self._last = None           # (id, answer) of the last one, should it not have arrived
        self.out = bytearray()

    def reset(self):
        """The guest was reset: whoever asked is gone."""
        self._drop_request()
        self._buffer.clear()
        self.out.clear()

    def feed(self, data):
        """Take bytes from the guest; runs every request that they complete."""
        self._buffer += data
        while True:
            at = self._buffer.find(b"\n")
            if at < 0:
                break
            line = bytes(self._buffer[:at])
            del self._buffer[:at + 1]
            if line:
                self._line(line)
        if len(self._buffer) > MAX_LINE:
            self._buffer.clear()    # no client of ours writes such lines

    def _line(self, line):
        if line.startswith(b"+"):
            self._blob(line)
            return
        self._drop_request()        # a new request: whoever sent the last has given up
        try:
            message = json.loads(line)
            ident, size = str(message["id"]), int(message.get("blob") or 0)
            args = message.get("args") or {}
            if not isinstance(args, dict):
                raise TypeError
            again = message.get("again")
            name = str(message["action"]) if not again else ""
        except (ValueError, TypeError, KeyError, AttributeError):
            return                  # the tail of a line that nobody finished
        if again:
            if self._last and self._last[0] == ident:
                self.out += self._last[1]
            else:
                self._ask_again(ident)
            return
        if not 0 <= size <= MAX_BLOB:
            self._answer(ident, error=f"a blob of {size} bytes; at most {MAX_BLOB} are taken")
            return
        if not size:
            self._run(ident, name, args, None)
            return
        try:
            path = self._actions.rundir.sockets / "blob"
            self._request = (ident, name, args, path, open(path, "wb"), size)
        except OSError as error:
            self._answer(ident, error=f"cannot keep the blob: {error}")

    def _blob(self, line):
        tag, _, text = line[1:].partition(b" ")
        if self._request is None or tag.decode(errors="replace") != self._request[0]:
            return
        ident, name, args, path, file, missing = self._request
        try:
            data = base64.b64decode(text, validate=True)
            file.write(data)
        except binascii.Error:
            self._drop_request()
            self._ask_again(ident)      # a part of it was lost on the way
            return
        except OSError as error:
            self._drop_request()
            self._answer(ident, error=f"cannot keep the blob: {error}")
            return
        missing -= len(data)
        self._request = (ident, name, args, path, file, missing)
        if missing < 0:
            self._drop_request()
            self._answer(ident, error="the blob is longer than announced")
        elif missing == 0:
            self._request = None
            file.close()
            self._run(ident, name, args, path)
            with contextlib.suppress(OSError):
                path.unlink()

    def _drop_request(self):
        if self._request is not None:
            self._request[4].close()
            with contextlib.suppress(OSError):
                self._request[3].unlink()
            self._request = None

    def _run(self, ident, name, args, blob):
        try:
            result, data = self._actions.run(name, args, blob)
        except LabError as error:
            self._answer(ident, error=error.message)
        except (OSError, ValueError, TypeError) as error:
            self._answer(ident, error=f"{name}: {error}")
        else:
            self._answer(ident, result=result, data=data)

    def _ask_again(self, ident):
        self.out += b"\n" + json.dumps({"id": ident, "again": True}).encode() + b"\n"

    def _answer(self, ident, result=None, data=b"", error=None):
        if error is not None:
            message = {"id": ident, "ok": False, "error": error}
        else:
            message = {"id": ident, "ok": True, "result": result, "blob": len(data)}
        answer = b"\n" + json.dumps(message).encode() + b"\n"
        for at in range(0, len(data), BLOB_CHUNK):
            answer += (b"+" + ident.encode() + b" "
                       + base64.b64encode(data[at:at + BLOB_CHUNK]) + b"\n")
        self._last = ident, answer
        self.out += answer
