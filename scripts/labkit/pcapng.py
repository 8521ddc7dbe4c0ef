# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures that the devices write (pcapng): reading their blocks, adding TLS secrets.

Responsible for: the format as far as the lab needs it; files in this machine's byte order.
State: none.
"""

import collections
import os
import pathlib
import struct
from collections.abc import Iterator
from typing import BinaryIO

from .errors import LabError

SECTION, INTERFACE, PACKET, SECRETS = 0x0a0d0d0a, 1, 6, 10
TLS_KEY_LOG = 0x544c534b
HEAD = struct.Struct("=II")             # type and length of a block
IF_NAME = 2
LABELS = (b"CLIENT_RANDOM ", b"CLIENT_TRAFFIC_SECRET_0 ")   # once for each connection


def _whole(path: pathlib.Path, file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """(type, offset, length) of each block. Raises LabError at what is none."""
    at, size = 0, os.fstat(file.fileno()).st_size
    while at < size:
        file.seek(at)
        head = file.read(HEAD.size)
        kind, length = HEAD.unpack(head) if len(head) == HEAD.size else (0, 0)
        if length < 12 or length % 4 or length > size - at or (at == 0) != (kind == SECTION):
            raise LabError(f"{path}: expected a pcapng block at offset {at}")
        yield kind, at, length
        at += length


def _options(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(code, value) of the options at the end of a block."""
    while len(body) >= 4:
        code, length = struct.unpack_from("=HH", body)
        if code == 0:
            return
        yield code, body[4:4 + length]
        body = body[4 + length + (-length & 3):]


def packets(path: pathlib.Path) -> dict[str, int]:
    """Return {name of an interface: packets on it}."""
    names: list[str] = []
    count: collections.Counter[int] = collections.Counter()
    with open(path, "rb") as file:
        for kind, at, length in _whole(path, file):
            if kind == INTERFACE:
                file.seek(at)
                options = dict(_options(file.read(length)[16:-4]))
                names.append(options.get(IF_NAME, b"").decode(errors="replace"))
            elif kind == PACKET:
                file.seek(at + HEAD.size)
                count[struct.unpack("=I", file.read(4))[0]] += 1
    return {name: count[number] for number, name in enumerate(names)}


def connections(key_log: bytes) -> int:
    """Return of how many connections a TLS key log has the secrets."""
    return sum(line.startswith(LABELS) for line in key_log.splitlines())


def secrets_block(key_log: bytes) -> bytes:
    """A Decryption Secrets Block with a TLS key log."""
    body = struct.pack("=II", TLS_KEY_LOG, len(key_log)) + key_log + bytes(-len(key_log) & 3)
    length = HEAD.size + len(body) + 4
    return HEAD.pack(SECRETS, length) + body + struct.pack("=I", length)


def add_secrets(path: pathlib.Path, key_log: bytes) -> None:
    """Put a TLS key log into a capture, before its packets, where readers need it."""
    aside = path.with_name(path.name + ".part")
    try:
        with open(path, "rb") as file, open(aside, "wb") as out:
            _, _, length = next(_whole(path, file))
            file.seek(0)
            out.write(file.read(length))
            out.write(secrets_block(key_log))
            while data := file.read(1 << 20):
                out.write(data)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
