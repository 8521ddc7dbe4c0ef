# SPDX-License-Identifier: GPL-2.0-or-later
"""Asynchronous QEMU events, from a separate monitor.

Responsible for: tracking whether the machine's CPUs run, and prompt notification when a
virtio-serial port of the guest is opened or closed.
State: the socket of the monitor, the line being received, whether the CPUs run.

The monitor for commands (machine.py) is QEMU's Python module, which reads its socket only during a
command.
"""

import json
import socket
from typing import Any

STOPPED = {"STOP": True, "SUSPEND": True, "RESUME": False, "WAKEUP": False}


class Events:
    """A monitor used only for events."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = b""
        self.stopped = False        # the CPUs are stopped: stop, a debugger, S3

    def fileno(self) -> int:
        """For poll()."""
        return self._end.fileno()

    def close(self) -> None:
        """Close the monitor."""
        self._end.close()

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the events received: a list of (name, data). Never blocks."""
        try:
            data = self._end.recv(1 << 16)
        except (BlockingIOError, ConnectionError):
            return []
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        found = []
        for line in lines:
            message = json.loads(line)
            if "QMP" in message:
                self._end.send(b'{"execute": "qmp_capabilities"}\n')
            elif "event" in message:
                name = message["event"]
                self.stopped = STOPPED.get(name, self.stopped)
                found.append((name, message.get("data", {})))
        return found
