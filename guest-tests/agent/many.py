# SPDX-License-Identifier: GPL-2.0-or-later
"""Hundreds of connections that are opened, used and closed in one call.

Responsible for: groups of TCP connections with kernel TLS on them, keys derived from a seed at both
ends.
State: the table of open groups.
Callers: loop.py; tests of pools, key ranges and limits. A call for each socket would take most
of the time of such a test.
"""

import itertools
import random
import resource
import socket

from agent import ktls, payload

_table = {}
_numbers = itertools.count(1)


def _keys(seed, index, cipher):
    """Both ends derive the same keys."""
    return ktls.new_keys("1.2", cipher, rng=random.Random(f"{seed}/{index}").randbytes)


def _room(count):
    """Allow so many descriptors more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = count + 4096
    if hard != resource.RLIM_INFINITY and hard < want:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, want))
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


def accept(address, count, seed, cipher="aes-gcm-128", direction="rx"):
    """Listen for `count` connections; returns {group, port}. serve() then takes them."""
    _room(count)
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.bind((address, 0))
    listener.listen(1024)
    number = next(_numbers)
    _table[number] = {"listener": listener, "sockets": [], "count": count, "seed": seed,
                      "cipher": cipher, "direction": direction}
    return {"group": number, "port": listener.getsockname()[1]}


def serve(group):
    """Take all of them, with keys of the group's direction; returns how many."""
    entry = _table[group]
    for index in range(entry["count"]):
        sock, _ = entry["listener"].accept()
        entry["sockets"].append(sock)
        ktls.attach(sock)
        ktls.enable(sock, entry["direction"], _keys(entry["seed"], index, entry["cipher"]))
    entry["listener"].close()
    return len(entry["sockets"])


def connect(address, port, count, seed, cipher="aes-gcm-128", direction="tx"):
    """Open `count` connections one after the other, with keys; returns {group}."""
    _room(count)
    number, sockets = next(_numbers), []
    _table[number] = {"sockets": sockets, "count": count, "seed": seed, "cipher": cipher}
    for index in range(count):
        sock = socket.create_connection((address, port))
        sockets.append(sock)
        ktls.attach(sock)
        ktls.enable(sock, direction, _keys(seed, index, cipher))
    return {"group": number}


def send(group, size, first=0, last=None):
    """`size` bytes on each connection from `first` to before `last`, each with a payload of its
    own."""
    entry = _table[group]
    for index, sock in list(enumerate(entry["sockets"]))[first:last]:
        sock.sendall(payload.Source(f"{entry['seed']}/{index}").read(0, size))


def receive(group, size, first=0, last=None):
    """Compare what comes on each: numbers of the connections with a wrong or missing byte."""
    entry, wrong = _table[group], []
    for index, sock in list(enumerate(entry["sockets"]))[first:last]:
        checker = payload.Checker(f"{entry['seed']}/{index}")
        while checker.count < size:
            piece = sock.recv(size - checker.count)
            if not piece:
                break
            checker.take(piece)
        if checker.count < size or checker.mismatch is not None:
            wrong.append(index)
    return wrong


def close(group, first=0, last=None):
    """Close some or all of a group."""
    entry = _table[group]
    for sock in entry["sockets"][first:last]:
        sock.close()
    if first == 0 and last is None:
        del _table[group]


def close_all():
    """Close whatever a test has left."""
    for entry in list(_table.values()):
        for sock in [*entry["sockets"], *filter(None, [entry.get("listener")])]:
            sock.close()
    _table.clear()
