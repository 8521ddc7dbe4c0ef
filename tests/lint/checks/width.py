# SPDX-License-Identifier: GPL-2.0-or-later
"""lines are not too wide: 80 columns in C, 100 elsewhere

In Markdown a table's row may be longer, for it cannot be broken, and so may a line that cannot be
broken before its 100th column: one word, such as an address, behind its indentation or its list
mark. A trace event is one line by its format.
"""

import re

from tree import Break, Finding

LIMITS = {"c": 80, "python": 100, "shell": 100, "markdown": 100, "meson": 100, "data": 100}
RULES = {
    "c": "C has 80 columns",
    "python": "Python has 100 columns",
    "shell": "shell has 100 columns",
    "markdown": "documents have 100 columns",
    "meson": "build files have 100 columns",
    "data": "lists have 100 columns",
}


def breakable(line, limit):
    """Whether a line of Markdown could end before the limit."""
    if line.startswith("|"):
        return False
    words = re.sub(r"^\s*([-*>]\s+|\d+\.\s+)?", lambda match: "x" * len(match[0]), line)
    return " " in words[:limit + 1]


def check(tree, paths):
    """Each line that is too wide."""
    for path in paths:
        kind = tree.kind(path)
        limit = LIMITS.get(kind)
        if limit is None:
            continue
        for number, line in tree.lines(path):
            if len(line) > limit and (kind != "markdown" or breakable(line, limit)):
                yield Finding(kind, path, number,
                              f"{len(line)} columns, expected at most {limit}")


def breaks(_tree):
    """A line of one column too many, of each kind."""
    yield Break("c", {"hw/net/mlx5/broken.c": f"/* {'x' * 75} */\n"}, ":1: 81 columns")
    yield Break("python", {"tests/broken.py": f"# {'x' * 99}\n"}, ":1: 101 columns")
    yield Break("shell", {"scripts/broken": f"#!/bin/sh\n# {'x' * 99}\n"}, ":2: 101 columns")
    yield Break("markdown", {"docs/broken.md": f"\nword {'x' * 96}\n"}, ":2: 101 columns")
    yield Break("markdown", {"docs/broken.md": f"    block {'x' * 91}\n"}, ":1: 101 columns")
    yield Break("meson", {"tests/broken/meson.build": f"# {'x' * 99}\n"}, ":1: 101 columns")
    yield Break("data", {"scripts/broken.toml": f"# {'x' * 99}\n"}, ":1: 101 columns")
