# SPDX-License-Identifier: GPL-2.0-or-later
"""Real handshakes by OpenSSL, which then leaves the records to the kernel.

Both the openssl program and the ssl module of Python. Transfers end by byte count and hash: the
programs would end with their standard input, which therefore stays open.
"""

import contextlib

from lib.case import add, expect, expect_equal, wait_equal
from lib.tls import Connection, Offload, as_able, certificate, configuration, learn

PORT = 4433
SIZE = 1 << 20
CIPHERS = {"aes128": "ECDHE-ECDSA-AES128-GCM-SHA256", "aes256": "ECDHE-ECDSA-AES256-GCM-SHA384"}
WHERE = {"hw": "Device", "sw": "Sw"}       # in the names of tls_stat
SUITES = {"aes128": "TLS_AES_128_GCM_SHA256", "aes256": "TLS_AES_256_GCM_SHA384"}


def _programs(version, name, family=4):
    """s_client here, s_server there; a payload each way."""
    def run(env):
        learn(env, version)
        protocol = "-tls1_2" if version == "1.2" else "-tls1_3"
        choice = (["-cipher", CIPHERS[name]] if version == "1.2"
                  else ["-ciphersuites", SUITES[name]])
        address = env.remote.address(family)
        target = f"[{address}]:{PORT}" if family == 6 else f"{address}:{PORT}"
        with Offload(env, env.local, tx=True, rx=True) as offload, \
                Offload(env, env.remote) as judge, certificate(env.remote) as (cert, key), \
                env.remote.program("openssl", "s_server", "-ktls", "-quiet", "-accept", target,
                                   "-cert", cert, "-key", key, protocol, *choice) as server:
            env.remote.call("procs.listening", port=PORT, pid_number=server)
            with env.local.program("openssl", "s_client", "-ktls", "-quiet", "-connect", target,
                                   protocol, *choice) as client:
                _exchange(env, client, server)
                want = offload.expected(version)
                for host, got, expected in (
                        (env.local, configuration(env.local, there=PORT), want),
                        (env.remote, configuration(env.remote, here=PORT),
                         judge.expected(version))):
                    expect(got == expected, f"TLS {version} on the {host.name} end is {got}, "
                                            f"expected {expected}")
                stat = offload.watch.protocols()
                for way, chosen in want.items():
                    counter = f"Tls{way.title()}{WHERE[chosen]}"
                    expect_equal(counter, stat[counter], 1)
                nic = offload.watch.nic()
                if want["tx"] == "hw":
                    expect(nic["tx_tls_encrypted_bytes"] >= SIZE,
                           f"tx_tls_encrypted_bytes moved by {nic['tx_tls_encrypted_bytes']}")
                if want["rx"] == "hw":
                    expect(nic["rx_tls_decrypted_packets"] > 0,
                           "no received packet was decrypted by the device")
            offload.check_no_error()
            judge.check_no_error()
    return run


def _exchange(env, client, server):
    """One payload each way, the second after the first."""
    for sender, source, receiver, sink in ((env.local, client, env.remote, server),
                                           (env.remote, server, env.local, client)):
        where = {"seed": f"{env.seed}/{sender.name}", "size": SIZE}
        reading = receiver.begin("procs.expect", number=sink, **where)
        sender.call("procs.feed", number=source, **where)
        got = reading.result()
        expect_equal(f"bytes from the {sender.name} end", got["bytes"], SIZE)
        expect_equal(f"first wrong byte from the {sender.name} end", got["mismatch"], None)
        want = sender.call("payload.digest", **where)
        expect_equal(f"SHA-256 of what the {sender.name} end has sent", got["sha256"], want)


for _name in CIPHERS:
    add(f"tls-openssl/s_client-{_name}", _programs("1.2", _name),
        needs=("openssl-ktls", "tls-tx:1.2", "tls-rx:1.2"), smoke=_name == "aes128",
        full=_name != "aes128")
add("tls-openssl/s_client-aes128-v6", _programs("1.2", "aes128", 6),
    needs=("openssl-ktls", "tls-tx:1.2", "tls-rx:1.2"), full=True)
add("tls-openssl/s_client-tls13", _programs("1.3", "aes128"),
    needs=("openssl-ktls", "tls-tx:1.2", "tls-rx:1.2"))


def _sessions(version, name, count):
    """Sessions of Python's ssl module, `count` at once, both directions, offloaded
    at both ends, at the peer's as far as its NIC can."""
    def run(env):
        learn(env, version)
        size = SIZE if count == 1 else 256 << 10
        with Offload(env, env.local, tx=True, rx=True) as here, \
                as_able(env, env.remote, tx=True, rx=True) as there, \
                certificate(env.remote) as (cert, key), contextlib.ExitStack() as stack:
            connections = []
            for index in range(count):
                connection = stack.enter_context(Connection(env.local, env.remote,
                                                            seed=f"{env.seed}/{index}"))
                used = connection.handshake(version, CIPHERS[name], cert, key)
                if version == "1.2":
                    expect_equal("cipher", used, CIPHERS[name])
                connections.append(connection)
            for offload in (here, there):
                offload.check_configurations(connections, want=offload.expected(version))
            in_device = "sw" not in here.expected(version).values() or not here.real
            # one way after the other: OpenSSL does not read and write one session at once
            for way in ("up", "down"):
                for finish in [getattr(connection, way).begin(size)
                               for connection in connections]:
                    finish()
            for offload in (here, there):
                offload.check_no_error()
                if in_device:
                    offload.check_opened(count)
            stack.close()
            if in_device and here.real:
                wait_equal("tx_tls_del", lambda: here.watch.nic()["tx_tls_del"], count)
    return run


for _name in CIPHERS:
    add(f"tls-openssl/session-{_name}", _sessions("1.2", _name, 1),
        needs=("ssl-ktls", "tool:openssl", "tls-tx:1.2", "tls-rx:1.2"),
        full=_name == "aes128")
add("tls-openssl/32-sessions", _sessions("1.2", "aes128", 32),
    needs=("ssl-ktls", "tool:openssl", "tls-tx:1.2", "tls-rx:1.2"),
    full=True)
add("tls-openssl/session-tls13", _sessions("1.3", "aes128", 1),
    needs=("ssl-ktls", "tool:openssl", "tls-tx:1.2", "tls-rx:1.2"),
    full=True)
