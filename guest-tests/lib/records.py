# SPDX-License-Identifier: GPL-2.0-or-later
"""The device's account of every TLS record.

Responsible for: enabling the record log (docs/observing.md) for a block, and reading it.
State: the offset at the start of the block. Nothing is logged outside such blocks, so that tests
that move gigabytes do not write gigabytes.
Callers: tests that need("records") or need("remote-records").
"""

import contextlib
import dataclasses
import json

from . import lab
from .case import expect, expect_equal

ACTIONS = ("records.start", "records.read", "records.stop")


def missing(env, host):
    """Return the reason why the record log at an end is not available, or None."""
    return lab.missing(env, host, "record-log", ACTIONS)


@dataclasses.dataclass(frozen=True)
class Record:
    """A log line: a record that ended in a context."""

    dir: str                    # "tx" or "rx"
    context: int                # TIS or TIR number
    record: int | None          # record number, None if unknown to the device
    tcp_sn: int | None          # of its first byte, None if unknown
    length: int                 # header included
    type: int
    mode: str
    end: str
    verdict: str
    before: str
    after: str


def parse(line):
    """Return the Record of a line of JSON."""
    entry = json.loads(line)
    return Record(entry["dir"], entry["tisn" if entry["dir"] == "tx" else "tirn"],
                  entry.get("record"), entry.get("tcp_sn"), entry["len"], entry["type"],
                  entry["mode"], entry["end"], entry["verdict"], entry["before"], entry["after"])


class Log:
    """The log since the start of the block."""

    def __init__(self, device):
        self._device = device
        self._since = device.client.call("records.start", nic=device.ident)["next"]
        self._next = self._since

    def restart(self):
        """Ignore earlier entries."""
        self.read()
        self._since = self._next

    def read(self):
        """Return [Record] in the order of their ends."""
        found, since = [], self._since
        while True:
            head, data = self._device.client.call_blob("records.read", nic=self._device.ident,
                                                       since=since)
            found += [parse(line) for line in data.splitlines()]
            since = head["next"]
            if not head["more"]:
                self._next = since
                return found

    def stop(self):
        """Stop the log."""
        self._device.client.call("records.stop", nic=self._device.ident)

    def records(self, direction, context=None):
        """Return the records of a direction ("tx", "rx") and context; without `context` there must
        be at most one."""
        found = [record for record in self.read() if record.dir == direction
                 and context in (None, record.context)]
        contexts = {record.context for record in found}
        expect(len(contexts) < 2, f"the record log has {direction} contexts {sorted(contexts)}: "
                                  "which is meant?")
        return found

    def contexts(self, direction):
        """Return the contexts of a direction, in the order of their first record."""
        return list(dict.fromkeys(record.context for record in self.read()
                                  if record.dir == direction))


def count(records, member="verdict"):
    """Return {value: count} of a member: verdict, mode, end, before, after."""
    totals = {}
    for record in records:
        value = getattr(record, member)
        totals[value] = totals.get(value, 0) + 1
    return totals


def sequence(records):
    """Return [(record, verdict, before, after)]."""
    return [(record.record, record.verdict, record.before, record.after) for record in records]


def expect_verdicts(what, records, want):
    """Check that the records and their verdicts are exactly these: [(record number, verdict)]."""
    got = [(record.record, record.verdict) for record in records]
    if got == list(want):
        return
    at = next((i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1]),
              min(len(got), len(want)))
    expect_equal(f"{what}: record log has {len(got)} entries, expected {len(want)}; from the "
                 f"first difference (entry {at})", got[at:at + 8], list(want)[at:at + 8])


@contextlib.contextmanager
def log(env, host):
    """The record log of the device at an end, for the block."""
    device = env.device(host)
    opened = Log(device)
    try:
        yield opened
    finally:
        opened.stop()
