# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel TLS by setsockopt, and TLS sessions by the ssl module with kernel TLS.

Responsible for: the uapi structures of <linux/tls.h>, record types, and asking which
implementation the kernel chose.
State: none.
Callers: tcp.py at both ends.

With keys given by the test, both ends agree on a session without a handshake: records begin at
the first byte of the stream, with known sizes and numbers.
"""

import os
import socket
import ssl
import struct

TCP_ULP = 31
SOL_TLS = 282
TLS_TX, TLS_RX = 1, 2
TLS_TX_ZEROCOPY_RO = 3
TLS_SET_RECORD_TYPE, TLS_GET_RECORD_TYPE = 1, 2
VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
# name: (number, key bytes, salt bytes, explicit iv bytes)
CIPHERS = {"aes-gcm-128": (51, 16, 4, 8), "aes-gcm-256": (52, 32, 4, 8),
           "chacha20-poly1305": (54, 32, 0, 12)}
# bytes that a record adds to its payload: header, explicit nonce, tag (1.3: the inner type)
OVERHEAD = {"1.2": 5 + 8 + 16, "1.3": 5 + 1 + 16}
OP_ENABLE_KTLS = getattr(ssl, "OP_ENABLE_KTLS", 8)


def new_keys(version="1.2", cipher="aes-gcm-128", rec_seq=0, rng=os.urandom):
    """Parameters of one direction of a session, ready for JSON."""
    _, key, salt, iv = CIPHERS[cipher]
    return {"version": version, "cipher": cipher, "key": rng(key).hex(), "salt": rng(salt).hex(),
            "iv": rng(iv).hex(), "rec_seq": rec_seq}


def crypto_info(keys):
    """struct tls12_crypto_info_*."""
    number, key, salt, iv = CIPHERS[keys["cipher"]]
    parts = {name: bytes.fromhex(keys[name]) for name in ("key", "salt", "iv")}
    for name, want in (("key", key), ("salt", salt), ("iv", iv)):
        if len(parts[name]) != want:
            raise ValueError(f"{name} of {keys['cipher']}: {len(parts[name])} bytes, "
                             f"expected {want}")
    return (struct.pack("=HH", VERSIONS[keys["version"]], number) + parts["iv"] + parts["key"]
            + parts["salt"] + struct.pack(">Q", keys["rec_seq"]))


def attach(sock):
    """Give a connected TCP socket the tls protocol; OSError when the kernel has none."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")


def enable(sock, direction, keys):
    """Set the keys of one direction ("tx" or "rx")."""
    sock.setsockopt(SOL_TLS, TLS_TX if direction == "tx" else TLS_RX, crypto_info(keys))


def send_record(sock, kind, data):
    """One record of the content type `kind` (21 alert, 22 handshake, 23 data)."""
    sent = sock.sendmsg([data], [(SOL_TLS, TLS_SET_RECORD_TYPE, bytes((kind,)))])
    if sent != len(data):
        raise OSError(f"{sent} of {len(data)} bytes of a record were taken")


def receive_record(sock, size=16384):
    """(content type, bytes) of the next data or control record."""
    data, ancillary, _, _ = sock.recvmsg(size, 64)
    kind = None
    for level, what, value in ancillary:
        if level == SOL_TLS and what == TLS_GET_RECORD_TYPE:
            kind = value[0]
    return kind, data


def available():
    """None when this kernel has TLS for sockets; otherwise why not."""
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        client.connect(server.getsockname())
        try:
            attach(client)
            # a missing cipher shows here only
            enable(client, "tx", new_keys())
        except OSError as error:
            return f"no kernel TLS here: {error.strerror}"
    return None


def ssl_available():
    """None when Python's OpenSSL can use kernel TLS; otherwise why not."""
    with socket.socket() as server, socket.socket() as client:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        before = context.options
        context.options |= OP_ENABLE_KTLS
        if ssl.OPENSSL_VERSION_INFO < (3, 0) or context.options == before:
            return f"{ssl.OPENSSL_VERSION} is built without kernel TLS"
        del server, client
    return available()


def context(side, version, ciphers=None, cert=None, key=None, ktls=True):
    """An SSLContext that allows one protocol version only."""
    server = side == "server"
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    wanted = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}[version]
    result.minimum_version = result.maximum_version = wanted
    if ciphers and version == "1.2":
        result.set_ciphers(ciphers)
    if server:
        result.load_cert_chain(cert, key)
    else:
        # the certificate is the test's own; who the peer is, is not what is tested
        result.check_hostname = False
        result.verify_mode = ssl.CERT_NONE
    if ktls:
        result.options |= OP_ENABLE_KTLS
    return result
