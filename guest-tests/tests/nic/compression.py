# SPDX-License-Identifier: GPL-2.0-or-later
"""Compressed completions: what packets of a burst have in common is said once.

The driver leaves them off unless it is asked. With TLS a completion says whether its packet was
decrypted; one that says so is never compressed.
"""

import contextlib

from lib import fault, traffic
from lib.case import Skip, add, expect, expect_between, expect_equal, needs, test, wait_equal
from lib.counters import Watch
from lib.driver import replug

FLAG = "rx_cqe_compress"
STRIDING = "rx_striding_rq"
PROPERTY = "cqe-compression"
SIZE = 1 << 20
BLOCKS, PACKETS = "rx_cqe_compress_blks", "rx_cqe_compress_pkts"
DECRYPTED = "rx_tls_decrypted_packets"
MOST = 64               # packets of a block, in the basic layout
NEEDS = ("tls-tx", "tls-rx", "driver:mlx5_core")

QUEUE_FAILED = (r"Error cqe on cqn|ERR CQE on (RQ|ICOSQ|SQ): 0x|Error on rqn|Error on cqe",
                "the queue that the test lets fail, and its recovery")


@contextlib.contextmanager
def _compressed(env, striding=True, most=MOST):
    """Completions are compressed in the block, on queues of a kind; it must show in the driver's
    counters. Yields a Watch."""
    nic = env.local.nic
    flags = nic.private_flags()
    if striding and not flags.get(STRIDING):
        raise Skip(f"{STRIDING} of {nic.name} is off")
    if env.lab and env.lab.has(PROPERTY) and env.lab.get(PROPERTY) == "off":
        raise Skip("the device announces no compression")
    with contextlib.ExitStack() as stack:
        if not striding and flags.get(STRIDING):
            stack.enter_context(nic.with_private_flag(STRIDING, False))
        stack.enter_context(nic.with_private_flag(FLAG, True))
        watch = Watch(env.local)
        yield watch
        seen = watch.nic()
    expect(seen[BLOCKS] > 0, f"{BLOCKS} has not moved, {seen['rx_packets']} packets came")
    expect_between(PACKETS, seen[PACKETS], 2 * seen[BLOCKS], most and most * seen[BLOCKS])
    expect_between(f"{PACKETS} and {DECRYPTED}", seen[PACKETS] + seen[DECRYPTED],
                   None, seen["rx_packets"])


def _carries(env):
    """Data passes both ways, in the clear and with TLS in the NIC, which decrypts nearly all."""
    for family in (4, 6):
        traffic.both_ways(env, family, SIZE)
    with traffic.session_both_ways(env, SIZE) as (_connection, exchange):
        watch = Watch(env.local)
        exchange()
        moved = watch.nic()["rx_tls_decrypted_bytes"]
        if not env.software_tls:
            expect(moved > SIZE // 2, f"rx_tls_decrypted_bytes moved by {moved} of {SIZE}")


def _on(striding):
    def run(env):
        with _compressed(env, striding):
            _carries(env)
        watch = Watch(env.local)
        traffic.both_ways(env, 4, SIZE)
        expect_equal(f"{PACKETS} with {FLAG} off", watch.nic()[PACKETS], 0)
    run.__doc__ = f"On {'striding' if striding else 'cyclic'} queues, in the clear and with TLS."
    return run


add("compression/striding", _on(True), needs=NEEDS, smoke=True)
add("compression/cyclic", _on(False), needs=NEEDS)


@test("compression/enhanced", guard=900.0)
@needs(f"lab:{PROPERTY}", "rebind", *NEEDS)
def enhanced(env):
    """The other layout, for which the driver asks where it is announced: a block of packets is as
    long as there are packets like its first."""
    replug(env, cqe_compression="enhanced")
    for striding in (True, False):
        with _compressed(env, striding, most=None):
            _carries(env)


@test("compression/changes")
@needs(*NEEDS)
def changes(env):
    """It is switched on and off under a session, with rings that change."""
    with traffic.session_both_ways(env, SIZE) as (_connection, exchange):
        for size in (128, 2048):
            with _compressed(env), env.local.nic.with_rings() as change:
                traffic.both_ways(env, 4, SIZE)
                change(size, size)
                exchange()
            exchange()


@test("compression/recovery", allowed=(QUEUE_FAILED,))
@needs("fault", *NEEDS)
def recovery(env):
    """An error among compressed completions: the queue is reset, and the session goes on."""
    with traffic.session_both_ways(env, SIZE) as (_connection, exchange), \
            _compressed(env) as watch:
        traffic.both_ways(env, 4, SIZE)
        with fault.faults(env, env.local, "error packet nth=100 count=1") as made:
            exchange()
            made.wait_hits(1)
        wait_equal("rx_recover", lambda: watch.nic()["rx_recover"], 1)
        traffic.both_ways(env, 4, SIZE)
