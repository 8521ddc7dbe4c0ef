# SPDX-License-Identifier: GPL-2.0-or-later
"""Payloads that both ends can make for themselves from a seed.

Responsible for: random-looking bytes with random access, and telling where a received stream
first differs from what was sent. A hash says only that something is wrong; an offset says which
record and which byte.
State: none that matters; each reader keeps one block.
Callers: both ends; the tests, for files.
"""

import hashlib
import random

BLOCK = 65536


def block(seed, number):
    """The bytes [number * BLOCK, (number + 1) * BLOCK) of the payload `seed`. No two alike."""
    return random.Random(f"{seed}/{number}").randbytes(BLOCK)


class Source:
    """Reads of a payload; sequential ones make each block once."""

    def __init__(self, seed):
        self.seed = seed
        self._number = -1
        self._block = b""

    def read(self, offset, size):
        """`size` bytes from `offset` on; a payload has no end."""
        parts = []
        while size:
            number, at = divmod(offset, BLOCK)
            if number != self._number:
                self._number, self._block = number, block(self.seed, number)
            part = self._block[at:at + size]
            parts.append(part)
            offset += len(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Checker:
    """Takes what arrived, in order, and compares it with the payload from `offset` on."""

    def __init__(self, seed, offset=0):
        self._source = Source(seed)
        self._offset = offset
        self._hash = hashlib.sha256()
        self.count = 0
        self.mismatch = None            # offset in the payload of the first wrong byte

    def take(self, data):
        """One piece."""
        self._hash.update(data)
        if self.mismatch is None:
            want = self._source.read(self._offset, len(data))
            if want != bytes(data):
                at = next(i for i, (a, b) in enumerate(zip(want, data)) if a != b)
                self.mismatch = self._offset + at
        self._offset += len(data)
        self.count += len(data)

    def result(self):
        """What the tests assert on."""
        return {"bytes": self.count, "sha256": self._hash.hexdigest(), "mismatch": self.mismatch}


def digest(seed, size, offset=0):
    """SHA-256 of a part of a payload."""
    source, total, end = Source(seed), hashlib.sha256(), offset + size
    while offset < end:
        piece = source.read(offset, min(BLOCK, end - offset))
        total.update(piece)
        offset += len(piece)
    return total.hexdigest()


def write_file(path, seed, size):
    """The first `size` bytes of a payload as a file; returns their SHA-256."""
    source, total, offset = Source(seed), hashlib.sha256(), 0
    with open(path, "wb") as file:
        while offset < size:
            piece = source.read(offset, min(BLOCK, size - offset))
            file.write(piece)
            total.update(piece)
            offset += len(piece)
    return total.hexdigest()
