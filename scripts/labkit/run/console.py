# SPDX-License-Identifier: GPL-2.0-or-later
"""The serial console of a machine that boots a user's own image.

Responsible for: passing bytes between it and the lab's standard input and output.
State: none.
"""

import contextlib
import os
import select
import socket
import time

from ..errors import LabError
from .machine import Machine

ESCAPE, ESCAPES = 0x1d, 3   # Ctrl-] three times ends the machine, as it does a guest's shell
CHUNK = 1 << 16


def attach(machine: Machine, keys: int | None, terminal: bool, timeout: float | None) -> bool:
    """Pass `keys` (a descriptor, None for none) to the console, and the console to descriptor 1,
    until the machine ends; returns whether it has ended, False after `timeout` seconds.

    terminal  the keys come from one: Ctrl-] three times ends the machine
    """
    limit = None if timeout is None else time.monotonic() + timeout
    serial = machine.agent
    escapes, unsent, hung_up = 0, b"", False
    while not hung_up:
        left = None if limit is None else limit - time.monotonic()
        if left is not None and left <= 0:
            return False
        readers = [serial, machine.events] + ([keys] if keys is not None and not unsent else [])
        ready, writable, _ = select.select(readers, [serial] if unsent else [], [], left)
        if machine.events in ready:
            machine.events.take()
        if keys is not None and keys in ready:
            unsent = _typed(keys)
            if not unsent:
                keys = None             # the end of a file; the machine goes on
            for byte in unsent if terminal else b"":
                escapes = escapes + 1 if byte == ESCAPE else 0
                if escapes == ESCAPES:
                    raise LabError("ended by Ctrl-] Ctrl-] Ctrl-]")
        if writable:
            unsent = unsent[_sent(serial, unsent):]
        if serial in ready:
            hung_up = not _shown(serial)
    return True


def _typed(keys: int) -> bytes:
    try:
        return os.read(keys, CHUNK)
    except OSError:                     # closed, or a terminal we are not in front of
        return b""


def _sent(serial: socket.socket, data: bytes) -> int:
    with contextlib.suppress(BlockingIOError):
        return serial.send(data)
    return 0


def _shown(serial: socket.socket) -> bool:
    """Print what the console says; returns False at its end, when QEMU is gone."""
    try:
        data = serial.recv(CHUNK)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    left = data
    while left:
        left = left[os.write(1, left):]
    return bool(data)
