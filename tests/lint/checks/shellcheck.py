# SPDX-License-Identifier: GPL-2.0-or-later
"""shell scripts pass shellcheck"""

import re
import subprocess

from tree import Break, Finding

RULES = {"shellcheck": "no warning of shellcheck, notes included"}
LINE = re.compile(r"(.*?):(\d+):\d+: (\w+): (.*)")


def check(tree, paths):
    """Everything that shellcheck says."""
    scripts = [path for path in paths if tree.kind(path) == "shell"]
    if not scripts:
        return
    with tree.on_disk(scripts) as root:
        done = subprocess.run(["shellcheck", "--format=gcc", *scripts], cwd=root, text=True,
                              capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"shellcheck: status {done.returncode}: {done.stderr}")
    for line in done.stdout.splitlines():
        match = LINE.fullmatch(line)
        yield Finding("shellcheck", match[1], int(match[2]), match[4])


def breaks(_tree):
    """A word that is split."""
    yield Break("shellcheck", {"scripts/broken.sh": "#!/bin/sh\nrm $1\n"}, "[SC2086]")
    yield Break("shellcheck", {"scripts/broken": "#!/bin/bash\ncd x\n"}, "[SC2164]")
