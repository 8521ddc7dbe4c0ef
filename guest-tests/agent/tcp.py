# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP and UDP at this end: connections that the test names by number.

Responsible for: opening, sending and checking payloads, TLS on them, and what the kernel knows of
a connection.
State: the table of open sockets.
Callers: loop.py, one call per thread.

Sockets block and have no timeout: with one, Python makes them non-blocking, and a non-blocking
writer leaves records of unforeseeable sizes. A call that hangs ends with the agent.
"""

import errno
import itertools
import os
import socket
import struct
import threading

from agent import ktls, payload

SO_RCVBUFFORCE = 33     # beyond net.core.rmem_max

# <linux/tcp.h>
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, TCP_REPAIR_OPTIONS = 19, 20, 21, 22
TCP_REPAIR_WINDOW = 29
TCP_REPAIR_OFF_NO_WP = -1
TCP_RECV_QUEUE, TCP_SEND_QUEUE = 1, 2
TCPOPT_WINDOW, TCPOPT_SACK_PERM, TCPOPT_TIMESTAMP = 3, 4, 8
REPAIR_SCALE, REPAIR_WINDOW = 7, 64000

_table = {}
_numbers = itertools.count(1)

# struct tcp_info of <linux/tcp.h>: eight bytes, then these
INFO_U32 = ("rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent "
            "last_ack_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh "
            "snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans").split()
INFO_REST = [("pacing_rate", "Q"), ("max_pacing_rate", "Q"), ("bytes_acked", "Q"),
             ("bytes_received", "Q"), ("segs_out", "I"), ("segs_in", "I"), ("notsent_bytes", "I"),
             ("min_rtt", "I"), ("data_segs_in", "I"), ("data_segs_out", "I"),
             ("delivery_rate", "Q"), ("busy_time", "Q"), ("rwnd_limited", "Q"),
             ("sndbuf_limited", "Q"), ("delivered", "I"), ("delivered_ce", "I"),
             ("bytes_sent", "Q"), ("bytes_retrans", "Q"), ("dsack_dups", "I"),
             ("reord_seen", "I"), ("rcv_ooopack", "I"), ("snd_wnd", "I")]


def _add(sock):
    number = next(_numbers)
    _table[number] = sock
    return number


def _sock(number):
    try:
        return _table[number]
    except KeyError:
        raise ValueError(f"no socket {number}") from None


def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _options(sock, options):
    for name, value in (options or {}).items():
        level = socket.IPPROTO_TCP if name.startswith("TCP_") else socket.SOL_SOCKET
        sock.setsockopt(level, getattr(socket, name), value)


def listen(address, port=0, backlog=128, options=None, dual=False):
    """Listen; returns {socket, port}. `dual`: an IPv6 socket that takes IPv4 peers too."""
    sock = socket.socket(socket.AF_INET6 if dual else _family(address))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if dual else 1)
    _options(sock, options)
    sock.bind(("::" if dual else address, port))
    sock.listen(backlog)
    return {"socket": _add(sock), "port": sock.getsockname()[1]}


def accept(listener):
    """Take the next connection; returns {socket, peer}."""
    sock, peer = _sock(listener).accept()
    return {"socket": _add(sock), "peer": list(peer[:2])}


def connect(address, port, source=None, source_port=0, options=None, mapped=False):
    """Connect; returns {socket, port}. `mapped`: an IPv6 socket to ::ffff:ADDRESS."""
    if mapped:
        address = "::ffff:" + address
    sock = socket.socket(_family(address))
    _options(sock, options)
    if source or source_port:
        sock.bind((source or ("::" if ":" in address else "0.0.0.0"), source_port))
    sock.connect((address, port))
    return {"socket": _add(sock), "port": sock.getsockname()[1]}


def repair_socket(address, send_seq, receive_seq, mss, port=0):
    """A bound socket whose connection will begin at chosen sequence numbers; {socket, port}.

    It is put together from its two ends without a handshake, as checkpoint and restore do
    (TCP_REPAIR): repair_connect() at both ends, with the numbers crosswise.
    """
    sock = socket.socket(_family(address))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
    sock.bind((address, port))
    for queue, seq in ((TCP_SEND_QUEUE, send_seq), (TCP_RECV_QUEUE, receive_seq)):
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, queue)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, struct.pack("=I", seq))
    return {"socket": _add(sock), "port": sock.getsockname()[1]}


def repair_connect(number, address, port, receive_seq):
    """Make it a connection: established at once, nothing is sent."""
    sock = _sock(number)
    sock.connect((address, port))
    options = [(TCPOPT_WINDOW, REPAIR_SCALE | REPAIR_SCALE << 16), (TCPOPT_TIMESTAMP, 0)]
    with open("/proc/sys/net/ipv4/tcp_sack", encoding="ascii") as file:
        if file.read().strip() != "0":      # a handshake would ask that, too
            options.append((TCPOPT_SACK_PERM, 0))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_OPTIONS,
                    b"".join(struct.pack("=II", *option) for option in options))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_WINDOW, struct.pack(
        "=IIIII", receive_seq, REPAIR_WINDOW, REPAIR_WINDOW, REPAIR_WINDOW, receive_seq))
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP)


def close(number, abort=False):
    """Close; with `abort` by a reset, and without waiting for data to be acknowledged."""
    sock = _table.pop(number, None)
    if sock is None:
        return
    if abort:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # a thread that reads from it would keep the connection alive
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


def close_all():
    """Close whatever a test has left."""
    for number in list(_table):
        close(number, abort=isinstance(_table[number], socket.socket)
              and _table[number].type == socket.SOCK_STREAM)


def shutdown(number):
    """No more is to be sent."""
    _sock(number).shutdown(socket.SHUT_WR)


def set_option(number, options):
    """setsockopt of TCP_* and SO_* options by name."""
    _options(_sock(number), options)


def info(number):
    """struct tcp_info as a dictionary."""
    raw = _sock(number).getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    result = {"state": raw[0], "ca_state": raw[1]}
    at = 8
    for name in INFO_U32:
        result[name] = struct.unpack_from("=I", raw, at)[0]
        at += 4
    for name, kind in INFO_REST:
        if at + struct.calcsize(kind) > len(raw):
            break
        result[name] = struct.unpack_from("=" + kind, raw, at)[0]
        at += struct.calcsize(kind)
    return result


# TLS

def tls(number, tx=None, rx=None):
    """Kernel TLS on a connection, with the keys of ktls.new_keys() for each direction."""
    sock = _sock(number)
    ktls.attach(sock)
    # the receiving side first: what the peer sends from now on must find it
    if rx:
        ktls.enable(sock, "rx", rx)
    if tx:
        ktls.enable(sock, "tx", tx)


def tls_add(number, direction, keys):
    """The other direction, later."""
    ktls.enable(_sock(number), direction, keys)


def tls_zerocopy(number):
    """TLS_TX_ZEROCOPY_RO, for sendfile."""
    _sock(number).setsockopt(ktls.SOL_TLS, ktls.TLS_TX_ZEROCOPY_RO, 1)


def tls_send_record(number, kind, data):
    """A control record; `data` in hex."""
    ktls.send_record(_sock(number), kind, bytes.fromhex(data))


def tls_receive_record(number):
    """{kind, data in hex} of the next record."""
    kind, data = ktls.receive_record(_sock(number))
    return {"kind": kind, "data": data.hex()}


def handshake(number, side, version, ciphers=None, cert=None, key=None, use_ktls=True):
    """A TLS handshake by OpenSSL on a connection, which keeps its number."""
    context = ktls.context(side, version, ciphers, cert, key, use_ktls)
    sock = context.wrap_socket(_sock(number), server_side=side == "server")
    _table[number] = sock
    return {"cipher": list(sock.cipher()), "version": sock.version()}


# payloads

def send(number, seed, size, offset=0, sizes=None):
    """Send a part of a payload; each write has the next length of `sizes`, again and again.

    With kernel TLS each write of at most 16384 bytes is one record. Returns the SHA-256 and how
    many writes it took.
    """
    sock, source = _sock(number), payload.Source(seed)
    hasher = payload.hashlib.sha256()
    lengths = itertools.cycle(sizes or [16384])
    end, writes = offset + size, 0
    while offset < end:
        piece = source.read(offset, min(next(lengths), end - offset))
        sock.sendall(piece)
        hasher.update(piece)
        offset += len(piece)
        writes += 1
    return {"bytes": size, "sha256": hasher.hexdigest(), "writes": writes}


def send_parts(number, seed, offset, parts):
    """Send parts of a payload, each [bytes, whether to say MSG_MORE]."""
    sock, source = _sock(number), payload.Source(seed)
    for size, more in parts:
        view = memoryview(source.read(offset, size))
        offset += size
        while view:
            view = view[sock.send(view, socket.MSG_MORE if more else 0):]


def fill_and_close(number, seed):
    """Write without blocking until the kernel takes no more, and close at once; the number of bytes
    that it has taken."""
    sock, source, taken = _table.pop(number), payload.Source(seed), 0
    sock.setblocking(False)
    with sock:
        try:
            while True:
                taken += sock.send(source.read(taken, 16384))
        except BlockingIOError:
            return taken


def receive(number, seed, size, offset=0, chunk=65536):
    """Receive exactly `size` bytes and compare them; {bytes, sha256, mismatch}.

    Ends early, with fewer bytes and an `error`, when the stream does.
    """
    sock, checker = _sock(number), payload.Checker(seed, offset)
    while checker.count < size:
        try:
            piece = sock.recv(min(chunk, size - checker.count))
        except OSError as error:
            return dict(checker.result(), error=errno.errorcode.get(error.errno, str(error)))
        if not piece:
            return dict(checker.result(), error="EOF")
        checker.take(piece)
    return checker.result()


def send_records(number, records):
    """With kernel TLS: a record of each of these payloads, given in hex."""
    sock = _sock(number)
    for text in records:
        sock.sendall(bytes.fromhex(text))


def receive_bytes(number, size, digest):
    """Receive exactly `size` bytes whose SHA-256 is `digest`; {bytes, mismatch}, where `mismatch`
    is None or the digest that was found."""
    sock, hasher, count = _sock(number), payload.hashlib.sha256(), 0
    while count < size:
        try:
            piece = sock.recv(min(65536, size - count))
        except OSError as error:
            return {"bytes": count, "mismatch": None,
                    "error": errno.errorcode.get(error.errno, str(error))}
        if not piece:
            return {"bytes": count, "mismatch": None, "error": "EOF"}
        hasher.update(piece)
        count += len(piece)
    found = hasher.hexdigest()
    return {"bytes": count, "mismatch": None if found == digest else found}


def send_file(number, path, offset=0, count=None):
    """sendfile(2) of a file; returns how many bytes went."""
    sock = _sock(number)
    with open(path, "rb") as file:
        count = os.fstat(file.fileno()).st_size - offset if count is None else count
        done = 0
        while done < count:
            sent = os.sendfile(sock.fileno(), file.fileno(), offset + done, count - done)
            if not sent:
                break
            done += sent
    return done


def send_text(number, text):
    """A few bytes."""
    _sock(number).sendall(text.encode())


def http_body(number, seed, size):
    """Read an HTTP/1 answer: its header, then `size` bytes of a payload as body."""
    sock, head, checker = _sock(number), b"", payload.Checker(seed)
    while b"\r\n\r\n" not in head:
        piece = sock.recv(65536)
        if not piece:
            raise ValueError(f"the server closed within its header: {head!r}")
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    checker.take(body)
    while checker.count < size:
        piece = sock.recv(min(65536, size - checker.count))
        if not piece:
            break
        checker.take(piece)
    return dict(checker.result(), head=head.decode(errors="replace"))


def read_records(number, size):
    """Read `size` bytes of a stream without TLS on this end; the records that are in it.

    Returns [[type, version, length], ...] as the headers say, what is left over, and the eight
    bytes behind each header in hex (the explicit nonce of TLS 1.2).
    """
    sock, data = _sock(number), bytearray()
    while len(data) < size:
        piece = sock.recv(min(65536, size - len(data)))
        if not piece:
            break
        data += piece
    records, nonces, at = [], [], 0
    while at + 5 <= len(data):
        kind, version, length = struct.unpack_from(">BHH", data, at)
        records.append([kind, version, length])
        nonces.append(data[at + 5:at + 13].hex())
        at += 5 + length
    return {"bytes": len(data), "records": records, "rest": len(data) - at, "nonces": nonces}


# UDP

def udp_echo(address, port=0):
    """Answer every datagram with itself until the socket is closed; returns {socket, port}."""
    sock = socket.socket(_family(address), socket.SOCK_DGRAM)
    sock.bind((address, port))

    def serve():
        while True:
            try:
                data, peer = sock.recvfrom(65536)
                if not peer:
                    return
                sock.sendto(data, peer)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return {"socket": _add(sock), "port": sock.getsockname()[1]}


def udp_ask(address, port, seed, sizes, timeout=60.0, tries=4):
    """Send a datagram of each size and wait for its echo; {answered, repeated, wrong}.

    One is under way at a time, so nothing has a reason to be lost; `repeated` counts those that
    needed another try.
    """
    source, result = payload.Source(seed), {"answered": 0, "repeated": 0, "wrong": []}
    late = []       # what was sent again: its first answer may still come
    with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
        sock.connect((address, port))
        sock.settimeout(timeout)
        for index, size in enumerate(sizes):
            data = source.read(index * 65536, size)
            for _ in range(tries):
                sock.send(data)
                try:
                    echo = sock.recv(65536)
                    while echo != data and echo in late:
                        late.remove(echo)
                        echo = sock.recv(65536)
                except TimeoutError:
                    result["repeated"] += 1
                    late.append(data)
                    continue
                if echo != data:
                    result["wrong"].append(size)
                result["answered"] += 1
                break
    return result


def udp_sink(address, port=0):
    """A UDP socket that takes datagrams and lets them lie; returns {socket, port}."""
    sock = socket.socket(_family(address), socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    sock.bind((address, port))
    return {"socket": _add(sock), "port": sock.getsockname()[1]}


def udp_count(number, expected, timeout=10.0):
    """Datagrams that lie in a sink: {source port: how many}. Ends when `expected` have come, or
    when none came for `timeout` seconds."""
    sock, seen = _sock(number), {}
    sock.settimeout(timeout)
    total = 0
    while total < expected:
        try:
            _, peer = sock.recvfrom(65536)
        except TimeoutError:
            break
        seen[str(peer[1])] = seen.get(str(peer[1]), 0) + 1
        total += 1
    return seen


def udp_burst(address, port, source_ports, count, size=64):
    """`count` datagrams from each of the source ports."""
    for source_port in source_ports:
        with socket.socket(_family(address), socket.SOCK_DGRAM) as sock:
            sock.bind(("::" if ":" in address else "0.0.0.0", source_port))
            sock.connect((address, port))
            for index in range(count):
                sock.send(struct.pack(">HI", source_port, index).ljust(size, b"."))
