# SPDX-License-Identifier: GPL-2.0-or-later
"""What the programs of the tree say of themselves: options of `lab`, names of tests.

Responsible for: asking them, each once. They run from the checkout, whatever a Tree has changed.
State: the answers.
Callers: the checks of documents.
"""

import functools
import os
import re
import subprocess
import sys

LIMIT = 120.0           # hang guard of one program


def _said(root, *argv, **more):
    done = subprocess.run([sys.executable, "-B", *argv], cwd=root, text=True, check=False,
                          capture_output=True, timeout=LIMIT,
                          env={**os.environ, "COLUMNS": "200", **more})
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}: {done.stderr}")
    return done.stdout


@functools.lru_cache(maxsize=None)
def _help(root):
    commands = re.findall(r"^  (\w+) ", _said(root, "scripts/lab", "help"), re.MULTILINE)
    return {command: _said(root, "scripts/lab", command, "--help") for command in commands}


def lab_help(tree):
    """{command of lab: what its --help says}."""
    return _help(tree.root)


@functools.lru_cache(maxsize=None)
def _tests(root):
    return _said(root, "guest-tests/run.py", "--list", "--full", SOAK_TIME="1",
                 QUESTIONS_KNOBS="1").split()


def guest_tests(tree):
    """Names of all guest tests."""
    return _tests(tree.root)


def qtests(tree):
    """Names of all qtests, as the sources register them."""
    found = set()
    for path in tree.files("c", under="tests/qtest/"):
        found |= set(re.findall(r'"(mlx5-ktls/[^"]+)"', tree.text(path)))
    return found


def programs(tree):
    """Names of the test programs, as the build files have them."""
    found = set()
    for path in tree.files("meson", under="tests/"):
        found |= set(re.findall(r"'((?:test|fuzz|mlx5)-[\w-]+)", tree.text(path)))
    return found
