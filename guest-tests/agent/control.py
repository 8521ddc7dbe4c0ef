# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks a program at this end over its control socket: one line of JSON there, one back.

Responsible for: the conversation with mlx5-wire where it runs on this machine (docs/wire.md).
State: none; each question has a connection of its own.
Callers: lib/wire.py through loop.py.
"""

import json
import os
import socket
import stat

LIMIT = 60.0        # a hang guard: the program answers between two packets


def available(path):
    """None when something listens there; otherwise why not."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return f"{path} is no socket"
        ask(path, {"cmd": "rules"})
    except (OSError, ValueError) as error:
        return f"{path}: {error}"
    return None


def ask(path, request):
    """The result of a request; ValueError with the program's own words when it refuses."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(LIMIT)
        sock.connect(path)
        sock.sendall(json.dumps(request).encode() + b"\n")
        answer = bytearray()
        while not answer.endswith(b"\n"):
            piece = sock.recv(1 << 16)
            if not piece:
                raise ValueError("it ended in the middle of an answer")
            answer += piece
    answer = json.loads(answer)
    if not answer.get("ok"):
        raise ValueError(str(answer.get("error", "no reason given")))
    return answer.get("result")
