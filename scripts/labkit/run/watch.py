# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest and its NICs observed around a command, and the run that is kept of it.

Responsible for: starting and ending the observers (lab-explain in the guest, traces and record logs
of the devices), the files that they leave in the artifacts, and reading those again.
State: the devices' traces and record logs are on while watched() lasts.

`explain.json` in the artifacts has what the guest has seen, and which parts of the other files
belong to it: QEMU's log and dmesg.txt have more than that.
"""

import contextlib
import json
import pathlib
from collections.abc import Iterator
from typing import Any

from .. import flows
from ..errors import LabError, UsageError
from .guest import Guest
from .spec import OURS, Spec

MANIFEST = "explain.json"
FORMAT = 1
PATTERNS = ("mlx5_tls_*", "mlx5_err_*", "mlx5_fault_hit")
GUEST_LIMIT = 180.0             # hang guard of the guest's observer, start and end
LOGS = {"qemu": "qemu.log", "kernel": "dmesg.txt"}


def prepare(spec: Spec) -> None:
    """Have QEMU put the time before each trace. Refuses a machine whose NICs have none."""
    if spec.nic_model != OURS or spec.functions:
        raise UsageError("--explain reads the traces of the emulated NICs: expected "
                         f"--nic-model {OURS}, and no --bdf")
    spec.qemu_arg = [*spec.qemu_arg, "-msg", "timestamp=on"]


class Watch:
    """One observation, from begin() to end()."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._machine = guest.machine
        self._from: dict[str, int] = {}
        self._traced = False

    def _files(self) -> dict[str, pathlib.Path]:
        names = {**LOGS, **{nic: f"records-{nic}.jsonl" for nic in self._machine.spec.nics}}
        return {what: self._guest.rundir.file(name) for what, name in names.items()}

    def _sizes(self) -> dict[str, int]:
        return {what: path.stat().st_size if path.exists() else 0
                for what, path in self._files().items()}

    def _trace(self, word: str) -> None:
        for pattern in PATTERNS:
            if answer := self._machine.hmp(f"trace-event {pattern} {word}"):
                raise LabError(f"QEMU's trace-event {pattern}: {answer}")
        self._traced = word == "on"

    def begin(self) -> None:
        """Start all observers. Raises LabError if one does not start."""
        for nic in self._machine.spec.nics:
            self._guest.actions.records_start(nic)
        self._from = self._sizes()
        self._trace("on")
        status, _, err = self._guest.output(["lab-explain", "start"], timeout=GUEST_LIMIT)
        if status:
            raise LabError(f"the guest's observer did not start: {err.strip()}")

    def end(self) -> dict[str, Any]:
        """End them; returns the manifest. What the guest has seen may be lost, with its kernel."""
        try:
            status, out, err = self._guest.output(["lab-explain", "stop"], timeout=GUEST_LIMIT)
            seen = json.loads(out) if not status else {"lost": err.strip()}
        except (LabError, ValueError) as error:
            seen = {"lost": str(error)}
        finally:
            self._quiet()
        ends = self._sizes() if self._machine.running else {}
        return {"format": FORMAT, "guest": seen,
                "parts": {what: [begin, ends.get(what)] for what, begin in self._from.items()}}

    def _quiet(self) -> None:
        """No more traces and records; not an error if QEMU has died."""
        with contextlib.suppress(LabError):
            if self._traced:
                self._trace("off")
            for nic in self._machine.spec.nics:
                self._guest.actions.records_stop(nic)


@contextlib.contextmanager
def watched(guest: Guest, name: str = MANIFEST) -> Iterator[None]:
    """Observe the block, however it ends, and keep what was seen as artifact `name`."""
    watch = Watch(guest)
    try:
        watch.begin()
        yield
    finally:
        guest.rundir.file(name).write_text(json.dumps(watch.end()) + "\n", encoding="utf-8")


def _part(path: pathlib.Path, begin: int, end: int | None) -> Iterator[str]:
    """Lines of a part of a file; none if it is gone."""
    if not path.exists():
        return
    with open(path, "rb") as file:
        file.seek(begin)
        for line in file:
            if end is not None and begin >= end:
                return
            begin += len(line)
            yield line.decode(errors="replace").rstrip("\n")


def load(folder: pathlib.Path, name: str = MANIFEST) -> flows.Observed:
    """Read a run that was observed. Raises UsageError if it was not, or what it left is damaged."""
    path = folder / name
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{folder}: no {name} ({error.strerror}): expected the artifacts of a run "
                         "with --explain", "`lab run --explain -- CMD` makes them") from None
    except ValueError as error:
        raise UsageError(f"{path}: expected JSON: {error}") from None
    try:
        if manifest["format"] != FORMAT:
            raise UsageError(f"{path} has format {manifest['format']}, expected {FORMAT}")
        guest, parts = manifest["guest"], dict(manifest["parts"])
        begin = {what: part[0] for what, part in parts.items()}
        end = {what: part[1] for what, part in parts.items()}
        return flows.observed(
            guest, _part(folder / LOGS["qemu"], begin["qemu"], end["qemu"]),
            (line for what in parts if what not in LOGS for line in
             _part(folder / f"records-{what}.jsonl", begin[what], end[what])),
            _part(folder / LOGS["kernel"], begin["kernel"], end["kernel"]))
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise UsageError(f"{path}: expected what `lab run --explain` writes, {error!r} is "
                         "wrong in it") from None
