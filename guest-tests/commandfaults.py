#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what the tests cmd-fault/… have seen into the table that they assert, and into the page
that shows it.

    commandfaults.py RESULT.json…       result files of runs (docs/parity/format.md) of one kernel
    commandfaults.py                    only the page

Responsible for: the form of command-faults.toml, and of the tables in docs/command-faults.md. What
a run did not try stays as it is. Look at the difference before you commit it.
State: none.
Callers: people; tests/lint/checks/doc_command_faults.py for markdown().
"""

import json
import pathlib
import re
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE / "command-faults.toml"
PAGE = HERE.parent / "docs" / "command-faults.md"
MODES = ("once", "always", "late")
TEST = re.compile(r"cmd-fault/([A-Z0-9_]+)$")
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What comes of a driver of which one command is refused once, refused always, or answered late:
# [kernel series] command = {mode: outcome}. The guest tests cmd-fault/... assert it;
# commandfaults.py writes it from their results. docs/command-faults.md explains the outcomes.
"""


def render(content):
    """The text of command-faults.toml."""
    lines = [HEAD.rstrip()]
    for series, rows in content.items():
        lines += ["", f'["{series}"]']
        for command, modes in rows.items():
            cells = ", ".join(f"{mode} = {json.dumps(modes[mode])}" for mode in MODES
                              if mode in modes)
            line = f"{command} = {{ {cells} }}" if cells else f"{command} = {{}}"
            if len(line) <= 100:
                lines.append(line)
            else:       # an inline table is one line: the long form of the same
                lines += [f"{command}.{mode} = {json.dumps(modes[mode])}" for mode in MODES
                          if mode in modes]
    return "\n".join(lines) + "\n"


def markdown(rows):
    """The lines of the page's table for {command: {mode: outcome}} of a kernel."""
    return ["| command | " + " | ".join(MODES) + " |", "|---|---|---|---|",
            *(f"| {command} | " + " | ".join(modes.get(mode, "") for mode in MODES) + " |"
              for command, modes in rows.items())]


def seen(results):
    """(kernel series, {(command, mode): outcome}) of result files."""
    found, kernels = {}, set()
    for path in results:
        result = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        kernels.add(".".join(result["environment"]["kernel"]["local"].split(".")[:2]))
        for test in result["tests"]:
            match = TEST.match(test["name"])
            for mode in MODES if match else ():
                outcome = test.get("observed", {}).get(f"outcome, {mode}")
                if outcome:
                    found[match[1], mode] = outcome[-1]
    if len(kernels) != 1:
        raise SystemExit(f"commandfaults.py: expected results of one kernel, got "
                         f"{', '.join(sorted(kernels)) or 'none'}")
    return kernels.pop(), found


def main(results):
    """Bring table and page up to date."""
    content = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    if results:
        series, found = seen(results)
        rows = content.setdefault(series, {})
        for (command, mode), outcome in found.items():
            rows.setdefault(command, {})[mode] = outcome
        TABLE.write_text(render(content), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    for series, rows in content.items():
        table = "\n".join(markdown(rows))
        text, count = re.subn(rf"(## Linux {re.escape(series)}\n(?:(?!\|).*\n)*)(?:\|.*\n)*",
                              lambda match, new=table: f"{match[1]}{new}\n", text)
        if not count:
            raise SystemExit(f"{PAGE}: expected a section \"## Linux {series}\"")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
