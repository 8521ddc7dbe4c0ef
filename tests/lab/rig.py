# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the lab with a guest use: a shared guest, and `lab run` as a process.

Responsible for: starting both, and that nothing of them is left.
State: the shared guest.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO

from labkit.errors import LabError
from labkit.make.products import Wanted
from labkit.options import arguments
from labkit.run import session
from labkit.run.guest import Guest
from labkit.run.spec import Spec, quote
from labkit.suites.suite import Context

from .judge import check

LIMIT = 600.0           # hang guard of one lab command
PING = "ping -c 1 -W 60"    # so long for the one answer: a hang guard


def _default_signals() -> None:
    """In a child: a person's lab does not ignore what a background job or nohup made us ignore."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class LabProcess(subprocess.Popen):
    """`lab run` as a process."""

    stdout: IO[bytes]
    stderr: IO[bytes]
    folder: pathlib.Path            # of its artifacts


class LabRig:
    """What the tests use: a shared guest, and the command line as a process."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._stack = contextlib.ExitStack()
        self._guest: Guest | None = None
        self._count = self._guests = 0
        self._module = ""

    def enter(self, module: str) -> None:
        """A test of `module` is next: it shares a guest with the others there, and no more."""
        if module != self._module:
            self.close()
            self._module = module

    def guest(self) -> Guest:
        """The shared guest; another one if a test has killed it."""
        if self._guest is not None and not self._guest.machine.running:
            self.close()
        if self._guest is None:
            self._guests += 1
            name = "lab-guest" + (f"-{self._guests}" if self._guests > 1 else "")
            rundir = self._stack.enter_context(session.artifacts(
                "lab", self.context.rundir.file(name), quiet=True))
            self._guest = self._stack.enter_context(session.booted(
                self.context.products(), Spec.from_args(self.context.args, topology="pair"), rundir,
                need_network=True))
        return self._guest

    def close(self) -> None:
        """End the shared guest."""
        self._guest = None
        with contextlib.suppress(LabError):     # of a guest that a test has killed
            self._stack.close()

    def start(self, command: list[str] | None, *options: str,
              stdin: int = subprocess.DEVNULL) -> LabProcess:
        """`lab run OPTIONS -- COMMAND` as a process of its own group; see finish(). COMMAND None
        is none, a shell."""
        args = self.context.args
        self._count += 1
        folder = self.context.rundir.file(f"lab-{self._count}")
        argv = [sys.executable, "-B", sys.argv[0], "run", "--artifacts", str(folder), "--yes",
                *arguments(Wanted, args), *arguments(Spec, args)]
        process = LabProcess([*argv, *options, *([] if command is None else ["--", *command])],
                             stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             start_new_session=True, preexec_fn=_default_signals)
        process.folder = folder
        return process

    def finish(self, process: LabProcess, stdin: bytes | None = None) -> tuple[int, bytes, str]:
        """Wait for it; returns (status, stdout, stderr text). Nothing of it may be left."""
        try:
            out, err = process.communicate(stdin, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the lab did not end within {LIMIT:.0f} s\n"
                                 + err.decode(errors="replace")) from None
        nothing_left(process.folder)
        return process.returncode, out, err.decode(errors="replace")

    def run(self, command: list[str] | None, *options: str,
            stdin: bytes | None = None) -> tuple[int, bytes, str]:
        """start() and finish()."""
        pipe = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        return self.finish(self.start(command, *options, stdin=pipe), stdin)


def processes_of(folder: pathlib.Path) -> list[int]:
    """Pids of QEMUs that write to `folder`."""
    # as the lab of that run names it to QEMU
    return processes_with(f"path={quote(folder.resolve() / 'console.log')}")


def processes_with(word: str) -> list[int]:
    """Pids of processes whose command line has `word` in it."""
    needle = os.fsencode(word)
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if needle in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def nothing_left(folder: pathlib.Path, grace: float = 120.0) -> None:
    """Fails when a QEMU of this run is still there; the kernel needs a moment to end one."""
    limit = time.monotonic() + grace
    while processes_of(folder):
        check(time.monotonic() < limit, f"QEMU is still running: {processes_of(folder)}")
        time.sleep(0.05)


def wait_for(condition: Callable[[], object], what: str, limit: float = LIMIT) -> None:
    """Wait until `condition()`; fails after `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        check(time.monotonic() < end, f"{what}: did not happen within {limit:.0f} s")
        time.sleep(0.05)
