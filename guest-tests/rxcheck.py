#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the tests of receiving notice? Checks of lib/rx*.py, on any machine, without root or a NIC.

Responsible for: showing that a NIC that breaks the contract is reported, and one that only differs
is not. State: none. Callers: people and CI: guest-tests/rxcheck.py
"""

import dataclasses
import functools
import json
import pathlib
import sys
import types
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from lib import (case, records, rx, rx_contract, rx_device, rx_layout, rx_truth,    # noqa: E402
                 tracepoints, wire)


class Receiving(unittest.TestCase):
    """What lib/rx*.py say of segments, flags and records."""

    def test_burst(self):
        """Bytes of records are in the segments that they are in."""
        burst = rx_layout.Burst([*rx_layout.whole_segments(2), 5, 5,
                                 *rx_layout.whole_segments(1)])
        self.assertEqual(burst.total, 3 * rx_layout.SEGMENT + 2 * 34)
        self.assertEqual(burst.segments, 4)
        self.assertEqual([burst.segment(record) for record in range(4)], [0, 2, 2, 2])
        self.assertEqual([burst.segment(record, -1) for record in range(4)], [1, 2, 2, 3])

    def test_flags(self):
        """Differences and multiples are taken flag by flag; the device's are since the restart."""
        said = {"tls_rx_not_decrypted": 4, "tls_rx_decrypted": 0, "tls_rx_resync": 2,
                "tls_rx_error": 0}
        told = rx_device.Told(types.SimpleNamespace(counters=lambda: said, get=lambda _: {}))
        said.update(tls_rx_not_decrypted=7, tls_rx_decrypted=5, tls_rx_error=1)
        moved = told.flags()
        self.assertEqual((moved, moved.total), (rx.Flags(plain=3, decrypted=5, error=1), 9))
        self.assertEqual(rx.Flags(plain=1, error=2) * 3, rx.Flags(plain=3, error=6))
        self.assertEqual(moved + rx.Flags(resync=1) - moved, rx.Flags(resync=1))

    # a header lost, and all of the rest got before the software has approved anything
    LOSS = rx_contract.Account(flags=rx.Flags(plain=22, decrypted=8, resync=1),
                               counters=rx.asked(), rows={"R9": 1, "R12": 1})
    ASKED = {"rx_tls_decrypted_packets": 8, "rx_tls_resync_req_pkt": 1,
             "rx_tls_resync_req_start": 1, "rx_tls_resync_req_end": 1}

    def _kept(self, account, counters, packets=None):
        """Why the contract is not kept by these counters, or None; and what was observed."""
        got = dict.fromkeys(account.exact(), 0) | counters
        seen = []

        class Shown(rx_contract.Shown):
            """One that is told what there is to see."""

            def __init__(self):         # pylint: disable=super-init-not-called
                self._env = types.SimpleNamespace(observe=lambda *what: seen.append(what))

            def counters(self):
                return got

            def packets(self):
                return account.flags.total if packets is None else packets

        with unittest.mock.patch.object(rx_contract, "wait_for", functools.partial(
                case.wait_for, seconds=0.0)):
            try:
                Shown().expect_kept(account)
            except case.Failure as failure:
                return str(failure), seen
        return None, seen

    def test_contract_kept(self):
        """Beside any NIC a question may come elsewhere, more often, and in vain; what was seen is
        kept."""
        for other in ({}, {"rx_tls_resync_req_pkt": 5, "rx_tls_resync_req_start": 3},
                      {"rx_tls_resync_req_pkt": 2, "rx_tls_resync_req_start": 2,
                       "rx_tls_resync_req_skip": 1}):
            reason, seen = self._kept(self.LOSS, self.ASKED | other)
            self.assertIsNone(reason)
            self.assertEqual(seen, [("counted", {"packets": 31} | self.ASKED | other)])

    def test_contract_broken(self):
        """What no NIC may do is told: plaintext beyond a lost place or none at all, silence,
        questions without a loss, approvals of what the software has not seen, errors in sound
        records, packets that got lost."""
        for other, text in (
                ({"rx_tls_decrypted_packets": 9}, "rx_tls_decrypted_packets, of any NIC: 9"),
                ({"rx_tls_decrypted_packets": 7}, "rx_tls_decrypted_packets, of any NIC: 7"),
                ({"rx_tls_resync_req_pkt": 0}, "req_pkt, of any NIC: 0"),
                ({"rx_tls_resync_req_pkt": 24}, "req_pkt, of any NIC: 24"),
                ({"rx_tls_resync_req_end": 0}, "req_end, of any NIC: 0"),
                ({"rx_tls_resync_res_ok": 1, "TlsRxDeviceResync": 1}, "res_ok, of any NIC: 1"),
                ({"rx_tls_err": 1}, "rx_tls_err, of any NIC: 1"),
                ({"TlsDecryptError": 1}, "TlsDecryptError, of any NIC: 1")):
            self.assertIn(text, self._kept(self.LOSS, self.ASKED | other)[0] or "kept")
        self.assertIn("32, expected 31", self._kept(self.LOSS, self.ASKED, packets=32)[0])
        in_order = rx_contract.Account(flags=rx.Flags(decrypted=12), rows={})
        for other in ({"rx_tls_decrypted_packets": 11}, {"rx_tls_resync_req_pkt": 1}):
            self.assertIsNotNone(self._kept(
                in_order, {"rx_tls_decrypted_packets": 12} | other)[0])
        unheard = dataclasses.replace(self.LOSS, counters=rx.UNHEARD)
        self.assertIn("req_start, of any NIC: 1", self._kept(unheard, self.ASKED)[0])

    def test_contract_recovered(self):
        """Where the scenario brings an approval there must be one; a damaged record is seen."""
        account = dataclasses.replace(self.LOSS, resyncs=1)
        self.assertIn("res_ok", self._kept(account, self.ASKED)[0])
        approved = {"rx_tls_resync_res_ok": 1, "TlsRxDeviceResync": 2, "rx_tls_resync_req_end": 2,
                    "rx_tls_resync_req_start": 2, "rx_tls_resync_req_pkt": 2}
        self.assertIsNone(self._kept(account, self.ASKED | approved)[0])
        damaged = rx_contract.Account(flags=rx.Flags(decrypted=11, error=1), rows={},
                                      counters={"TlsDecryptError": 1})
        counters = {"rx_tls_decrypted_packets": 11, "rx_tls_err": 1, "TlsDecryptError": 1}
        self.assertIsNone(self._kept(damaged, counters)[0])
        self.assertIn("rx_tls_err", self._kept(damaged, counters | {"rx_tls_err": 0})[0])

    def _truth(self, device, kernel, decrypted=3):
        """What Truth.check() says of lines of the device and events of the kernel; so many of four
        packets of 50 bytes were decrypted."""
        log = types.SimpleNamespace(records=lambda _: [records.parse(json.dumps({
            "dir": "rx", "tirn": 1, "type": 23, "mode": "decrypt", "end": "tag-ok",
            "before": "OFFLOAD", "after": "OFFLOAD", **line})) for line in device or ()])
        lines = ["t-1 (1) [0] .... 1.0: tls_device_offload_set: sk=x direction=0 "
                 "tcp_seq=4294967290 rec_no=7 ret=0"]
        lines += [f"t-1 (1) [0] .... 1.0: tls_device_decrypted: sk=x tcp_seq=0 rec_no={number} "
                  f"len={length} encrypted={encrypted} decrypted={decrypted}"
                  for number, length, encrypted, decrypted in kernel]
        trace = types.SimpleNamespace(events=lambda name=None, sk=None: [
            event for event in tracepoints.parse("\n".join(lines))
            if name in (None, event.name)])
        truth = rx_truth.Truth(log if device is not None else None, trace)
        truth.check_packets([wire.Segment((4294967290 + 50 * at) % (1 << 32), 50, 50 * at, False,
                                          at) for at in range(4)], 4, decrypted)
        return truth.check()

    def test_truth(self):
        """Verdicts and numbers of both agree, or that is told; sequence numbers wrap."""
        first = {"record": 7, "tcp_sn": 4294967290, "len": 100, "verdict": "decrypted"}
        second = {"record": 8, "tcp_sn": 94, "len": 50, "verdict": "partly-decrypted"}
        kernel = [(7, 100, 0, 1), (8, 50, 0, 0), (9, 40, 1, 0)]
        self.assertEqual(self._truth([first, second], kernel),
                         {"decrypted": 1, "partly-decrypted": 1, "not-decrypted": 1})
        for wrong in (dict(second, verdict="decrypted"), dict(second, record=9),
                      dict(second, len=51), dict(second, tcp_sn=95)):
            with self.assertRaises(case.Failure):
                self._truth([first, wrong], kernel)

    def test_truth_without_a_log(self):
        """Numbers follow each other, and the driver has counted no packet decrypted that the kernel
        found encrypted, nor one less than it found decrypted."""
        kernel = [(7, 100, 0, 1), (8, 50, 0, 0), (9, 40, 1, 0)]
        classes = {"decrypted": 1, "partly-decrypted": 1, "not-decrypted": 1}
        for decrypted in (2, 3):
            self.assertEqual(self._truth(None, kernel, decrypted), classes)
        for decrypted in (1, 4):
            with self.assertRaisesRegex(case.Failure, "counted decrypted"):
                self._truth(None, kernel, decrypted)
        with self.assertRaisesRegex(case.Failure, "number of the record behind"):
            self._truth(None, kernel[:1] + kernel[2:])
        # one that failed and was tried anew is one record
        self.assertEqual(self._truth(None, kernel[:2] + kernel[1:]), classes)


if __name__ == "__main__":
    unittest.main()
