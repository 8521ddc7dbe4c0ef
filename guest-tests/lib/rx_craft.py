# SPDX-License-Identifier: GPL-2.0-or-later
"""Records whose ciphertext is chosen: what looks like a header where there is none.

Responsible for: building the pieces that RxSession.send_crafted() takes, and the keystream that
turns a payload into a chosen ciphertext. OpenSSL computes it.
State: none.
Callers: rx.py; tests of receiving with false headers.
"""

import base64
import hashlib

from .case import expect
from .rx_layout import SEGMENT
from .version import HEADER, NONCE, OVERHEAD, TLS

FOUR_SEGMENTS = 4 * SEGMENT - OVERHEAD      # payload of a record that fills four segments
CIPHERTEXT = HEADER + NONCE                 # where it begins in a record
BLOCK = 16                                  # of AES
AT_ONCE, USUAL = 40, 6000                   # records whose keystream is made, bytes of each


def header(at, to, kind=23):
    """(at, what looks like the header of a record that ends at `to`)."""
    return at, bytes((kind, 3, 3)) + (to - at - 5).to_bytes(2, "big")


def record_with(*headers, size=FOUR_SEGMENTS):
    """A piece for send_crafted(): a record with [(byte of the record, five bytes)] in its
    ciphertext."""
    return {"size": size, **{at - CIPHERTEXT: text for at, text in headers}}


class Keystream:
    """What the records of a session are xor'ed with, by OpenSSL at an end. Under emulation that
    takes seconds to start, so one process makes that of many records."""

    def __init__(self, host, keys):
        self._host, self._keys = host, keys
        self._made = {}             # {record number: bytes}

    def of_record(self, number, size):
        """The first `size` bytes of it."""
        if len(self._made.get(number, b"")) < size:
            self._made.update(self._make(range(number, number + AT_ONCE), max(size, USUAL)))
        return self._made[number][:size]

    def _make(self, numbers, size):
        count = -(-size // BLOCK)
        blocks = []
        for number in numbers:
            iv = int(self._keys["iv"], 16)
            nonce = (iv + number) % (1 << 64) if TLS == "1.2" else iv ^ number
            head = bytes.fromhex(self._keys["salt"]) + nonce.to_bytes(8, "big")
            blocks += [head + (2 + at).to_bytes(4, "big") for at in range(count)]
        cipher = {"aes-gcm-128": "-aes-128-ecb", "aes-gcm-256": "-aes-256-ecb"}
        made = base64.b64decode(self._host.out(
            "openssl", "enc", cipher[self._keys["cipher"]], "-K", self._keys["key"], "-nopad",
            "-a", "-A", data=b"".join(blocks)))
        return {number: made[at * count * BLOCK:(at + 1) * count * BLOCK]
                for at, number in enumerate(numbers)}

    def plaintext(self, number, piece):
        """The payload of record `number` whose ciphertext is the piece's."""
        wire = bytearray(piece["size"])
        for offset, text in piece.items():
            if offset != "size":
                expect(offset + len(text) <= len(wire), f"{offset} is beyond the record")
                wire[offset:offset + len(text)] = text
        return xored(wire, self.of_record(number, len(wire)))


def xored(text, other):
    """Two texts of one length xor'ed."""
    return bytes(a ^ b for a, b in zip(text, other, strict=True))


def digest(texts):
    """SHA-256 of texts behind each other."""
    return hashlib.sha256(b"".join(texts)).hexdigest()
