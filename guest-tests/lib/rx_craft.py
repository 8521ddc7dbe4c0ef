# SPDX-License-Identifier: GPL-2.0-or-later
"""Records whose ciphertext is chosen: what looks like a header where there is none.

Responsible for: building the pieces that Session.send_crafted() takes, and the keystream that makes
a wanted ciphertext of a payload. OpenSSL is what it is made with.
State: none.
Callers: rx.py; tests of receiving with false headers.
"""

import base64
import hashlib

from .case import expect
from .rx_layout import OVERHEAD, SEGMENT

FOUR_SEGMENTS = 4 * SEGMENT - OVERHEAD      # payload of a record that fills four segments
CIPHERTEXT = 13                             # where it begins in a record


def header(at, to, kind=23):
    """(at, what looks like the header of a record that ends at `to`)."""
    return at, bytes((kind, 3, 3)) + (to - at - 5).to_bytes(2, "big")


def record_with(*headers, size=FOUR_SEGMENTS):
    """A piece for send_crafted(): a record with [(byte of the record, five bytes)] in its
    ciphertext."""
    return {"size": size, **{at - CIPHERTEXT: text for at, text in headers}}


def plaintext(host, keys, number, piece):
    """The payload of record `number` whose ciphertext is the piece's."""
    wire = bytearray(piece["size"])
    for offset, text in piece.items():
        if offset != "size":
            expect(offset + len(text) <= len(wire), f"{offset} is beyond the record")
            wire[offset:offset + len(text)] = text
    return xored(wire, keystream(host, keys, number, len(wire)))


def keystream(host, keys, number, size):
    """What record `number` is xor'ed with, by OpenSSL at an end."""
    nonce = (int(keys["iv"], 16) + number) % (1 << 64)
    counter = f"{keys['salt']}{nonce:016x}00000002"
    cipher = "aes-128-ctr" if keys["cipher"] == "aes-gcm-128" else "aes-256-ctr"
    return base64.b64decode(host.out("openssl", "enc", "-" + cipher, "-K", keys["key"], "-iv",
                                     counter, "-a", "-A", data="\0" * size))


def xored(text, other):
    """Two texts of one length xor'ed."""
    return bytes(a ^ b for a, b in zip(text, other, strict=True))


def digest(texts):
    """SHA-256 of texts behind each other."""
    return hashlib.sha256(b"".join(texts)).hexdigest()
