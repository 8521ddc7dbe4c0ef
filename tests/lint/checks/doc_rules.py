# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents tell of each action, key and word of the rule languages, and of no other action

Rules for faults in the device are in docs/faults.md, those of the wire in docs/wire.md.
"""

import re

import documents
import source
from tree import Break, Finding

RULES = {
    "missing": "each word of a table of rules is in the document of its language",
    "stale": "each action of a document is in the tables",
}
LANGUAGES = {           # document: beginning of the paths of its tables, heading of its actions
    "docs/faults.md": ("hw/net/mlx5/engine/fault",
                       ("action", "what it does", "subjects")),
    "docs/wire.md": ("tests/wire/rule", ("action", "what it does", "its keys, with defaults")),
}
WORD = re.compile(r'\{ "([A-Za-z][\w>-]*)=?[A-Z]*"')


def words(tree, start):
    """{word: (path, line)} of the tables in some sources."""
    found = {}
    for path in tree.files("c", under=start):
        text = source.without_comments(tree.text(path))
        found |= {match[1]: (path, text.count("\n", 0, match.start()) + 1)
                  for match in WORD.finditer(text)}
    return found


def check(tree, _paths):
    """What is on one side only."""
    for page, (start, head) in LANGUAGES.items():
        known, told = words(tree, start), set()
        for code in re.findall(r"`([^`]+)`|^ {4}(.*)", tree.text(page), re.MULTILINE):
            told |= set(re.findall(r"[\w>-]+", " ".join(code)))
        if not known:
            yield Finding("missing", page, 1, "no words of rules were found, expected some")
        for word, (path, line) in known.items():
            if word not in told:
                yield Finding("missing", path, line, f"{word} is not in {page}, expected it there")
        for table in documents.tables(tree, *head):
            for row in table.rows if table.path == page else ():
                for name in row.spans(0):
                    if name not in known:
                        yield Finding("stale", page, row.line,
                                      f"there is no action {name}, expected one of {start}*.c")


def breaks(tree):
    """A word that is not told about, an action that is none."""
    for page, (start, head) in LANGUAGES.items():
        path = tree.files("c", under=start)[0]
        yield Break("missing", {path: tree.text(path) + 'X x = { "brokenword", "text" };\n'},
                    f"brokenword is not in {page}")
        table = [table for table in documents.tables(tree, *head) if table.path == page][0]
        yield Break("stale", documents.with_line(tree, page, table.rows[0].line,
                                                 "| `brokenaction` | | | |"),
                    "there is no action brokenaction")
