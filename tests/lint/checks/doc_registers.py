# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of registers has the register table of the device"""

import re

import documents

FILE = "hw/net/mlx5/cmd_reg.c"
ROW = re.compile(r'^ +\{ (0x[0-9a-f]{4}), [^"]*"(\w+)"', re.MULTILINE)


def registers(tree):
    """{name: Entry}."""
    text = tree.text(FILE)
    return {row[2]: documents.Entry(FILE, text.count("\n", 0, row.start()) + 1)
            for row in ROW.finditer(text)}


def documented(tree):
    """A row of the documents may name two: | 0x9060, 0x9061 | MCQS, MCQI |."""
    return {name: entry for names, entry in documents.rows(tree, "", "register", column=1).items()
            for name in names.split(", ")}


CHECK = documents.Listing("register", "the table of registers", documented, registers)
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
