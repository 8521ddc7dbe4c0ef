# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be there before TLS can be offloaded, and the ways in which it is not."""

from lib.case import add, expect, expect_equal, needs, test
from lib.counters import ethtool
from lib.tls import Connection, Offload

NEVER_MOVE = ("tx_tls_resync_bytes", "tx_tls_drop_bypass_req", "rx_tls_resync_res_skip")


@test("tls-setup/features", smoke=True)
@needs("driver:mlx5_core", "tls-tx", "tls-rx")
def features(env):
    """Sending is offloaded by default, receiving can be switched on, as this driver does it. On a
    machine that is not the lab's somebody may have switched either: then they can be switched."""
    if not env.lab:
        _can_be_switched(env)
        return
    for host in env.hosts:
        found = host.nic.features()
        expect_equal(f"{host.nic.name}: tls-hw-tx-offload (on, fixed)",
                     found.get("tls-hw-tx-offload"), (True, False))
        expect_equal(f"{host.nic.name}: tls-hw-rx-offload (on, fixed)",
                     found.get("tls-hw-rx-offload"), (False, False))


def _can_be_switched(env):
    nic = env.local.nic
    for name in ("tls-hw-tx-offload", "tls-hw-rx-offload"):
        on, fixed = nic.features()[name]
        env.observe(f"{name} as found", on)
        expect(not fixed, f"{name} of {nic.name} is fixed")
        if env.software_tls:
            continue
        for value in (not on, on):
            with nic.with_features(**{name: value}):
                expect_equal(name, nic.feature(name), value)


@test("tls-setup/counters", smoke=True)
@needs("driver:mlx5_core", "tls-tx")
def counters(env):
    """The driver shows its TLS counters, and those that nothing increments are 0."""
    values = ethtool(env.local, env.local.nic.name)
    for name in ("tx_tls_ctx", "tx_tls_del", "rx_tls_ctx", "rx_tls_del", "tx_tls_encrypted_bytes",
                 "tx_tls_ooo", "tx_tls_dump_packets", "rx_tls_decrypted_packets",
                 "rx_tls_resync_req_pkt", "rx_tls_err"):
        expect(name in values, f"there is no counter {name}")
    for name in NEVER_MOVE:
        expect_equal(name, values[name], 0)


@test("tls-setup/toggle")
@needs("tls-tx", "tls-rx", "driver:mlx5_core")
def toggle(env):
    """The features are switched off and on ten times; the steering tables come and go."""
    nic = env.local.nic
    if env.software_tls:
        return
    for _ in range(10):
        with nic.with_features(tls_hw_rx_offload=True, tls_hw_tx_offload=False):
            pass
        with nic.with_features(tls_hw_rx_offload=True, tls_hw_tx_offload=True):
            pass


@test("tls-setup/follows-checksum")
@needs("tls-tx", "tls-rx", "driver:mlx5_core")
def follows_checksum(env):
    """Without checksum offload the kernel takes TLS offload away, and gives it back."""
    nic = env.local.nic
    if env.software_tls:
        return
    with nic.with_features(tls_hw_rx_offload=True, tls_hw_tx_offload=True):
        with nic.with_features(rx_checksumming=False):
            expect(not nic.feature("tls-hw-rx-offload"), "RX TLS without RX checksums")
        with nic.with_features(tx_checksumming=False):
            expect(not nic.feature("tls-hw-tx-offload"), "TX TLS without TX checksums")


def _software(version, cipher):
    """What the driver does not offload works in software, and is counted there."""
    def run(env):
        with Offload(env, env.local, tx=True, rx=True) as offload, \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(version, cipher)
            got = connection.configuration(env.local)
            expect_equal(f"TLS {version} with {cipher}", got, {"tx": "sw", "rx": "sw"})
            connection.up.move(1 << 20)
            connection.down.move(1 << 20)
            stat, nic = offload.watch.protocols(), offload.watch.nic()
            for name, want in (("TlsTxSw", 1), ("TlsRxSw", 1), ("TlsTxDevice", 0),
                               ("TlsRxDevice", 0), ("TlsDecryptError", 0)):
                expect_equal(name, stat[name], want)
            for name in ("tx_tls_ctx", "rx_tls_ctx", "tx_tls_encrypted_packets",
                         "rx_tls_decrypted_packets"):
                expect_equal(name, nic[name], 0)
    return run


for _cipher in ("aes-gcm-128", "aes-gcm-256"):
    add(f"tls-setup/software-1.3-{_cipher}", _software("1.3", _cipher),
        needs=("tls-tx:1.2", "tls-rx:1.2", "in-software:1.3"))
add("tls-setup/software-1.2-chacha20-poly1305", _software("1.2", "chacha20-poly1305"),
    needs=("tls-tx:1.2", "tls-rx:1.2"))


@test("tls-setup/features-off")
@needs("tls-tx", "tls-rx")
def off(env):
    """With both features off a session that could be offloaded is not."""
    with Offload(env, env.local) as offload, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls()
        offload.check_configuration(connection)
        connection.up.move(1 << 20)
        connection.down.move(1 << 20)
        offload.check_opened()
        offload.check_no_error()
