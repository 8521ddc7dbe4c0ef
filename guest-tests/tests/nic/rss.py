# SPDX-License-Identifier: GPL-2.0-or-later
"""Receive-side scaling: flows spread over the queues by the Toeplitz hash, as the table says."""

import contextlib
import ipaddress
import struct

from lib.case import expect, expect_equal, needs, test, wait_for
from lib.ktap import note
from lib.tls import Connection

FLOWS = 24
# The hash is linear, and the driver's key is drawn at each start: with ports that differ in five
# bits only, one key in 32 gives all of them the same queue. These differ in fifteen.
PORTS = [40000 + 787 * index for index in range(FLOWS)]
BURST = 40              # more than the noise of a quiet network in the same moment


def toeplitz(key, data):
    """The 32-bit Toeplitz hash, bit by bit."""
    window, result = int.from_bytes(key, "big"), 0
    bits = len(key) * 8
    for index in range(len(data) * 8):
        if data[index // 8] >> (7 - index % 8) & 1:
            result ^= window >> (bits - 32 - index) & 0xffffffff
    return result


# a published vector of the hash: 66.9.149.187:2794 to 161.142.100.80:1766
_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c"
                     "6a42b73bbeac01fa")
_VECTOR = bytes((66, 9, 149, 187, 161, 142, 100, 80)) + struct.pack(">HH", 2794, 1766)
assert toeplitz(_KEY, _VECTOR) == 0x51ccc178


def _inputs(source, destination, sport, dport):
    """What the hash may be fed with: {name: bytes}. The symmetric forms replace each pair by
    what does not depend on its order."""
    first, second = (ipaddress.ip_address(text).packed for text in (source, destination))
    ports = struct.pack(">H", sport), struct.pack(">H", dport)

    def mix(left, right, operation):
        return bytes(operation(a, b) for a, b in zip(left, right))

    either = [mix(first, second, int.__or__), mix(*ports, int.__or__)]
    differ = [mix(first, second, int.__xor__), mix(*ports, int.__xor__)]
    return {"textbook": first + second + ports[0] + ports[1],
            "symmetric, or then xor": either[0] + differ[0] + either[1] + differ[1],
            "symmetric, xor then or": differ[0] + either[0] + differ[1] + either[1],
            "symmetric, xor twice": differ[0] + differ[0] + differ[1] + differ[1]}


def _bursts(env, family, dport):
    """{source port: queue} that bursts of datagrams from the peer reached."""
    nic, queues = env.local.nic, {}
    for port in PORTS:
        before = nic.queue_packets()
        env.remote.call("tcp.udp_burst", address=env.local.address(family), port=dport,
                        source_ports=[port], count=BURST)

        def reached(start=before):
            now = nic.queue_packets()
            moved = {queue: now[queue] - start.get(queue, 0) for queue in now}
            best = max(moved, key=moved.get)
            return [best] if moved[best] >= BURST else None

        queues[port] = wait_for(f"a burst of {BURST} datagrams arrives in one queue", reached)[0]
    return queues


@test("rss/toeplitz")
@needs("channels:2", "rss", "driver:mlx5_core")
def exact(env):
    """Each flow reaches the queue that key, hash and table give, for both protocols."""
    nic = env.local.nic
    rss = nic.rss()
    expect(rss["functions"].get("toeplitz"), f"the hash function is {rss['functions']}")
    expect(len(rss["table"]) & (len(rss["table"]) - 1) == 0,
           f"the table has {len(rss['table'])} entries, no power of two")
    for family in (4, 6):
        sink = env.local.call("tcp.udp_sink", address=env.local.address(family))
        got = _bursts(env, family, sink["port"])
        results = {}
        for port, queue in got.items():
            inputs = _inputs(env.remote.address(family), env.local.address(family), port,
                             sink["port"])
            for name, data in inputs.items():
                want = rss["table"][toeplitz(rss["key"], data) & (len(rss["table"]) - 1)]
                results.setdefault(name, []).append(want == queue)
        matching = [name for name, hits in results.items() if all(hits)]
        note(f"IPv{family}: hash input is {' or '.join(matching) or 'unknown'}")
        expect(matching, f"IPv{family}: queues by source port {got} fit no input of the hash: "
                         + "; ".join(f"{name} {sum(hits)} of {len(hits)}"
                                     for name, hits in results.items()))
        expect(len(set(got.values())) > 1, f"all {FLOWS} flows reached one queue")


@test("rss/tcp-spreads", smoke=True)
@needs("channels:2", "rss")
def spreads(env):
    """32 TCP connections reach more than one queue."""
    nic = env.local.nic
    before = nic.queue_packets()
    expect(before is not None, f"{nic.name} has no counters of its queues")
    with contextlib.ExitStack() as stack:
        flows = [stack.enter_context(Connection(env.remote, env.local, seed=f"rss-{index}"))
                 for index in range(32)]
        for finish in [flow.up.begin(64 << 10) for flow in flows]:
            finish()
    after = nic.queue_packets()
    used = {queue: after[queue] - before.get(queue, 0) for queue in after
            if after[queue] - before.get(queue, 0) >= 20}
    note(f"packets by queue: {used}")
    expect(len(used) > 1, f"32 connections reached one queue only: {used}")


@test("rss/table")
@needs("channels:2", "rss", "driver:mlx5_core")
def table(env):
    """With a table of zeros everything reaches queue 0; with the default one it spreads again."""
    nic = env.local.nic
    before = nic.rss()["table"]
    env.cleanup.callback(env.local.run, "ethtool", "-X", nic.name, "default")
    sink = env.local.call("tcp.udp_sink", address=env.local.address(4))
    env.local.run("ethtool", "-X", nic.name, "equal", 1)
    expect_equal("the table", set(nic.rss()["table"]), {0})
    expect_equal("queues reached", set(_bursts(env, 4, sink["port"]).values()), {0})
    env.local.run("ethtool", "-X", nic.name, "weight", 0, 1)
    expect_equal("the table", set(nic.rss()["table"]), {1})
    expect_equal("queues reached", set(_bursts(env, 4, sink["port"]).values()), {1})
    env.local.run("ethtool", "-X", nic.name, "default")
    expect_equal("the table after `ethtool -X default`", nic.rss()["table"], before)


@test("rss/key")
@needs("channels:2", "rss", "driver:mlx5_core")
def key(env):
    """A new key is used: flows land where it says."""
    nic = env.local.nic
    old = nic.rss()["key"]
    new = bytes(range(7, 7 + len(old)))

    def set_key(value):
        env.local.run("ethtool", "-X", nic.name, "hkey", ":".join(f"{byte:02x}" for byte in value))

    env.cleanup.callback(set_key, old)
    set_key(new)
    expect_equal("the key", nic.rss()["key"].hex(), new.hex())
    exact(env)


@test("rss/hash-off")
@needs("channels:2", "rss", "feature:receive-hashing")
def hashing(env):
    """Without receive hashing packets still arrive."""
    with env.local.nic.with_features(receive_hashing=False):
        with Connection(env.remote, env.local) as connection:
            connection.up.move(1 << 20)
