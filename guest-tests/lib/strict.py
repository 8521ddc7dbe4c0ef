# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device with strict=on has found wrong with itself or with its driver.

Responsible for: the difference of the property strict-violations over a test, on all NICs of
the bench. State: the counts at the beginning. Callers: runner.py; elsewhere than in the lab, and
with a device that has no such property, there is nothing to compare.
"""

from .lab import device_property

PROPERTY = "strict-violations"


class Violations:
    """From now on."""

    def __init__(self, env):
        self._env = env
        self._before = self._read()

    def _read(self):
        """{NIC: {reason: count}} of those that can tell; one may be unplugged."""
        return {self._env.device(host).ident: counts
                for host, counts in device_property(self._env, PROPERTY).items()}

    def since(self):
        """{NIC: {reason: how often}} without zeros."""
        moved = {}
        for nic, counts in self._read().items():
            before = self._before.get(nic, {})
            if counts.get("total", 0) < before.get("total", 0):
                before = {}         # plugged anew: it counts from 0
            moved[nic] = {reason: count - before.get(reason, 0)
                          for reason, count in counts.items()
                          if reason != "total" and count > before.get(reason, 0)}
        return {nic: counts for nic, counts in moved.items() if counts}

    def problems(self, expected=()):
        """A line for each NIC that found something else than the `expected` reasons."""
        found = []
        for nic, counts in sorted(self.since().items()):
            wrong = {reason: count for reason, count in counts.items()
                     if reason not in expected}
            if wrong:
                found.append(f"{nic} with strict=on found: " + ", ".join(
                    f"{reason} ({count})" for reason, count in sorted(wrong.items()))
                             + "; the lab's qemu.log says where first")
        return found
