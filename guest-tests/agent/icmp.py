# SPDX-License-Identifier: GPL-2.0-or-later
"""Echo requests and their answers, with their contents compared.

Responsible for: ICMP and ICMPv6 echo over raw sockets.
State: none.
Callers: loop.py.

Not ping(8): after its last request it waits for two round trips only, and on an emulated machine
one answer can take a hundred times as long as another.
"""

import os
import random
import select
import socket
import struct
import time

from agent import payload, rawnet

IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_DO = 10, 0, 2
IPV6_MTU_DISCOVER, IPV6_DONTFRAG = 23, 62
TYPES = {4: (8, 0), 6: (128, 129)}      # request, answer
_HEAD = struct.Struct(">BBHHH")


def _open(address, fragment):
    version = 6 if ":" in address else 4
    if version == 4:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER,
                        IP_PMTUDISC_DONT if fragment else IP_PMTUDISC_DO)
    else:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        if not fragment:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_DO)
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.connect((address, 0))
    return version, sock


def echo(address, sizes, count=1, timeout=30.0, fragment=True, seed="echo"):
    """`count` requests of each of `sizes` data bytes, one at a time.

    fragment  False: a packet that does not fit is refused here
    Returns {answered: {size: n}, wrong: [size], error: text of the first refusal or None}.
    """
    version, sock = _open(address, fragment)
    ident, source = random.SystemRandom().randrange(1, 65536), payload.Source(seed)
    result = {"answered": {}, "wrong": [], "error": None}
    sequence = 0
    with sock:
        for size in sizes:
            data = source.read(sequence * 17, size)
            for _ in range(count):
                sequence = sequence % 65535 + 1
                try:
                    sock.send(_request(version, ident, sequence, data))
                except OSError as error:
                    result["error"] = result["error"] or os.strerror(error.errno)
                    continue
                got = _answer(sock, version, ident, sequence, timeout)
                if got is None:
                    continue
                if got != data:
                    result["wrong"].append(size)
                result["answered"][str(size)] = result["answered"].get(str(size), 0) + 1
    return result


def _request(version, ident, sequence, data):
    kind = TYPES[version][0]
    packet = _HEAD.pack(kind, 0, 0, ident, sequence) + data
    if version == 4:        # for IPv6 the kernel puts the checksum in
        packet = _HEAD.pack(kind, 0, rawnet.checksum(packet), ident, sequence) + data
    return packet


def _answer(sock, version, ident, sequence, timeout):
    """The data of the answer, or None when none came."""
    end = time.monotonic() + timeout
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([sock], [], [], left)[0]:
            return None
        packet = sock.recv(70000)
        at = (packet[0] & 15) * 4 if version == 4 else 0
        if len(packet) < at + _HEAD.size:
            continue
        kind, _, _, got_ident, got_sequence = _HEAD.unpack_from(packet, at)
        if (kind, got_ident, got_sequence) == (TYPES[version][1], ident, sequence):
            return packet[at + _HEAD.size:]
