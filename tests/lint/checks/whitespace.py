# SPDX-License-Identifier: GPL-2.0-or-later
"""no tabs, no blanks at the end of a line, one newline at the end of a file"""

from tree import Break, Finding

RULES = {
    "tab": "indentation is blanks",
    "trailing": "nothing invisible is at the end of a line",
    "end": "a file ends with one newline",
    "empty": "two empty lines at most follow one another (C: one)",
}


def check(tree, paths):
    """Each line with invisible faults."""
    for path in paths:
        text = tree.text(path)
        most = 1 if tree.kind(path) == "c" else 2
        run = 0
        for number, line in tree.lines(path):
            if "\t" in line:
                yield Finding("tab", path, number, "a tab, expected blanks")
            if line != line.rstrip():
                yield Finding("trailing", path, number,
                              "blanks at the end of the line, expected none")
            run = 0 if line else run + 1
            if run > most and number < text.count("\n") + 1:
                yield Finding("empty", path, number,
                              f"{run} empty lines in a row, expected at most {most}")
        if text and (not text.endswith("\n") or text.endswith("\n\n")):
            yield Finding("end", path, text.count("\n") + 1,
                          "expected exactly one newline at the end of the file")


def breaks(_tree):
    """One of each."""
    yield Break("tab", {"hw/net/mlx5/broken.c": "int x;\n\tint y;\n"}, ":2: a tab")
    yield Break("trailing", {"tests/broken.py": "X = 1 \n"}, ":1: blanks at the end")
    yield Break("trailing", {"docs/broken.md": "text\r\n"}, ":1: blanks at the end")
    yield Break("end", {"docs/broken.md": "text"}, ":1: expected exactly one newline")
    yield Break("end", {"docs/broken.md": "text\n\n"}, ":3: expected exactly one newline")
    yield Break("empty", {"hw/net/mlx5/broken.c": "int x;\n\n\nint y;\n"}, ":3: 2 empty lines")
    yield Break("empty", {"tests/broken.py": "X = 1\n\n\n\nY = 2\n"}, ":4: 3 empty lines")
