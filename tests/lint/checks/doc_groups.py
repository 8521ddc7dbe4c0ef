# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' table of guest tests has their groups

Tests by number (T-01 of TLS, F-02 of faults) have documents of their own and are one row here.
"""

import re

import documents
import programs


NUMBERED = re.compile(r"[A-Z]-\d+")


def groups(tree):
    """{group: Entry}."""
    found = {name.split("/")[0] for name in programs.guest_tests(tree)}
    return {name: documents.Entry("guest-tests/run.py", 1)
            for name in found if not NUMBERED.match(name)}


CHECK = documents.Listing(
    "group", "the table of groups",
    lambda tree: {name: entry for name, entry in documents.rows(tree, "group").items()
                  if not NUMBERED.match(name)}, groups)
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
