# SPDX-License-Identifier: GPL-2.0-or-later
"""What the device under test says of a receiving session when it can be asked.

Responsible for: finding out whether it can be asked, its packets by flag, and the rows of the
tracker that it has taken.
State: a Told has the values of one moment.
Callers: rx.py; tests of receiving.

This is the second depth of the tests: beside the emulated device every scenario is known exactly.
Beside another NIC there is only what any NIC shows: rx_contract.py.
"""

import functools

from . import records
from .case import Skip, expect_equal, wait_for
from .rx_contract import Flags

PROPERTY = "tls-rows"
# rows that say that something happened; the others come with ordinary packets
EVENTS = tuple(f"R{row}" for row in (1, 2, 3, 4, 7, 8, 9, 10, 12, 15, 16, 17, 18, 19, 20, 21, 22,
                                     23, 24, 30, 31, 32, 33, 34, 35))


@functools.cache
def can_be_asked(env):
    """Is the device one that tells all? No NIC outside the lab does. In the lab all devices that
    decrypt do, so one that does not is a reason for a Skip: no test is done by half there."""
    if env.lab is None:
        return False
    reason = records.missing(env, env.local)
    if reason is None and not env.lab.has(PROPERTY):
        reason = f"the lab's device has no property {PROPERTY!r}"
    if reason:
        raise Skip(reason)
    return True


class Told:
    """Of the device `lab` (LabNic) since the last restart."""

    def __init__(self, lab):
        self._lab = lab
        self.restart()

    def restart(self):
        """From now on."""
        self._flags, self._rows = self._all_flags(), self._all_rows()

    def _all_flags(self):
        counters = self._lab.counters()
        return Flags(plain=counters["tls_rx_not_decrypted"], decrypted=counters["tls_rx_decrypted"],
                     resync=counters["tls_rx_resync"], error=counters["tls_rx_error"])

    def _all_rows(self):
        """How often each row was ever taken: {"R1": ...}."""
        return self._lab.get(PROPERTY)

    def flags(self):
        """Packets with payload, by flag."""
        return self._all_flags() - self._flags

    def row(self, name):
        """How often a row was taken."""
        return self._all_rows()[name] - self._rows[name]

    def wait_row(self, name, count=1):
        """Until a row was taken so often."""
        wait_for(f"row {name}, {count} times", lambda: self.row(name) >= count)

    def expect_rows(self, rows):
        """Exactly these: {"R9": 1, ...}. One that is None was taken any number of times; those of
        EVENTS that are not named were not."""
        want = {name: count for name, count in (dict.fromkeys(EVENTS, 0) | rows).items()
                if count is not None}
        now = self._all_rows()
        got = {name: now[name] - self._rows[name] for name in want}
        expect_equal("rows taken", {k: v for k, v in got.items() if v or want[k]},
                     {k: v for k, v in want.items() if got[k] or v})
