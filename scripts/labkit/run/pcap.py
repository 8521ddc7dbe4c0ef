# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab run --pcap FILE`: the devices' captures with verdicts, around a command.

Responsible for: the option's value, starting and ending the captures of all NICs in one file, and
the TLS secrets of the guest's programs in it.
State: the devices' captures are on while captured() lasts.

A device knows the keys of records, but a capture can only have the secrets that they are derived
from, and those only the programs know: they log them where SSLKEYLOGFILE says.
"""

import argparse
import contextlib
import dataclasses
import pathlib
from collections.abc import Iterator

from .. import pcapng, steps
from ..errors import LabError, UsageError
from .guest import Guest
from .spec import OURS, Spec

KEY_LOG = "/run/lab-tls-keys"           # in the guest
LIMIT = 60.0                            # hang guard of reading it


@dataclasses.dataclass(frozen=True)
class Request:
    """The value of --pcap."""

    path: pathlib.Path
    keys: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What the command finds in its environment."""
        return {"SSLKEYLOGFILE": KEY_LOG} if self.keys else {}


def request(text: str) -> Request:
    """argparse type: FILE[,keys=on|off]."""
    name, _, option = text.partition(",")
    if option not in ("", "keys=on", "keys=off") or not name:
        raise argparse.ArgumentTypeError(f"{text!r}: expected FILE or FILE,keys=on")
    path = pathlib.Path(name).resolve()
    if not path.parent.is_dir() or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: expected a file in an existing directory")
    return Request(path, option == "keys=on")


def check(spec: Spec) -> None:
    """Refuse a machine whose NICs write no capture."""
    if spec.nic_model != OURS or spec.functions:
        raise UsageError("--pcap has the emulated NICs write what they decide: expected "
                         f"--nic-model {OURS}, and no --bdf")


def _set(guest: Guest, path: str) -> None:
    for nic in guest.machine.spec.nics:
        guest.machine.qmp("qom-set", path=f"/machine/peripheral/{nic}", property="capture",
                          value=path)


@contextlib.contextmanager
def captured(guest: Guest, wanted: Request) -> Iterator[None]:
    """Capture during the block, however it ends."""
    with contextlib.suppress(FileNotFoundError):
        wanted.path.unlink()
    try:
        _set(guest, str(wanted.path))
        yield
    finally:
        key_log = _key_log(guest) if wanted.keys else b""
        with contextlib.suppress(LabError):     # QEMU has ended it, if it has died
            _set(guest, "")
        if wanted.path.exists():
            _finish(wanted, key_log)


def _key_log(guest: Guest) -> bytes:
    """What the programs have logged; nothing if the guest is lost."""
    found = bytearray()
    with contextlib.suppress(LabError):
        guest.run(["cat", KEY_LOG], stdout=found.extend, stderr=lambda _: None, timeout=LIMIT)
    return bytes(found)


def _finish(wanted: Request, key_log: bytes) -> None:
    count = pcapng.packets(wanted.path)
    steps.inform(f"{wanted.path}: " + ", ".join(f"{packets} packets on {name}"
                                                for name, packets in count.items()))
    if not wanted.keys:
        return
    known = pcapng.connections(key_log)
    if known:
        pcapng.add_secrets(wanted.path, key_log)
        steps.inform(f"with the TLS secrets of {known} connection{'s' if known > 1 else ''}")
    else:
        steps.inform("hint: no program has logged TLS secrets: curl, and Python's ssl module, do "
                     'where SSLKEYLOGFILE says; for openssl add -keylogfile "$SSLKEYLOGFILE"')
