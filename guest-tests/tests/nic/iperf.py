# SPDX-License-Identifier: GPL-2.0-or-later
"""iperf3, because everyone runs it first: TCP and UDP, each way, both protocols.

For UDP no loss is not promised: whoever is too slow drops. What must hold: datagrams arrive, none
is made up, and what iperf3 counts as lost is no more than it sent.
"""

import json

from lib.case import add, expect, fail
from lib.ktap import note

PORT = 5201
SECONDS = 2             # of UDP
# Of TCP: more than twice what the buffers of both sockets hold (tcp_wmem, tcp_rmem: 10 MiB).
# Not so many seconds: of two seconds' traffic a slow machine has most still under way at their end.
BYTES = 32 << 20


def _run(env, family, *options):
    """The report of one run with the client on the local end."""
    server = ("iperf3", "-s", "-1", "-p", PORT, "-J", "-B", env.remote.address(family))
    with env.remote.program(*server) as number:
        env.remote.call("procs.listening", port=PORT, pid_number=number)
        result = env.local.run("iperf3", "-c", env.remote.address(family), "-p", PORT, "-J",
                               *options, check=False, timeout=600)
    try:
        report = json.loads(result.out)
    except ValueError:
        fail(f"iperf3 printed no JSON (status {result.rc}): {result.out[-500:]}{result.err}")
    if "error" in report:
        fail(f"iperf3: {report['error']}")
    return report["end"]


def _tcp(family, reverse):
    def run(env):
        end = _run(env, family, "-n", BYTES, *(["-R"] if reverse else []))
        sent, received = end["sum_sent"]["bytes"], end["sum_received"]["bytes"]
        note(f"{end['sum_received']['bits_per_second'] / 1e6:.0f} Mbit/s")
        expect(received > 0, "nothing was received")
        # what is under way when the test ends is not waited for
        expect(received <= sent, f"{received} bytes received, {sent} sent")
        expect(received * 2 >= sent, f"only {received} of {sent} bytes were received")
    return run


def _udp(family, reverse):
    def run(env):
        end = _run(env, family, "-u", "-t", SECONDS, "-b", "20M", "-l", 1400,
                   *(["-R"] if reverse else []))
        total = end["sum"]
        received = total["packets"] - total["lost_packets"]
        note(f"{total['lost_packets']} of {total['packets']} datagrams lost")
        expect(total["bytes"] > 0 and total["packets"] > 0, f"nothing was sent: {total}")
        expect(0 <= total["lost_packets"] <= total["packets"], f"impossible loss: {total}")
        expect(received > 0, f"no datagram arrived: {total}")
    return run


for _family in (4, 6):
    for _reverse in (False, True):
        _way = "receive" if _reverse else "send"
        add(f"iperf/tcp-v{_family}-{_way}", _tcp(_family, _reverse), needs=("tool:iperf3",),
            smoke=_family == 4, full=_family == 6)
        add(f"iperf/udp-v{_family}-{_way}", _udp(_family, _reverse), needs=("tool:iperf3",),
            full=(_family == 6) != _reverse)
