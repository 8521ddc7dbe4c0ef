# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP on stdout.

Responsible for: the version line, the plan, results, diagnostics. Each line is one write, and
control characters from programs never reach the stream.
State: the running number and the counts.
Callers: runner.py; tests through note().
"""

import re
import sys

_CONTROL = re.compile(r"[^\t\x20-\x7e\u00a0-\u2027\u202f-\ud7ff\ue000-\uffef]")


class KtapStream:
    """Writes KTAP to stdout and counts the results."""

    def __init__(self, indent=0):
        self._indent = " " * indent
        self._number = 0
        self.passed = self.failed = self.skipped = 0

    def _line(self, text):
        sys.stdout.write(self._indent + text + "\n")
        sys.stdout.flush()

    def begin(self, count):
        """Write the head."""
        self._line("KTAP version 1")
        self._line(f"1..{count}")

    def note(self, text):
        """Write diagnostics, which belong to the next result."""
        for line in str(text).splitlines() or [""]:
            self._line("# " + _CONTROL.sub("?", line.rstrip()))

    def ok(self, name):
        """Report a passed test."""
        self._number += 1
        self.passed += 1
        self._line(f"ok {self._number} {name}")

    def not_ok(self, name, reason):
        """Report a failed test."""
        self._number += 1
        self.failed += 1
        self.note(reason)
        self._line(f"not ok {self._number} {name}")

    def skip(self, name, reason):
        """Report a test that could not run."""
        self._number += 1
        self.skipped += 1
        self._line(f"ok {self._number} {name} # SKIP {_CONTROL.sub('?', ' '.join(reason.split()))}")

    def bail_out(self, reason):
        """Report that no test can run."""
        self._line(f"Bail out! {_CONTROL.sub('?', ' '.join(reason.split()))}")


# destination of note() while a test runs
_current = []


def attach(report):
    """Direct diagnostics of tests to this report."""
    _current[:] = [report]


def note(text):
    """Write a diagnostic line of the running test."""
    if _current:
        _current[0].note(text)
