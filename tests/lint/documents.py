# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables and lists of the documents held against what they are about.

Responsible for: finding them, wherever they are, and comparing them with a list that is read from
the sources: nothing missing, nothing too much, values equal.
State: none. Callers: the checks named doc_*.
"""

import dataclasses
import re

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


def rows(tree, *head, column=0, value=None):
    """{name: Entry}: names in a column of these tables; value(cells) is what is to be equal."""
    return {name: Entry(row.path, row.line, value(row.cells) if value else "")
            for table in tables(tree, *head) for row in table.rows for name in row.spans(column)}


def items(tree, names, section="", value=None):
    """{name: Entry} of lists of all documents: "* `name`, `name` …", as far as they fit `names`.

    section  a part of the heading above, in small letters
    value    (text behind the names) -> what is to be equal
    """
    found = {}
    for path in tree.files("markdown"):
        inside, lines = not section, tree.text(path).split("\n")
        for number, line in enumerate(lines, 1):
            if line.startswith("#"):
                inside = section in line.lower()
            match = re.match(r"\* ((?:`[^`]+`(?:, )?)+)(.*)", line)
            if not match or not inside:
                continue
            rest = [match[2]]
            for more in lines[number:]:
                if not more.startswith("  "):
                    break
                rest.append(more.strip())
            for name in re.findall(r"`([^`]+)`", match[1]):
                if re.fullmatch(names, name):
                    found[name] = Entry(path, number, value(" ".join(rest)) if value else "")
    return found


class Listing:
    """A check: what the documents list is what the sources list.

    what        one of them, in words: "counter"
    where       the place in the documents, in words: "the table of counters"
    documented  (tree) -> {name: Entry}
    sources     likewise
    spoil       (pattern, replacement) for a line of the documents that makes its value wrong
    """

    def __init__(self, what, where, documented, sources, spoil=None):
        self.what = what
        self.where = where
        self.documented = documented
        self.sources = sources
        self.spoil = spoil
        self.rules = {"missing": f"each {what} of the sources is in the documents",
                      "stale": f"each {what} of the documents is in the sources"}
        if spoil:
            self.rules["value"] = f"what the documents say of a {what} is what the sources say"

    def check(self, tree, _paths):
        """What is on one side only, or different."""
        documented, there = self.documented(tree), self.sources(tree)
        if not documented:
            yield Finding("missing", "README.md", 1, f"no document has {self.where}, expected it")
            return
        if not there:
            yield Finding("stale", "README.md", 1,
                          f"no {self.what} was found in the sources, expected some")
        for name, entry in there.items():
            if name not in documented:
                yield Finding("missing", entry.path, entry.line, f"{self.what} {name} is in no "
                              f"document, expected it in {self.where}")
            elif self.spoil and documented[name].value != entry.value:
                yield Finding("value", documented[name].path, documented[name].line,
                              f"{name}: {documented[name].value!r}, expected {entry.value!r} as "
                              f"in {entry.path}:{entry.line}")
        for name, entry in documented.items():
            if name not in there:
                yield Finding("stale", entry.path, entry.line,
                              f"there is no {self.what} {name}, expected one of the sources")

    def breaks(self, tree):
        """A name that the sources do not have in place of one that they have, a wrong value."""
        documented = self.documented(tree)
        for name, entry in list(documented.items())[-1:]:
            changed = _replaced(tree, entry, rf"(?<![\w.]){re.escape(name)}\b", f"{name}_broken")
            yield Break("missing", changed, f"{self.what} {name} is in no document")
            yield Break("stale", changed, f"there is no {self.what} {name}_broken")
        for name, entry in [pair for pair in documented.items() if pair[1].value][-1:]:
            if self.spoil:
                yield Break("value", _replaced(tree, entry, *self.spoil), f"{name}: ")


def _replaced(tree, entry, pattern, replacement):
    """{path: its text with something else in the line of an entry}."""
    lines = tree.text(entry.path).split("\n")
    lines[entry.line - 1] = re.sub(pattern, replacement, lines[entry.line - 1], count=1)
    return {entry.path: "\n".join(lines)}


def with_line(tree, path, line, text):
    """{path: its text with one line more before this one}."""
    lines = tree.text(path).split("\n")
    return {path: "\n".join([*lines[:line - 1], text, *lines[line - 1:]])}
