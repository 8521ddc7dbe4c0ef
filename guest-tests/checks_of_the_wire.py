# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the tests notice what is on the wire? Checks of captures and of the wire's log.

Responsible for: a payload that can be read, records that are there, and those that are not.
State: none. Callers: selfcheck.py, which has the other checks.
"""

import struct
import tempfile
import types
import unittest

from agent import payload, pcap
from lib import capture, case, wire


class Captured(unittest.TestCase):
    """What is in a capture, and what is not."""

    def write(self, *frames):
        """A capture of these frames."""
        # pylint: disable-next=consider-using-with     # until the test has ended
        file = self.enterContext(tempfile.NamedTemporaryFile())
        file.write(struct.pack("=IHHiIII", pcap.MAGIC, 2, 4, 0, 0, 65536, 1))
        for frame in frames:
            file.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)
        file.flush()
        return file.name

    def test_search(self):
        """A run of 16 bytes is found wherever it is in payload and frame, one of 15 is not."""
        size = 100_003
        data = payload.Source("x").read(0, size)
        for at in (*range(17), 65536 - 9, size - 17, size - 16):
            for where in (0, 1, 7, 54, 1000):
                for length in (15, 16, 40):
                    run = data[at:at + length]
                    # what is beside it is not the payload's
                    beside = [bytes([data[place] ^ 1]) if 0 <= place < size else b""
                              for place in (at - 1, at + length)]
                    frame = bytes(where) + beside[0] + run + beside[1] + bytes(30)
                    found = pcap.search(self.write(bytes(60), frame), "x", size, 16)
                    self.assertEqual(found["found"], len(run) >= 16, (at, where, length))
                    if len(run) == 16:
                        self.assertEqual((found["payload_offset"], found["frame"]), (at, 1))
                    self.assertEqual((found["packets"], found["wire_bytes"]), (2, 60 + len(frame)))

    def test_search_nothing(self):
        """Other bytes are not the payload; a window that cannot be searched for is refused."""
        other = payload.Source("y").read(0, 50_000)
        path = self.write(*(other[at:at + 1500] for at in range(0, len(other), 1500)))
        self.assertFalse(pcap.search(path, "x", 50_000, 16)["found"])
        self.assertTrue(pcap.search(path, "y", 50_000, 16)["found"])
        with self.assertRaises(ValueError):
            pcap.search(path, "x", 100, 15)


    def test_records(self):
        """Found in segments that come twice and overlap; a hole, a cut, a wrong header are told."""
        records_sent = [(23, 45), (20, 29), (21, 829), (23, 16413)]
        stream = b"".join(struct.pack(">BHH", kind, 0x0303, size - 5) + bytes(size - 5)
                          for kind, size in records_sent)
        first = (1 << 32) - 100
        cut = [((first + at) % (1 << 32), stream[at:at + 500]) for at in range(0, len(stream), 450)]
        self.assertEqual(capture.headers([*cut, *cut[3:5]]), records_sent)
        for wrong in ([*cut[:2], *cut[3:]], cut[:-1], [(0, b"\x17\3\1\0\0")], [(0, b"\x17")]):
            with self.assertRaises(case.Failure):
                capture.headers(wrong)


class Records(unittest.TestCase):
    """The wire's log of records."""

    def test_wire_records(self):
        """Records are those of the rules that were asked for, and of no other."""
        hits = [dict(zip(("rule", "wire_record", "type", "record_len"), values))
                for values in ((1, 0, 23, 45), (7, 0, 1, 2), (2, 1, 21, 31))]
        box = wire.Box.__new__(wire.Box)
        asked = []

        def ask(cmd, **args):
            asked.append(args)
            return [1, 2] if cmd == "add" else {"next": 3, "first": 0, "hits": hits, "more": False}

        sender = object()
        # pylint: disable-next=protected-access
        box.ask, box._since, box._rules, box._env = ask, 0, [], types.SimpleNamespace(local=sender)
        seen = box.watch_records(types.SimpleNamespace(sender=sender, ports=(5, 6)), 2)
        self.assertEqual(asked[0]["rules"], [
            f"log a>b sport=5 dport=6 wire-record={number} byte=4" for number in (0, 1)])
        self.assertEqual(box.records(seen), {0: (23, 45), 1: (21, 31)})
