# SPDX-License-Identifier: GPL-2.0-or-later
"""every header has an include guard, named by its path

hw/net/mlx5/engine/csum.h has HW_NET_MLX5_ENGINE_CSUM_H; those below include/ are named as they are
included.
"""

import re

from tree import Break, Finding

RULES = {
    "guard": "the first and last directives are #ifndef, #define and #endif of the guard",
    "name": "the guard is named by the path",
}
NONE = ("hw/net/mlx5/trace.h",)     # includes a generated header, nothing else


def name_of(path):
    """The guard that a header should have."""
    return re.sub(r"\W", "_", path.removeprefix("include/")).upper()


def check(tree, paths):
    """Each header whose guard is missing or has another name."""
    for path in paths:
        if not path.endswith(".h") or path in NONE:
            continue
        want = name_of(path)
        directives = [(number, line.strip()) for number, line in tree.lines(path)
                      if line.startswith("#")]
        first = [line for _, line in directives[:2]]
        found = re.fullmatch(r"#ifndef (\w+)", first[0]) if first else None
        if not found or first[1:] != [f"#define {found[1]}"] or not re.match(
                r"#endif\b", directives[-1][1]):
            yield Finding("guard", path, directives[0][0] if directives else 1,
                          f"no include guard, expected #ifndef {want}, #define {want} … #endif")
        elif found[1] != want:
            yield Finding("name", path, directives[0][0],
                          f"the include guard is {found[1]}, expected {want}")


def breaks(_tree):
    """Headers without a guard, with half of one, with another's."""
    yield Break("guard", {"hw/net/mlx5/broken.h": "int x;\n"}, ":1: no include guard")
    yield Break("guard", {"hw/net/mlx5/broken.h": "#ifndef HW_NET_MLX5_BROKEN_H\n#endif\n"},
                ":1: no include guard")
    yield Break("name", {"hw/net/mlx5/broken.h": "#ifndef BROKEN_H\n#define BROKEN_H\n#endif\n"},
                ":1: the include guard is BROKEN_H, expected HW_NET_MLX5_BROKEN_H")
