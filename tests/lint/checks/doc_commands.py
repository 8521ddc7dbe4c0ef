# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of commands has the command table of the device

Opcode and the state that the command needs are compared too.
"""

import re

import documents
import source

FILE = "hw/net/mlx5/cmd.h"
STATES = {"OFF": "", "ENABLED": "enabled", "INITIALIZED": "init"}
ROW = re.compile(r"X\((0x[0-9a-f]+), (\w+),[^()]*?(\w+)\s*\)")


def commands(tree):
    """{name: Entry with opcode and state}."""
    text = source.without_comments(tree.text(FILE)).replace("\\\n", " \n")
    return {row[2]: documents.Entry(FILE, text.count("\n", 0, row.start()) + 1,
                                    f"{row[1]} {STATES.get(row[3], row[3])}".strip())
            for row in ROW.finditer(text)}


CHECK = documents.Listing(
    "command", "the table of commands",
    lambda tree: documents.rows(tree, "opcode", "command", "needs", column=1,
                                value=lambda cells: f"{cells[0]} {cells[2]}".strip()),
    commands, spoil=("0x[0-9a-f]+", "0xfff"))
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
