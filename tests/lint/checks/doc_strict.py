# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of strict mode has the reasons of the checker"""

import re

import documents
import source

FILE = "hw/net/mlx5/engine/tls_strict.h"


def reasons(tree):
    """{name: Entry}."""
    text = source.without_comments(tree.text(FILE))
    return {row[1]: documents.Entry(FILE, text.count("\n", 0, row.start()) + 1)
            for row in re.finditer(r"^ +[RX]\([A-Z_]+, ([a-z_]+),", text, re.MULTILINE)}


CHECK = documents.Listing(
    "reason", "the list of what strict=on checks",
    lambda tree: documents.items(tree, "[a-z]+_[a-z_]+", section="strict"), reasons)
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
