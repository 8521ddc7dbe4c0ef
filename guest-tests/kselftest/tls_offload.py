#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later

"""
TLS device offload

Connections between the device under test and the remote end, whose kernel
does TLS in software: what the device encrypts must be decrypted there, and
the other way around. Whether the device took part is taken from
/proc/net/tls_stat, which counts connections, and from the counters of
Documentation/networking/tls-offload.rst, as far as the driver has them.
"""

import contextlib
import hashlib
import json
import os
import socket
import tempfile
import time

# the selftests' library, beside which this file lies when it runs
# pylint: disable=import-error,no-name-in-module
from lib.py import ksft_run, ksft_exit, ksft_eq, ksft_ge, ksft_pr, KsftSkipEx
from lib.py import NetDrvEpEnv
from lib.py import bkg, cmd, defer, ethtool, rand_port, wait_port_listen

import tls_offload_peer as peer

SIZE = 1 << 20
MANY = 40
# Python starts slowly on an emulated machine
PEER_START = 60
TLS_TX_ZEROCOPY_RO = 3
NO_TLS13 = "Kernel does not offload TLS 1.3"
FEATURES = {"tx": "tls-hw-tx-offload", "rx": "tls-hw-rx-offload"}
VARIANTS = [(ipver, version, cipher)
            for version in ("1.2", "1.3")
            for ipver, cipher in (("4", "aes128gcm"), ("6", "aes256gcm"))]


def _tls_stat():
    with open("/proc/net/tls_stat", encoding="ascii") as fp:
        return {name: int(value) for name, value in (line.split() for line in fp)}


def _nic_stat(cfg):
    """TLS counters of the device; those that it lacks are absent"""
    stats = {}
    for line in ethtool(f"-S {cfg.ifname}").stdout.splitlines():
        name, _, value = line.strip().partition(": ")
        if name.startswith(("tx_tls_", "rx_tls_")):
            stats[name] = int(value)
    return stats


class Watch:
    """Differences of the counters from now on"""
    def __init__(self, cfg):
        self.cfg = cfg
        self._tls = _tls_stat()
        self._nic = _nic_stat(cfg)

    def tls(self, name):
        """Difference of a counter of /proc/net/tls_stat"""
        return _tls_stat()[name] - self._tls[name]

    def check_nic(self, name, least):
        """A counter of the device, if there is one, has moved at least so far"""
        self.cfg.wait_hw_stats_settle()
        now = _nic_stat(self.cfg)
        if name in now:
            ksft_ge(now[name] - self._nic[name], least, comment=name)
        else:
            ksft_pr(f"the device does not count {name}")


def _set_feature(cfg, direction, on):
    """Switch an offload for the rest of the test"""
    name = FEATURES[direction]
    feature = ethtool(f"-k {cfg.ifname}", json=True)[0][name]
    if feature["active"] == on:
        return
    if feature["fixed"]:
        raise KsftSkipEx(f"Device does not support {name}")
    words = {True: "on", False: "off"}
    ethtool(f"-K {cfg.ifname} {name} {words[on]}")
    defer(ethtool, f"-K {cfg.ifname} {name} {words[feature['active']]}")


def _require_offloaded(watch, direction, version):
    """A connection that was made since is offloaded"""
    name = f"Tls{direction.capitalize()}Device"
    if version == "1.3" and watch.tls(name) == 0:
        watch.cfg.no_tls13 = True
        raise KsftSkipEx(NO_TLS13)
    ksft_ge(watch.tls(name), 1, comment=name)


class Connection:
    """
    A TLS connection to a peer that was started for it. The result of a sink is
    in `sunk` after the block.
    """
    def __init__(self, cfg, variant, mode, size=SIZE):
        self._cfg = cfg
        self._ipver, self._version, self._cipher = variant
        self._mode = mode
        self._size = size
        self._stack = contextlib.ExitStack()
        self._peer = None
        self.sock = None
        self.sunk = None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            port = rand_port()
            address = self._cfg.remote_addr_v[self._ipver]
            self._peer = stack.enter_context(bkg(
                f"{self._cfg.bin_peer} {address} {port} {self._version} {self._cipher} "
                f"{self._mode} {self._size}", host=self._cfg.remote, exit_wait=True))
            wait_port_listen(port, host=self._cfg.remote, deadline=PEER_START)
            self.sock = stack.enter_context(socket.create_connection((address, port), timeout=60))
            peer.limit(self.sock)
            peer.start_tls(self.sock, self._version, self._cipher, client=True)
            ksft_eq(self.sock.recv(1), b"+", comment="greeting of the remote end")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self._stack.__exit__(*exc)
        if self._mode == "sink" and exc[0] is None:
            self.sunk = json.loads(self._peer.stdout)

    def check_sunk(self, data, types=()):
        """The remote end got these bytes, and other records of these types"""
        ksft_eq(self.sunk["size"], len(data))
        ksft_eq(self.sunk["sha256"], hashlib.sha256(data).hexdigest(), comment="data")
        ksft_eq(self.sunk["types"], list(types), comment="types of other records")

    def check_received(self):
        """Read what the remote end, a source, sends"""
        data, types = peer.receive(self.sock)
        ksft_eq(len(data), self._size)
        ksft_eq(data == peer.pattern(self._size), True, comment="data")
        ksft_eq(types, [], comment="types of other records")


def _lose(host, ifname, what):
    """Let the sender's queueing discipline lose or reorder packets"""
    cmd(f"tc qdisc replace dev {ifname} root netem {what}", host=host)
    defer(cmd, f"tc qdisc del dev {ifname} root", host=host)


def test_tx(cfg, variant):
    """What the device encrypts, the remote end decrypts"""
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    data = peer.pattern(SIZE)
    with Connection(cfg, variant, "sink") as conn:
        _require_offloaded(watch, "tx", variant[1])
        conn.sock.sendall(data)
    conn.check_sunk(data)
    watch.check_nic("tx_tls_encrypted_bytes", SIZE)


def test_tx_sizes(cfg, variant):
    """Records of one byte and of all but the largest size, and what crosses records"""
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    sent = b""
    with Connection(cfg, variant, "sink") as conn:
        _require_offloaded(watch, "tx", variant[1])
        for size in (1, 2, 15, 16, 17, 1000, 1447, 1448, 1449, 16383, 16384, 16385, 40000):
            data = peer.pattern(size)
            conn.sock.sendall(data)
            sent += data
    conn.check_sunk(sent)


def test_tx_record_type(cfg, variant):
    """A record that is no application data keeps its type and its place"""
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    data = peer.pattern(5000)
    with Connection(cfg, variant, "sink") as conn:
        _require_offloaded(watch, "tx", variant[1])
        conn.sock.sendall(data)
        # an alert: warning, close_notify
        conn.sock.sendmsg([b"\x01\x00"], [(peer.SOL_TLS, peer.TLS_SET_RECORD_TYPE, b"\x15")])
    conn.check_sunk(data, types=[21])


def _sendfile(cfg, variant, zerocopy):
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    data = peer.pattern(SIZE)
    with tempfile.NamedTemporaryFile() as file, Connection(cfg, variant, "sink") as conn:
        file.write(data)
        file.flush()
        _require_offloaded(watch, "tx", variant[1])
        if zerocopy:
            conn.sock.setsockopt(peer.SOL_TLS, TLS_TX_ZEROCOPY_RO, 1)
        done = 0
        while done < SIZE:
            done += os.sendfile(conn.sock.fileno(), file.fileno(), done, SIZE - done)
    conn.check_sunk(data)


def test_tx_sendfile(cfg, variant):
    """A file goes out, copied on its way"""
    _sendfile(cfg, variant, False)


def test_tx_sendfile_zerocopy(cfg, variant):
    """The device reads the file's pages"""
    _sendfile(cfg, variant, True)


def test_tx_loss(cfg, variant):
    """Segments that are sent again begin within records: the device is told where"""
    cfg.require_cmd("tc")
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    data = peer.pattern(4 * SIZE)
    with Connection(cfg, variant, "sink") as conn:
        _require_offloaded(watch, "tx", variant[1])
        _lose(None, cfg.ifname, "loss 3%")
        conn.sock.sendall(data)
    conn.check_sunk(data)
    watch.check_nic("tx_tls_ooo", 1)


def test_rx(cfg, variant):
    """The device decrypts what the remote end has encrypted"""
    _set_feature(cfg, "rx", True)
    watch = Watch(cfg)
    with Connection(cfg, variant, "source") as conn:
        _require_offloaded(watch, "rx", variant[1])
        conn.check_received()
    ksft_eq(watch.tls("TlsDecryptError"), 0)
    watch.check_nic("rx_tls_decrypted_packets", 1)


def _rx_netem(cfg, variant, what):
    cfg.require_cmd("tc", remote=True)
    _set_feature(cfg, "rx", True)
    watch = Watch(cfg)
    with Connection(cfg, variant, "source", size=4 * SIZE) as conn:
        _require_offloaded(watch, "rx", variant[1])
        _lose(cfg.remote, cfg.remote_ifname, what)
        conn.check_received()
    ksft_eq(watch.tls("TlsDecryptError"), 0)


def test_rx_loss(cfg, variant):
    """Packets get lost: software decrypts what the device could not, and nothing is wrong"""
    _rx_netem(cfg, variant, "loss 3%")


def test_rx_reorder(cfg, variant):
    """Packets overtake one another"""
    _rx_netem(cfg, variant, "delay 2ms reorder 90%")


def test_both(cfg, variant):
    """Both directions of one connection"""
    _set_feature(cfg, "tx", True)
    _set_feature(cfg, "rx", True)
    watch = Watch(cfg)
    chunk = peer.pattern(1 << 14)
    with Connection(cfg, variant, "echo", size=16 * len(chunk)) as conn:
        _require_offloaded(watch, "tx", variant[1])
        _require_offloaded(watch, "rx", variant[1])
        for _ in range(16):
            conn.sock.sendall(chunk)
            back = b""
            while len(back) < len(chunk):
                more = conn.sock.recv(len(chunk) - len(back))
                if not more:
                    break
                back += more
            ksft_eq(back == chunk, True, comment="what came back")
    ksft_eq(watch.tls("TlsDecryptError"), 0)


def test_software(cfg, variant):
    """With the offloads off, the kernel does it all"""
    for direction in FEATURES:
        with contextlib.suppress(KsftSkipEx):
            _set_feature(cfg, direction, False)
    watch = Watch(cfg)
    data = peer.pattern(SIZE)
    with Connection(cfg, variant, "sink") as conn:
        conn.sock.sendall(data)
        ksft_eq(watch.tls("TlsCurrTxDevice") + watch.tls("TlsCurrRxDevice"), 0)
        ksft_ge(watch.tls("TlsTxSw"), 1)
    conn.check_sunk(data)


def test_feature_off_while_open(cfg, variant):
    """A connection that is offloaded survives that the offload is switched off, and on again"""
    _set_feature(cfg, "tx", True)
    watch = Watch(cfg)
    data = peer.pattern(SIZE)
    with Connection(cfg, variant, "sink") as conn:
        _require_offloaded(watch, "tx", variant[1])
        conn.sock.sendall(data)
        _set_feature(cfg, "tx", False)
        conn.sock.sendall(data)
        ethtool(f"-K {cfg.ifname} {FEATURES['tx']} on")
        conn.sock.sendall(data)
    conn.check_sunk(3 * data)


def test_many(cfg, variant):
    """Connections side by side; when they are closed the device keeps none"""
    ipver, version, cipher = variant
    _set_feature(cfg, "tx", True)
    _set_feature(cfg, "rx", True)
    watch = Watch(cfg)
    address, port = cfg.remote_addr_v[ipver], rand_port()
    size = 1 << 15
    data = peer.pattern(size)
    with bkg(f"{cfg.bin_peer} {address} {port} {version} {cipher} sink {size} {MANY}",
             host=cfg.remote, exit_wait=True) as server, contextlib.ExitStack() as stack:
        wait_port_listen(port, host=cfg.remote, deadline=PEER_START)
        socks = []
        for _ in range(MANY):
            sock = stack.enter_context(socket.create_connection((address, port), timeout=60))
            peer.limit(sock)
            peer.start_tls(sock, version, cipher, client=True)
            sock.recv(1)
            socks.append(sock)
        _require_offloaded(watch, "tx", version)
        ksft_eq(watch.tls("TlsCurrTxDevice"), MANY)
        ksft_eq(watch.tls("TlsCurrRxDevice"), MANY)
        for sock in socks:
            sock.sendall(data)
    wanted = peer.report(data, [])
    sunk = [json.loads(line) for line in server.stdout.splitlines()]
    ksft_eq(sunk, [wanted] * MANY, comment="what the remote end got")
    end = time.monotonic() + 10
    # the device is given the end of a connection later than the application
    while watch.tls("TlsCurrTxDevice") and time.monotonic() < end:
        time.sleep(0.1)
    ksft_eq(watch.tls("TlsCurrTxDevice"), 0)
    ksft_eq(watch.tls("TlsCurrRxDevice"), 0)


@contextlib.contextmanager
def _remote_software(cfg):
    """The remote end does TLS in software: what it says of the device's bytes is independent"""
    features = ethtool(f"-k {cfg.remote_ifname}", json=True, host=cfg.remote)[0]
    active = [name for name in FEATURES.values() if features.get(name, {}).get("active")]
    for name in active:
        ethtool(f"-K {cfg.remote_ifname} {name} off", host=cfg.remote)
    try:
        yield
    finally:
        for name in active:
            ethtool(f"-K {cfg.remote_ifname} {name} on", host=cfg.remote)


def _case(test, variant):
    """A test for one variant, with a name of its own"""
    def run(cfg):
        if not os.path.exists("/proc/net/tls_stat"):
            raise KsftSkipEx("Test requires kernel TLS")
        cfg.require_ipver(variant[0])
        if variant[1] == "1.3" and cfg.no_tls13 and test is not test_software:
            raise KsftSkipEx(NO_TLS13)
        test(cfg, variant)

    run.__name__ = f"{test.__name__}.v{variant[0]}_tls{variant[1]}_{variant[2]}"
    return run


def main() -> None:
    """Ksft boilerplate main"""
    tests = (test_tx, test_tx_sizes, test_tx_record_type, test_tx_sendfile,
             test_tx_sendfile_zerocopy, test_tx_loss, test_rx, test_rx_loss, test_rx_reorder,
             test_both, test_software, test_feature_off_while_open, test_many)
    with NetDrvEpEnv(__file__) as cfg:
        cmd("modprobe tls", fail=False)
        # so far as is known: TLS 1.2 was offloaded years before
        cfg.no_tls13 = False
        cfg.bin_peer = cfg.remote.deploy("tls_offload_peer.py")
        with _remote_software(cfg):
            ksft_run(cases=[_case(test, variant) for test in tests for variant in VARIANTS],
                     args=(cfg, ))
    ksft_exit()


if __name__ == "__main__":
    main()
