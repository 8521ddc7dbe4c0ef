# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/command-faults.md has the tables of guest-tests/command-faults.toml

The guest tests cmd-fault/... assert the latter: what the page says was seen. Both are written by
guest-tests/commandfaults.py.
"""

import importlib.util
import tomllib

from tree import REPO, Break, Finding

RULES = {"row": "each row of the page is that of the table, and none is missing"}
TABLE, PAGE = "guest-tests/command-faults.toml", "docs/command-faults.md"


def _program():
    place = REPO / "guest-tests" / "commandfaults.py"
    spec = importlib.util.spec_from_file_location("commandfaults", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(tree, _paths):
    """Rows that are on one side only."""
    content, program = tomllib.loads(tree.text(TABLE)), _program()
    told = {}           # {series: {line of the page: its number}}
    rows = {}
    for number, line in tree.lines(PAGE):
        if line.startswith("## "):
            rows = told.setdefault(line.removeprefix("## Linux "), {})
        elif line.startswith("|"):
            rows[line] = number
    for series, commands in content.items():
        wanted = program.markdown(commands)
        found = told.get(series, {})
        for line in wanted:
            if line not in found:
                yield Finding("row", PAGE, 1, f"{line!r} of Linux {series} is not there, expected "
                              "the rows that commandfaults.py writes")
        for line, number in found.items():
            if line not in wanted:
                yield Finding("row", PAGE, number, f"{line!r} is not what {TABLE} has, expected "
                              "the rows that commandfaults.py writes")


def breaks(tree):
    """An outcome that is another one in the page, or in the table."""
    for path in (TABLE, PAGE):
        text = tree.text(path)
        at = text.rindex("works")
        yield Break("row", {path: text[:at] + "is broken" + text[at + len("works"):]},
                    "expected the rows that commandfaults.py writes")
