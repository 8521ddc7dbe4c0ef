# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic through guests, measured in pairs.

Responsible for: what is compared with what, the machines for it, one measurement, and the rounds.
State: none beyond a run. figures.py shows what came of it.

Contenders are measured one after the other, again and again: what the host does meanwhile meets
all of them. All machines of a stage are up at the same time, and all but one of them idle. A
figure of a contender is divided by that of the same round, so that slow minutes cancel out.

guest-tests/traffic.py makes the traffic in the guest and says when counting begins and ends; the
clocks of QEMU's threads are read then. Those of the virtual CPUs tell what the traffic cost the
guest, the others what it cost the device, its backend and the rest of QEMU.
"""

import contextlib
import dataclasses
import hashlib
import json
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..errors import LabError
from ..make import guest_tests
from ..make.products import Products
from . import session
from .guest import Guest
from .rundir import RunDir
from .spec import OURS, Spec

LIMIT = 300.0           # hang guard of a measurement
SLIRP_HOST = "10.0.2.2"     # the host, as libslirp shows it
WORK = 24 << 20         # bytes that are hashed to see how even the host's speed is
BLOCK = 1 << 18
TLS = {"tls": "kernel"}


@dataclasses.dataclass(frozen=True)
class Contender:
    """One of those that are compared."""

    name: str
    model: str = OURS               # its NIC
    words: dict[str, Any] = dataclasses.field(default_factory=dict)     # added to the request

    def __hash__(self) -> int:
        return hash(self.name)


@dataclasses.dataclass(frozen=True)
class Workload:
    """What is measured of each contender: a request of guest-tests/traffic.py, and where."""

    name: str
    about: str
    words: dict[str, Any]
    contenders: tuple[Contender, ...]
    against: tuple[str, ...] = ()   # contenders that the others are compared with
    topology: str = "pair"
    wire: str = ""                  # rule of the middlebox; "" for none

    @property
    def stage(self) -> tuple[str, str]:
        """What machines it needs, apart from the NIC's model."""
        return self.topology, self.wire


NICS = (Contender(OURS), *(Contender(model, model)
                           for model in ("virtio-net-pci", "igb", "e1000e")))
MODES = (Contender("plain"),
         Contender("device", words={**TLS, "tx": True, "rx": True}),
         Contender("device-tx", words={**TLS, "tx": True}),
         Contender("device-rx", words={**TLS, "rx": True}),
         Contender("software", words=TLS),
         Contender("user", words={"tls": "user"}))
_KERNELS = MODES[:5]        # without OpenSSL
_BOTH = (MODES[0], MODES[1], MODES[4])
AGAINST = ("plain", "software")
AMONG_NICS = (NICS, (OURS,))

WORKLOADS = {workload.name: workload for workload in (
    # NICs of QEMU
    Workload("tcp", "a TCP connection from NIC to NIC", {}, *AMONG_NICS),
    Workload("tcp-8", "8 such connections", {"connections": 8}, *AMONG_NICS),
    Workload("tcp-64", "64 such connections", {"connections": 64}, *AMONG_NICS),
    Workload("turns", "a byte there and back, in turn", {"kind": "turns"}, *AMONG_NICS),
    Workload("packets", "UDP frames of 64 bytes, received", {"kind": "packets"}, *AMONG_NICS),
    Workload("slirp-out", "a TCP connection to the host, by libslirp", {}, *AMONG_NICS,
             topology="user"),
    Workload("slirp-in", "one from the host", {"way": "in"}, *AMONG_NICS,
             topology="user"),
    # ways to have TLS on ours
    Workload("tls-16k", "a connection with records of 16 KiB", {"size": 16384}, MODES, AGAINST),
    Workload("tls-4k", "records of 4 KiB", {"size": 4096}, _KERNELS, AGAINST),
    Workload("tls-1k", "records of 1 KiB", {"size": 1024}, _KERNELS, AGAINST),
    Workload("tls-sendfile", "sendfile", {"sendfile": True}, _BOTH, AGAINST),
    Workload("tls-loss-0.1", "0.1 % of the packets lost", {"size": 16384}, _BOTH, AGAINST,
             wire="drop both p=0.001"),
    Workload("tls-loss-1", "1 % lost", {"size": 16384}, _BOTH, AGAINST, wire="drop both p=0.01"),
    Workload("tls-loss-3", "3 % lost", {"size": 16384}, _BOTH, AGAINST, wire="drop both p=0.03"),
    Workload("tls-connections", "connections, each with a record of 16 KiB",
             {"kind": "connections", "size": 16384}, _BOTH, AGAINST),
)}


@dataclasses.dataclass(frozen=True)
class Figure:
    """A measurement. Times in seconds; processors' times are those of QEMU's threads."""

    count: int              # of what `unit` says
    unit: str
    seconds: float
    guest: float            # processor time of the virtual CPUs
    device: float           # of QEMU's other threads: the device, its backend, the main loop

    @property
    def rate(self) -> float:
        """So many a second."""
        return self.count / self.seconds


# ---- clocks

def _thread_times(pid: int) -> dict[int, float]:
    """{thread: seconds on a processor} of a process. A thread that ends meanwhile is left out."""
    found = {}
    for path in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            text = (path / "schedstat").read_text(encoding="ascii")
            found[int(path.name)] = int(text.split()[0]) / 1e9
    return found


class Clocks:
    """Processor time of a machine's threads between two marks."""

    def __init__(self, guest: Guest) -> None:
        machine = guest.machine
        if machine.pid is None:
            raise LabError("the machine is not running")
        self.pid = machine.pid
        self.processors = {cpu["thread-id"] for cpu in machine.qmp("query-cpus-fast")}
        self.marks: dict[str, dict[int, float]] = {}

    def mark(self, name: str) -> None:
        """Read them, now."""
        self.marks[name] = _thread_times(self.pid)

    def spent(self) -> tuple[float, float]:
        """(of the virtual CPUs, of all others) between "begin" and "end"."""
        begin, end = self.marks["begin"], self.marks["end"]
        moved = {thread: value - begin.get(thread, 0.0) for thread, value in end.items()}
        guest = sum(value for thread, value in moved.items() if thread in self.processors)
        return guest, sum(moved.values()) - guest


def calibrate() -> float:
    """Seconds for the same work, again and again: how even the host's speed is."""
    began, data = time.monotonic(), bytes(1 << 20)
    digest = hashlib.sha256()
    for _ in range(WORK >> 20):
        digest.update(data)
    return time.monotonic() - began


# ---- the host as a peer

class HostPeer:
    """A TCP server of the host that takes whatever comes ("out"), or sends without end ("in")."""

    def __init__(self, way: str) -> None:
        self.way = way
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "HostPeer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):      # it is closed at the end
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        buffer = bytearray(BLOCK)
        with sock, contextlib.suppress(OSError):
            if self.way == "in":
                while True:
                    sock.sendall(buffer)
            while sock.recv_into(buffer):
                pass


# ---- a measurement

def measure(guest: Guest, request: dict[str, Any]) -> Figure:
    """Make the traffic of a request in a guest; returns what came. Raises LabError with the
    guest's words if it was not the traffic that was asked for."""
    clocks, rest, errors = Clocks(guest), b"", bytearray()
    result: dict[str, Any] = {}

    def take(data: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            words = json.loads(line)
            if "mark" in words:
                clocks.mark(words["mark"])
            else:
                result.update(words)

    status = guest.run(["python3", "-B", f"{guest_tests.AT}/traffic.py", json.dumps(request)],
                       stdout=take, stderr=errors.extend, timeout=LIMIT)
    if status or set(clocks.marks) != {"begin", "end"} or not result:
        raise LabError(f"traffic {json.dumps(request)}: status {status}: "
                       + (errors.decode(errors="replace").strip() or "it said nothing"))
    if result["count"] <= 0:
        raise LabError(f"traffic {json.dumps(request)}: nothing arrived")
    return Figure(result["count"], result["unit"], result["seconds"], *clocks.spent())


def _measure(guest: Guest, workload: Workload, contender: Contender, seconds: float) -> Figure:
    request = {**workload.words, **contender.words, "seconds": seconds}
    if workload.topology != "user":
        return measure(guest, request)
    with HostPeer(workload.words.get("way", "out")) as peer:
        return measure(guest, {**request, "host": f"{SLIRP_HOST}:{peer.port}"})


# ---- rounds

@dataclasses.dataclass
class Plan:
    """What is to be measured, and how often."""

    workloads: list[Workload]
    models: tuple[str, ...]         # NICs that take part
    rounds: int
    seconds: float

    def contenders(self, workload: Workload) -> list[Contender]:
        """Those of a workload that take part."""
        return [one for one in workload.contenders if one.model in self.models]


Results = dict[str, dict[str, list[Figure]]]        # by workload and contender, one of each round


@contextlib.contextmanager
def _machines(made: Products, base: Spec, rundir: RunDir, stage: tuple[str, str],
              models: Iterable[str]) -> Iterator[dict[str, Guest]]:
    """A guest for each of the NICs, all up at once."""
    topology, rule = stage
    with contextlib.ExitStack() as stack:
        guests = {}
        for model in models:
            label = "-".join(filter(None, (model, topology, rule and rule.rpartition("=")[2])))
            where = stack.enter_context(session.artifacts(label, rundir.file(label), quiet=True))
            spec = dataclasses.replace(
                base, topology=topology, nic_model=model,
                nic=base.nic if model == OURS else [],
                wire=[f"{rule} seed=1"] if rule else None,
                initrds=[guest_tests.archive(where.sockets)])
            guests[model] = stack.enter_context(session.booted(made, spec, where,
                                                               need_network=True))
        yield guests


def run(made: Products, base: Spec, rundir: RunDir, plan: Plan,
        progress: Callable[[str], None]) -> tuple[Results, list[float]]:
    """Measure; returns the figures, and the times of calibrate() between them.

    The first round of each stage is not counted: it fills caches, of TCG's translations too."""
    results: Results = {workload.name: {one.name: [] for one in plan.contenders(workload)}
                        for workload in plan.workloads}
    noise = []
    for stage in dict.fromkeys(workload.stage for workload in plan.workloads):
        mine = [workload for workload in plan.workloads if workload.stage == stage]
        models = dict.fromkeys(one.model for workload in mine for one in plan.contenders(workload))
        progress(f"booting {len(models)} guests")
        with _machines(made, base, rundir, stage, models) as guests:
            for number in range(plan.rounds + 1):
                noise.append(calibrate())
                for workload in mine:
                    for one in plan.contenders(workload):
                        progress(f"round {number} of {plan.rounds}: {workload.name} {one.name}")
                        figure = _measure(guests[one.model], workload, one, plan.seconds)
                        if number:
                            results[workload.name][one.name].append(figure)
    return results, noise
