# SPDX-License-Identifier: GPL-2.0-or-later
"""subjects of commits have at most 72 columns, and the second line is empty

Looked at are the commits that can still be mended: those that the branch's upstream does not have,
or the last one where there is no upstream. Without git, as in an unpacked archive, there are none.
"""

import subprocess

from tree import Break, Finding

RULES = {
    "subject": "a subject has at most 72 columns",
    "empty": "an empty line is between subject and text",
    "form": "a subject ends without a full stop",
}
LIMIT = 72


def _git(root, *argv):
    done = subprocess.run(["git", "-C", root, *argv], text=True, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def messages(tree):
    """[(name of the commit, lines of its message)]."""
    if "COMMIT" in tree.changed:
        return [("COMMIT", tree.changed["COMMIT"].split("\n"))]
    upstream = _git(tree.root, "rev-parse", "--verify", "--quiet", "@{upstream}").strip()
    log = _git(tree.root, "log", "--no-merges", "-z", "--format=%h%n%B",
               f"{upstream}..HEAD" if upstream else "-1")
    return [(entry.split("\n")[0], entry.split("\n")[1:]) for entry in log.split("\0") if entry]


def check(tree, _paths):
    """Each message that has another form."""
    for name, lines in messages(tree):
        subject, *rest = lines
        if len(subject) > LIMIT:
            yield Finding("subject", name, 1,
                          f"{len(subject)} columns in the subject, expected at most {LIMIT}")
        if rest and rest[0]:
            yield Finding("empty", name, 2, "text behind the subject, expected an empty line")
        if subject.endswith("."):
            yield Finding("form", name, 1, "a full stop behind the subject, expected none")


def breaks(_tree):
    """A message of each kind."""
    yield Break("subject", {"COMMIT": "X" * 73}, ":1: 73 columns")
    yield Break("empty", {"COMMIT": "Do this\nand that"}, ":2: text behind the subject")
    yield Break("form", {"COMMIT": "Do this."}, ":1: a full stop")
