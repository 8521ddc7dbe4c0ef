# SPDX-License-Identifier: GPL-2.0-or-later
"""every file names its licence in its first line, in one form

The line after it, or in C the comment after it, says what the file is about.
"""

import re

from tree import Break, Finding

LINE = "SPDX-License-Identifier: GPL-2.0-or-later"
FORMS = {
    "c": f"/* {LINE} */",
    "markdown": f"<!-- {LINE} -->",
    "python": f"# {LINE}",
    "shell": f"# {LINE}",
    "meson": f"# {LINE}",
    "trace": f"# {LINE}",
    "data": f"# {LINE}",
    "other": f"# {LINE}",
}
RULES = {
    "line": "the first line (the second of a script) names the licence in the form of its kind",
    "head": "a C file begins with a comment about itself",
}
# JSON has no comments
NONE = re.compile(r"\.gitignore|docs/parity/.*\.json")


def check(tree, paths):
    """Each file that begins with something else."""
    for path in paths:
        if NONE.fullmatch(path):
            continue
        kind = tree.kind(path)
        lines = tree.text(path).split("\n")
        at = 1 if lines[0].startswith("#!") else 0
        if len(lines) <= at or lines[at] != FORMS[kind]:
            yield Finding("line", path, at + 1,
                          f"no licence in this form here, expected {FORMS[kind]!r}")
        elif kind == "c" and not lines[1].startswith("/*"):
            yield Finding("head", path, 2, "nothing about the file, expected a comment")


def breaks(_tree):
    """Files without the line, with another form of it, and without a comment behind it."""
    yield Break("line", {"hw/net/mlx5/broken.c": "int x;\n"}, ":1: no licence")
    yield Break("line", {"hw/net/mlx5/broken.h": f"/*\n * {LINE}\n */\n"}, ":1: no licence")
    yield Break("line", {"tests/broken.py": '"""Text."""\n'}, ":1: no licence")
    yield Break("line", {"tests/broken": "#!/bin/sh\n\ntrue\n"}, ":2: no licence")
    yield Break("line", {"docs/broken.md": "# Title\n"}, ":1: no licence")
    yield Break("head", {"hw/net/mlx5/broken.c": f"/* {LINE} */\n#include <x.h>\n"},
                ":2: nothing about the file")
