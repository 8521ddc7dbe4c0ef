# SPDX-License-Identifier: GPL-2.0-or-later
"""tests that a document names are there

Rows of the TLS state machines and their tests are compared by tests/unit/tls-rows.py. A number in
bold has no test, and the text says why.
"""

import fnmatch
import re

import programs
from tree import Break, Finding

RULES = {
    "guest": "a guest test or a group of them, `tls-tx/aes128-v4` or T-07, is there",
    "qtest": "a qtest, `mlx5-ktls/…`, is there",
    "program": "a test program, `test-…`, is there",
}
NUMBER = re.compile(r"(?<!\*\*)\b([TF]-\d\d)\b")
# tests that the reader writes; rows and tests, which that program compares
EXAMPLES = {"docs/adding-a-command.md", "docs/tls-rows.md"}


def check(tree, _paths):
    """Each name that no test has."""
    guest, qtests = programs.guest_tests(tree), programs.qtests(tree)
    numbers = set(NUMBER.findall("\n".join(tree.text(path) for path in
                                           tree.files("python", under="guest-tests/"))))
    groups, built = {name.split("/")[0] for name in guest}, programs.programs(tree)
    for path in tree.files("markdown"):
        for number, line in tree.lines(path):
            for name in NUMBER.findall(line):
                if name not in numbers:
                    yield Finding("guest", path, number, f"no guest test has the number {name}, "
                                  "expected one that is found in guest-tests/")
            for code in re.findall(r"`([^` ]+)`", line) if path not in EXAMPLES else ():
                first, code = code.split("/")[0], code.replace("…", "*")
                if first in groups and "/" in code and not fnmatch.filter(guest, code):
                    yield Finding("guest", path, number, f"no guest test is called {code}, "
                                  "expected one of guest-tests/run.py --list")
                if first == "mlx5-ktls" and not fnmatch.filter(qtests, code):
                    yield Finding("qtest", path, number, f"no qtest is called {code}, expected "
                                  "one that tests/qtest registers")
                if re.fullmatch(r"test-[\w-]+", code) and code not in built:
                    yield Finding("program", path, number, f"no test program is called {code}, "
                                  "expected one of tests/*/meson.build")


def breaks(_tree):
    """Tests that are not there."""
    path = "docs/broken.md"
    yield Break("guest", {path: "See `ping/nothing`.\n"},
                ":1: no guest test is called ping/nothing")
    yield Break("guest", {path: "See T-99.\n"}, ":1: no guest test has the number T-99")
    yield Break("qtest", {path: "See `mlx5-ktls/nothing/*`.\n"}, ":1: no qtest is called")
    yield Break("program", {path: "See `test-nothing`.\n"}, ":1: no test program is called")
