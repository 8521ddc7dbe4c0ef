# SPDX-License-Identifier: GPL-2.0-or-later
"""headers of hw/net/mlx5 have no circle, its engine includes nothing of QEMU, no include goes up

Which file may call which is in floors.txt, and callgraph.py looks at it in the object files of a
build (the suite qtest).
"""

import posixpath
import re

from tree import Break, Finding

DEVICE = "hw/net/mlx5/"
ENGINE = "hw/net/mlx5/engine/"
# what a QEMU tree has links to. ninja takes ../ out of a path before it looks, so behind a link it
# finds no such file, and compiles anew whatever depends on it, each time
LINKED = (DEVICE, "include/", "tests/qtest/", "tests/bench/")
RULES = {
    "engine": "the engine includes its own headers, the PRM's, those of libc, GLib, libcrypto",
    "up": "what is linked into a QEMU tree includes nothing by ../",
    "circle": "headers do not include one another in a circle",
}
SYSTEM = re.compile(r"(glib|zlib|openssl/\w+|sys/\w+|std\w+|string|errno|limits|inttypes|math|time)"
                    r"\.h")


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


def check(tree, _paths):
    """Each include that goes the wrong way."""
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
    for folder in LINKED:
        for path in tree.files("c", under=folder):
            for number, line in tree.lines(path):
                if re.match(r'#include "(?:[^"]*/)?\.\./', line):
                    yield Finding("up", path, number, f"{line.split()[1]}, expected no ../ in a "
                                  "folder that QEMU trees have a link to")
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
    """A header of QEMU and one of the device in the engine, a way up, a circle."""
    path = f"{ENGINE}csum.c"
    yield Break("engine", {path: tree.text(path) + '#include "qemu/osdep.h"\n'},
                "qemu/osdep.h in the engine")
    yield Break("engine", {path: tree.text(path) + '#include "hw/net/mlx5/mlx5.h"\n'},
                "hw/net/mlx5/mlx5.h in the engine")
    path = "tests/qtest/mlx5-rig.h"
    yield Break("up", {path: tree.text(path) + '#include "../unit/frame.h"\n'},
                '"../unit/frame.h", expected no ../')
    yield Break("circle", {f"{DEVICE}broken.h": '#include "broken2.h"\n',
                           f"{DEVICE}broken2.h": '#include "broken.h"\n'},
                "broken2.h -> broken.h, expected no circle")
