# SPDX-License-Identifier: GPL-2.0-or-later
"""mlx5-wire on a bench of our own: finding the program, starting it, and ending it.

Responsible for: the program's process on the machine that has the peer, and the directory of its
control socket.
State: both, from start() to stop().
Callers: bench.py. Tests talk to it through lib/wire.py.
"""

import os
import pathlib
import shutil

from .case import wait_for
from .hosts import CallError, HostError

PROGRAM = "mlx5-wire"
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = "/run/mlx5-ktls/wire"          # of its control socket
TARGET = f"tests/wire/{PROGRAM}"        # below a build directory of meson


def candidates():
    """Paths at which the program may be on this machine, the likeliest first."""
    found = shutil.which(PROGRAM)
    if found:
        yield pathlib.Path(found)
    yield from sorted(CHECKOUT.glob(f"*/{TARGET}"))
    base = os.environ.get("XDG_CACHE_HOME", "")
    cache = pathlib.Path(base) if base.startswith("/") else pathlib.Path.home() / ".cache"
    # where scripts/lab builds it: the newest, of whatever checkout
    yield from sorted(cache.glob(f"mlx5-ktls/wire/*/{TARGET}"),
                      key=lambda path: path.stat().st_mtime, reverse=True)


class Middlebox:
    """The program on `machine`, which is `here` or another one."""

    def __init__(self, machine, here):
        self._machine, self._here = machine, here
        self.program = None
        self.control = None
        self._number = None

    def find(self, wanted):
        """Set `program`; FileNotFoundError says what to do when it is nowhere."""
        self.program = self._find(wanted)

    def _find(self, wanted):
        if wanted != "auto":
            if not self._machine.has(wanted):
                raise FileNotFoundError(f"--wire {wanted}: no such program on the "
                                        f"{self._machine.name} end")
            return wanted
        if self._machine is not self._here:
            if not self._machine.has(PROGRAM):
                raise FileNotFoundError(f"no {PROGRAM} in the PATH of the remote end; copy it "
                                        "there, or say --wire PATH")
            return PROGRAM
        for path in candidates():
            if os.access(path, os.X_OK):
                return str(path)
        raise FileNotFoundError(f"no {PROGRAM} here: `meson setup build && ninja -C build "
                                f"{TARGET}` makes it, and so does `scripts/lab test`; or say "
                                "--wire PATH")

    def start(self, space, side_a, side_b):
        """Run it in a namespace, between two sides; returns when it serves its control socket."""
        self._machine.run("mkdir", "-p", "-m", "700", FOLDER)
        self.control = f"{FOLDER}/control"
        self._number = self._machine.call("procs.spawn", argv=[
            "ip", "netns", "exec", space, self.program, "--a", side_a, "--b", side_b,
            "--control", self.control])

        def there():
            said = self.problem()
            if said:
                raise HostError(said)
            return self._machine.call("control.available", path=self.control) is None

        wait_for(f"{PROGRAM} serves {self.control}", there)

    def problem(self):
        """Why it runs no longer, "" while it does."""
        if self._number is None:
            return f"{PROGRAM} was not started"
        try:
            state = self._machine.call("procs.status", number=self._number)
        except (CallError, HostError) as error:
            return str(error)
        if state["rc"] is None:
            return ""
        return f"{PROGRAM} ended with status {state['rc']}: {state['err'].strip()[-1000:]}"

    def stop(self):
        """End it, if it runs; nothing is left of it."""
        if self._number is not None:
            self._machine.call("procs.stop", number=self._number)
        self._machine.run("rm", "-rf", FOLDER)
        self._number = self.control = None

    def about(self):
        """What it is, for people."""
        return self.program
