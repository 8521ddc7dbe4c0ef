# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of the TLS state machines reached by the running test.

Responsible for: the difference of the devices' property tls-rows (docs/observing.md) over a test.
State: the devices' counts so far.
Callers: runner.py, which writes it into the report; docs/tls-rows.md is made of such reports. Empty
if no device counts rows.
"""

from .lab import device_property

PROPERTY = "tls-rows"


class Rows:
    """The rows taken by both devices since the last call."""

    def __init__(self, env):
        self._env = env
        self._counted = self._read()

    def _read(self):
        return device_property(self._env, PROPERTY)

    def moved(self):
        """Return {row: times} of the rows taken since the last call."""
        before, self._counted = self._counted, self._read()
        total = {}
        for host, rows in self._counted.items():
            old = before.get(host, {})
            for row, count in rows.items():
                # a replugged NIC restarts at zero
                new = count - old.get(row, 0) if count >= old.get(row, 0) else count
                if new:
                    total[row] = total.get(row, 0) + new
        return total
