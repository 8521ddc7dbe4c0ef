# SPDX-License-Identifier: GPL-2.0-or-later
"""the documents' tables of lab actions have those that a guest can ask for

The names of the arguments are compared too.
"""

import ast
import re

import documents

def _decorated(function):
    """Name given by @action("nic.link"), if any."""
    for decorator in function.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "action" \
                and decorator.args and isinstance(decorator.args[0], ast.Constant):
            return decorator.args[0].value
    return None


def actions(tree):
    """{name: Entry with its arguments}; those of the middlebox are told about in wire.md."""
    found = {}
    for path in tree.files("python", under="scripts/labkit/"):
        if "@action(" not in tree.text(path):
            continue
        for node in ast.walk(ast.parse(tree.text(path))):
            name = isinstance(node, ast.FunctionDef) and _decorated(node)
            if name:
                names = sorted(argument.arg for argument in node.args.args[1:])
                found[name] = documents.Entry(path, node.lineno, "" if name.startswith("wire.")
                                              else " ".join(names))
    return found


def _arguments(text):
    """Names in "(`nic`, `props`: none, blob): what it does"; what is behind a colon is a value."""
    head = re.match(r" ?\(([^)]*)\)", text)
    names = re.findall(r"(?:^|, )(?:`(\w+)`|(blob)\b)", re.sub(r": [^,]*", "", head[1])) \
        if head else []
    return " ".join(sorted(a or b for a, b in names))


CHECK = documents.Listing(
    "action", "the list of actions",
    lambda tree: documents.items(
        tree, r"(lab|nic|records|fault|capture|wire|machine|artifact)\.\w+", value=_arguments),
    actions, spoil=(r"\(`\w+`", "(`broken`"))
RULES, check, breaks = CHECK.rules, CHECK.check, CHECK.breaks
