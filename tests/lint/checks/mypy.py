# SPDX-License-Identifier: GPL-2.0-or-later
"""Python of the lab has types, and mypy agrees with them

scripts/mypy.ini says what is asked for.
"""

import os
import re
import subprocess

from tree import Break, Finding

RULES = {"mypy": "no error of mypy"}
PYTHON = "/usr/bin/python3"     # Debian's, which has Debian's mypy
CONFIG = "scripts/mypy.ini"
FOLDERS = ("scripts/labkit/", "tests/lab/")
LINE = re.compile(r"(.*?):(\d+): error: (.*)")


def check(tree, paths):
    """Everything that mypy says."""
    if not any(path.startswith(FOLDERS) for path in paths):
        return
    with tree.on_disk([path for path in tree.files() if path.startswith(FOLDERS)
                       or path == CONFIG]) as root:
        done = subprocess.run(
            [PYTHON, "-m", "mypy", f"--config-file={CONFIG}", f"--cache-dir={os.devnull}",
             "--no-error-summary", *FOLDERS], cwd=root, text=True, capture_output=True,
            check=False, env={**os.environ, "MYPYPATH": "scripts:tests"})
    found = [LINE.fullmatch(line) for line in done.stdout.splitlines() if ": error: " in line]
    if done.returncode > 1 or done.stderr or (done.returncode and not found):
        raise RuntimeError(f"mypy: status {done.returncode}: {done.stdout}{done.stderr}")
    for match in found:
        yield Finding("mypy", match[1], int(match[2]), match[3])


def breaks(_tree):
    """A function without types."""
    yield Break("mypy", {"scripts/labkit/broken.py": "def broken(x):\n    return x\n"},
                "scripts/labkit/broken.py:1: Function is missing a type annotation")
