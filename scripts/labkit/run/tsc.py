# SPDX-License-Identifier: GPL-2.0-or-later
"""The frequency of the guest's time stamp counter: without KVM that is the host's.

Responsible for: measuring it, so that the guest's kernel need not. It would compare the counter
with an emulated timer, and on a busy host it finds a wrong frequency, or none.
State: what was measured.
"""

import ctypes
import functools
import mmap
import platform
import time
from collections.abc import Callable

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
CODE = bytes.fromhex("0f31 48c1e220 4809d0 c3")
SPAN = 0.1              # seconds between the two readings
TRIES = 50              # for one reading; the one that was interrupted least counts


def _reading(counter: Callable[[], int]) -> tuple[float, int]:
    """(nanoseconds, ticks) of one moment."""
    found: list[tuple[int, float, int]] = []
    for _ in range(TRIES):
        before = time.monotonic_ns()
        ticks = counter()
        after = time.monotonic_ns()
        found.append((after - before, (before + after) / 2, ticks))
    _, moment, ticks = min(found)
    return moment, ticks


@functools.cache
def khz() -> int | None:
    """In kHz, or None when it cannot be measured: another architecture, no code in writable
    memory."""
    if platform.machine() != "x86_64":
        return None
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE,
                         prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    page.write(CODE)
    place = ctypes.c_char.from_buffer(page)
    counter = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(place))
    begin, first = _reading(counter)
    time.sleep(SPAN)
    end, last = _reading(counter)
    return round((last - first) * 1_000_000 / (end - begin))
