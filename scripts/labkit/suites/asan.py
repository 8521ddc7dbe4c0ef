# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `asan`: the guest's smoke tests on a QEMU with sanitizers.

Responsible for: finding sanitizer reports in QEMU's log.
State: none.
"""

import contextlib

from ..run.rundir import RunDir
from .guest import GuestTests


class Asan(GuestTests):
    """The guest's smoke tests on a QEMU with sanitizers."""

    name = "asan"
    about = "guest smoke tests on QEMU with address and undefined-behaviour sanitizers"
    default = False
    order = 650
    variant = {"sanitize": True}
    extra_args = ("--smoke",)
    words = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")

    def verdict(self, rundir: RunDir) -> str:
        log = rundir.file("qemu.log")
        with contextlib.suppress(OSError):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if any(word in line for word in self.words):
                    return f"a sanitizer spoke: {line.strip()}; all of it: {log}"
        return ""
