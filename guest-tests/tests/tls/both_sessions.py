# SPDX-License-Identifier: GPL-2.0-or-later
"""Both directions of a connection offloaded, and device to device."""

import contextlib

from lib import traffic
from lib.case import add, expect, needs, test
from lib.counters import Watch
from lib.net import Nic
from lib.tls import Connection, Offload, as_able
from lib.version import OVERHEAD, TLS

SIZE = 4 << 20
VLAN = 130


def _one_end(cipher, family):
    """The device encrypts and decrypts; the peer does both in software."""
    def run(env):
        with Offload(env, env.local, tx=True, rx=True) as offload, \
                Offload(env, env.remote) as judge:
            with Connection(env.local, env.remote, family, seed=env.seed) as connection:
                connection.enable_tls(TLS, cipher)
                offload.check_configuration(connection)
                judge.check_configuration(connection)
                offload.check_opened()
                offload.warm_up(connection.down)
                for finish in [way.begin(SIZE // 2) for way in (connection.up, connection.down)]:
                    finish()
            offload.check_closed()
            offload.check_no_error()
            judge.check_no_error()
    return run


def two_devices(cipher, family):
    """Both ends offload both directions: what one device encrypts the other decrypts."""
    def run(env):
        with Offload(env, env.local, tx=True, rx=True) as here, \
                Offload(env, env.remote, tx=True, rx=True) as there:
            with Connection(env.local, env.remote, family, seed=env.seed) as connection:
                connection.enable_tls(TLS, cipher)
                for offload in (here, there):
                    offload.check_configuration(connection)
                there.warm_up(connection.up)
                here.warm_up(connection.down)
                for finish in [way.begin(SIZE) for way in (connection.up, connection.down)]:
                    finish()
            for offload in (here, there):
                offload.check_opened()
                offload.check_closed()
                offload.check_no_error()
                if offload.real:
                    nic = offload.watch.nic()
                    expect(nic["tx_tls_encrypted_bytes"] > SIZE,
                           f"{offload.host.name} end: tx_tls_encrypted_bytes moved by "
                           f"{nic['tx_tls_encrypted_bytes']}, {SIZE} bytes were sent")
                    expect(nic["rx_tls_decrypted_bytes"] > SIZE // 2,
                           f"{offload.host.name} end: rx_tls_decrypted_bytes moved by "
                           f"{nic['rx_tls_decrypted_bytes']}, {SIZE} bytes were received")
    return run


for _name, _cipher in (("aes128", "aes-gcm-128"), ("aes256", "aes-gcm-256")):
    for _family in (4, 6):
        _once = (_name, _family) in (("aes128", 4), ("aes256", 6))
        add(f"tls-both/{_name}-v{_family}", _one_end(_cipher, _family),
            needs=("tls-tx", "tls-rx"), full=not _once)
        add(f"tls-both/device-to-device-{_name}-v{_family}", two_devices(_cipher, _family),
            needs=("tls-tx", "tls-rx", "remote-tls-tx", "remote-tls-rx"), smoke=_once,
            full=not _once)


@test("tls-both/32-connections", smoke=True)
@needs("tls-tx", "tls-rx")
def many(env):
    """32 connections at once, both directions, both devices (the peer's as far as it can)."""
    count = 32
    with Offload(env, env.local, tx=True, rx=True) as here, \
            as_able(env, env.remote, tx=True, rx=True) as there:
        connections = []
        try:
            for index in range(count):
                ends = env.hosts if index % 2 else env.hosts[::-1]
                connection = Connection(*ends, 6 if index % 4 > 1 else 4,
                                        seed=f"{env.seed}/{index}")
                connections.append(connection)
                connection.enable_tls(TLS, "aes-gcm-256" if index % 3 else "aes-gcm-128")
            for finish in [way.begin(64 << 10) for connection in connections
                           for way in (connection.up, connection.down)]:
                finish()
        finally:
            for connection in connections:
                connection.close()
        for offload in (here, there):
            offload.check_opened(count)
            offload.check_closed(count)
            offload.check_no_error()


@test("tls-both/vlan")
@needs("tls-tx", "tls-rx", "same-kernel", "driver:mlx5_core")
def vlan(env):
    """Over a VLAN interface the device is used exactly where the kernel gives that interface the
    feature (no kernel so far does), and every byte is right with tags inserted and stripped by the
    device or not."""
    for strip in (True, False):
        with contextlib.ExitStack() as stack:
            stack.enter_context(env.local.nic.with_features(rx_vlan_offload=strip))
            here = stack.enter_context(Offload(env, env.local, tx=True, rx=True))
            there = stack.enter_context(Offload(env, env.remote))
            for host, last in ((env.local, 1), (env.remote, 2)):
                name = stack.enter_context(host.nic.with_vlan(VLAN, [f"10.79.0.{last}/24"]))
                stack.callback(setattr, host, "address", host.address)
                host.address = {4: f"10.79.0.{last}"}.get
                if host is env.local:
                    here.tx, here.rx = (
                        Nic(host, name).features().get(f"tls-hw-{way}-offload", (False, True))[0]
                        for way in ("tx", "rx"))
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls()
                here.check_configuration(connection)
                for finish in [way.begin(512 << 10) for way in (connection.up, connection.down)]:
                    finish()
            here.check_no_error()
            there.check_no_error()


@test("tls-both/beside-plain")
@needs("tls-tx", "tls-rx")
def beside_plain(env):
    """TLS on both devices (the peer's as far as it can) while plain TCP keeps the same queues
    busy."""
    with Offload(env, env.local, tx=True, rx=True) as here, \
            as_able(env, env.remote, tx=True, rx=True) as there, traffic.background(env) as flow:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls()
            for _ in range(3):
                for finish in [way.begin(256 << 10) for way in (connection.up, connection.down)]:
                    finish()
                flow.progress()
        here.check_no_error()
        there.check_no_error()


@test("tls-both/demo-counters", full=True)
@needs("tls-tx", "remote-tls-rx")
def demo(env):
    """A file of 16 MiB one way: what one device has encrypted the other has decrypted."""
    size = 16 << 20
    with Offload(env, env.local, tx=True) as here, Offload(env, env.remote, rx=True) as there:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            there.warm_up(connection.up)
            watches = {host: Watch(host) for host in env.hosts}
            connection.up.move(size)
            if here.real:
                sent, got = watches[env.local].nic(), watches[env.remote].nic()
                packets = sent["tx_tls_encrypted_packets"]
                expect(sent["tx_tls_encrypted_bytes"] >= size + (size >> 14) * OVERHEAD,
                       f"tx_tls_encrypted_bytes moved by {sent['tx_tls_encrypted_bytes']}")
                expect(got["rx_tls_decrypted_packets"] * 10 >= packets * 9,
                       f"{packets} packets were encrypted, {got['rx_tls_decrypted_packets']} "
                       "decrypted, expected nine tenths at least")
        there.check_no_error()
