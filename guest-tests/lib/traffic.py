# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic for tests: single transfers, or continuous traffic while something changes.

Responsible for: checked TCP transfers and background traffic in both directions.
State: none beyond the block.
Callers: tests.
"""

import contextlib
import json
import threading

from .case import fail, wait_for
from .hosts import CallError, HostError
from .ktap import note
from .tls import Connection, Offload, as_able

SIZE = 1 << 20          # bytes of a normal transfer
STEP = 32 << 10        # bytes per step of background traffic
PATIENCE = 5.0          # seconds of standstill before the qdiscs are checked
DISCARD = 9             # port without a listener
NUDGES = range(50000, 50016)


def transfer(sender, receiver, family=4, size=SIZE, sizes=None, seed="transfer"):
    """Transfer a payload over a new TCP connection and check every byte; returns tcp_info."""
    with Connection(sender, receiver, family, seed=seed) as connection:
        connection.up.move(size, sizes)
        return connection.info(sender)


def both_ways(env, family=4, size=SIZE):
    """Transfer in both directions of one connection at the same time."""
    with Connection(env.local, env.remote, family) as connection:
        for finish in [way.begin(size) for way in (connection.up, connection.down)]:
            finish()


def send_without_end(env):
    """Open a busy connection to the remote end, for tests that remove the NIC under it. It is not
    closed: it ends when the agents of both ends are restarted."""
    opened = env.remote.call("tcp.listen", address=env.remote.address(4))
    accepting = env.remote.begin("tcp.accept", listener=opened["socket"])
    client = env.local.call("tcp.connect", address=env.remote.address(4), port=opened["port"])
    taken = accepting.result()
    env.remote.begin("tcp.receive", number=taken["socket"], seed="gone", size=1 << 30)
    env.local.begin("tcp.send", number=client["socket"], seed="gone", size=1 << 30)
    wait_for("the connection is busy", lambda: env.local.call(
        "tcp.info", number=client["socket"])["data_segs_out"] > 100)


def _backlog(host):
    """Return the number of packets in the qdiscs of the NIC at this end."""
    found = json.loads(host.out("tc", "-s", "-j", "qdisc", "show", "dev", host.nic.name))
    return sum(entry.get("qlen", 0) for entry in found if not entry.get("root"))


@contextlib.contextmanager
def unstick_qdiscs(env):
    """For waiting on traffic after queues were reopened: restarts packets left in a qdisc by a few
    datagrams on every transmit queue, with a note in the report.

    mlx5 starts its queues after a change of channels, rings or MTU without scheduling their qdiscs
    (mlx5e_activate_txqsq: netif_tx_start_queue, not wake). A packet requeued into a qdisc meanwhile
    stays there until the next one arrives; TCP does not retransmit data still in the host, so a
    single connection can stand still for minutes. A standstill with empty qdiscs has another cause
    and gets no help.
    """
    done = threading.Event()

    def nudge():
        while not done.wait(PATIENCE):
            try:
                for host in env.hosts:
                    waiting = _backlog(host)
                    if waiting:
                        note(f"{waiting} packets were left in the qdiscs of the {host.name} end; "
                             "nudged")
                        host.call("tcp.udp_burst", address=env.other(host).address(4),
                                  port=DISCARD, source_ports=list(NUDGES), count=1)
            except (HostError, CallError):
                pass                    # the interface is down at the moment

    thread = threading.Thread(target=nudge, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


class Background:
    """Continuous traffic."""

    def __init__(self, env):
        self._env = env
        self.rounds = 0
        self.stop = threading.Event()
        self.error = None

    def progress(self):
        """Wait until more has arrived in both directions than is outstanding now."""
        target = self.rounds + 4
        with unstick_qdiscs(self._env):
            wait_for("traffic goes on", lambda: self.error or self.rounds >= target, 300)
        if self.error:
            raise self.error


@contextlib.contextmanager
def background(env, family=4):
    """Checked traffic in both directions of one connection, for the block."""
    state = Background(env)

    def work(way):
        try:
            while not state.stop.is_set():
                way.move(STEP)
                state.rounds += 1
        except (AssertionError, HostError, CallError) as error:
            state.error = error

    with Connection(env.local, env.remote, family, seed="background") as connection:
        threads = [threading.Thread(target=work, args=(way,), daemon=True)
                   for way in (connection.up, connection.down)]
        for thread in threads:
            thread.start()
        try:
            yield state
        finally:
            state.stop.set()
        with unstick_qdiscs(env):
            for thread in threads:
                thread.join()
        if state.error:
            fail(f"background traffic: {state.error}")


@contextlib.contextmanager
def both_mtu(env, mtu):
    """Set the same MTU on both ends, for the block."""
    with env.room_for(mtu), env.remote.nic.with_mtu(mtu), env.local.nic.with_mtu(mtu):
        yield


@contextlib.contextmanager
def session_both_ways(env, step):
    """A session with both directions offloaded at both ends, at the peer's as far as its NIC can;
    yields (connection, exchange). exchange() moves `step` bytes each way, and is called before the
    block and behind it."""
    with Offload(env, env.local, tx=True, rx=True) as here, \
            as_able(env, env.remote, tx=True, rx=True) as there, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls()
        for offload in (here, there):
            offload.check_configuration(connection)

        def exchange():
            with unstick_qdiscs(env):
                for finish in [way.begin(step) for way in (connection.up, connection.down)]:
                    finish()

        exchange()
        yield connection, exchange
        exchange()
        for offload in (here, there):
            offload.check_no_error()
