# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters and features of an interface, without a program for it: tests ask for them all the time,
and under emulation a process takes longer than the answer.

Responsible for: what `ethtool -S` and `ethtool -k` show, and what `ethtool -K` does.
State: none.
Callers: lib/counters.py and lib/net.py through loop.py.
"""

import ctypes
import errno
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
GET_STRINGS, GET_STATISTICS, GET_SET_INFO, GET_FEATURES, SET_FEATURES = (
    0x1b, 0x1d, 0x37, 0x3a, 0x3b)
STATISTICS, FEATURES = 1, 4         # of the sets of strings
LENGTH = 32                         # of a string
# Up to 6.17 the kernel writes as many as there are, whatever the count was that it is given;
# newer ones write none when that is another one.
ROOM = 1 << 16
TRIES = 10                          # of a count that changes meanwhile


def _ask(sock, ifname, question, size):
    """What the kernel makes of a structure that begins with `question`."""
    buffer = ctypes.create_string_buffer(size)
    buffer[:len(question)] = question
    fcntl.ioctl(sock, SIOCETHTOOL,
                struct.pack("16sP16x", ifname.encode(), ctypes.addressof(buffer)))
    return buffer.raw


def _strings(sock, ifname, which):
    """The strings of a set; [] when there is none such."""
    info = _ask(sock, ifname, struct.pack("=IIQ", GET_SET_INFO, 0, 1 << which), 20)
    known, count = struct.unpack_from("=QI", info, 8)
    if not known:
        return []
    strings = _ask(sock, ifname, struct.pack("=III", GET_STRINGS, which, count),
                   12 + LENGTH * ROOM)
    text = strings[12:12 + LENGTH * struct.unpack_from("=I", strings, 8)[0]].decode("ascii")
    return [text[at:at + LENGTH].rstrip("\0").strip() for at in range(0, len(text), LENGTH)]


def statistics(ifname):
    """{counter: value}."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for _ in range(TRIES):
            try:
                names = _strings(sock, ifname, STATISTICS)
                values = _ask(sock, ifname, struct.pack("=II", GET_STATISTICS, len(names)),
                              8 + 8 * ROOM)
            except OSError as error:
                if error.errno == errno.EOPNOTSUPP:     # an interface without counters
                    return {}
                raise
            if struct.unpack_from("=I", values, 4)[0] == len(names):
                return dict(zip(names, struct.unpack_from(f"={len(names)}Q", values, 8)))
    raise RuntimeError(f"{ifname}: the number of counters changes all the time")


def features(ifname):
    """{the kernel's name of a feature: (on, fixed)}."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        names = _strings(sock, ifname, FEATURES)
        blocks = -(-len(names) // 32)
        got = _ask(sock, ifname, struct.pack("=II", GET_FEATURES, blocks), 8 + 16 * blocks)
    found = {}
    for number, name in enumerate(names):
        if name:
            available, _, active, never = (
                word >> number % 32 & 1
                for word in struct.unpack_from("=4I", got, 8 + 16 * (number // 32)))
            found[name] = bool(active), not available or bool(never)
    return found


def set_features(ifname, wanted):
    """Switch features: {the kernel's name: on}. Whether that had an effect, features() tells."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        names = _strings(sock, ifname, FEATURES)
        words = [0] * (2 * -(-len(names) // 32))        # which, and the value of those, in turn
        for name, on in wanted.items():
            block, bit = divmod(names.index(name), 32)
            words[2 * block] |= 1 << bit
            words[2 * block + 1] |= on << bit
        _ask(sock, ifname, struct.pack(f"=II{len(words)}I", SET_FEATURES, len(words) // 2, *words),
             8 + 4 * len(words))
