# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading captures: the TCP payloads of one direction, and whether a payload can be read in it.

Responsible for: the classic pcap format as QEMU and mlx5-wire write it, Ethernet, VLAN, IPv4, IPv6,
TCP; and the search for plaintext.
State: none.
Callers: lib/capture.py through loop.py, at the end that has the file.
"""

import struct

from agent import payload

MAGIC = 0xA1B2C3D4
VLAN_TYPES = (0x8100, 0x88A8)
TCP = 6
BLOCK = 8               # bytes that are compared at once


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
    """[[sequence number, payload in hex]] of the segments with payload from ports[0] to ports[1],
    in the order of the capture."""
    found = []
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
            found.append([seq, frame[begin:end].hex()])
    return found


def search(path, seed, size, window):
    """Does a run of `window` bytes (16 at least) of the payload `seed`, of which `size` bytes were
    sent, occur in a frame of the capture, at any offset of both?

    Returns {found, payload_offset, frame, packets, wire_bytes}; exact, no sampling. A run of 16
    bytes contains a block of 8 that begins at a multiple of 8 in the payload: these are the index,
    in which the blocks at every offset of each frame are looked up.
    """
    if window < 2 * BLOCK or size < window:
        raise ValueError(f"window={window}, size={size}: {2 * BLOCK} <= window <= size expected")
    data = payload.Source(seed).read(0, size)
    blocks = memoryview(data)[:size - size % BLOCK].cast("Q")
    index = set(blocks)
    result = {"found": False, "payload_offset": None, "frame": None, "packets": 0, "wire_bytes": 0}
    for frame in frames(path):
        result["packets"] += 1
        result["wire_bytes"] += len(frame)
        if not result["found"]:
            at = _run_of(data, blocks, index, frame, window)
            if at is not None:
                result.update(found=True, payload_offset=at, frame=result["packets"] - 1)
    return result


def _run_of(data, blocks, index, frame, window):
    """Offset in `data` of a run of `window` bytes that `frame` has too, or None."""
    view = memoryview(frame)
    for shift in range(min(BLOCK, len(frame) - BLOCK + 1)):
        count = (len(frame) - shift) // BLOCK
        for hit in index.intersection(view[shift:shift + count * BLOCK].cast("Q")):
            for number, block in enumerate(blocks):
                if block != hit:
                    continue
                first = max(0, number * BLOCK - window + BLOCK)
                for begin in range(first, min(number * BLOCK, len(data) - window) + 1):
                    if data[begin:begin + window] in frame:
                        return begin
    return None
