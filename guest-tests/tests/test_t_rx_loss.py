# SPDX-License-Identifier: GPL-2.0-or-later
"""T-13 and its kin: what is lost, late, doubled or cut on the way to a device that decrypts.

Each test knows every segment before it is sent, so it knows how many packets the device must
decrypt, what it must ask, which rows of its tracker it must take (engine/tls_rx.h), and for each
record how the kernel must find it. docs/tls-tests.md lists them.
"""

from lib import rx
from lib.case import add, expect_equal, needs, test
from lib.rx import Burst, whole

NEEDS = ("tls-rx", "lab:tls-rows", "wire", "records", "tracepoints")


def _header(env, burst, lost, **how):
    """The segment `lost` of a burst, which has (a part of) a header, is lost. The device searches,
    finds the next header that is whole in a packet, asks, is told, authenticates a record and
    decrypts again."""
    with rx.bench(env, **how) as bench:
        _lose_header(bench, burst, lost)


def _lose_header(bench, burst, lost):
    """See _header()."""
    begin = bench.connection.up
    found = next(segment for segment in map(burst.segment, range(len(burst.sizes)))
                 if segment > lost)
    behind = sum(1 for record in range(len(burst.sizes)) if burst.segment(record) > lost)
    start = burst_start(bench)
    kept = bench.lose(f"stream={start + lost * rx.SEGMENT}")
    sent = bench.send(burst)
    bench.wait_packets(burst.segments - 1)
    bench.wait_driver("rx_tls_resync_req_end")
    # nothing was approved: the software has not seen the header yet
    flags = [burst.segments - 1 - lost - 1, lost, 1, 0]
    bench.check(flags, more={"rx_tls_resync_req_start": 1, "rx_tls_resync_req_end": 1},
                rows={"R9": 1, "R12": 1, "R13": found - lost - 1, "R14": behind - 1})
    kept.comes()
    sent.finish()
    assert begin
    bench.recovers()
    bench.check([flags[0] + 4, flags[1] + 3, 1, 0], resyncs=1,
                rows={"R6": 1, "R9": 1, "R12": 1, "R13": found - lost - 1, "R14": behind - 1,
                      "R18": 1, "R20": 1, "R21": 1, "R27": 1})
    bench.mark()


def burst_start(bench):
    """Stream byte at which the next burst begins."""
    return bench.box.flow(bench.connection.up)["bytes"]


@test("T-13/rx-header-lost", smoke=True)
@needs(*NEEDS)
def header_lost(env):
    """The segment with a header is lost, the header at its beginning."""
    burst = Burst(whole(4, 8))
    _header(env, burst, burst.segment(2))
