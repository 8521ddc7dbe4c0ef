# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of send WQEs has the opcodes of the device"""

import re

import documents
import source

ROW = re.compile(r"\bMLX5_WQE_([A-Z_]+) = (0x[0-9a-f]{2}),|X\((0x[0-9a-f]{2}), ([A-Z_]+), ")


def opcodes(tree):
    """{name: Entry with its number}."""
    found = {}
    for path in tree.files("c", under="hw/net/mlx5/"):
        text = source.without_comments(tree.text(path))
        if path.endswith(".h") and re.search(r"MLX5_WQE_NOP = |define MLX5_WQES\(", text):
            for row in ROW.finditer(text):
                found[row[1] or row[4]] = documents.Entry(
                    path, text.count("\n", 0, row.start()) + 1, row[2] or row[3])
    return found


CHECK = documents.Listing(
    "WQE", "the table of WQEs",
    lambda tree: documents.rows(tree, "opcode", "", "", column=1, value=lambda cells: cells[0]),
    opcodes, spoil=("0x[0-9a-f]+", "0xff"))
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
