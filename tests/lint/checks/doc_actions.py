# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' tables of lab actions have those that a guest can ask for

The names of the arguments are compared too.
"""

import ast
import re

import documents

GROUPS = ("lab", "nic", "records", "fault", "capture", "wire", "machine", "artifact")


def _decorated(function):
    """Name given by @action("nic.link"), if any."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "action" \
                and decorator.args and isinstance(decorator.args[0], ast.Constant):
            return decorator.args[0].value
    return None


def actions(tree):
    """{name: Entry with its arguments}."""
    found = {}
    for path in tree.files("python", under="scripts/labkit/"):
        text = tree.text(path)
        if not re.search(r"@action\(|class Actions\b", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef):
                continue
            name = _decorated(node)
            group, _, rest = node.name.partition("_")
            if not name and "@action(" not in text and group in GROUPS and rest:
                name = f"{group}.{rest}"
            if name:
                names = [argument.arg for argument in node.args.args[1:]]
                found[name] = documents.Entry(path, node.lineno, " ".join(sorted(names)))
    return found


class _Actions(documents.Listing):
    """Two tables; one of them leaves arguments to the text beside it."""

    def documented(self, tree):
        found = {}
        for head in (("action", "arguments"), ("command, action", "arguments")):
            for table in documents.tables(tree, *head):
                for row in table.rows:
                    for name in row.spans(0):
                        found[name if "." in name else f"wire.{name}"] = documents.Entry(
                            row.path, row.line, _arguments(row.cells[1]))
        return found


def _arguments(cell):
    """Names in "`nic`, `props` (none), blob"; what is behind a colon are values."""
    names = re.findall(r"(?:^|, )(?:`(\w+)`|(blob)\b)", re.sub(r": [^,]*| or [^,]*", "", cell))
    return " ".join(sorted(a or b for a, b in names))


CHECK = _Actions("action", ("action", "arguments"), actions, value=lambda cells: "")
RULES, check, breaks = CHECK.RULES, CHECK.check, CHECK.breaks
