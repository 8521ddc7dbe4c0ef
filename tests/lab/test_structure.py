# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of how scripts/labkit is put together.

Responsible for: that modules build on each other in one direction, and that each suite is found.
State: none.
"""

import ast
import pathlib

from labkit import paths
from labkit.suites import all_suites
from labkit.suites.suite import Suite

from .judge import check, same

LABKIT = paths.SCRIPTS / "labkit"
# a module may import from folders further left, and from its own
FLOORS = ("labkit", "labkit.make", "labkit.run", "labkit.suites", "labkit.commands", "labkit.cli")


def _modules() -> dict[str, pathlib.Path]:
    """{name: file} of everything below scripts/labkit."""
    found = {}
    for path in LABKIT.rglob("*.py"):
        parts = ["labkit", *path.relative_to(LABKIT).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _imports(name: str, modules: dict[str, pathlib.Path]) -> set[str]:
    """Modules of labkit that `name` imports, at its top or inside a function."""
    path, found = modules[name], set()
    package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = package[:len(package) - node.level + 1] + (node.module or "").split(".")
        else:
            base = (node.module or "").split(".")
        source = ".".join(filter(None, base))
        for alias in node.names:
            for module in (f"{source}.{alias.name}", source):
                if module in modules:
                    found.add(module)
                    break
    return found - {name}


def _floor(name: str) -> int:
    package = name if name in FLOORS else name.rpartition(".")[0]
    return FLOORS.index(package)


def _circle(name: str, graph: dict[str, set[str]], way: tuple[str, ...], known: set[str]
            ) -> tuple[str, ...]:
    """A way from `name` back to where it came by, or ()."""
    if name in way:
        return (*way[way.index(name):], name)
    if name in known:
        return ()
    known.add(name)
    for following in sorted(graph[name]):
        if found := _circle(following, graph, (*way, name), known):
            return found
    return ()


def test_imports_one_way(_rig: object) -> None:
    """No module of labkit imports, by whatever way, one that imports it; nothing imports upward."""
    modules = _modules()
    graph = {name: _imports(name, modules) for name in modules}
    check(sum(map(len, graph.values())) > 100, "the imports were not found")
    known: set[str] = set()
    for name in sorted(graph):
        same(_circle(name, graph, (), known), (), "a circle of imports")
    for name, wanted in graph.items():
        for other in wanted:
            check(_floor(other) <= _floor(name), f"{name} imports {other}, from a floor above it: "
                                                 f"{' < '.join(FLOORS)}")


def test_circles_are_found(_rig: object) -> None:
    """A circle over several modules is named, one way round."""
    graph: dict[str, set[str]] = {"a": {"b"}, "b": {"c", "d"}, "c": set(), "d": {"b"}}
    same(_circle("a", graph, (), set()), ("b", "d", "b"), "the circle")
    same(_circle("c", graph, (), set()), (), "no circle")


def test_suites(_rig: object) -> None:
    """Each module of suites/ has a suite, of a name and a place in a run of its own."""
    suites = all_suites()
    files = {path.stem for path in (LABKIT / "suites").glob("*.py")} - {"__init__", "suite"}
    same({type(suite).__module__.rpartition(".")[2] for suite in suites}, files, "modules")
    for attribute in ("name", "order", "about"):
        values = [getattr(suite, attribute) for suite in suites]
        same(len(set(values)), len(values), f"different values of {attribute}")
    check(all(isinstance(suite, Suite) and suite.about for suite in suites), "a suite says nothing")
