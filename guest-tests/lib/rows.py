# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows of the TLS state machines the running test has reached.

Responsible for: the difference of the devices' property tls-rows (docs/observing.md) over a test.
State: what the devices have counted so far.
Callers: runner.py, which writes it into the report; docs/tls-rows.md is made of such reports.
Where no device counts rows there is nothing to say.
"""

from .lab import device_property

PROPERTY = "tls-rows"


class Rows:
    """The rows that both devices took since the last look."""

    def __init__(self, env):
        self._env = env
        self._counted = self._read()

    def _read(self):
        return device_property(self._env, PROPERTY)

    def moved(self):
        """{row: times} of those that were taken; the next call begins here."""
        before, self._counted = self._counted, self._read()
        total = {}
        for host, rows in self._counted.items():
            old = before.get(host, {})
            for row, count in rows.items():
                # a NIC that was unplugged and plugged again has begun anew
                new = count - old.get(row, 0) if count >= old.get(row, 0) else count
                if new:
                    total[row] = total.get(row, 0) + new
        return total
