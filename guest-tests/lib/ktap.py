# SPDX-License-Identifier: GPL-2.0-or-later
"""KTAP on stdout.

Responsible for: the version line, the plan, results, diagnostics. One line is one write, and
control characters of programs never reach the stream.
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
        """The head."""
        self._line("KTAP version 1")
        self._line(f"1..{count}")

    def note(self, text):
        """Diagnostics; they belong to the result that follows."""
        for line in str(text).splitlines() or [""]:
            self._line("# " + _CONTROL.sub("?", line.rstrip()))

    def ok(self, name):
        """A test passed."""
        self._number += 1
        self.passed += 1
        self._line(f"ok {self._number} {name}")

    def not_ok(self, name, reason):
        """A test failed."""
        self._number += 1
        self.failed += 1
        self.note(reason)
        self._line(f"not ok {self._number} {name}")

    def skip(self, name, reason):
        """A test could not run."""
        self._number += 1
        self.skipped += 1
        self._line(f"ok {self._number} {name} # SKIP {_CONTROL.sub('?', ' '.join(reason.split()))}")

    def bail_out(self, reason):
        """Nothing can run."""
        self._line(f"Bail out! {_CONTROL.sub('?', ' '.join(reason.split()))}")


# where note() goes while a test runs
_current = []


def attach(report):
    """Diagnostics of tests go to this report from now on."""
    _current[:] = [report]


def note(text):
    """A diagnostic line of the running test."""
    if _current:
        _current[0].note(text)
