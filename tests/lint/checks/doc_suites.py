# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of suites has those of `lab test`"""

import re

import documents
import programs


def suites(tree):
    """{name: Entry}, as `lab test --help` lists them."""
    text = programs.lab_help(tree)["test"]
    listed = re.search(r"^suites:\n((?:  \S.*\n)+)", text, re.MULTILINE)
    return {line.split()[0]: documents.Entry("scripts/lab", 1)
            for line in (listed[1] if listed else "").splitlines()}


CHECK = documents.Listing("suite", "the table of suites",
                          lambda tree: documents.rows(tree, "suite", "what"), suites)
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
