# SPDX-License-Identifier: GPL-2.0-or-later
"""Where records and segments of a stream lie, when both are known before they are sent.

Responsible for: sizes of records, and which segment has which byte of them.
State: none.
Callers: rx.py, rx_craft.py, tests of receiving.
"""

import itertools

from .version import OVERHEAD

SEGMENT = 1400                      # bytes of a full segment, whatever IP version and tags
TINY = [5] * 41                     # records of 34 bytes: a segment and a bit


def whole_segments(segments, count=1):
    """Payload sizes of `count` records that fill `segments` segments each."""
    return [segments * SEGMENT - OVERHEAD] * count


class Burst:
    """Records that are sent behind each other: where each byte of them is.

    Segments are numbered from 0; all are full but the last.
    """

    def __init__(self, sizes):
        self.sizes = list(sizes)
        self.lengths = [size + OVERHEAD for size in self.sizes]
        self.starts = [0, *itertools.accumulate(self.lengths)]
        self.total = self.starts.pop()
        self.segments = -(-self.total // SEGMENT)

    @classmethod
    def of_sizes(cls, what):
        """A Burst, or the sizes of one, as a Burst."""
        return what if isinstance(what, cls) else cls(what)

    def segment(self, record, byte=0):
        """The segment with this byte of the record; negative ones count from its end."""
        at = byte if byte >= 0 else self.lengths[record] + byte
        return (self.starts[record] + at) // SEGMENT
