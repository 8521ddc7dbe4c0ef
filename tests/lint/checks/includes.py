# SPDX-License-Identifier: GPL-2.0-or-later
"""hw/net/mlx5 includes downward only, and its engine nothing of QEMU

The floors are those of tests/lint/floors.txt, by which callgraph.py judges the calls. A header
stands where its .c file stands; one without is on the ground.
"""

import posixpath
import re

from tree import Break, Finding

DEVICE = "hw/net/mlx5/"
ENGINE = "hw/net/mlx5/engine/"
FLOORS = "tests/lint/floors.txt"
RULES = {
    "engine": "the engine includes its own headers, the PRM's, those of libc, GLib, libcrypto",
    "circle": "headers do not include one another in a circle",
    "floor": "a file includes no header of a floor above its own",
}
SYSTEM = re.compile(r"(glib|openssl/\w+|sys/\w+|std\w+|string|errno|limits|inttypes|math|time)\.h")


def includes(tree, path):
    """[(line, name as written, path in the tree or None)]."""
    for number, line in tree.lines(path):
        match = re.match(r'#include ([<"])([^">]+)[">]', line)
        if not match:
            continue
        found = None
        for folder in (posixpath.dirname(path), DEVICE, ENGINE, "include"):
            name = posixpath.normpath(posixpath.join(folder, match[2]))
            if match[1] == '"' and tree.exists(name):
                found = name
                break
        yield number, match[2], found


def floors(tree):
    """({module: number of its floor}, {(from, to)} that may go up)."""
    found, up, number = {}, set(), 0
    for _, line in tree.lines(FLOORS):
        name, colon, rest = line.partition("#")[0].partition(":")
        if not colon:
            continue
        if name.strip() == "up":
            match = re.match(r"\s*(\S+) -> (\S+)", rest)
            up.add((match[1], match[2]))
            continue
        number += 1
        found |= {module: number for module in rest.split()}
    return found, up


def _module(path):
    return "engine" if path.startswith(ENGINE) else posixpath.basename(path).rpartition(".")[0]


def check(tree, _paths):
    """Each include that goes the wrong way."""
    floor, up = floors(tree)
    headers = {}
    for path in tree.files("c", under=DEVICE):
        for number, name, found in includes(tree, path):
            if path.startswith(ENGINE) and not SYSTEM.fullmatch(name) and not (
                    found and found.startswith((ENGINE, "include/hw/net/mlx5/prm"))):
                yield Finding("engine", path, number, f"{name} in the engine, expected a header of "
                              "the engine, of the PRM or of the system")
            if not found:
                continue
            if path.endswith(".h"):
                headers.setdefault(path, []).append((number, found))
            one, other = _module(path), _module(found)
            if floor.get(one, 0) < floor.get(other, 0) and floor.get(one) and (
                    one, other) not in up:
                yield Finding("floor", path, number, f"{name} is of a floor above, expected an "
                              f"include of a floor below, see {FLOORS}")
    yield from _circles(headers)


def _circles(headers):
    """A finding for each include that closes a circle of headers."""
    done = set()

    def visit(path, way):
        for number, found in headers.get(path, ()):
            if found in way:
                circle = " -> ".join(posixpath.basename(name)
                                     for name in [*way[way.index(found):], found])
                yield Finding("circle", path, number, f"{circle}, expected no circle")
            elif found not in done:
                yield from visit(found, [*way, found])
        done.add(path)

    for path in headers:
        if path not in done:
            yield from visit(path, [path])


def breaks(tree):
    """A header of QEMU in the engine, a circle, a step up."""
    path = f"{ENGINE}csum.c"
    yield Break("engine", {path: tree.text(path) + '#include "qemu/osdep.h"\n'},
                "qemu/osdep.h in the engine")
    yield Break("engine", {path: tree.text(path) + '#include "hw/net/mlx5/mlx5.h"\n'},
                "hw/net/mlx5/mlx5.h in the engine")
    yield Break("circle", {f"{DEVICE}broken.h": '#include "broken2.h"\n',
                           f"{DEVICE}broken2.h": '#include "broken.h"\n'},
                "broken2.h -> broken.h, expected no circle")
    yield Break("floor", {FLOORS: "ground: low\nabove: high\n", f"{DEVICE}low.c":
                          '#include "high.h"\n', f"{DEVICE}high.h": "\n"},
                "low.c:1: high.h is of a floor above")
