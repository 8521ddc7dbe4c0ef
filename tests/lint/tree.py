# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree that is checked: which files belong to it, of which kind they are, what they hold.

Responsible for: listing files, reading each once, and standing in for a tree in which some files
are different, by which a check is itself checked. Nothing is ever written into the tree.
State: what has been read.
Callers: run.py, the checks.
"""

import contextlib
import dataclasses
import fnmatch
import os
import pathlib
import subprocess
import tempfile

REPO = pathlib.Path(__file__).resolve().parents[2]

# kind: file names, of the whole path or of its last part; the first that fits decides
KINDS = {
    "c": ("*.c", "*.h"),
    "python": ("*.py", "scripts/lab"),
    "shell": ("*.sh",),
    "markdown": ("*.md",),
    "meson": ("meson.build", "meson_options.txt"),
    "trace": ("trace-events",),
    "data": ("*.toml", "*.ini", "*.mak", "*.config", "Kconfig", "*.supp"),
    "other": ("*",),
}
# left out of everything: made by a program, or text of others
GENERATED = ("*.svg", "COPYING")


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something that is wrong. `text` is "what is wrong, expected X"."""

    rule: str
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


@dataclasses.dataclass(frozen=True)
class Break:
    """A change that `rule` must refuse: {path: its text from now on, None for removed}.

    `text` is a part of the message that is expected.
    """

    rule: str
    files: dict
    text: str


class Tree:
    """The files of a checkout, some of them replaced by `changed` ({path: text or None})."""

    def __init__(self, root=REPO, changed=None):
        self.root = pathlib.Path(root)
        self.changed = changed or {}
        self._read = {}
        self._names = None

    def edited(self, changed):
        """This tree with other files in some places."""
        return Tree(self.root, {**self.changed, **changed})

    def files(self, *kinds, under=""):
        """Paths of all files, or of those of some kinds, below a folder ("hw/") or everywhere."""
        if self._names is None:
            names = set(_listed(self.root))
            names |= {name for name, text in self.changed.items() if text is not None}
            names -= {name for name, text in self.changed.items() if text is None}
            self._names = sorted(name for name in names if not matches(name, GENERATED))
        return [name for name in self._names
                if name.startswith(under) and (not kinds or self.kind(name) in kinds)]

    def exists(self, path):
        """Whether there is such a file or folder; generated ones too."""
        if path in self.changed:
            return self.changed[path] is not None
        return (self.root / path).exists() or any(name.startswith(path.rstrip("/") + "/")
                                                  for name in self.changed)

    def kind(self, path):
        """One of KINDS; a script without a suffix is known by its first line."""
        for kind, patterns in KINDS.items():
            if kind != "other" and matches(path, patterns):
                return kind
        first = self.text(path).partition("\n")[0]
        if first.startswith("#!"):
            if "python" in first:
                return "python"
            if first.split("/")[-1].split()[-1] in ("sh", "bash", "dash"):
                return "shell"
        return "other"

    def text(self, path):
        """What is in a file; "" for one that is not there."""
        if self.changed.get(path) is not None:
            return self.changed[path]
        if path not in self._read:
            try:
                with open(self.root / path, encoding="utf-8", newline="") as file:
                    self._read[path] = file.read()
            except (FileNotFoundError, IsADirectoryError):
                self._read[path] = ""
        return self._read[path] if path not in self.changed else ""

    def lines(self, path):
        """[(number, line)] of a file."""
        return list(enumerate(self.text(path).split("\n"), 1))

    @contextlib.contextmanager
    def on_disk(self, paths):
        """The tree as a folder for a program that reads files; `paths` are those it needs.

        It is the checkout itself, or, if something was changed, a copy of these files.
        """
        if not self.changed:
            yield self.root
            return
        with tempfile.TemporaryDirectory(prefix="lint-") as name:
            for path in paths:
                copy = pathlib.Path(name) / path
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_text(self.text(path), encoding="utf-8", newline="")
            yield pathlib.Path(name)


def matches(path, patterns):
    """Whether a path, or its last part, is one of the patterns."""
    return any(fnmatch.fnmatch(path, pattern) or fnmatch.fnmatch(path.split("/")[-1], pattern)
               for pattern in patterns)


def _listed(root):
    """What git has and would take; without git (an unpacked archive) all but the ignored."""
    try:
        done = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                              capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return _walked(root)
    return [name for name in done.stdout.decode().split("\0")
            if name and (root / name).is_file()]


def _walked(root):
    ignored = [line.strip("/") for line in (root / ".gitignore").read_text("utf-8").split()]
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders
                      if name != ".git" and not matches(name, ignored)]
        for name in names:
            if not matches(name, ignored):
                yield str((pathlib.Path(folder) / name).relative_to(root))
