# SPDX-License-Identifier: GPL-2.0-or-later
"""Ethernet frames as they are: what a NIC lets through, and what it must not.

Responsible for: frames of the tests' own EtherType and crafted IP packets, sent and received by
AF_PACKET.
State: the table of open listeners.
Callers: loop.py, one call per thread.

A frame of ours carries MAGIC, a run number, a label and an index, so nothing else on the wire can
be taken for it. "It did not arrive" is said after a later frame has arrived.
"""

import itertools
import select
import socket
import struct
import time

ETHERTYPE = 0x88B5              # IEEE 802: local experimental
ETH_P_ALL = 3
MAGIC = b"guest-tests\0"
HEADER = struct.Struct(">IHI")  # run, label, index
MINIMUM = 60                    # without FCS
SO_RCVBUFFORCE = 33             # beyond net.core.rmem_max
PACKET_AUXDATA, SOL_PACKET = 8, 263
AUXDATA = struct.Struct("=IIIHHHH")
TP_STATUS_VLAN_VALID = 0x10

_table = {}
_numbers = itertools.count(1)


def mac(text):
    """Bytes of "aa:bb:cc:dd:ee:ff"."""
    return bytes(int(part, 16) for part in text.split(":"))


def frame(destination, source, run, label, index, size=MINIMUM, vlan=None):
    """One frame of ours."""
    tag = b"" if vlan is None else struct.pack(">HH", 0x8100, vlan)
    head = mac(destination) + mac(source) + tag + struct.pack(">H", ETHERTYPE)
    return (head + MAGIC + HEADER.pack(run, label, index)).ljust(size, b"\xa5")


def send(ifname, frames):
    """Send frames of ours: each {dst, src, run, label, count, size, vlan}; returns how many."""
    total = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((ifname, 0))
        for spec in frames:
            for index in range(spec.get("count", 1)):
                sock.send(frame(spec["dst"], spec["src"], spec["run"], spec["label"], index,
                                spec.get("size", MINIMUM), spec.get("vlan")))
                total += 1
    return total


def send_hex(ifname, frames):
    """Send frames given in hex."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind((ifname, 0))
        for text in frames:
            sock.send(bytes.fromhex(text))


def listen(ifname):
    """Begin to collect; returns a number. Promiscuous mode is not asked for."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    sock.bind((ifname, ETH_P_ALL))
    number = next(_numbers)
    _table[number] = sock
    return number


def collect(number, run, until, timeout=60.0):
    """Frames of `run` until `until["count"]` of label `until["label"]` have come.

    Returns {complete, seen: {label: count}, sizes: {label: [lengths]}, vlans: {label: [ids]}};
    `complete` is False when the time was over first.
    """
    sock, end = _table[number], time.monotonic() + timeout
    seen, sizes, vlans = {}, {}, {}
    label, count = str(until["label"]), until["count"]
    while seen.get(label, 0) < count:
        left = end - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            break
        data, ancillary, _, address = sock.recvmsg(65536, 256)
        if address[2] == socket.PACKET_OUTGOING:
            continue
        vlan = _vlan(ancillary)
        at = 12
        if data[at:at + 2] == b"\x81\x00":
            vlan = struct.unpack_from(">H", data, 14)[0] & 0xfff
            at += 4
        if struct.unpack_from(">H", data, at)[0] != ETHERTYPE:
            continue
        at += 2
        if data[at:at + len(MAGIC)] != MAGIC:
            continue
        found_run, found, _ = HEADER.unpack_from(data, at + len(MAGIC))
        if found_run != run:
            continue
        key = str(found)
        seen[key] = seen.get(key, 0) + 1
        sizes.setdefault(key, set()).add(len(data))
        if vlan is not None:
            vlans.setdefault(key, set()).add(vlan)
    return {"complete": seen.get(label, 0) >= count, "seen": seen,
            "sizes": {key: sorted(value) for key, value in sizes.items()},
            "vlans": {key: sorted(value) for key, value in vlans.items()}}


def segments(number, port, size, timeout=60.0):
    """The payload of TCP over IPv4 without VLAN tags that passes the interface with the port
    `port` at its receiving end, until there are `size` bytes of it: [[sequence number, hex]], as
    they come, in both ways, what comes twice too."""
    sock, end = _table[number], time.monotonic() + timeout
    found, count = [], 0
    while count < size:
        left = end - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            break
        data = sock.recv(65536)
        if data[12:14] != b"\x08\x00" or data[23] != socket.IPPROTO_TCP:
            continue
        packet = data[14:14 + int.from_bytes(data[16:18], "big")]
        tcp = packet[(packet[0] & 15) * 4:]
        payload = tcp[(tcp[12] >> 4) * 4:]
        if payload and int.from_bytes(tcp[2:4], "big") == port:
            found.append([int.from_bytes(tcp[4:8], "big"), payload.hex()])
            count += len(payload)
    return found


def _vlan(ancillary):
    """The VLAN id that the NIC or the kernel took off the frame, if any."""
    for level, kind, value in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, _ = AUXDATA.unpack_from(value)
            if status & TP_STATUS_VLAN_VALID:
                return tci & 0xfff
    return None


def close(number):
    """End a listener."""
    sock = _table.pop(number, None)
    if sock:
        sock.close()


def close_all():
    """End all of them."""
    for number in list(_table):
        close(number)


# crafted IP packets

def checksum(data):
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp_frame(source, destination, ports, data, wrong=0):
    """An Ethernet frame with a UDP datagram, in hex. `source`, `destination`: (mac, address).

    `wrong` is added to the right UDP checksum.
    """
    (smac, saddr), (dmac, daddr) = source, destination
    family = socket.AF_INET6 if ":" in saddr else socket.AF_INET
    addresses = socket.inet_pton(family, saddr) + socket.inet_pton(family, daddr)
    length = 8 + len(data)
    if family == socket.AF_INET:
        pseudo = addresses + struct.pack(">BBH", 0, 17, length)
    else:
        pseudo = addresses + struct.pack(">II", length, 17)
    right = checksum(pseudo + struct.pack(">HHHH", *ports, length, 0) + data) or 0xffff
    value = (right + wrong) % 0x10000
    datagram = struct.pack(">HHHH", *ports, length, value) + data
    if family == socket.AF_INET:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 17, 0) + addresses
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        kind = 0x0800
    else:
        head = struct.pack(">IHBB", 0x60000000, length, 17, 64) + addresses
        kind = 0x86DD
    return (mac(dmac) + mac(smac) + struct.pack(">H", kind) + head + datagram
            ).ljust(MINIMUM, b"\0").hex()
