# SPDX-License-Identifier: GPL-2.0-or-later
"""documents point at what is there, and each can be reached from the README

Addresses of other machines are not looked at.
"""

import posixpath
import re

import source
from tree import Break, Finding

RULES = {
    "target": "a link leads to a file or folder of the tree",
    "anchor": "a link with # leads to a heading",
    "reach": "each document can be reached from README.md by links",
    "path": "a path that a document or a comment names is there",
}
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
PATH = re.compile(r"(?<![\w/.}<-])((?:docs|guest-tests|scripts|tests|hw/net/mlx5|include/hw)/"
                  r"[\w./*{}<>…-]+|\.ci/run|(?:README|CONTRIBUTING)\.md)")
# not of this tree, or only in an example
ELSEWHERE = re.compile(r"tests/qtest/mlx5-ktls|docs/specs/.*|guest-tests/tests/test_group.py"
                       r"|tests/fuzz/fuzz-parse(-libfuzzer)?|.*[*{}<>…].*|(.*/)?[A-Z]+(\.\w+|/.*)?")


def slugs(text):
    """Anchors of a document's headings, as GitHub makes them."""
    found = {}
    for _, line in source.prose(text):
        match = re.match(r"#{1,6} (.*)", line)
        if match:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).strip().lower()
            slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            if count:
                found[f"{slug}-{count}"] = 1
        for name in re.findall(r"<a (?:id|name)=\"([^\"]+)\"", line):
            found[name] = 1
    return set(found)


def links(tree, path):
    """[(line, target as written, path, anchor)] of a document."""
    for number, line in source.prose(tree.text(path)):
        for target in LINK.findall(re.sub(r"`[^`]*`", "``", line)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            full = posixpath.normpath(posixpath.join(posixpath.dirname(path), name)) \
                if name else path
            yield number, target, full, anchor


def check(tree, paths):
    """Each link and path that leads nowhere, each document that none leads to."""
    pages = tree.files("markdown")
    for path in pages:
        yield from _links(tree, path)
    for path in paths:
        if tree.kind(path) != "other":
            yield from _paths(tree, path)
    seen, todo = set(), ["README.md"]
    while todo:
        page = todo.pop()
        if page in seen:
            continue
        seen.add(page)
        todo += [name if name.endswith(".md") else f"{name}/README.md"
                 for _, _, name, _ in links(tree, page)
                 if name.endswith(".md") or f"{name}/README.md" in pages]
    for page in pages:
        if page not in seen:
            yield Finding("reach", page, 1, "no link leads here, expected a way from README.md")


def _links(tree, path):
    for number, target, name, anchor in links(tree, path):
        if not tree.exists(name):
            yield Finding("target", path, number, f"({target}): there is no {name}, expected a "
                          "file or folder")
        elif anchor and name.endswith(".md"):
            known = slugs(tree.text(name))
            if anchor not in known:
                yield Finding("anchor", path, number, f"({target}): no such heading in {name}, "
                              f"expected one of: {', '.join(sorted(known))}")


def _paths(tree, path):
    """Paths in documents and comments; those in code are somebody else's to try."""
    text = tree.text(path)
    if tree.kind(path) == "c":
        lines = [(number + more, line) for number, comment in source.comments(text)
                 for more, line in enumerate(comment.split("\n"))]
    elif tree.kind(path) == "markdown":
        lines = [(number, re.sub(r"\]\([^)]*\)", "]", line)) for number, line in tree.lines(path)]
    else:
        lines = [(number, line[line.index("#"):]) for number, line in tree.lines(path)
                 if re.match(r"\s*#|.*  # ", line)]
    for number, line in lines:
        for name in PATH.findall(line):
            name = name.rstrip(".-")
            if not ELSEWHERE.fullmatch(name) and not tree.exists(name):
                yield Finding("path", path, number, f"there is no {name}, expected a path of the "
                              "tree")


def breaks(tree):
    """Links and paths that lead nowhere, and a document without a link to it."""
    readme = tree.text("README.md")
    yield Break("target", {"README.md": f"{readme}\n[x](docs/nothing.md)\n"},
                "(docs/nothing.md): there is no docs/nothing.md")
    yield Break("target", {"docs/lab.md": None}, "there is no docs/lab.md")
    yield Break("anchor", {"README.md": f"{readme}\n[x](docs/lab.md#nothing)\n"},
                "(docs/lab.md#nothing): no such heading")
    yield Break("reach", {"docs/broken.md": "# Title\n"}, "docs/broken.md:1: no link leads here")
    yield Break("path", {"docs/broken.md": "See `hw/net/mlx5/nothing.c`.\n"},
                "docs/broken.md:1: there is no hw/net/mlx5/nothing.c")
    yield Break("path", {"hw/net/mlx5/broken.c": "/*\n * docs/nothing.md\n */\n"},
                ":2: there is no docs/nothing.md")
