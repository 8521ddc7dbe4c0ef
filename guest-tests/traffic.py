#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic to be measured: as fast as the machine can, for some seconds.

    NETIF=mlx0 LOCAL_V4=… REMOTE_V4=… REMOTE_TYPE=netns REMOTE_ARGS=peer \\
        guest-tests/traffic.py '{"kind": "stream", "tls": "kernel", "tx": true, "rx": true}'

Responsible for: one kind of traffic between the ends (REQUEST has the words), and how much of it
came. State: none beyond the run; the TLS features of both interfaces stay as the request had them.
Callers: `lab bench`; people beside a card.

Each line on stdout is a JSON object: {"mark": "begin"} and {"mark": "end"} when counting begins
and ends, so that whoever reads can look at clocks of its own; then {"count": …, "unit": …,
"seconds": …}. Exit status 1, with a sentence on stderr, when the traffic was not what was asked
for: with TLS, when another implementation than the one asked for was used.

What arrives is counted, not compared: the functional tests do that.
"""

import contextlib
import ctypes
import ctypes.util
import functools
import json
import os
import pathlib
import random
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from agent import ktls      # noqa: E402

# the words of a request, with what they are when it does not have them
REQUEST = {
    "kind": "stream",       # or "turns" (a byte there and back), "packets" (small datagrams),
                            # "connections" (opened, used for a record, and closed)
    "way": "out",           # of a stream: the local end sends; or "in"
    "connections": 1,       # of a stream
    "tls": "",              # or "kernel" (keys set by hand), "user" (OpenSSL without the kernel)
    "tx": False,            # the sender's NIC is to encrypt
    "rx": False,            # the receiver's NIC is to decrypt
    "size": 65536,          # bytes of a write, which with TLS is a record if it fits into one
    "sendfile": False,      # the bytes come from a file by sendfile(2)
    "seconds": 3.0,         # how long is counted
    "settle": 0.7,          # seconds before that
    "host": "",             # ADDRESS:PORT of a peer that only sends or only takes bytes
}
KINDS = ("stream", "turns", "packets", "connections")
UNITS = {"stream": "bytes", "turns": "turns", "packets": "packets", "connections": "connections"}
CIPHER = "aes-gcm-128"
RECEIVE = 1 << 18
FILE = 8 << 20              # bytes of the file for sendfile
BATCH, DATAGRAM, PORT = 64, 22, 9       # of packets: at once, bytes (64 as a frame), discard
FEATURES = ("tls-hw-tx-offload", "tls-hw-rx-offload")
GUARD = 120.0               # seconds in which the other end must have answered


class Failed(Exception):
    """The traffic cannot be, or was not, what was asked for."""


def say(**words):
    """A line for the reader. One write: both ends have the same stdout."""
    os.write(1, (json.dumps(words) + "\n").encode())


class Count:
    """Marks the beginning and the end of the time that counts, by a function that tells how much
    there was."""

    def __init__(self, request, level):
        self.request, self.level = request, level
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        """From now on."""
        self._thread.start()

    def _run(self):
        time.sleep(self.request["settle"])
        say(mark="begin")
        began, first = time.monotonic(), self.level()
        time.sleep(self.request["seconds"])
        ended, last = time.monotonic(), self.level()
        say(mark="end")
        say(count=last - first, unit=UNITS[self.request["kind"]], seconds=ended - began)
        self.over.set()


# ---- TLS

def _secure(sock, request, direction, port, client):
    """TLS on a connection, whose client has this port; returns the socket to use."""
    if request["tls"] == "kernel":
        keys = ktls.new_keys("1.2", CIPHER, rng=random.Random(f"traffic/{port}").randbytes)
        ktls.attach(sock)
        ktls.enable(sock, direction, keys)
        if request["sendfile"] and request["tx"] and direction == "tx":
            sock.setsockopt(ktls.SOL_TLS, ktls.TLS_TX_ZEROCOPY_RO, 1)
    elif request["tls"] == "user":
        sock = _context("client" if client else "server").wrap_socket(sock, server_side=not client)
    return sock


def _prepare(sock, request, sends, port, client):
    """Both ends agree that a connection is ready; returns the socket to use. The receiver has its
    keys before the sender gets its own, so no record comes too early."""
    if request["kind"] != "stream":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if request["tls"] == "user":
        sock = _secure(sock, request, "", port, client)
    if sends and not sock.recv(1):
        raise ConnectionResetError("the peer has closed the connection")
    if request["tls"] == "kernel":
        sock = _secure(sock, request, "tx" if sends else "rx", port, client)
    if not sends:
        sock.sendall(b"!")
    return sock


@functools.cache
def _context(side):
    """OpenSSL with TLS 1.2 and the cipher of the others; the certificate is made for this run."""
    if side == "client":
        return ktls.context(side, "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", ktls=False)
    with tempfile.TemporaryDirectory() as folder:
        key, cert = f"{folder}/key.pem", f"{folder}/cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=traffic", "-keyout", key,
                        "-out", cert], check=True, capture_output=True)
        return ktls.context(side, "1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", cert, key, ktls=False)


def _tls_stat():
    """What the kernel counts of TLS in this namespace."""
    try:
        text = pathlib.Path("/proc/self/net/tls_stat").read_text(encoding="ascii")
    except OSError:
        return {}
    return {name: int(value) for name, value in map(str.split, text.splitlines())}


def _check(request, direction, opened, before):
    """Fail if connections of this end are not by the implementation that was asked for."""
    if request["tls"] != "kernel":
        return
    offload = request[direction]
    after = _tls_stat()
    way = direction.capitalize()
    for where in ("Device", "Sw"):
        want = opened if (where == "Device") == offload else 0
        name = f"Tls{way}{where}"
        got = after.get(name, 0) - before.get(name, 0)
        if got != want:
            raise Failed(f"{name} moved by {got}, expected {want}: TLS was not "
                         f"{'in the NIC' if offload else 'in software'}")


# ---- bytes

class Sink:
    """Takes what comes on connections, and counts it."""

    def __init__(self, socks):
        self.socks, self.taken = socks, 0

    def run(self, over):
        """Until the time is over; then the connections are closed."""
        buffer = memoryview(bytearray(RECEIVE))
        if len(self.socks) == 1:
            sock = self.socks[0]
            while not over.is_set():
                got = sock.recv_into(buffer)
                if not got:
                    raise Failed("the sender has closed the connection")
                self.taken += got
        else:
            with selectors.DefaultSelector() as selector:
                for sock in self.socks:
                    selector.register(sock, selectors.EVENT_READ)
                while not over.is_set():
                    for key, _ in selector.select():
                        self.taken += key.fileobj.recv_into(buffer)
        for sock in self.socks:
            sock.close()


class Source:
    """Sends on connections until the peer closes them, and counts what the kernel took."""

    def __init__(self, socks, request):
        self.socks, self.request, self.given = socks, request, 0

    def run(self):
        """Until the peer has closed them."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            if self.request["sendfile"]:
                self._from_file()
            elif len(self.socks) == 1:
                data = bytes(self.request["size"])
                while True:
                    self.socks[0].sendall(data)
                    self.given += len(data)
            else:
                self._in_turn()

    def _from_file(self):
        with tempfile.TemporaryFile() as file:
            file.write(bytes(FILE))
            file.flush()
            sock, at = self.socks[0], 0
            while True:
                sent = os.sendfile(sock.fileno(), file.fileno(), at, FILE - at)
                at = (at + sent) % FILE
                self.given += sent

    def _in_turn(self):
        data = bytes(self.request["size"])
        with selectors.DefaultSelector() as selector:
            for sock in self.socks:
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_WRITE)
            while True:
                for key, _ in selector.select():
                    with contextlib.suppress(BlockingIOError):
                        self.given += key.fileobj.send(data)


def _stream(socks, request, sends, counts):
    """One end of a stream."""
    if sends:
        source = Source(socks, request)
        count = Count(request, lambda: source.given)
        if counts:
            count.start()
            threading.Thread(target=lambda: count.over.wait() and [
                sock.shutdown(socket.SHUT_RDWR) for sock in socks], daemon=True).start()
        source.run()
    else:
        sink = Sink(socks)
        count = Count(request, lambda: sink.taken)
        count.start()
        sink.run(count.over)


# ---- turns

def _turns(sock, request, asks):
    """One byte there and back."""
    if not asks:
        with contextlib.suppress(ConnectionError):
            while data := sock.recv(1):
                sock.sendall(data)
        return
    done = 0
    count = Count(request, lambda: done)
    count.start()
    while not count.over.is_set():
        sock.sendall(b"?")
        if not sock.recv(1):
            raise Failed("the peer has closed the connection")
        done += 1
    sock.close()


# ---- packets

class _IoVector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint32),
                ("vector", ctypes.c_void_p), ("vectors", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("length", ctypes.c_uint)]


def _send_packets(address):
    """Datagrams by sendmmsg(2) until this process is ended."""
    libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
    payload = ctypes.create_string_buffer(DATAGRAM)
    vector = _IoVector(ctypes.addressof(payload), DATAGRAM)
    messages = (_Message * BATCH)()
    for message in messages:
        message.vector, message.vectors = ctypes.addressof(vector), 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((address, PORT))
        while True:
            if libc.sendmmsg(sock.fileno(), messages, BATCH, 0) < 0 \
                    and ctypes.get_errno() != 111:      # ECONNREFUSED: nobody listens
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _count_packets(request, address):
    """What the interface with this address receives."""
    counter = pathlib.Path(f"/sys/class/net/{_interface(address)}/statistics/rx_packets")
    # somebody listens, so that no answer says the contrary; what does not fit is dropped
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, PORT))
        def level():
            return int(counter.read_text(encoding="ascii"))

        before = level()
        while level() - before < BATCH:     # the sender is on its way
            time.sleep(0.01)
        count = Count(request, level)
        count.start()
        count.over.wait()


def _interface(address):
    """The interface of this namespace that has the address."""
    listed = subprocess.run(["ip", "-j", "addr", "show", "to", address], check=True,
                            capture_output=True).stdout
    found = [entry["ifname"] for entry in json.loads(listed) if entry]
    if len(found) != 1:
        raise Failed(f"{len(found)} interfaces have the address {address}, expected one")
    return found[0]


# ---- connections

def _serve_connections(listener, request):
    """Take a record of each, and close it."""
    taken, done, before, buffer = 0, 0, _tls_stat(), bytearray(request["size"])
    count = Count(request, lambda: done)
    count.start()
    while not count.over.is_set():
        sock, peer = listener.accept()
        with _prepare(sock, request, False, peer[1], False) as conn:
            taken, want = taken + 1, request["size"]
            while want and (got := conn.recv_into(buffer)):
                want -= got
        done += not want
    _check(request, "rx", taken, before)


def _open_connections(address, port, request):
    """Open, send a record, close; until nobody takes them any more."""
    data, opened, before = bytes(request["size"]), 0, _tls_stat()
    with contextlib.suppress(ConnectionError):
        while True:
            sock = socket.create_connection((address, port))
            with _prepare(sock, request, True, sock.getsockname()[1], True) as conn:
                opened += 1
                conn.sendall(data)
    _check(request, "tx", opened, before)


# ---- the ends

def _features(interface, request, sends):
    """Switch TLS offload of an interface as the request has it for this end."""
    if request["tls"] != "kernel":
        return
    wanted = {FEATURES[0]: request["tx"] and sends, FEATURES[1]: request["rx"] and not sends}
    listed = subprocess.run(["ethtool", "-k", interface], check=True, capture_output=True,
                            text=True).stdout
    for name, on in wanted.items():
        line = next((line for line in listed.splitlines() if line.startswith(name + ":")), "")
        if line.split(":")[-1].split()[:1] != ["on" if on else "off"]:
            done = subprocess.run(["ethtool", "-K", interface, name, "on" if on else "off"],
                                  check=False, capture_output=True, text=True)
            if done.returncode:
                raise Failed(f"{interface}: {name} cannot be switched: {done.stderr.strip()}")


def _remote(request):
    """The remote end, in a process of its own: listens, says where, and does its part."""
    address, kind = os.environ["REMOTE_V4"], request["kind"]
    sends = kind == "stream" and request["way"] == "in"
    _features(_interface(address), request, sends)
    if kind == "packets":
        _tell_port(PORT)
        _count_packets(request, address)
        return
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen(1024)
        _tell_port(listener.getsockname()[1])
        if kind == "connections":
            _serve_connections(listener, request)
            return
        before, socks = _tls_stat(), []
        for _ in range(request["connections"]):
            sock, peer = listener.accept()
            socks.append(_prepare(sock, request, sends, peer[1], False))
    if kind == "turns":
        _turns(socks[0], request, False)
    else:
        _stream(socks, request, sends, True)
        _check(request, "tx" if sends else "rx", len(socks), before)


def _tell_port(port):
    os.write(3, f"{port}\n".encode())
    os.close(3)


@contextlib.contextmanager
def _other_end(request):
    """The remote end's process; yields it and its port."""
    read, write = os.pipe()
    prefix = []
    if os.environ.get("REMOTE_TYPE") == "netns":
        prefix = ["ip", "netns", "exec", os.environ["REMOTE_ARGS"]]
    argv = [*prefix, sys.executable, "-B", __file__, "--remote", json.dumps(request)]
    # the port comes by descriptor 3, whatever the number of the pipe is here
    shell = ["sh", "-c", f'exec "$@" 3>&{write}', "sh", *argv]
    with subprocess.Popen(shell, pass_fds=(write,), stdin=subprocess.DEVNULL) as process:
        os.close(write)
        try:
            with open(read, encoding="ascii") as pipe:
                line = pipe.readline()
            if not line:
                raise Failed("the remote end did not start")
            yield process, int(line)
            if process.wait(GUARD):
                raise Failed("the remote end failed")
        finally:
            if process.poll() is None:
                process.kill()


def _to_host(request):
    """A stream to or from a peer that is no machine of ours; this end counts."""
    address, _, port = request["host"].rpartition(":")
    socks = [socket.create_connection((address, int(port)))
             for _ in range(request["connections"])]
    _stream(socks, request, request["way"] == "out", True)


def _local(request):
    """The local end."""
    if request["tls"] == "kernel" and (lack := ktls.available()):
        raise Failed(lack)
    if request["host"]:
        _to_host(request)
        return
    address, kind = os.environ["REMOTE_V4"], request["kind"]
    sends = kind != "stream" or request["way"] == "out"
    _features(os.environ["NETIF"], request, sends)
    with _other_end(request) as (process, port):
        if kind == "packets":
            with subprocess.Popen([sys.executable, "-B", __file__, "--packets", address]) as sender:
                process.wait(GUARD + request["seconds"])
                sender.terminate()
                sender.wait()
            return
        if kind == "connections":
            _open_connections(address, port, request)
            return
        before, socks = _tls_stat(), []
        for _ in range(request["connections"]):
            sock = socket.create_connection((address, port))
            socks.append(_prepare(sock, request, sends, sock.getsockname()[1], True))
        if kind == "turns":
            _turns(socks[0], request, True)
        else:
            _stream(socks, request, sends, not sends)
            _check(request, "tx" if sends else "rx", len(socks), before)


def parse(text):
    """The request in JSON, whole; Failed with what is wrong with it."""
    try:
        given = json.loads(text)
        if not isinstance(given, dict):
            raise ValueError("expected an object")
    except ValueError as error:
        raise Failed(f"the request {text!r} is no JSON object: {error}") from None
    for name, value in given.items():
        if name not in REQUEST:
            raise Failed(f"{name!r} is no word of a request; there are {', '.join(REQUEST)}")
        kind = type(REQUEST[name])
        if not isinstance(value, (int, float) if kind is float else kind) \
                or (kind is not bool and isinstance(value, bool)):
            raise Failed(f"{name}: {value!r}, expected a value such as {REQUEST[name]!r}")
    request = {**REQUEST, **given}
    for name, known in (("kind", KINDS), ("way", ("out", "in")), ("tls", ("", "kernel", "user"))):
        if request[name] not in known:
            raise Failed(f"{name}: {request[name]!r}, expected one of "
                         + ", ".join(map(repr, known)))
    if request["connections"] < 1 or request["size"] < 1 or request["seconds"] <= 0:
        raise Failed("connections, size and seconds: expected more than 0")
    if request["tls"] and request["kind"] not in ("stream", "connections"):
        raise Failed(f"tls: expected none with {request['kind']}")
    if request["tls"] == "user" and request["connections"] > 1:
        raise Failed("connections: expected 1 with OpenSSL")
    return request


def main(argv):
    """The command line; returns the exit status."""
    try:
        if len(argv) == 3 and argv[1] == "--packets":
            _send_packets(argv[2])
        elif len(argv) == 3 and argv[1] == "--remote":
            _remote(parse(argv[2]))
        elif len(argv) == 2:
            request = parse(argv[1])
            signal.alarm(int(GUARD + request["settle"] + request["seconds"]))
            _local(request)
        else:
            raise Failed(f"usage: {argv[0]} REQUEST, a JSON object with some of "
                         f"{', '.join(REQUEST)}")
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(f"traffic.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
