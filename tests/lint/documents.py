# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the documents held against what they are about.

Responsible for: finding a table by its heading, wherever it is, and comparing its rows with a list
that is read from the sources: nothing missing, nothing too much, values equal.
State: none. Callers: the checks named doc_*.
"""

import dataclasses

import source
from tree import Break, Finding


@dataclasses.dataclass(frozen=True)
class Entry:
    """One thing of a list: where it is, and what is to be equal on both sides, if anything."""

    path: str
    line: int
    value: str = ""


def tables(tree, *head):
    """Tables of all documents whose heading begins with these cells."""
    return [table for path in tree.files("markdown")
            for table in source.tables(path, tree.text(path)) if table.head[:len(head)] == head]


class Listing:
    """A check: the tables with heading `head` name, in `column`, what sources(tree) returns.

    what     one of them, in words: "counter"
    sources  (tree) -> {name: Entry}
    value    (cells of a row) -> what must be the value of the Entry
    """

    def __init__(self, what, head, sources, *, column=0, value=None):
        self.what = what
        self.head = head
        self.column = column
        self.sources = sources
        self.value = value
        self.RULES = {"missing": f"each {what} of the sources is in the documents",
                      "stale": f"each {what} of the documents is in the sources"}
        if value:
            self.RULES["value"] = f"what the documents say of a {what} is what the sources say"

    def documented(self, tree):
        """{name: Entry} of the documents."""
        found = {}
        for table in tables(tree, *self.head):
            for row in table.rows:
                for name in row.spans(self.column):
                    found[name] = Entry(row.path, row.line,
                                        self.value(row.cells) if self.value else "")
        return found

    def check(self, tree, _paths):
        """What is on one side only, or different."""
        documented, there = self.documented(tree), self.sources(tree)
        if not documented:
            yield Finding("missing", "README.md", 1,
                          f"no document has a table | {' | '.join(self.head)} |, expected one")
        if not there:
            yield Finding("stale", "README.md", 1,
                          f"no {self.what} was found in the sources, expected some")
        for name, entry in there.items():
            if name not in documented:
                yield Finding("missing", entry.path, entry.line,
                              f"{self.what} {name} is in no document, expected it in the table "
                              f"| {' | '.join(self.head)} |")
            elif documented[name].value != entry.value:
                yield Finding("value", documented[name].path, documented[name].line,
                              f"{name}: {documented[name].value!r}, expected {entry.value!r} as "
                              f"in {entry.path}:{entry.line}")
        for name, entry in documented.items():
            if name not in there:
                yield Finding("stale", entry.path, entry.line,
                              f"there is no {self.what} {name}, expected one of the sources")

    def breaks(self, tree):
        """A row too few, one too many, and one that says something else."""
        table = tables(tree, *self.head)[0]
        row = table.rows[-1]
        name = row.spans(self.column)[0]
        yield Break("missing", without_line(tree, table.path, row.line),
                    f"{self.what} {name} is in no document")
        new = "| " + " | ".join("broken" if at == self.column else cell
                                for at, cell in enumerate(row.cells)) + " |"
        yield Break("stale", with_line(tree, table.path, row.line, new),
                    "broken, expected one of the sources")
        if self.value:
            new = "| " + " | ".join(cell if at == self.column else "broken"
                                    for at, cell in enumerate(row.cells)) + " |"
            changed = without_line(tree, table.path, row.line)
            yield Break("value", with_line(tree.edited(changed), table.path, row.line, new),
                        f"{name}: ")


def with_line(tree, path, line, text):
    """{path: its text with one line more before this one}."""
    lines = tree.text(path).split("\n")
    return {path: "\n".join([*lines[:line - 1], text, *lines[line - 1:]])}


def without_line(tree, path, line):
    """{path: its text without this line}."""
    lines = tree.text(path).split("\n")
    return {path: "\n".join([*lines[:line - 1], *lines[line:]])}
