# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of what is on the wire between the ends.

Responsible for: beginning and ending one, by the lab (at the NIC under test) or by mlx5-wire (as
frames come to it, before its rules), and what is asked of it afterwards.
State: a Capture; it has ended, and its file is gone, when its block ends.
Callers: tests that need("wire").
"""

import contextlib
import struct

from .case import expect, expect_equal
from .ktap import note

WINDOW = 16             # bytes of a payload that count as having been read
HEADER, TLS12 = 5, 0x0303       # of a record


class Capture:
    """One capture. `kind` is one of the two classes below, which know where the file is."""

    def __init__(self, kind):
        self._kind = kind
        self._stopped = False

    def stop(self):
        """End it."""
        if not self._stopped:
            self._stopped = True
            self._kind.stop()

    def contains(self, direction):
        """Is a run of 16 bytes of what `direction` has sent in it, at any offset? Ends it.

        None, or a text that says where.
        """
        self.stop()
        size = direction.offset
        result = self._kind.contains(direction.seed, size)
        note(f"{result['packets']} packets, {result['wire_bytes']} bytes captured")
        expect(result["wire_bytes"] > size, f"the capture has {result['wire_bytes']} bytes, "
                                            f"expected more than the payload's {size}")
        if not result["found"]:
            return None
        return (f"{WINDOW} bytes of the payload are on the wire in clear: byte "
                f"{result['payload_offset']} of it is in the capture")

    def segments(self, direction):
        """[(sequence number, payload)] in the order in which they passed. Ends it."""
        self.stop()
        return [(seq, bytes.fromhex(data)) for seq, data in self._kind.segments(direction.ports)]

    def records(self, direction):
        """[(type, length with the header)] of the TLS records of a stream whose first byte is in
        the capture, and is a record's. Ends it."""
        return headers(self.segments(direction))


def headers(segments):
    """[(type, length with the header)] of the records in segments [(sequence number, payload)] that
    begin with a record."""
    stream, found, at = bytearray(), [], 0
    for seq, data in segments:
        place = (seq - segments[0][0]) % (1 << 32)
        expect(place <= len(stream), f"{place - len(stream)} bytes of the stream are not in the "
                                     f"capture, from byte {len(stream)} on")
        stream[place:place + len(data)] = data
    while at < len(stream):
        expect(at + HEADER <= len(stream), f"a header is cut at byte {len(stream)} of the stream")
        kind, version, length = struct.unpack_from(">BHH", stream, at)
        expect_equal(f"version of the record at byte {at} of the stream", version, TLS12)
        found.append((kind, HEADER + length))
        at += HEADER + length
    expect_equal("bytes of the stream, where its last record ends", len(stream), at)
    return found


class _ByLab:
    """A capture of QEMU's, at the netdev of the NIC under test."""

    def __init__(self, env, name, place):
        self._host, self._client, self._name, self._place = env.local, env.lab.client, name, place
        self._client.capture_start(name, env.lab.netdev)

    def stop(self):
        """End it."""
        self._client.capture_stop(self._name)

    def contains(self, seed, size):
        """{found, payload_offset, packets, wire_bytes}"""
        path = f"{self._place}/payload"
        self._host.call("procs.payload_file", path=path, seed=seed, size=size)
        return self._client.capture_contains(self._name, path, WINDOW)

    def segments(self, ports):
        """[[sequence number, hex]]"""
        self._client.capture_fetch(self._name, f"{self._place}/pcap")
        return self._host.call("pcap.segments", path=f"{self._place}/pcap", ports=ports)


class _ByWire:
    """A capture of the middlebox's, in a file at the end that has it."""

    def __init__(self, box, host, place):
        self._box, self._host, self._path = box, host, f"{place}/pcap"
        box.ask("capture", path=self._path)

    def stop(self):
        """End it."""
        self._box.ask("capture-end")

    def contains(self, seed, size):
        """{found, payload_offset, packets, wire_bytes}"""
        return self._host.call("pcap.search", path=self._path, seed=seed, size=size, window=WINDOW)

    def segments(self, ports):
        """[[sequence number, hex]]"""
        return self._host.call("pcap.segments", path=self._path, ports=ports)


@contextlib.contextmanager
def captured(env, box, name):
    """Capture while the block lasts: yields a Capture, which can be asked until the block ends.

    box   a wire.Box
    name  of the file, where the lab keeps it
    """
    host = box.host or env.local
    with host.directory() as place:
        kind = _ByWire(box, host, place) if box.host else _ByLab(env, name, place)
        found = Capture(kind)
        try:
            yield found
        finally:
            found.stop()
