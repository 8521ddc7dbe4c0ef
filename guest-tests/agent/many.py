# SPDX-License-Identifier: GPL-2.0-or-later
"""Hundreds of connections that are opened, used and closed in one call.

Responsible for: groups of TCP connections with kernel TLS on them; keys and payload of each come
from a seed and the client's port, which both ends know. (Not from a running number: connections
that are opened one after the other need not be accepted in that order.) State: the table of open
groups. Callers: loop.py; tests of pools, key ranges and limits. A call for each socket would take
most of the time of such a test.
"""

import itertools
import random
import resource
import socket

from agent import ktls, payload

_table = {}
_numbers = itertools.count(1)


def _keys(label, cipher, version):
    """Both ends derive the same keys."""
    return ktls.new_keys(version, cipher, rng=random.Random(label).randbytes)


def _take(entry, sock, port, direction):
    label = f"{entry['seed']}/{port}"
    entry["sockets"].append((label, sock))
    ktls.attach(sock)
    ktls.enable(sock, direction, _keys(label, entry["cipher"], entry["version"]))


def _room(count):
    """Allow so many descriptors more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = count + 4096
    if hard != resource.RLIM_INFINITY and hard < want:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, want))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


def accept(address, count, seed, cipher="aes-gcm-128", direction="rx", version="1.2"):
    """Listen for `count` connections; returns {group, port}. serve() then takes them."""
    _room(count)
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen(1024)
    number = next(_numbers)
    _table[number] = {"listener": listener, "sockets": [], "count": count, "seed": seed,
                      "cipher": cipher, "direction": direction, "version": version}
    return {"group": number, "port": listener.getsockname()[1]}


def serve(group):
    """Take all of them, with keys of the group's direction; returns how many."""
    entry = _table[group]
    for _ in range(entry["count"]):
        sock, peer = entry["listener"].accept()
        _take(entry, sock, peer[1], entry["direction"])
    entry["listener"].close()
    return len(entry["sockets"])


def connect(address, port, count, seed, cipher="aes-gcm-128", direction="tx", version="1.2"):
    """Open `count` connections one after the other, with keys; returns {group}."""
    _room(count)
    number = next(_numbers)
    entry = _table[number] = {"sockets": [], "count": count, "seed": seed, "cipher": cipher,
                              "version": version}
    for _ in range(count):
        sock = socket.create_connection((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _take(entry, sock, sock.getsockname()[1], direction)
    return {"group": number}


def send(group, size):
    """`size` bytes on each connection, each a payload of its own."""
    for label, sock in _table[group]["sockets"]:
        sock.sendall(payload.Source(label).read(0, size))


def receive(group, size):
    """Compare what comes on each: [what is wrong with it] of the connections."""
    wrong = []
    for label, sock in _table[group]["sockets"]:
        checker = payload.Checker(label)
        try:
            while checker.count < size:
                piece = sock.recv(size - checker.count)
                if not piece:
                    break
                checker.take(piece)
        except OSError as error:
            wrong.append(f"{label}: {error.strerror} after {checker.count} bytes")
            continue
        if checker.count < size or checker.mismatch is not None:
            wrong.append(f"{label}: {checker.count} bytes, first wrong one {checker.mismatch}")
    return wrong


def close(group):
    """Close all of a group."""
    for _, sock in _table.pop(group)["sockets"]:
        sock.close()


def close_all():
    """Close whatever a test has left."""
    for entry in list(_table.values()):
        for sock in [sock for _, sock in entry["sockets"]] + [entry.get("listener")]:
            if sock is not None:
                sock.close()
    _table.clear()
