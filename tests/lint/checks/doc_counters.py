# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of counters has the counters of the device"""

import re

import documents
import source

LIST = re.compile(r"#define MLX5_\w*COUNTERS?\w*\(\w+\)(?:.*\\\n)+.*")
FILE = "hw/net/mlx5/introspect.c"


def counters(tree):
    """{name: Entry}: the names in the lists MLX5_…_COUNTERS(X), and those in get_counters()."""
    found = {}
    for path in tree.files("c", under="hw/net/mlx5/"):
        text = source.without_comments(tree.text(path))
        for table in LIST.finditer(text):
            for row in re.finditer(r'\(\w[^()"]*"([a-z]\w+)"', table[0]):
                found[row[1]] = documents.Entry(
                    path, text.count("\n", 0, table.start() + row.start()) + 1)
    text = tree.text(FILE)
    for row in re.finditer(r'^ +\{ "([a-z]\w+)", \w->', text, re.MULTILINE):
        found[row[1]] = documents.Entry(FILE, text.count("\n", 0, row.start()) + 1)
    return found


CHECK = documents.Listing("counter", ("counter", "counts"), counters)
RULES, check, breaks = CHECK.RULES, CHECK.check, CHECK.breaks
