# SPDX-License-Identifier: GPL-2.0-or-later
"""The port `lab.channel`: requests from programs in the guest, and their answers.

Responsible for: the lab's end of the line protocol, described in the guest's end, labclient.py.
State: the request being received, with its blob in a temporary file; the last answer.
"""

import base64
import binascii
import contextlib
import json
import pathlib
from typing import Any, BinaryIO

from ..errors import LabError
from .actions import Actions

MAX_LINE = 64 * 1024
MAX_BLOB = 256 << 20
BLOB_CHUNK = 24 * 1024


# id, action, arguments, path and file of the blob, and its missing bytes
_Request = tuple[str, str, dict[str, Any], pathlib.Path, BinaryIO, int]


class Channel:
    """Consumes bytes from the port, produces bytes for it; runs one action at a time."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._buffer = bytearray()
        self._request: _Request | None = None
        # id and answer of the last request, in case it did not arrive
        self._last: tuple[str, bytes] | None = None
        self.out = bytearray()

    def reset(self) -> None:
        """The guest was reset: the requester is gone."""
        self._drop_request()
        self._buffer.clear()
        self.out.clear()

    def feed(self, data: bytes) -> None:
        """Process bytes from the guest; runs every completed request."""
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
            self._buffer.clear()    # our clients never write such lines

    def _line(self, line: bytes) -> None:
        if line.startswith(b"+"):
            self._blob(line)
            return
        self._drop_request()        # a new request: the sender of the last one has given up
        try:
            message = json.loads(line)
            ident, size = str(message["id"]), int(message.get("blob") or 0)
            args = message.get("args") or {}
            if not isinstance(args, dict):
                raise TypeError
            again = message.get("again")
            name = str(message["action"]) if not again else ""
        except (ValueError, TypeError, KeyError, AttributeError):
            return                  # the rest of an abandoned line
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
            # pylint: disable-next=consider-using-with      # until the blob is whole
            self._request = (ident, name, args, path, open(path, "wb"), size)
        except OSError as error:
            self._answer(ident, error=f"cannot keep the blob: {error}")

    def _blob(self, line: bytes) -> None:
        tag, _, text = line[1:].partition(b" ")
        if self._request is None or tag.decode(errors="replace") != self._request[0]:
            return
        ident, name, args, path, file, missing = self._request
        try:
            data = base64.b64decode(text, validate=True)
            file.write(data)
        except binascii.Error:
            self._drop_request()
            self._ask_again(ident)      # part of it was lost
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

    def _drop_request(self) -> None:
        if self._request is not None:
            self._request[4].close()
            with contextlib.suppress(OSError):
                self._request[3].unlink()
            self._request = None

    def _run(self, ident: str, name: str, args: dict[str, Any], blob: pathlib.Path | None) -> None:
        try:
            result, data = self._actions.run(name, args, blob)
        except LabError as error:
            self._answer(ident, error=error.message)
        except (OSError, ValueError, TypeError) as error:
            self._answer(ident, error=f"{name}: {error}")
        else:
            self._answer(ident, result=result, data=data)

    def _ask_again(self, ident: str) -> None:
        self.out += b"\n" + json.dumps({"id": ident, "again": True}).encode() + b"\n"

    def _answer(self, ident: str, result: Any = None, data: bytes = b"",
                error: str | None = None) -> None:
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
