# SPDX-License-Identifier: GPL-2.0-or-later
"""What a check wants to know about a text: C without comments and strings, functions, tables.

Responsible for: reading C and Markdown as far as checks need it. The C is that of this tree, with
functions that begin and end in column 1; this is no parser.
State: none. Callers: the checks.
"""

import dataclasses
import functools
import re

_TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]* )
  | (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' )
""", re.VERBOSE | re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


@functools.lru_cache(maxsize=None)
def code(text):
    """C with comments and the insides of strings replaced by blanks; lines and columns stay."""
    def blank(match):
        if match["comment"]:
            return _blank(match[0])
        return match[0][0] + _blank(match[0][1:-1]) + match[0][0]
    return _TOKEN.sub(blank, text)


@functools.lru_cache(maxsize=None)
def without_comments(text):
    """C with comments replaced by blanks, strings kept."""
    return _TOKEN.sub(lambda match: _blank(match[0]) if match["comment"] else match[0], text)


def comments(text):
    """[(line, comment)] of C."""
    return [(text.count("\n", 0, match.start()) + 1, match[0])
            for match in _TOKEN.finditer(text) if match["comment"]]


@dataclasses.dataclass(frozen=True)
class Function:
    """A function of C: its name, and the lines of its braces."""

    name: str
    first: int
    last: int


def functions(text):
    """All functions of a C file."""
    found, start, head = [], None, ""
    for number, line in enumerate(code(text).split("\n"), 1):
        if line.startswith("{") and head.rstrip().endswith(")"):
            start = number
        elif line.startswith("}") and start:
            name = re.search(r"(\w+)\s*\(", head)
            found.append(Function(name[1] if name else "?", start, number))
            start, head = None, ""
        elif start is None:
            if re.match(r"[A-Za-z_]", line):
                head = line
            elif line.startswith(" ") and head and not re.search(r"[;}]\s*$", head):
                head += line
            elif line.strip():
                head = ""
    return found


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of a Markdown table: where it is, and its cells."""

    path: str
    line: int
    cells: tuple

    def spans(self, column=0):
        """Words in backquotes of a cell, or the cell itself if there are none."""
        found = re.findall(r"`([^`]+)`", self.cells[column])
        return found or [self.cells[column]]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of a Markdown file, by its heading."""

    path: str
    line: int
    head: tuple
    rows: tuple


def cells(line):
    """Cells of a line of a table."""
    return tuple(cell.strip().replace("\\|", "|")
                 for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1])


def tables(path, text):
    """All tables of a Markdown file."""
    found, head, first, rows = [], (), 0, []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if not line.startswith("|"):
            if head:
                found.append(Table(path, first, head, tuple(rows)))
            head, rows = (), []
        elif not head:
            head, first = cells(line), number
        elif not re.fullmatch(r"[|\-: ]+", line):
            rows.append(Row(path, number, cells(line)))
    return found


def prose(text):
    """[(number, line)] of a Markdown file without its code blocks, indented and fenced ones."""
    fenced = item = block = False
    empty = True
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        if re.match(r" {0,3}([-*]|\d+\.) ", line):
            item = True
        elif line and not line.startswith(" "):
            item = False
        # four blanks behind an empty line are code, unless they go on with an item of a list
        if line.strip():
            block = line.startswith("    ") and not item and (empty or block)
        empty = not line.strip()
        if not fenced and not block:
            yield number, line
