# SPDX-License-Identifier: GPL-2.0-or-later
"""no file is longer than 900 lines, no function longer than 64, no test than 80

What is longer is two things and wants two names. The lines of a function are those of its braces
and what is between them, without the tables in it: initializers in braces of C, literals of Python.
"""

import ast
import re

import source
from tree import Break, Finding

FILE = 900
FUNCTION = 64
TEST = 80               # of tests and what serves them: they are read from top to bottom
TESTS = ("tests/", "guest-tests/")
RULES = {
    "file": "files have at most 900 lines",
    "c": "functions of C have at most 64 lines, in tests 80",
    "python": "functions of Python have at most 64 lines, in tests 80",
}


def check(tree, paths):
    """Each file and function that is too long."""
    for path in paths:
        kind, text = tree.kind(path), tree.text(path)
        lines = text.count("\n")
        if lines > FILE:
            yield Finding("file", path, lines, f"{lines} lines, expected at most {FILE}")
        if kind == "c":
            for function in source.functions(text):
                lines = function.last - function.first + 1 - _tables(text, function)
                yield from _long("c", path, function.first, function.name, lines)
        elif kind == "python":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    lines = node.end_lineno - node.lineno + 1 - sum(
                        inner.end_lineno - inner.lineno for inner in ast.walk(node)
                        if isinstance(inner, (ast.Dict, ast.List, ast.Tuple, ast.Constant)))
                    yield from _long("python", path, node.lineno, node.name, lines)


def _tables(text, function):
    """Lines of a function that are inside initializers."""
    lines = source.code(text).split("\n")[function.first:function.last]
    inside, depth, count = False, 0, 0
    for line in lines:
        if not inside and re.search(r"= *{[^}]*$", line):
            inside, depth, line = True, 0, line[line.rindex("= "):]
        if inside:
            count += 1
            depth += line.count("{") - line.count("}")
            inside = depth > 0
    return count


def _long(rule, path, first, name, lines):
    limit = TEST if path.startswith(TESTS) else FUNCTION
    if lines > limit:
        yield Finding(rule, path, first, f"{name}() has {lines} lines, expected at most {limit}")


def breaks(_tree):
    """A file and functions of one line too many."""
    yield Break("file", {"docs/broken.md": "x\n" * (FILE + 1)}, "901 lines")
    body = "    x++;\n" * (FUNCTION - 1)
    yield Break("c", {"hw/net/mlx5/broken.c": f"int broken(int x)\n{{\n{body}}}\n"},
                ":2: broken() has 65 lines")
    body = "    x += 1\n" * TEST
    yield Break("python", {"tests/broken.py": f"def broken(x):\n{body}"},
                ":1: broken() has 81 lines")
