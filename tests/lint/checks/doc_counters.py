# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of counters has the counters of the device, in its words"""

import re

import documents
import source

FILES = ("hw/net/mlx5/counters.h", "hw/net/mlx5/engine/tls_engine.h")
# X(field, "name", "what it counts"); a row whose name is NULL is not shown
ROW = re.compile(r'X\([^,()"]+, "([a-z]\w+)",\s*(?:\\\s*)?"([^"]*)"\)')


def counters(tree):
    """{name: Entry}: the rows of the lists MLX5_…_COUNTERS(X)."""
    found = {}
    for file in FILES:
        text = source.without_comments(tree.text(file))
        found |= {row[1]: documents.Entry(file, text.count("\n", 0, row.start()) + 1, row[2])
                  for row in ROW.finditer(text)}
    return found


CHECK = documents.Listing(
    "counter", "the table of counters",
    lambda tree: documents.rows(tree, "counter", "counts", value=lambda cells: cells[1]),
    counters, spoil=(r" \|$", " broken |"))
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
