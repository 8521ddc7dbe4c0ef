# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading captures: the TCP payloads of one direction of a connection.

Responsible for: the classic pcap format as QEMU writes it, Ethernet, VLAN, IPv4, IPv6, TCP.
State: none.
Callers: tests that compare what is on the wire byte by byte.
"""

import struct

MAGIC = 0xA1B2C3D4
VLAN_TYPES = (0x8100, 0x88A8)
TCP = 6


def frames(path):
    """Whole frames of a capture; ValueError when it is none or a frame was cut."""
    with open(path, "rb") as file:
        head = file.read(24)
        if len(head) < 24:
            raise ValueError(f"{path}: no capture")
        order = "<" if struct.unpack("<I", head[:4])[0] == MAGIC else ">"
        if struct.unpack(order + "I", head[:4])[0] != MAGIC:
            raise ValueError(f"{path}: no capture in pcap format")
        while entry := file.read(16):
            _, _, kept, length = struct.unpack(order + "IIII", entry)
            if kept != length:
                raise ValueError(f"{path}: a frame of {length} bytes was cut to {kept}")
            yield file.read(kept)


def segments(path, ports):
    """(sequence number, payload) of each segment with payload from ports[0] to ports[1]."""
    for frame in frames(path):
        at, kind = 14, struct.unpack_from(">H", frame, 12)[0]
        while kind in VLAN_TYPES:
            kind = struct.unpack_from(">H", frame, at + 2)[0]
            at += 4
        if kind == 0x0800 and frame[at + 9] == TCP:
            end = at + struct.unpack_from(">H", frame, at + 2)[0]
            at += (frame[at] & 15) * 4
        elif kind == 0x86DD and frame[at + 6] == TCP:
            end = at + 40 + struct.unpack_from(">H", frame, at + 4)[0]
            at += 40
        else:
            continue
        source, target, seq = struct.unpack_from(">HHI", frame, at)
        begin = at + (frame[at + 12] >> 4) * 4
        if (source, target) == tuple(ports) and end > begin:
            yield seq, frame[begin:end]
