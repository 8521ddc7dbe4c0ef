# SPDX-License-Identifier: GPL-2.0-or-later
"""trace events are emitted, and the documents' patterns cover them all"""

import fnmatch
import re

import documents
import source
from tree import Break, Finding

FILE = "hw/net/mlx5/trace-events"
ERRORS = "hw/net/mlx5/err.h"
STEM = "mlx5_err_"
RULES = {
    "unused": "each event of trace-events is emitted somewhere",
    "unknown": "each event that is emitted is in trace-events",
    "form": "an event's name begins with mlx5_, its first argument is the device's id",
    "missing": "each event is covered by a pattern of the documents",
    "stale": "each pattern in a document covers an event",
    "format": "err.h and trace-events have the same format for what is wrong",
    "error": "the documents' table of errors has what err.h has",
}
HEAD = ("pattern", "shows")
ERROR_HEAD = (f"`{STEM}…`", "shows")


def events(tree):
    """{name: (line, arguments)}."""
    return {match[1]: (number, match[2]) for number, line in tree.lines(FILE)
            if (match := re.match(r"(\w+)\((.*?)\) \"", line))}


def joined(text):
    """A format out of the pieces that it is written in, strings and PRI macros."""
    return " ".join("".join(re.findall(r'"[^"]*"|PRI\w+', text)).replace('""', "").split())


def errors(tree):
    """{name of the event: (line, format)}: the rows of err.h."""
    text, found = tree.text(ERRORS), {}
    rows = list(re.finditer(r"^    E\((\w+), ", text, re.MULTILINE))
    for row, after in zip(rows, [*rows[1:], re.search(r"\n\n", text[rows[-1].end():])]):
        end = after.start() if after in rows else rows[-1].end() + after.start()
        string = re.search(r',[\s\\]*((?:"[^"]*"|PRI\w+|[\s\\]+)+)\)[\s\\]*$', text[row.end():end])
        found[STEM + row[1]] = (text.count("\n", 0, row.start()) + 1, joined(string[1]))
    return found


def check_errors(tree):
    """What err.h, trace-events and the documents say differently."""
    formats = {match[1]: joined(match[2]).replace('"%s: ', '"', 1)
               for _, line in tree.lines(FILE)
               if (match := re.match(rf"({STEM}\w+)\(.*?\) (\".*)$", line))}
    known = errors(tree)
    for name, (line, text) in known.items():
        if formats.get(name) != text:
            yield Finding("format", ERRORS, line, f"{name}: {text}, expected {formats.get(name)} "
                          f"as in {FILE}")
    documented = {STEM + name: row for table in documents.tables(tree, *ERROR_HEAD)
                  for row in table.rows for name in row.spans(0)}
    for name in known.keys() - documented.keys():
        yield Finding("error", ERRORS, known[name][0], f"{name} is in no document, expected it in "
                      f"the table | {' | '.join(ERROR_HEAD)} |")
    for name in documented.keys() - known.keys():
        yield Finding("error", documented[name].path, documented[name].line,
                      f"{name} is not in err.h, expected a row of it")


def patterns(tree):
    """[(path, line, pattern)]: the table, and command lines that name an event."""
    for table in documents.tables(tree, *HEAD):
        for row in table.rows:
            for name in row.spans(0):
                yield row.path, row.line, name, True
    for path in tree.files("markdown"):
        for number, line in tree.lines(path):
            for name in re.findall(r"(?:-trace |trace-event |-trace ')'?(mlx5_[\w*]+)", line):
                yield path, number, name, False


def check(tree, _paths):
    """What is on one side only."""
    known = events(tree)
    emitted = {name: (ERRORS, line) for name, (line, _) in errors(tree).items()}
    for path in tree.files("c", under="hw/net/mlx5/"):
        code = source.code(tree.text(path))
        for match in re.finditer(r"\btrace_(mlx5_\w+)\(", code):
            emitted.setdefault(match[1], (path, code.count("\n", 0, match.start()) + 1))
    for name, (path, line) in emitted.items():
        if name not in known:
            yield Finding("unknown", path, line, f"trace_{name}(): no such event, expected a "
                          f"line of {FILE}")
    listed = list(patterns(tree))
    for name, (line, arguments) in known.items():
        if name not in emitted:
            yield Finding("unused", FILE, line, f"{name} is not emitted, expected a call")
        if not name.startswith("mlx5_") or not arguments.startswith("const char *id"):
            yield Finding("form", FILE, line, f"{name}({arguments}), expected mlx5_…(const char "
                          "*id, …)")
        if not any(fnmatch.fnmatch(name, pattern) for _, _, pattern, table in listed if table):
            yield Finding("missing", FILE, line, f"{name} is in no document, expected a pattern "
                          f"of the table | {' | '.join(HEAD)} |")
    for path, line, pattern, _ in listed:
        if not any(fnmatch.fnmatch(name, pattern) for name in known):
            yield Finding("stale", path, line, f"no trace event is like {pattern}, expected some")
    yield from check_errors(tree)


def breaks(tree):
    """Events on one side only."""
    text = tree.text(FILE)
    yield Break("unused", {FILE: f'{text}mlx5_tx_broken(const char *id) "%s"\n'},
                "mlx5_tx_broken is not emitted")
    yield Break("form", {FILE: f'{text}mlx5_tx_broken(int x) "%d"\n'}, "mlx5_tx_broken(int x)")
    yield Break("missing", {FILE: f'{text}mlx5broken(const char *id) "%s"\n'},
                "mlx5broken is in no document")
    yield Break("unknown", {"hw/net/mlx5/broken.c": 'trace_mlx5_broken(id);\n'},
                ":1: trace_mlx5_broken(): no such event")
    yield Break("stale", {"docs/broken.md": "    lab run --qemu-arg '-trace mlx5_broken*'\n"},
                "docs/broken.md:1: no trace event is like mlx5_broken*")
    yield Break("format", {FILE: text.replace("size %u is not", "size %u isn't")},
                "mlx5_err_bar0_read: ")
    yield Break("error", {"docs/broken.md": f"| {ERROR_HEAD[0]} | shows |\n|---|---|\n"
                                            "| `broken` | x |\n"},
                "mlx5_err_broken is not in err.h")
