# SPDX-License-Identifier: GPL-2.0-or-later
"""Violations found by a device with strict=on in itself or its driver.

Responsible for: the difference of the property strict-violations over a test, on all NICs of the
bench.
State: the counts at the start.
Callers: runner.py. Empty outside the lab, and for devices without the property.
"""

from .lab import device_property

PROPERTY = "strict-violations"


class Violations:
    """The violations since creation."""

    def __init__(self, env):
        self._env = env
        self._before = self._read()

    def _read(self):
        """Return {NIC: {reason: count}} of available NICs; one may be unplugged."""
        return {self._env.device(host).ident: counts
                for host, counts in device_property(self._env, PROPERTY).items()}

    def since(self):
        """Return {NIC: {reason: count}} without zeros."""
        moved = {}
        for nic, counts in self._read().items():
            before = self._before.get(nic, {})
            if counts.get("total", 0) < before.get("total", 0):
                before = {}         # replugged: counts from 0
            moved[nic] = {reason: count - before.get(reason, 0)
                          for reason, count in counts.items()
                          if reason != "total" and count > before.get(reason, 0)}
        return {nic: counts for nic, counts in moved.items() if counts}

    def problems(self, expected=()):
        """Return a line for each NIC with reasons other than the `expected` ones."""
        found = []
        for nic, counts in sorted(self.since().items()):
            wrong = {reason: count for reason, count in counts.items()
                     if reason not in expected}
            if wrong:
                found.append(f"{nic} with strict=on found: " + ", ".join(
                    f"{reason} ({count})" for reason, count in sorted(wrong.items()))
                             + "; the lab's qemu.log says where first")
        return found
