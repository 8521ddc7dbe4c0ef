# SPDX-License-Identifier: GPL-2.0-or-later
"""mlx5-wire between the two NICs: process and control socket.

Responsible for: the lab's side of tests/wire, described in docs/wire.md.
State: the process and the socket.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import Any

from .. import paths
from ..errors import LabError, UsageError
from ..interrupts import held
from ..make import wire_build
from .rundir import RunDir

ANSWER_TIMEOUT = 60.0       # a hang guard: it answers between two packets
END_TIMEOUT = 120.0         # likewise: killing it is a failure


def check(rules: Iterable[str]) -> None:
    """Raise UsageError if one of the rules is invalid."""
    argv = [str(wire_build.build()), "--check"]
    for rule in rules:
        argv += ["--rule", rule]
    result = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True)
    if result.returncode:
        raise UsageError("--wire: " + result.stderr.strip().removeprefix("mlx5-wire: "),
                         "docs/wire.md has the rules; "
                         f"`{argv[0]} --help-rules` lists them")


class Wire:
    """The middlebox of one machine."""

    def __init__(self, rundir: RunDir, rules: Iterable[str]) -> None:
        self._rundir = rundir
        self._rules = list(rules)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._buffer = b""
        self._status: int | None = None
        self.pidfd = -1             # readable when it has ended
        self.log = rundir.file("wire.log")

    def start(self) -> list[socket.socket]:
        """Start it; returns two sockets, the ends of net0 (side A) and net1 (side B)."""
        program = wire_build.build()
        ends, sides = [], []
        for _ in range(2):
            end, side = socket.socketpair()
            ends.append(end)
            sides.append(side)
        self._control, theirs = socket.socketpair()
        self._control.settimeout(ANSWER_TIMEOUT)
        argv = [sys.executable, "-I", str(paths.PDEATH), str(os.getpid()), str(program),
                "--a", f"stream:fd={sides[0].fileno()}", "--b", f"stream:fd={sides[1].fileno()}",
                "--control", f"fd={theirs.fileno()}",
                "--log", str(self._rundir.file("wire-hits.jsonl")),
                "--stats", str(self._rundir.file("wire-stats.json"))]
        for rule in self._rules:
            argv += ["--rule", rule]
        fds = [sock.fileno() for sock in (*sides, theirs)]
        try:
            with open(self.log, "wb") as log, held():
                # pylint: disable-next=consider-using-with      # until stop()
                self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, pass_fds=fds)
                self.pidfd = os.pidfd_open(self._process.pid)
        finally:
            for sock in (*sides, theirs):
                sock.close()
        self.call("rules")          # it runs, or reports why not
        return ends

    def call(self, cmd: str, **args: Any) -> Any:
        """Run a command of the control socket; returns its result. Raises LabError with its
        message."""
        if self._control is None:
            raise LabError(f"wire: {cmd}: it is not running")
        request = {"cmd": cmd, **{key: value for key, value in args.items() if value is not None}}
        try:
            self._control.sendall(json.dumps(request).encode() + b"\n")
            while b"\n" not in self._buffer:
                data = self._control.recv(1 << 16)
                if not data:
                    raise LabError("the wire ended: " + self._words())
                self._buffer += data
        except OSError as error:
            raise LabError(f"the wire does not answer ({error}): {self._words()}") from None
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        if not answer.get("ok"):
            raise LabError("wire: " + str(answer.get("error", "no reason given")))
        return answer.get("result")

    def stop(self) -> None:
        """Wait for its end. Call after QEMU has ended; it then ends by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if self._control is not None:
            self._control.close()
        with held():
            for end in (None, process.terminate, process.kill):
                if end is not None:
                    end()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(END_TIMEOUT)
                    break
        self._status = process.returncode
        self._forget()

    def _forget(self) -> None:
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1

    def look(self) -> str:
        """Call when pidfd is readable: why it ended, "" if it did because QEMU has."""
        assert self._process is not None
        self._status = self._process.wait()
        self._forget()
        return self.problem

    @property
    def problem(self) -> str:
        """Return why it failed, "" if it did not. Valid after stop()."""
        if self._status in (None, 0):
            return ""
        return f"the wire ended with status {self._status}: {self._words()}"

    def _words(self) -> str:
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            text = ""
        return "\n".join(text.splitlines()[-5:]) or "it said nothing"
