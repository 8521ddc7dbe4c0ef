# SPDX-License-Identifier: GPL-2.0-or-later
"""The frequency of the guest's timestamp counter: without KVM that of the host.

Responsible for: measuring it, so that the guest's kernel need not: it would compare the counter
with an emulated timer, and on a busy host find a wrong frequency or none.
State: the result.
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
TRIES = 50              # attempts per reading; the least interrupted one counts


def _reading(counter: Callable[[], int]) -> tuple[float, int]:
    """Return (nanoseconds, ticks) of one moment."""
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
    """Return the frequency in kHz, or None if it cannot be measured: another architecture, no
    executable writable memory."""
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
