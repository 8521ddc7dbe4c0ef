# SPDX-License-Identifier: GPL-2.0-or-later
"""Python passes pylint with the messages that tests/lint/pylintrc names"""

import json
import os
import pathlib
import subprocess

from tree import Break, Finding

RULES = {"pylint": "no message of pylint"}
PYTHON = "/usr/bin/python3"    # Debian's, which has Debian's pylint
RC = "tests/lint/pylintrc"
# where programs of the tree find their modules
FOLDERS = ("guest-tests", "scripts", "scripts/guest/rootfs/usr/local/lib/lab", "tests/lint",
           "tests/wire")


def check(tree, paths):
    """Everything that pylint says."""
    modules = [path for path in paths if tree.kind(path) == "python"]
    # apart from them the scripts without a suffix: `scripts/lab` is no module `lab`
    yield from _run(tree, [path for path in modules if path.endswith(".py")])
    yield from _run(tree, [path for path in modules if not path.endswith(".py")])


def _run(tree, modules):
    if not modules:
        return
    folders = [str(tree.root / folder) for folder in FOLDERS]
    if "PYTHONPATH" in os.environ:
        folders.append(os.environ["PYTHONPATH"])
    with tree.on_disk(modules) as root:
        done = subprocess.run(
            [PYTHON, "-m", "pylint", f"--rcfile={tree.root / RC}", "--output-format=json",
             "--jobs=2", *modules], cwd=root, text=True, capture_output=True, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1",
                 "PYTHONPATH": ":".join(folders)})
    if done.returncode & 32 or not done.stdout:
        raise RuntimeError(f"pylint: status {done.returncode}: {done.stderr}")
    for message in json.loads(done.stdout):
        path = str(pathlib.PurePath(message["path"]))
        yield Finding("pylint", path, message["line"],
                      f"{message['message'].splitlines()[0]} ({message['symbol']})")


def breaks(_tree):
    """A name that is not there, one that nobody uses, and a function without a docstring."""
    yield Break("pylint", {"tests/broken.py": '"""Text."""\n\nprint(nothing)\n'},
                "(undefined-variable)")
    yield Break("pylint", {"tests/broken.py": '"""Text."""\n\nimport os\n'}, "(unused-import)")
    yield Break("pylint", {"tests/broken.py": '"""Text."""\n\n\ndef broken():\n    return 1\n'},
                "(missing-function-docstring)")
