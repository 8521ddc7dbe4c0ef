# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's log: what must not be in it.

Responsible for: reading /dev/kmsg from a marker on, and judging the lines.
State: the open file and its place.
Callers: runner.py around every test; test_probe for what was there before.
"""

import errno
import os
import re

LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
ERR = 3

# A line with one of these is a failure whoever wrote it.
TROUBLE = [re.compile(text) for text in (
    r"\bWARNING: ", r"\bBUG: ", r"\bkernel BUG at ", r"\bOops: ", r"\bOops\b", r"Call Trace:",
    r"general protection fault", r"hw csum failure", r"\bUBSAN: ", r"\bKASAN: ", r"\brefcount_t: ",
    r"INFO: task .* blocked for more than", r"soft lockup", r"NETDEV WATCHDOG",
    r"transmit queue \d+ timed out", r"Kernel panic", r"scheduling while atomic",
    r"(list_add|list_del) corruption", r"\bDMA-API: ", r"page allocation failure",
    r"rcu: INFO: .* stall", r"suspicious RCU usage", r"possible (circular|recursive) locking",
)]

# Lines that any test may meet, each with its reason. Tests add their own.
ALLOWED = (
)


class Kmsg:
    """The log from a place on."""

    def __init__(self, from_start=False):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not from_start:
            os.lseek(self._fd, 0, os.SEEK_END)

    def close(self):
        """No more is read."""
        os.close(self._fd)

    def lines(self):
        """New lines: [(level, text)]; lines that user space wrote are left out."""
        found = []
        while True:
            try:
                record = os.read(self._fd, 16384).decode(errors="replace")
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno == errno.EPIPE:      # overwritten before we read it
                    found.append((LEVELS.index("notice"), "(lines of the kernel log were lost)"))
                    continue
                raise
            head, _, text = record.partition(";")
            priority = int(head.split(",")[0])
            if priority >> 3:
                continue
            found.append((priority & 7, text.split("\n")[0]))


def mark(text):
    """A line in the kernel's log, so that a person finds the place."""
    try:
        with open("/dev/kmsg", "w", encoding="utf-8") as file:
            file.write(f"<6>guest-tests: {text}\n")
    except OSError:
        pass


def judge(lines, names, allowed=()):
    """The lines that are wrong: [text with level].

    names    what makes a line the device's: driver, PCI address, interface
    allowed  (regular expression, reason) of lines that this test expects
    """
    patterns = [re.compile(text) for text, _ in tuple(ALLOWED) + tuple(allowed)]
    wrong = []
    for level, text in lines:
        trouble = any(pattern.search(text) for pattern in TROUBLE)
        ours = level <= ERR and any(name in text for name in names)
        if (trouble or ours) and not any(pattern.search(text) for pattern in patterns):
            wrong.append(f"[{LEVELS[level]}] {text}")
    return wrong
