# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the captures' format and of the option --pcap that need no guest.

Responsible for: the place of the secrets block, what is counted, and the answers to damaged files
and wrong values.
State: none.
"""

import argparse
import pathlib
import struct
import tempfile

from labkit import pcapng
from labkit.errors import LabError
from labkit.run import pcap

from .judge import check, same

KEYS = (b"# a comment\nCLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"
        + b"SERVER_TRAFFIC_SECRET_0 " + b"ab" * 32 + b" " + b"ef" * 32 + b"\n")


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + value + bytes(-len(value) & 3)


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def _capture(*packets: int) -> tuple[bytes, bytes]:
    """The section header, and the rest: two interfaces and packets on the given ones."""
    end = _option(0, b"")
    rest = b""
    for name in (b"nic0-wire", b"nic0-driver"):
        rest += _block(1, struct.pack("=HHI", 1, 0, 0) + _option(2, name) + _option(9, b"\x09")
                       + end)
    for interface in packets:
        rest += _block(6, struct.pack("=5I", interface, 0, 0, 5, 5) + b"12345\0\0\0"
                       + _option(1, b"no TLS") + end)
    return _block(pcapng.SECTION, struct.pack("=IHHq", 0x1a2b3c4d, 1, 0, -1) + end), rest


def test_pcapng_secrets(_rig: object) -> None:
    """Secrets are put before all packets and change nothing else; packets are counted."""
    first, rest = _capture(0, 1, 1)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.pcapng"
        path.write_bytes(first + rest)
        same(pcapng.packets(path), {"nic0-wire": 1, "nic0-driver": 2}, "packets")
        pcapng.add_secrets(path, KEYS)
        data = path.read_bytes()
        check(data.startswith(first) and data.endswith(rest), "something else has changed")
        block = data[len(first):-len(rest)]
        same(struct.unpack_from("=4I", block), (10, len(block), 0x544c534b, len(KEYS)), "its head")
        same(block[16:16 + len(KEYS)], KEYS, "its secrets")
        same((len(block) % 4, block[-4:]), (0, struct.pack("=I", len(block))), "its end")
        same(pcapng.packets(path), {"nic0-wire": 1, "nic0-driver": 2}, "packets behind it")
        same([entry.name for entry in path.parent.iterdir()], ["x.pcapng"], "files")
    same(pcapng.connections(KEYS), 1, "connections")


def test_pcapng_damaged(_rig: object) -> None:
    """What is no capture, or is cut, is refused with the place."""
    first, rest = _capture(0)
    whole, last = first + rest, len(first + _capture()[1])
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.pcapng"
        for data, place in ((b"x" * 100, 0), (rest, 0), (whole[:-4], last),
                            (whole + b"\6\0\0", len(whole))):
            path.write_bytes(data)
            try:
                pcapng.packets(path)
            except LabError as error:
                same(str(error), f"{path}: expected a pcapng block at offset {place}", "refused")
            else:
                raise AssertionError(f"{data!r} was taken for a capture")


def test_pcap_values(_rig: object) -> None:
    """The value of --pcap: a file, and whether with secrets."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder).resolve() / "x.pcapng"
        same(pcap.request(str(path)), pcap.Request(path, False), "FILE")
        same(pcap.request(f"{path},keys=on"), pcap.Request(path, True), "with secrets")
        same(pcap.request(f"{path},keys=off"), pcap.Request(path, False), "without")
        same(pcap.Request(path, True).environment, {"SSLKEYLOGFILE": pcap.KEY_LOG}, "environment")
        same(pcap.Request(path).environment, {}, "environment without secrets")
        for wrong in ("", ",keys=on", f"{path},keys=yes", f"{path},x", folder, f"{path}/y"):
            try:
                pcap.request(wrong)
            except argparse.ArgumentTypeError as error:
                check(repr(wrong) in str(error) and "expected" in str(error), str(error))
            else:
                raise AssertionError(f"{wrong!r} was accepted")
