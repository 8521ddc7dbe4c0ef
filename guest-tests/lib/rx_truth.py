# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's account of every record that was read, beside what else is known of it.

Responsible for: equality with the device's record log, record by record, where there is one; and
what must agree beside any NIC: numbers and places of records, approvals, the packets of the wire's
own log with those that the driver has counted as decrypted.
State: the socket that is followed.
Callers: rx.py; tests that look at single records.
"""

from .case import expect, expect_between, expect_equal

CLASSES = {(1, 0): "not-decrypted", (0, 1): "decrypted", (0, 0): "partly-decrypted"}
NUMBERS = 1 << 64
SEQUENCE = 1 << 32


class Truth:
    """Of one receiving socket. `log`: records.Log of the device, or None; `trace`:
    tracepoints.Trace."""

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
                if found and found[-1][0] == event.rec_no:      # a failed one, tried anew
                    at = found.pop()[1]
                found.append((event.rec_no, at, event.len,
                              CLASSES[event.encrypted, event.decrypted]))
                at = (at + event.len) % SEQUENCE
        return found

    def approvals(self):
        """[(record number, sequence number)] of what the kernel approved."""
        return [(event.rec_no, event.tcp_seq)
                for event in self._trace.events("tls_device_rx_resync_send", self._sk)]

    def check(self):
        """All that is known of the records agrees. Returns {class: records}."""
        kernel, totals = self.kernel(), {}
        self._check_numbers(kernel)
        if self.log:
            self._check_log(kernel)
        for _, _, _, what in kernel:
            totals[what] = totals.get(what, 0) + 1
        return totals

    def _check_numbers(self, kernel):
        """Records follow each other, and what was approved is the number of the record there."""
        for (number, at, _, _), (after, _, _, _) in zip(kernel, kernel[1:]):
            expect_equal(f"number of the record behind {number} at {at}", after,
                         (number + 1) % NUMBERS)
        places = {at: number for number, at, _, _ in kernel}
        for number, at in self.approvals():
            # the record may have been approved and not yet read
            expect_equal(f"record at {at}, as it was approved", number, places.get(at, number))

    def _check_log(self, kernel):
        """Of each record that the device followed, it says what the kernel found; all others came
        encrypted. Its record numbers are the kernel's."""
        device = {}
        for line in self.log.records("rx"):
            device.setdefault(line.tcp_sn, []).append(line)
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
        for at, lines in device.items():
            for line in lines:
                expect(at in starts or line.record is None,
                       f"the device gave a number to what is no record: {line}")

    def check_packets(self, segments, packets, decrypted):
        """The driver has counted as many packets decrypted as can have been, going by the kernel's
        classes: all that have a byte of a decrypted record, none with a byte of one that came
        encrypted.

        segments   wire.Segment, each the first transmission of its bytes
        packets    that the device has delivered; more than there are segments if some came twice
        decrypted  of them, as the driver says
        """
        touched = {"decrypted": 0, "not-decrypted": 0}
        spans = [(at, length, what) for _, at, length, what in self.kernel()]
        at_span = 0
        for segment in sorted(segments, key=lambda each: each.stream):
            what = set()
            while at_span < len(spans):
                at, length, kind = spans[at_span]
                ahead = _signed(at - segment.seq)       # from the segment's to the record's begin
                if ahead >= segment.length:
                    break
                if ahead + length > 0:
                    what.add(kind)
                if ahead + length > segment.length:
                    break
                at_span += 1
            for kind in what & set(touched):
                touched[kind] += 1
        expect_between(f"packets that the driver has counted decrypted, of {packets}, {touched} "
                       "by the kernel's account", decrypted, touched["decrypted"],
                       packets - touched["not-decrypted"])


def _signed(difference):
    """A difference of sequence numbers, as near to 0 as it can be."""
    return (difference + SEQUENCE // 2) % SEQUENCE - SEQUENCE // 2
