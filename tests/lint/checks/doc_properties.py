# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' tables of properties and knobs have those of the device

Those that can only be read are named in the text about them instead.
"""

import re

import documents
import source
from tree import Break, Finding

PATTERNS = (        # what is not in a table by itself
    re.compile(r'DEFINE_PROP_\w+\(\s*"([\w-]+)"'),
    re.compile(r'object_class_property_add\w*\(\s*klass,\s*"([\w-]+)"'),
    re.compile(r'^ +\{ "([\w-]+)", (?:KNOB_\w+|"[\w-]+", \w+, \w+,)', re.MULTILINE),
)
FROM_QEMU = {"mac", "netdev", "bootindex"}      # NIC properties, QEMU's names
ONLY_BROKEN = {"break"}         # of the build for the suite break, where it is told
HEADS = (("property",), ("knob",))


def properties(tree):
    """{name: Entry} of the sources."""
    found = {}
    for path in tree.files("c", under="hw/net/mlx5/"):
        text = source.without_comments(tree.text(path))
        for pattern in PATTERNS:
            for row in pattern.finditer(text):
                found[row[1]] = documents.Entry(path, text.count("\n", 0, row.start()) + 1)
    return {name: entry for name, entry in found.items() if name not in ONLY_BROKEN}


RULES = {
    "missing": "each property of the device is in a table or in the text of the documents",
    "stale": "each property in the tables is one of the device",
}


def _rows(tree):
    return [(row, name) for head in HEADS for table in documents.tables(tree, *head)
            for row in table.rows for name in row.spans(0) if name]


def check(tree, _paths):
    """What is on one side only."""
    there = properties(tree)
    prose = "\n".join(tree.text(path) for path in tree.files("markdown", under="docs/"))
    for name, entry in there.items():
        if f"`{name}`" not in prose:
            yield Finding("missing", entry.path, entry.line, f"property {name} is in no document, "
                          "expected a row of the table of properties or of knobs")
    for row, name in _rows(tree):
        if name not in there and name not in FROM_QEMU:
            yield Finding("stale", row.path, row.line,
                          f"there is no property {name}, expected one of the device")


def breaks(tree):
    """A property that is not documented, a row without a property."""
    path = "hw/net/mlx5/pci.c"
    yield Break("missing", {path: tree.text(path) + '\nDEFINE_PROP_BOOL("broken", X)\n'},
                "property broken is in no document")
    table = documents.tables(tree, *HEADS[0])[0]
    yield Break("stale", documents.with_line(tree, table.path, table.rows[0].line,
                                             "| `broken` | off | |"),
                "there is no property broken")
