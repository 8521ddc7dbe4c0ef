#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later

"""
Kernel TLS on one TCP connection, without a handshake

Both ends derive their keys from nothing but the direction, so that a test of
the record layer needs no TLS library. tls_offload.py imports this for its own
end, and runs it as a program on the remote end:

    tls_offload_peer.py ADDRESS PORT VERSION CIPHER sink|source|echo SIZE [COUNT]

accepts COUNT connections (default 1) on ADDRESS and PORT. A sink prints what
it got as one line of JSON for each connection: the bytes, their SHA-256, and
the types of the records that were no application data. A source sends SIZE
bytes of pattern(), an echo returns SIZE bytes as it gets them.
"""

import hashlib
import json
import socket
import struct
import sys

TCP_ULP = 31
SOL_TLS = 282
TLS_TX = 1
TLS_RX = 2
TLS_SET_RECORD_TYPE = 1
TLS_GET_RECORD_TYPE = 2
RECORD_DATA = 23

VERSIONS = {"1.2": 0x0303, "1.3": 0x0304}
# name: (constant of linux/tls.h, bytes of the key)
CIPHERS = {"aes128gcm": (51, 16), "aes256gcm": (52, 32)}

# directions, by who sends
CLIENT = b"client"
SERVER = b"server"


def crypto_info(version, cipher, sender):
    """What setsockopt(TLS_TX or TLS_RX) takes: version, cipher, IV, key, salt and record number"""
    number, key_len = CIPHERS[cipher]
    secret = hashlib.sha512(version.encode() + cipher.encode() + sender).digest()
    return (struct.pack("HH", VERSIONS[version], number) + secret[:8] +
            secret[8:8 + key_len] + secret[40:44] + bytes(8))


def start_tls(sock, version, cipher, client):
    """Put both directions of a connected socket under kernel TLS"""
    mine, theirs = (CLIENT, SERVER) if client else (SERVER, CLIENT)
    sock.setsockopt(socket.SOL_TCP, TCP_ULP, b"tls")
    sock.setsockopt(SOL_TLS, TLS_TX, crypto_info(version, cipher, mine))
    sock.setsockopt(SOL_TLS, TLS_RX, crypto_info(version, cipher, theirs))


def limit(sock, seconds=60):
    """
    Let no call on the socket take longer. It stays a blocking one, unlike with
    Python's own timeouts: closing a non-blocking socket drops what is left of a
    record that has been sent in part
    """
    sock.settimeout(None)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))


def pattern(size):
    """Bytes that are the same on both ends, and nowhere repeat soon"""
    block = b"".join(hashlib.sha256(struct.pack("I", i)).digest() for i in range(2048))
    return (block * (size // len(block) + 1))[:size]


def receive(sock):
    """
    Read to the end. Returns the data and the types of other records
    """
    data, types = bytearray(), []
    while True:
        chunk, ancillary, _, _ = sock.recvmsg(1 << 16, socket.CMSG_SPACE(1))
        kind = RECORD_DATA
        for level, what, value in ancillary:
            if (level, what) == (SOL_TLS, TLS_GET_RECORD_TYPE):
                kind = value[0]
        if kind != RECORD_DATA:
            types.append(kind)
        elif chunk:
            data += chunk
        else:
            return bytes(data), types


def report(data, types):
    """What a sink prints of a connection"""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "types": types}


def _serve(sock, mode, size):
    if mode == "sink":
        print(json.dumps(report(*receive(sock))), flush=True)
    elif mode == "source":
        sock.sendall(pattern(size))
    else:
        left = size
        while left:
            chunk = sock.recv(min(left, 1 << 16))
            if not chunk:
                sys.exit(f"the connection ended {left} bytes early")
            sock.sendall(chunk)
            left -= len(chunk)


def main():
    """Accept and serve connections one after another"""
    address, port, version, cipher, mode, size = sys.argv[1:7]
    count = int(sys.argv[7]) if len(sys.argv) > 7 else 1
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, int(port)), family=family, backlog=count) as listener:
        accepted = []
        for _ in range(count):
            sock, _ = listener.accept()
            limit(sock)
            start_tls(sock, version, cipher, client=False)
            # tell the other end that its records will be decrypted
            sock.sendall(b"+")
            accepted.append(sock)
        for sock in accepted:
            with sock:
                _serve(sock, mode, int(size))


if __name__ == "__main__":
    main()
