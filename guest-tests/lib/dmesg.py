# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of the kernel's log.

Responsible for: reading /dev/kmsg from a marker on, and evaluating the lines.
State: the open file and its position.
Callers: runner.py around every test; tests/nic/probe.py for earlier lines.
"""

import errno
import os
import re

LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
ERR = 3

# A line with one of these is a failure, whatever its source.
TROUBLE = [re.compile(text) for text in (
    r"\bWARNING: ", r"\bBUG: ", r"\bkernel BUG at ", r"\bOops: ", r"\bOops\b", r"Call Trace:",
    r"general protection fault", r"hw csum failure", r"\bUBSAN: ", r"\bKASAN: ", r"\brefcount_t: ",
    r"INFO: task .* blocked for more than", r"soft lockup", r"NETDEV WATCHDOG",
    r"transmit queue \d+ timed out", r"Kernel panic", r"scheduling while atomic",
    r"(list_add|list_del) corruption", r"\bDMA-API: ", r"page allocation failure",
    r"rcu: INFO: .* stall", r"suspicious RCU usage", r"possible (circular|recursive) locking",
)]

# Lines allowed in any test, each with its reason. Tests add their own.
ALLOWED = (
)


class Kmsg:
    """The log from a position on."""

    def __init__(self, from_start=False):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not from_start:
            os.lseek(self._fd, 0, os.SEEK_END)

    def close(self):
        """Stop reading."""
        os.close(self._fd)

    def lines(self):
        """Return new lines [(level, text)], without those written by user space."""
        found = []
        while True:
            try:
                record = os.read(self._fd, 16384).decode(errors="replace")
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno == errno.EPIPE:      # overwritten before it was read
                    found.append((LEVELS.index("notice"), "(lines of the kernel log were lost)"))
                    continue
                raise
            head, _, text = record.partition(";")
            priority = int(head.split(",")[0])
            if priority >> 3:
                continue
            found.append((priority & 7, text.split("\n")[0]))


def mark(text):
    """Write a line to the kernel's log, so that the position can be found."""
    try:
        with open("/dev/kmsg", "w", encoding="utf-8") as file:
            file.write(f"<6>guest-tests: {text}\n")
    except OSError:
        pass


def judge(lines, names, allowed=()):
    """Return the unexpected lines: [text with level].

    names    words that attribute a line to the device: driver, PCI address, interface
    allowed  (regular expression, reason) of lines expected by this test
    """
    patterns = [re.compile(text) for text, _ in tuple(ALLOWED) + tuple(allowed)]
    wrong = []
    for level, text in lines:
        trouble = any(pattern.search(text) for pattern in TROUBLE)
        ours = level <= ERR and any(name in text for name in names)
        if (trouble or ours) and not any(pattern.search(text) for pattern in patterns):
            wrong.append(f"[{LEVELS[level]}] {text}")
    return wrong
