# SPDX-License-Identifier: GPL-2.0-or-later
"""What QEMU tells without being asked: the events of a monitor of its own.

Responsible for: whether the machine's CPUs run, and that a virtio-serial port of the
guest was closed or opened, as soon as it happens.
State: the socket of the monitor, the line being received, whether the CPUs run.

The monitor that commands go to (machine.py) is QEMU's Python module, which looks at its
socket only while a command is under way.
"""

import json
import socket
from typing import Any

STOPPED = {"STOP": True, "SUSPEND": True, "RESUME": False, "WAKEUP": False}


class Events:
    """A monitor that is only listened to."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._buffer = b""
        self.stopped = False        # the CPUs do not run: stop, a debugger, S3

    def fileno(self) -> int:
        """For poll()."""
        return self._end.fileno()

    def close(self) -> None:
        """No more of it."""
        self._end.close()

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        """What has come: a list of (name, data). Never waits."""
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
