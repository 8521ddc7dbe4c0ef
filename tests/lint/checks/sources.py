# SPDX-License-Identifier: GPL-2.0-or-later
"""every C file is compiled, every header included"""

import posixpath
import re

from tree import Break, Finding

RULES = {
    "build": "each .c file is named in a meson.build",
    "header": "each .h file is included by another file",
}


def check(tree, _paths):
    """Each file that nothing names."""
    build = "\n".join(tree.text(path) for path in tree.files("meson"))
    words = set(re.findall(r"[\w./-]+", build)) | {
        f"{name}.c" for name in re.findall(r"'([\w-]+)'", build)}
    names = {posixpath.basename(word) for word in words}
    globs = any("*-test.c" in tree.text(path) for path in tree.files("data", "meson"))
    included = set()
    for path in tree.files("c"):
        included |= {posixpath.basename(name) for name in
                     re.findall(r'#include ["<]([^">]+)[">]', tree.text(path))}
    for path in tree.files("c"):
        name = posixpath.basename(path)
        if path.endswith(".c") and name not in names and not (globs and path.endswith("-test.c")):
            yield Finding("build", path, 1, "not compiled, expected it in a meson.build")
        if path.endswith(".h") and name not in included:
            yield Finding("header", path, 1, "not included, expected an #include of it")


def breaks(_tree):
    """Files that nobody uses."""
    yield Break("build", {"hw/net/mlx5/broken.c": "int x;\n"}, "not compiled")
    yield Break("header", {"hw/net/mlx5/broken.h": "int x;\n"}, "not included")
