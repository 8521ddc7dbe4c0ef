# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of counters has the counters of the device, in its words"""

import re

import documents
import source

FILE = "hw/net/mlx5/counters.h"
# X(field, "name", "what it counts"); a row whose name is NULL is not shown
ROW = re.compile(r'X\([^,()"]+, "([a-z]\w+)",\s*(?:\\\s*)?"([^"]*)"\)')


def counters(tree):
    """{name: Entry}: the rows of the lists MLX5_…_COUNTERS(X)."""
    text = source.without_comments(tree.text(FILE))
    return {row[1]: documents.Entry(FILE, text.count("\n", 0, row.start()) + 1, row[2])
            for row in ROW.finditer(text)}


CHECK = documents.Listing(
    "counter", "the table of counters",
    lambda tree: documents.rows(tree, "counter", "counts", value=lambda cells: cells[1]),
    counters, spoil=(r" \|$", " broken |"))
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
