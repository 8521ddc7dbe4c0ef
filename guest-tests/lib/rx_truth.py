# SPDX-License-Identifier: GPL-2.0-or-later
"""The device's record log beside the kernel's account of the same records.

Responsible for: equality of the two, record by record.
State: the socket that is followed.
Callers: rx.py; tests that look at single records.
"""

from .case import expect, expect_equal

CLASSES = {(1, 0): "not-decrypted", (0, 1): "decrypted", (0, 0): "partly-decrypted"}


class Truth:
    """Of one receiving socket. `log`: records.Log of the device, `trace`: tracepoints.Trace."""

    def __init__(self, log, trace):
        self.log, self._trace = log, trace
        self._sk = None
        # {record number: class} of records that the device followed without knowing them: one
        # whose header it had no more than a part of is in no log, but that part may have been in
        # a decrypted packet
        self.unlogged = {}

    def follow(self, host):
        """The socket that was given keys last is meant."""
        self._sk = self._trace.follow(host, "rx")

    def kernel(self):
        """[(record number, sequence number of its header, length, class)] of what was read."""
        found, at = [], None
        for event in self._trace.events(sk=self._sk):
            if event.name == "tls_device_offload_set" and event.direction == 0:
                at = event.tcp_seq
            elif event.name == "tls_device_decrypted":
                found.append((event.rec_no, at, event.len,
                              CLASSES[event.encrypted, event.decrypted]))
                at = (at + event.len) % (1 << 32)
        return found

    def approvals(self):
        """[(record number, sequence number)] of what the kernel approved."""
        return [(event.rec_no, event.tcp_seq)
                for event in self._trace.events("tls_device_rx_resync_send", self._sk)]

    def check(self):
        """Of each record that the device followed, it says what the kernel found; all others came
        encrypted. Its record numbers are the kernel's. Returns {class: records}."""
        device = {}
        for line in self.log.records("rx"):
            device.setdefault(line.tcp_sn, []).append(line)
        kernel, totals = self.kernel(), {}
        starts = {at for _, at, _, _ in kernel}
        for number, at, length, what in kernel:
            lines = device.get(at, [])
            said = lines[-1].verdict if lines else self.unlogged.get(number, "not-decrypted")
            expect_equal(f"record {number}: the kernel's class beside the device's {lines}", what,
                         said)
            for line in lines:
                if line.end != "lost":
                    expect_equal(f"length of record {number}", line.length, length)
                # a wrong tag may come from a number that was wrong on purpose
                expect(line.record in (None, number) or line.end == "tag-bad",
                       f"record {number} has the number {line.record} in the device's log")
            totals[what] = totals.get(what, 0) + 1
        for at, lines in device.items():
            for line in lines:
                expect(at in starts or line.record is None,
                       f"the device gave a number to what is no record: {line}")
        return totals
