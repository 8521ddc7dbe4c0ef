# SPDX-License-Identifier: GPL-2.0-or-later
"""T-31 to T-33, sending: what changes under a live session, with losses before, across and after.

Across a change means: segments are lost before it, and nothing of the stream passes until it is
done, so that the first thing the new queues see of the session is a retransmission.
"""

import contextlib

from lib import traffic, txpath
from lib.case import expect, expect_equal, needs, test
from lib.counters import Watch
from lib.ktap import note
from lib.tls import Connection, Offload
from lib.txpath import NEEDS, NEEDS_TSO

SIZES = [16384, 3000, 1, 9000]


def _across(env, session, change):
    """Run `change` while records are under way of which none has arrived."""
    at = session.layout.end
    gone = session.box.add(session.way, f"drop stream={at}.. sent=any")
    finish = session.begin(SIZES)
    gone.wait_hits(1)
    change()
    gone.clear()
    with traffic.unstick_qdiscs(env):
        finish()
        session.send(SIZES * 3)
        session.settle()


@test("T-31/tx-features")
@needs(*NEEDS)
def features(env):
    """tls-hw-tx-offload off: a live session stays with the device, new ones are software; on
    again: new ones are the device's. The session's own account is exact throughout."""
    with txpath.session(env) as session:
        nic = env.local.nic
        session.send(SIZES)
        for _ in range(2):
            if not session.offload.real:
                break
            with nic.with_features(tls_hw_tx_offload=False):
                session.send(SIZES)
                with Connection(env.local, env.remote, seed=env.seed) as other:
                    other.enable_tls(down=False)
                    expect_equal("a new session with the feature off",
                                 other.configuration(env.local), {"tx": "sw", "rx": "none"})
                    other.up.move(20_000)
                expect_equal("the live session", session.connection.configuration(env.local),
                             {"tx": "hw", "rx": "none"})
            session.send(SIZES)
        lost = session.lose([session.layout.end + 5000])
        session.send([16384] * 4)
        expect_equal("segments lost", lost[0].hits(), 1)
        session.check()


@test("T-31/tx-checksum-takes-it-away")
@needs(*NEEDS, "feature:tx-checksumming")
def checksum(env):
    """Without checksums there is no TLS offload for new sessions; a live one goes on by itself in
    the kernel's fallback or the device, every byte right, and with checksums it is as before."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        connection.up.move(50_000)
        if offload.real:
            with env.local.nic.with_features(tx_checksumming=False):
                expect(not env.local.nic.feature("tls-hw-tx-offload"), "TLS without checksums")
                connection.up.move(50_000)
        connection.up.move(50_000)
        judge.check_no_error()


@test("T-31/tx-segmentation")
@needs(*NEEDS_TSO)
def segmentation(env):
    """TSO goes and comes while records are under way."""
    with txpath.session(env) as session, contextlib.ExitStack() as stack:
        session.send(SIZES)
        _across(env, session, lambda: stack.enter_context(
            env.local.nic.with_features(tcp_segmentation_offload=False)))
        _across(env, session, stack.close)
        session.check()


@test("T-32/tx-mtu", guard=1200.0)
@needs(*NEEDS)
def mtu(env):
    """The MTU grows and shrinks while records are under way: DUMPs are never longer than a frame
    may be, and everything that was lost is replayed.

    A packet that TCP has made before the MTU shrank and that leaves its qdisc after it is too long
    for the port, which has it encrypted and throws it away: such a run is not exact, and repeated.
    """
    for _ in range(txpath.TRIES):
        port = Watch(env.local)
        with txpath.session(env) as session:
            session.send(SIZES)
            device = env.device(env.local)
            errors = device.counters()["tx_wqe_error"] if device else 0
            for value in (9000, 1280, 1500):
                _with_mtu(env, session, value)
            if device:
                expect_equal("tx_wqe_error of the device",
                             device.counters()["tx_wqe_error"] - errors, 0)
            too_long = port.nic()["tx_errors_phy"]
            if not too_long:
                session.check()
                return
        note(f"{too_long} packets of the old MTU reached the port after it had shrunk; once more")
    expect(False, "each time a packet was on its way when the MTU shrank")


def _with_mtu(env, session, value):
    """Change it while nothing arrives, then lose a segment, and back."""
    with contextlib.ExitStack() as stack:
        _across(env, session, lambda: stack.enter_context(traffic.both_mtu(env, value)))
        before = Watch(env.local)
        lost = session.lose([session.layout.end + 15_000])
        session.send([16384] * 8)
        expect_equal("segments lost", lost[0].hits(), 1)
        session.settle()
        moved = before.nic()
        if session.offload.real:
            least = -(-moved["tx_tls_dump_bytes"] // (value + 18))
            expect(moved["tx_tls_dump_packets"] >= least,
                   f"{moved['tx_tls_dump_bytes']} bytes were replayed by "
                   f"{moved['tx_tls_dump_packets']} DUMPs at MTU {value}")


@test("T-33/tx-rings")
@needs(*NEEDS, "driver:mlx5_core")
def rings(env):
    """Rings of other sizes while records are under way."""
    with txpath.session(env) as session, env.local.nic.with_rings() as change:
        session.send(SIZES)
        for size in (128, 2048):
            _across(env, session, lambda wanted=size: change(wanted, wanted))
        session.check()


@test("T-33/tx-channels")
@needs(*NEEDS, "channels:2")
def channels(env):
    """Fewer channels, then more, while records are under way: the parameters were posted on a
    queue that is gone."""
    most = env.local.nic.channels()[1]
    with txpath.session(env) as session, env.local.nic.with_channels() as change:
        session.send(SIZES)
        for count in (1, most, 1):
            _across(env, session, lambda wanted=count: change(wanted))
        session.check()


@test("T-33/tx-link")
@needs("tls-tx")
def link(env):
    """The interface goes down and up: the session falls back to software, every byte right, and
    the device is told no more about it."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        connection.up.move(50_000)
        nic = env.local.nic
        state = nic.state()
        nic.set_up(False)
        nic.set_state(state)
        nic.wait_ready()
        watch = Watch(env.local)
        with traffic.unstick_qdiscs(env):
            connection.up.move(200_000)
        judge.check_no_error()
        if offload.real:
            expect_equal("tx_tls_encrypted_bytes after the link was down",
                         watch.nic()["tx_tls_encrypted_bytes"], 0)
            offload.check_closed(rx=False)
