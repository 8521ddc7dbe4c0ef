#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which file of the device calls which: no circles, no new calls upward.

    callgraph.py OBJECTS [FLOORS]

OBJECTS is a folder with the object files of a build of QEMU that has the device
(libcommon.a.p in the build folder). FLOORS (default: floors.txt beside this
file) is the declared order. It has a line for each floor, from the ground up,
and one for each arrow that is allowed to point upward:

    NAME: file file ...
    up: file -> file   why

A `?` behind a file says that not every build has it.

A file A has an arrow to a file B if A uses a symbol that B defines; a function
in a table counts as much as a call does. Files on the same floor may have
arrows between them, but not in a circle. Files of the engine are one file,
`engine`.

Prints the circles and the upward arrows, with the symbols that make them, and
exits with status 1 if one is not allowed, if a file is on no floor, or if
FLOORS names what is not there.
"""

import collections
import pathlib
import re
import subprocess
import sys

OBJECT = re.compile(r"hw_net_mlx5_(engine_)?(.*)\.c\.o$")
ENGINE = "engine"
SOURCES = pathlib.Path(__file__).resolve().parents[2] / "hw" / "net" / "mlx5"


class Problem(Exception):
    """What makes the check impossible; the text is for the user."""


def file_of(path):
    """The name that FLOORS has for an object file, or None if it is not ours.

    A build folder keeps the objects of files that are gone: those are not ours.
    """
    match = OBJECT.match(path.name)
    if not match:
        return None
    engine, name = match.groups()
    if not (SOURCES / ("engine" if engine else ".") / f"{name}.c").exists():
        return None
    return ENGINE if engine else name


def symbols(path):
    """The global symbols that an object file defines, and those it needs."""
    defined, needed = set(), set()
    out = subprocess.run(["nm", "-P", "-g", str(path)], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        name, kind = line.split()[:2]
        (needed if kind in "Uvw" else defined).add(name)
    return defined, needed


def arrows(folder):
    """{(from, to): the symbols} between the files whose objects are there."""
    owner, needs, files = {}, collections.defaultdict(set), set()
    for path in sorted(folder.glob("*.o")):
        name = file_of(path)
        if name is None:
            continue
        files.add(name)
        defined, needed = symbols(path)
        needs[name] |= needed
        for symbol in defined:
            owner[symbol] = name
    if not files:
        raise Problem(f"{folder}: expected object files hw_net_mlx5_*.c.o, "
                      "found none")
    graph = collections.defaultdict(set)
    for name, needed in needs.items():
        for symbol in needed:
            other = owner.get(symbol, name)
            if other != name:
                graph[name, other].add(symbol)
    return files, dict(graph)


def circles(files, graph):
    """The sets of two files or more that all reach each other (Tarjan)."""
    after = collections.defaultdict(list)
    for one, other in graph:
        after[one].append(other)
    index, low, stack, found = {}, {}, [], []

    def visit(name):
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in after[name]:
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(set(stack[at:]))
            del stack[at:]

    for name in sorted(files):
        if name not in index:
            visit(name)
    return found


def read_floors(path):
    """{file: its floor}, the floors' names, {(from, to): why}, {file not in each build}."""
    floor, names, allowed, optional = {}, [], {}, set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, colon, rest = line.partition(":")
        if not colon:
            raise Problem(f"{path}:{number}: expected 'NAME: file ...' or "
                          f"'up: file -> file why', found '{line}'")
        if name == "up":
            match = re.match(r"\s*(\S+) -> (\S+)\s+(\S.*)", rest)
            if not match:
                raise Problem(f"{path}:{number}: expected 'up: file -> file "
                              f"why', found '{line}'")
            allowed[match.group(1, 2)] = match.group(3)
            continue
        for file in rest.split():
            if file.endswith("?"):
                file = file[:-1]
                optional.add(file)
            if file in floor:
                raise Problem(f"{path}:{number}: '{file}' is on a floor "
                              "already")
            floor[file] = len(names)
        names.append(name)
    return floor, names, allowed, optional


def check(files, graph, floors):
    """Yields the lines of the report, those that are errors with True."""
    floor, names, allowed, optional = floors
    for file in sorted(files - set(floor)):
        yield True, f"{file}.c is on no floor"
    for file in sorted(set(floor) - files - optional):
        yield True, f"{file}.c is on a floor, but there is no object file of it"
    for one, other in sorted(set(allowed) - set(graph)):
        yield True, f"{one}.c -> {other}.c is allowed, but there is no such call"
    for (one, other), syms in sorted(graph.items()):
        if {one, other} <= set(floor) and floor[one] < floor[other]:
            why = allowed.get((one, other))
            yield why is None, (
                f"{one}.c ({names[floor[one]]}) -> {other}.c "
                f"({names[floor[other]]}): {', '.join(sorted(syms))}"
                + (f" [{why}]" if why else ""))
    for circle in circles(files, graph):
        inside = {pair for pair in graph if set(pair) <= circle}
        yield not inside & set(allowed), (
            "circle of " + ", ".join(f"{name}.c" for name in sorted(circle)))


def main(argv):
    """Returns the exit status."""
    if len(argv) not in (2, 3) or not pathlib.Path(argv[1]).is_dir():
        print(__doc__.strip(), file=sys.stderr)
        return 2
    path = pathlib.Path(argv[2] if len(argv) > 2 else
                        pathlib.Path(__file__).with_name("floors.txt"))
    try:
        files, graph = arrows(pathlib.Path(argv[1]))
        report = list(check(files, graph, read_floors(path)))
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    for error, line in report:
        print(("error: " if error else "allowed: ") + line)
    errors = sum(error for error, _ in report)
    print(f"{len(files)} files, {len(graph)} arrows, {errors} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
