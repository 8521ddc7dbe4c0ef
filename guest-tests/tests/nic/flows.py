# SPDX-License-Identifier: GPL-2.0-or-later
"""Steering by rules: ethtool -N puts a flow into a queue, aRFS follows the reader."""

import contextlib

from lib import traffic
from lib.case import Skip, expect, expect_equal, needs, test, wait_for

PORT = 7777
COUNT = 60


def _queue_of(env, port):
    """The queue that datagrams to `port` reach."""
    nic = env.local.nic
    sink = env.local.call("tcp.udp_sink", address=env.local.address(4), port=port)
    before = nic.queue_packets()
    env.remote.call("tcp.udp_burst", address=env.local.address(4), port=port,
                    source_ports=[45000], count=COUNT)

    def reached():
        now = nic.queue_packets()
        found = [queue for queue in now if now[queue] - before.get(queue, 0) >= COUNT]
        return found or None

    queue = wait_for("a burst of datagrams arrives in one queue", reached)[0]
    env.local.call("tcp.close", number=sink["socket"])
    return queue


@contextlib.contextmanager
def _rule(env, *words):
    nic = env.local.nic
    result = env.local.run("ethtool", "-N", nic.name, *words, check=False)
    if result.rc != 0:
        raise Skip(f"{nic.name} takes no such rule: {result.err.strip()}")
    shown = env.local.out("ethtool", "-n", nic.name)
    numbers = [int(line.split(":")[1]) for line in shown.splitlines()
               if line.startswith("Filter:")]
    expect(numbers, f"the rule is not in what `ethtool -n` shows:\n{shown}")
    try:
        yield
    finally:
        env.local.run("ethtool", "-N", nic.name, "delete", max(numbers))


@test("flows/to-queue")
@needs("channels:2", "driver:mlx5_core")
def to_queue(env):
    """A rule for a UDP port sends it to each queue in turn; without it the hash decides again."""
    usual = _queue_of(env, PORT)
    for queue in range(env.local.nic.channels()[0]):
        with _rule(env, "flow-type", "udp4", "dst-port", PORT, "action", queue):
            expect_equal("queue that the rule's datagrams reach", _queue_of(env, PORT), queue)
    expect_equal("queue after the rule is gone", _queue_of(env, PORT), usual)


@test("flows/drop")
@needs("driver:mlx5_core")
def drop(env):
    """A rule with action -1 drops the flow, and nothing else."""
    sinks = [env.local.call("tcp.udp_sink", address=env.local.address(4), port=port)["socket"]
             for port in (PORT, PORT + 1)]
    with _rule(env, "flow-type", "udp4", "dst-port", PORT, "action", -1):
        for port in (PORT, PORT + 1):
            env.remote.call("tcp.udp_burst", address=env.local.address(4), port=port,
                            source_ports=[45001], count=COUNT)
        other = env.local.call("tcp.udp_count", number=sinks[1], expected=COUNT)
        dropped = env.local.call("tcp.udp_count", number=sinks[0], expected=1, timeout=1)
    expect_equal("datagrams of another flow", sum(other.values()), COUNT)
    expect_equal("datagrams of the dropped flow", sum(dropped.values()), 0)


@test("flows/arfs")
@needs("feature:ntuple-filters", "channels:2")
def arfs(env):
    """Accelerated RFS is switched on and off under traffic, twice."""
    nic = env.local.nic
    queues = [name for name in env.local.listdir(nic.sysfs("queues")) if name.startswith("rx-")]
    paths = {"/proc/sys/net/core/rps_sock_flow_entries": 4096}
    paths.update({nic.sysfs("queues", name, "rps_flow_cnt"): 1024 for name in queues})
    before = {path: env.local.read(path) for path in paths}
    for path in paths:
        env.cleanup.callback(env.local.write, path, before[path])
    with traffic.background(env) as flow:
        for _ in range(2):
            with nic.with_features(ntuple_filters=True):
                for path, value in paths.items():
                    env.local.write(path, value)
                flow.progress()
                traffic.both_ways(env, 4, 1 << 20)
                traffic.both_ways(env, 6, 1 << 20)
                flow.progress()
            flow.progress()
