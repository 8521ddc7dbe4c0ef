# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of the wire, and the search for a payload in them.

Responsible for: QEMU's filter-dump on a netdev, reading its files, and the search for plaintext.
State: the active captures, each a filter object of the machine and a file.
"""

import mmap
import os
import pathlib
import re
import struct
from typing import Any

from ..errors import LabError
from .machine import Machine
from .rundir import RunDir

PCAP_HEADER = struct.Struct("=IHHiIII")
PCAP_RECORD = struct.Struct("=IIII")
PCAP_MAGIC = 0xa1b2c3d4
MAXLEN = 65536          # whole frames: GSO frames of a backend are 64 KiB at most
PROBE = 8               # bytes compared at once while searching
INDEXED = 16 << 20      # bytes of payload indexed at once: some 200 MB of memory
LOT = 1024              # hits verified at once
READ_MAX = 1 << 20


def find_window(payload: bytes, capture: bytes, window: int = 16) -> tuple[int, int] | None:
    """Find a run of `window` bytes of `payload` in `capture`, at any offset of both.

    Returns (payload offset, capture offset) of one such run, or None; exact, no sampling. Any run
    of 16 bytes contains a block of 8 that starts at a multiple of 8 in the payload: these blocks
    form the index, in which every offset of the capture is looked up. Hits are then extended to
    both sides.
    """
    if window < 2 * PROBE:
        raise ValueError(f"a window of {window} bytes: {2 * PROBE} at least")
    payload, capture = memoryview(payload).cast("B"), memoryview(capture).cast("B")
    for begin in range(0, len(payload) - PROBE + 1, INDEXED):
        end = min(begin + INDEXED, len(payload))
        end -= (end - begin) % PROBE
        blocks = payload[begin:end].cast("Q")
        index = set(blocks)
        for shift in range(min(PROBE, max(0, len(capture) - PROBE + 1))):
            count = (len(capture) - shift) // PROBE
            probes = capture[shift:shift + count * PROBE].cast("Q")
            hits = list(index.intersection(probes))
            # in small lots: with a payload in clear everything hits, and one hit is enough
            for first in range(0, len(hits), LOT):
                found = _verify(payload, capture, window, begin, blocks, shift, probes,
                                set(hits[first:first + LOT]))
                if found:
                    return found
    return None


def _verify(payload: memoryview, capture: memoryview, window: int, begin: int, blocks: memoryview,
            shift: int, probes: memoryview, hits: set[int]) -> tuple[int, int] | None:
    """Extend each hit to both sides; returns the first that reaches `window` bytes."""
    places: dict[int, list[int]] = {}
    for number, block in enumerate(blocks):
        if block in hits:
            places.setdefault(block, []).append(begin + number * PROBE)
    for number, probe in enumerate(probes):
        for there in places.get(probe, ()):
            here = shift + number * PROBE
            left = right = 0
            while (left < there and left < here and left < window
                   and payload[there - left - 1] == capture[here - left - 1]):
                left += 1
            while (there + PROBE + right < len(payload) and here + PROBE + right < len(capture)
                   and left + PROBE + right < window
                   and payload[there + PROBE + right] == capture[here + PROBE + right]):
                right += 1
            if left + PROBE + right >= window:
                return there - left, here - left
    return None


def pcap_summary(path: pathlib.Path) -> tuple[int, int]:
    """Return (packets, bytes on the wire) of a pcap file; raises LabError if it is not one."""
    packets = wire = 0
    with open(path, "rb") as file:
        header = file.read(PCAP_HEADER.size)
        if len(header) < PCAP_HEADER.size or PCAP_HEADER.unpack(header)[0] != PCAP_MAGIC:
            raise LabError(f"{path} is not a capture of this machine")
        while True:
            record = file.read(PCAP_RECORD.size)
            if len(record) < PCAP_RECORD.size:
                return packets, wire
            _, _, kept, length = PCAP_RECORD.unpack(record)
            packets += 1
            wire += length
            file.seek(kept, os.SEEK_CUR)


class Captures:
    """The captures of a machine, by the names chosen by the requester."""

    def __init__(self, machine: Machine, rundir: RunDir) -> None:
        self._machine = machine
        self._rundir = rundir
        self._running: dict[str, pathlib.Path] = {}
        self._stopped: dict[str, pathlib.Path] = {}

    def start(self, name: str, netdev: str = "net0") -> dict[str, str]:
        """Start writing the traffic of `netdev` to artifacts/NAME.pcap."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            raise LabError(f"capture name {name!r}: expected letters, digits, '.', '_', '-'")
        if name in self._running:
            raise LabError(f"capture {name!r} is already running")
        path = self._rundir.file(f"{name}.pcap")
        self._machine.qmp("object-add", **{"qom-type": "filter-dump", "id": f"capture-{name}",
                                           "netdev": netdev, "file": str(path),
                                           "maxlen": MAXLEN})
        self._running[name] = path
        self._stopped.pop(name, None)
        return {"path": str(path)}

    def stop(self, name: str) -> dict[str, Any]:
        """Stop a capture; returns its size."""
        path = self._running.pop(name, None)
        if path is None:
            raise LabError(f"no capture {name!r} is running; running: {_names(self._running)}")
        self._machine.qmp("object-del", id=f"capture-{name}")
        self._stopped[name] = path
        packets, wire = pcap_summary(path)
        return {"path": str(path), "bytes": path.stat().st_size, "packets": packets,
                "wire_bytes": wire}

    def contains(self, name: str, payload_path: pathlib.Path, window: int = 16) -> dict[str, Any]:
        """Search a stopped capture for the file at `payload_path`."""
        path = self._file(name)
        packets, wire = pcap_summary(path)
        size = os.stat(payload_path).st_size
        if size < window:
            raise LabError(f"the payload has {size} bytes, fewer than the window of {window}")
        if not packets:
            raise LabError(f"capture {name!r} is empty: nothing passed, so nothing is shown")
        with open(path, "rb") as wire_file, open(payload_path, "rb") as payload_file, \
                mmap.mmap(wire_file.fileno(), 0, access=mmap.ACCESS_READ) as wire_map, \
                mmap.mmap(payload_file.fileno(), 0, access=mmap.ACCESS_READ) as payload_map:
            found = find_window(payload_map[:], wire_map[:], window)
        return {"found": found is not None, "payload_offset": found and found[0],
                "capture_offset": found and found[1], "packets": packets, "wire_bytes": wire,
                "payload_bytes": size}

    def read(self, name: str, offset: int, length: int = READ_MAX) -> bytes:
        """Return bytes of a stopped capture; fewer than requested at its end."""
        with open(self._file(name), "rb") as file:
            file.seek(offset)
            return file.read(min(length, READ_MAX))

    def _file(self, name: str) -> pathlib.Path:
        if name in self._running:
            raise LabError(f"capture {name!r} is still running: stop it first")
        if name not in self._stopped:
            raise LabError(f"there is no capture {name!r}; stopped: {_names(self._stopped)}")
        return self._stopped[name]


def _names(table: dict[str, pathlib.Path]) -> str:
    return ", ".join(sorted(table)) or "none"
