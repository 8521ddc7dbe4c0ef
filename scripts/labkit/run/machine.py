# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU process: its command line, lifecycle and monitor.

Responsible for: the composition of a lab machine, starting and ending it, QMP, and explaining why
it died.
State: the QEMU process and the two ends of its virtio-serial ports.

It is driven by QEMU's own Python modules. They are part of the QEMU tree, so they are imported only
when a machine is started.
"""

import asyncio
import contextlib
import gzip
import logging
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO

from .. import options, paths
from ..errors import LabError
from ..interrupts import held
from ..make.products import Products
from . import tsc
from .events import Events
from .frames import guest as frames
from .rundir import RunDir
from .spec import MANAGE_ADDRESS, OURS, Spec, quote
from .wire import Wire

PORT_ADDRESSES = (0x10, 0x11)       # of the root ports on pcie.0, in order of the NICs
SPARE_PORT, SPARE_ADDRESS = "spare", 0x12   # empty when the machine starts
# Firmware assigns an empty port a window too small for BAR 0 of a NIC (32 MiB). This large, the
# windows are above 4 GiB, and that matters: TCG finds the device that a virtual CPU writes to by
# its place in a list ordered by address, which another CPU may have changed meanwhile (QEMU's issue
# 1921). A NIC below the local APIC that is reset or put to sleep could so cost the guest an end of
# interrupt, and with it a CPU.
PORT_OPTIONS = "pref64-reserve=4G"
SERIAL_ADDRESS = 0x2
# The two limits: if the host stops a guest for half a minute, the guest takes it for a stall of its
# own, and its tests fail because of what the kernel logs.
KERNEL_ARGS = ("console=ttyS0 panic=-1 quiet no_timer_check tsc=reliable "
               "random.trust_cpu=on rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60")
PORTS = ("agent", "channel", "events")      # the sockets between the lab and QEMU
AGENT_PORT = "agentport"            # the agent's port in QEMU's events
AGENT_END = re.compile(r"^init: the agent has ended with status (\d+)")
TROUBLE = re.compile(r"\bBUG\b|\bOops\b|Kernel panic|general protection fault")
QMP_TIMEOUT = 120       # seconds for an answer; if it takes longer, QEMU hangs
STOP_TIMEOUT = 120      # seconds to end after `quit`, a hang guard: killing it is a failure


class Machine:
    """A QEMU that runs the guest; a context manager that ends QEMU on exit."""

    def __init__(self, products: Products, spec: Spec, rundir: RunDir) -> None:
        self.products = products
        self.spec = spec
        self.rundir = rundir
        # sockets of the ports lab.agent (in place of which a user's image has its serial console)
        # and lab.channel, and asynchronous QEMU events
        self._ends: tuple[socket.socket, socket.socket, Events] | None = None
        self.wire: Wire | None = None       # the middlebox between the NICs, if any
        self.pidfd = -1             # readable once QEMU has ended
        self._vm: Any = None        # QEMU's own Python modules have no types
        self._status: int | None = None
        self.console = rundir.file("console.log")
        self.log = rundir.file("qemu.log")

    # the command line

    def _port_devices(self) -> dict[str, int]:
        """Return {id of a root port: its device number on the root bus}."""
        ports = {f"rp{nic[3:]}": PORT_ADDRESSES[int(nic[3:])] for nic in self.spec.nics}
        return ports | {SPARE_PORT: SPARE_ADDRESS}

    def ports(self) -> dict[str, str]:
        """Return {id of a root port: its PCI address in the guest}."""
        return {port: f"0000:00:{address:02x}.0"
                for port, address in self._port_devices().items()}

    def nic_device(self, nic: str, port: str | None = None) -> str:
        """Return the -device option of `nic`, also for device_add; `port`: instead of its own
        port."""
        index = int(nic[3:])
        if self.spec.functions:
            return f"vfio-pci,id={nic},bus={port or f'rp{index}'}," \
                   f"host={self.spec.functions[index]}"
        parts = [self.spec.nic_model, f"id={nic}", f"bus={port or f'rp{index}'}",
                 f"netdev=net{index}",
                 f"mac=52:54:00:6d:78:{16 * self.spec.number + index:02x}"]
        if self.spec.nic_model != OURS:
            parts.append("romfile=")
        elif self.spec.topology == "pair":
            parts.append(f"link-partner=nic{1 - index}")
        return ",".join(parts + self.spec.nic)

    def _net_args(self, wire: Sequence[int]) -> list[str]:
        """`wire`: descriptors of the two ends of a stream socket pair, or of one for each NIC,
        connected to the middlebox.

        Both netdevs are clients of a connection made by us. If one were a server, its end would
        stay in blocking mode, as net/stream.c leaves it after accept; with both ends in one
        process, QEMU would wait for itself as soon as a burst fills the socket.
        """
        spec, args = self.spec, []
        if spec.topology == "pair":
            for index, fd in enumerate(wire):
                args += ["-netdev", f"stream,id=net{index},server=off,addr.type=fd,addr.str={fd}"]
        elif spec.topology == "cable":
            args = ["-device", f"virtio-net-pci,netdev=manage,bus=pcie.0,addr={MANAGE_ADDRESS:#x},"
                               f"mac=52:54:00:6d:79:{spec.number:02x},romfile="]
            for name, fd in zip(("net0", "manage"), wire):
                args += ["-netdev", f"stream,id={name},server=off,addr.type=fd,addr.str={fd}"]
        else:
            forwards = "".join(",hostfwd=" + quote(rule) for rule in spec.hostfwd)
            args = ["-netdev", "user,id=net0" + forwards]
        for slot, (port, address) in enumerate(self._port_devices().items(), 1):
            args += ["-device", f"pcie-root-port,id={port},bus=pcie.0,addr={address:#x},"
                                f"chassis={slot},slot={slot},{PORT_OPTIONS}"]
        for nic in spec.nics:
            args += ["-device", self.nic_device(nic)]
        return args

    def _kernel_args(self) -> str:
        spec = self.spec
        ports = ",".join(address for port, address in self.ports().items() if port != SPARE_PORT)
        words = [KERNEL_ARGS, *self.products.kernel_args.split(),
                 f"lab.topology={'none' if spec.bare else spec.topology}", f"lab.ports={ports}"]
        if frequency := tsc.khz():
            words.append(f"tsc_early_khz={frequency}")
        return " ".join(words + options.contributed(spec, "kernel"))

    def _args(self, initrd: pathlib.Path, ports: Iterable[tuple[str, int]],
              wire: Sequence[int]) -> list[str]:
        spec, products = self.spec, self.products
        args = []
        for folder in products.firmware_dirs:
            args += ["-L", str(folder)]
        args += ["-nodefaults", "-no-user-config", "-cpu", "max"]
        if spec.foreign:
            # without graphics, the firmware and what it boots use the serial console
            args += ["-machine", "q35,graphics=off", "-serial", "chardev:agent"]
        else:
            args += ["-no-reboot", "-machine", "q35",
                     "-chardev", f"file,id=console,path={quote(self.console)}",
                     "-serial", "chardev:console", "-device",
                     f"virtio-serial-pci,id=labserial,bus=pcie.0,addr={SERIAL_ADDRESS:#x}"]
        if "-accel" not in spec.qemu_arg:      # the first one counts
            # a real device is not made to wait for emulated processors where it need not be
            args += ["-accel", "kvm"] if spec.functions and _kvm() else []
            args += ["-accel", "tcg,thread=multi"]
        for name, fd in ports:
            copy = f",logfile={quote(self.console)}" if spec.foreign and name == "agent" else ""
            args += ["-chardev", f"socket,id={name},fd={fd}{copy}"]
            if name == "events":
                args += ["-mon", "chardev=events,mode=control"]
            elif spec.foreign:
                continue
            elif name != "channel" or not spec.alone:
                args += ["-device", f"virtserialport,bus=labserial.0,id={name}port,"
                                    f"chardev={name},name=lab.{name}"]
        args += self._net_args(wire)
        if not spec.foreign:
            args += ["-kernel", str(products.kernel), "-initrd", str(initrd),
                     "-append", self._kernel_args()]
        return args + options.contributed(spec, "qemu")

    # life

    def start(self) -> None:
        """Launch QEMU and connect its monitor. Raises LabError with QEMU's own words."""
        machine_class = _qemu_machine_class(self.products.qemu_src)
        initrd = self.rundir.sockets / "initrd"
        if not self.spec.foreign:
            _concatenate([*self.products.initrds, *self.spec.initrds], initrd)
        ours, theirs = [], []
        for _ in PORTS:
            near, far = socket.socketpair()
            os.set_inheritable(far.fileno(), True)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, frames.SOCKET // 2)     # doubled
            near.setblocking(False)
            ours.append(near)
            theirs.append(far)
        self._ends = ours[0], ours[1], Events(ours[2])
        wire = self._wire_ends()
        for end in wire:
            os.set_inheritable(end.fileno(), True)
        theirs += wire
        ports = [(name, far.fileno()) for name, far in zip(PORTS, theirs)]
        wrapper = [sys.executable, "-I", str(paths.PDEATH), str(os.getpid())]
        args = self._args(initrd, ports, [end.fileno() for end in wire])
        self.rundir.file("qemu-command.txt").write_text(
            "\n".join([str(self.products.qemu), *args]) + "\n", encoding="utf-8")
        vm = machine_class(str(self.products.qemu), args, wrapper=wrapper, name="qemu",
                           base_temp_dir=str(self.rundir.sockets),
                           log_dir=str(self.rundir.path), qmp_timer=QMP_TIMEOUT)
        try:
            with held():
                vm.launch()
                self._vm = vm
                # pylint: disable-next=protected-access      # there is no other way to set it
                vm._qmp.settimeout(QMP_TIMEOUT)
                self.pidfd = os.pidfd_open(vm.get_pid())
        except ProcessLookupError:
            raise LabError("QEMU ended at once: " + self._log_tail()) from None
        except Exception as error:
            text = "QEMU did not start: " + (self._log_tail() or str(error))
            where = self.rundir.file("qemu-command.txt")
            raise LabError(text, f"its command line is in {where}") from error
        finally:
            for far in theirs:
                far.close()
            initrd.unlink(missing_ok=True)

    def image(self, part: str) -> pathlib.Path:
        """Return the file of the guest's boot image: "kernel", or "initrd", compressed for the
        transfer; a kernel unpacks it."""
        if part == "kernel":
            assert self.products.kernel is not None     # it was booted from it
            return self.products.kernel
        path = self.rundir.sockets / "initrd.gz"
        if not path.exists():
            try:
                with gzip.open(path, "wb", compresslevel=1) as out:
                    _write_parts([*self.products.initrds, *self.spec.initrds], out)
            except OSError as error:
                raise LabError(f"cannot pack the guest's initrd: {error}") from error
        return path

    def _wire_ends(self) -> Sequence[socket.socket]:
        """The sockets that the NICs are wired with, which are this machine's to close."""
        if self.spec.topology == "cable":
            return [cable.dup() for cable in self.spec.cables]
        if self.spec.topology != "pair" or self.spec.functions:
            return ()
        if self.spec.wire is None:
            return socket.socketpair()
        self.wire = Wire(self.rundir, self.spec.wire)
        return self.wire.start()

    def stop(self) -> None:
        """End QEMU, first by `quit`. May be called at any time, and repeatedly."""
        vm, self._vm = self._vm, None
        if vm is not None:
            with held():
                # pylint: disable=protected-access
                limit = time.monotonic() + STOP_TIMEOUT
                if vm._qmp_connection is not None:
                    vm._qmp_connection.settimeout(STOP_TIMEOUT)
                    # If the guest has powered off, nobody answers. QEMU's module would then kill
                    # a process that is about to end by itself.
                    with contextlib.suppress(Exception):
                        vm.qmp("quit")
                try:
                    vm._popen.wait(timeout=max(1.0, limit - time.monotonic()))
                except subprocess.TimeoutExpired:
                    vm.kill()
                else:
                    with contextlib.suppress(Exception):    # of the connection, which is gone
                        vm.wait()
                self._status = vm.exitcode()
        if self.wire is not None:
            self.wire.stop()
        if self._ends is not None:
            for end in self._ends[:2]:
                end.close()
            self._ends[2].close()
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def _started(self) -> tuple[socket.socket, socket.socket, Events]:
        if self._ends is None:
            raise LabError("the machine is not running")
        return self._ends

    @property
    def agent(self) -> socket.socket:
        """Return the lab's end of the port lab.agent."""
        return self._started()[0]

    @property
    def channel(self) -> socket.socket:
        """Return the lab's end of the port lab.channel."""
        return self._started()[1]

    @property
    def events(self) -> Events:
        """Return the asynchronous QEMU events."""
        return self._started()[2]

    def __enter__(self) -> "Machine":
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def exit_status(self) -> int | None:
        """Return QEMU's exit status after stop(): 0, a code, or minus a signal."""
        return self._status

    @property
    def pid(self) -> int | None:
        """Return QEMU's process id, None if it is not running."""
        return self._vm.get_pid() if self._vm is not None else None

    @property
    def running(self) -> bool:
        """Return whether the QEMU process is running."""
        return self._vm is not None and self._vm.is_running()

    # the monitor

    def qmp(self, command: str, **arguments: Any) -> Any:
        """Run a QMP command; returns its result, raises LabError with QEMU's message."""
        if self._vm is None:
            raise LabError(f"QMP {command}: the machine is not running")
        with held():
            try:
                return self._vm.cmd(command, arguments or None)
            except Exception as error:
                text = str(error) or type(error).__name__
                raise LabError(f"QMP {command}: {text}") from error

    def hmp(self, line: str) -> str:
        """Run a human monitor command; returns its output, "" for most that succeed."""
        return str(self.qmp("human-monitor-command", **{"command-line": line})).strip()

    def wait_event(self, name: str, timeout: float, match: dict[str, Any] | None = None) -> Any:
        """Wait for a QMP event; returns it, or None after `timeout` seconds."""
        try:
            return self._vm.events_wait([(name, match)], timeout=float(timeout))
        except (asyncio.TimeoutError, TimeoutError):
            return None
        except Exception as error:
            raise LabError(f"QEMU went away while waiting for {name}") from error

    def answers(self, timeout: float = 5.0) -> bool:
        """Return whether QEMU's monitor answers. If not, its main loop hangs, and the guest with
        it."""
        # pylint: disable=protected-access,broad-except  # whatever it is, it is no answer
        with held():
            try:
                self._vm._qmp.settimeout(timeout)
                self._vm.cmd("query-status")
                return True
            except Exception:
                return False
            finally:
                with contextlib.suppress(Exception):
                    self._vm._qmp.settimeout(QMP_TIMEOUT)

    def forget_events(self) -> None:
        """Drop events that are not waited for."""
        with contextlib.suppress(Exception):
            self._vm.get_qmp_events()

    # why it died

    def console_tail(self, lines: int = 25) -> list[str]:
        """Return the last lines of the guest's console, without control characters."""
        try:
            with open(self.console, "rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 64 * 1024))
                text = file.read().decode(errors="replace")
        except OSError:
            return []
        text = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|c)|[^\n\t\x20-\x7e\x80-\uffff]", "", text)
        found = [line.rstrip() for line in text.splitlines() if line.strip()]
        for number, line in enumerate(found):
            if TROUBLE.search(line) and number < len(found) - lines:
                # its beginning is more informative than the end of the register dump
                return found[max(0, number - 2):number + lines]
        return found[-lines:]

    def _log_tail(self) -> str:
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-8:])

    def epitaph(self) -> str:
        """Return one sentence on why the machine is gone. Waits briefly for the process to end."""
        reason = ""
        vm = self._vm
        if vm is not None:
            with contextlib.suppress(Exception):
                # pylint: disable-next=protected-access      # it has no wait() of its own
                vm._popen.wait(timeout=5)
            with contextlib.suppress(Exception):
                for event in vm.get_qmp_events():
                    if event.get("event") == "SHUTDOWN":
                        reason = event.get("data", {}).get("reason", "")
        status: int | None = vm.exitcode() if vm is not None else self._status
        if status is not None and status < 0:
            return f"QEMU was killed by {signal.Signals(abs(status)).name}; its log: {self.log}"
        if status:
            return f"QEMU ended with status {status}: {self._log_tail() or 'it said nothing'}"
        for line in self.console_tail(1000):
            if "Kernel panic" in line:
                return "the guest's kernel panicked: " + re.sub(r"^\[[ 0-9.]*\] ", "", line)
            if match := AGENT_END.match(line):
                return ("the lab's agent in the guest " + _ending(int(match[1]))
                        + ", so that nothing more could be known of what ran there")
        return {"guest-reset": "the guest rebooted",
                "guest-shutdown": "the guest powered off",
                "guest-panic": "the guest panicked"}.get(reason, "the guest ended")


def _kvm() -> bool:
    return os.access("/dev/kvm", os.R_OK | os.W_OK)


def _ending(status: int) -> str:
    """Describe how a process ended, from its shell-style status."""
    with contextlib.suppress(ValueError):
        if status > 128:
            return f"was killed by {signal.Signals(status - 128).name}"
    return f"ended with status {status}"


def _qemu_machine_class(qemu_src: pathlib.Path | None) -> Callable[..., Any]:
    """Return class QEMUMachine of the QEMU tree of the binary."""
    if qemu_src is None:
        raise LabError("there is no QEMU to start")
    folder = str(qemu_src / "python")
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # the log of these modules is for their developers; our messages say what happened
    logging.getLogger("qemu").addHandler(logging.NullHandler())
    logging.getLogger("qemu").propagate = False
    try:
        # pylint: disable-next=import-outside-toplevel     # of the tree found above
        from qemu.machine import QEMUMachine
    except ImportError as error:
        raise LabError(f"cannot import QEMU's Python modules from {folder}: {error}",
                       "the QEMU source tree is incomplete; `lab build` brings it again") from error
    return QEMUMachine


def _write_parts(parts: Iterable[pathlib.Path], out: BinaryIO | gzip.GzipFile) -> None:
    """Concatenate archives, which the kernel unpacks in turn, each aligned to 4 bytes."""
    for part in parts:
        with open(part, "rb") as source:
            shutil.copyfileobj(source, out, 1 << 20)
        out.write(b"\0" * (-out.tell() % 4))


def _concatenate(parts: Iterable[pathlib.Path], out_path: pathlib.Path) -> None:
    try:
        with open(out_path, "wb") as out:
            _write_parts(parts, out)
    except OSError as error:
        raise LabError(f"cannot prepare the guest's initrd: {error}",
                       "is there space left in the temporary directory (TMPDIR)?") from error
