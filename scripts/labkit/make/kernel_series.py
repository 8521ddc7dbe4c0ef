# SPDX-License-Identifier: GPL-2.0-or-later
"""A series of patches, as people send and keep them, applied to a source tree.

Responsible for: reading mboxes, patch files and directories, the order, and saying which patch does
not apply and why.
State: none; the tree is changed in place.
"""

import dataclasses
import pathlib
import re
import sys
import tempfile

from .. import steps
from ..errors import LabError, UsageError

_BASE = re.compile(r"^base-commit: ([0-9a-f]{12,40})\b", re.MULTILINE)
_DIFF = re.compile(rb"^(diff --git |--- )", re.MULTILINE)
_MAIL = re.compile(rb"^(From |[A-Za-z-]+: )")
_FILE = re.compile(r"^diff --git a/(\S+) b/(\S+)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Patch:
    """One change: what it is called, and the diff with everything `git apply` takes."""

    title: str
    diff: bytes

    @property
    def files(self) -> list[str]:
        """What it changes, below the top of the tree."""
        return sorted({name for pair in _FILE.findall(self.diff.decode(errors="replace"))
                       for name in pair})


@dataclasses.dataclass(frozen=True)
class Series:
    """Patches in their order, and the commit that they say they are for."""

    patches: list[Patch]
    base: str = ""


def read(texts: list[str]) -> Series:
    """What each --patch names, in the order of the command line: an mbox or a patch file, a
    directory of patch files (in the order of their names), or `-`, which is standard input.
    UsageError names what is no patch."""
    patches: list[Patch] = []
    base = ""
    for text in texts:
        for name, data in _sources(text):
            found = _mails(name, data) if _MAIL.match(data) else [Patch(name, data)]
            found = [patch for patch in found if _DIFF.search(patch.diff)]
            if not found:
                raise UsageError(f"--patch {name}: there is no diff in it; expected a patch file "
                                 "or an mbox")
            said = _BASE.search(data.decode(errors="replace"))
            base = base or (said[1] if said else "")
            patches += found
    return Series(patches, base)


def _sources(text: str) -> list[tuple[str, bytes]]:
    """[(name, content)] of what one --patch names."""
    if text == "-":
        return [("-", sys.stdin.buffer.read())]
    path = pathlib.Path(text).expanduser()
    try:
        if path.is_dir():
            files = sorted(each for each in path.iterdir()
                           if each.suffix in (".patch", ".diff", ".eml", ".mbox", ".mbx"))
            # git format-patch writes a cover letter too
            sources = [(str(each), each.read_bytes()) for each in files]
            sources = [(name, data) for name, data in sources
                       if _DIFF.search(data) or not pathlib.Path(name).name.startswith("0000-")]
            if not sources:
                raise UsageError(f"--patch {path}: expected a directory with files named *.patch, "
                                 "*.diff, *.eml or *.mbox")
            return sources
        return [(str(path), path.read_bytes())]
    except OSError as error:
        raise UsageError(f"--patch {path}: {error.strerror}") from None


def _mails(name: str, data: bytes) -> list[Patch]:
    """The patches of an mbox or of a single mail; mails without a diff are letters."""
    with tempfile.TemporaryDirectory(prefix="lab-series-") as folder:
        box = pathlib.Path(folder, "box")
        box.write_bytes(data)
        split = pathlib.Path(folder, "mails")
        split.mkdir()
        steps.capture(["git", "mailsplit", "-b", "--keep-cr", f"-o{split}", box])
        patches = []
        for mail in sorted(split.iterdir()):
            message, diff = pathlib.Path(folder, "message"), pathlib.Path(folder, "diff")
            info = steps.capture(["sh", "-c", 'exec git mailinfo "$1" "$2" <"$3"', "sh", message,
                                  diff, mail], check=False)
            if info.returncode:
                raise UsageError(f"--patch {name}: git mailinfo cannot read mail {mail.name}: "
                                 f"{info.stderr.strip()}")
            subject = re.search(r"^Subject: (.*)$", info.stdout, re.MULTILINE)
            patches.append(Patch(subject[1] if subject else mail.name, diff.read_bytes()))
    return patches


def apply(series: Series, tree: pathlib.Path) -> None:
    """Change TREE. LabError names the first patch that does not apply; TREE is then half changed,
    and the next mirror() mends it."""
    for number, patch in enumerate(series.patches, 1):
        with tempfile.NamedTemporaryFile(suffix=".diff") as diff:
            diff.write(patch.diff)
            diff.flush()
            # not the repository that the cache may be in
            done = steps.capture(["git", "apply", "--whitespace=nowarn", "-p1", diff.name],
                                 cwd=tree, env={"GIT_CEILING_DIRECTORIES": str(tree.parent),
                                                "GIT_DIR": "/nonexistent"}, check=False)
        if done.returncode:
            hint = "give the tree that the series is for"
            if series.base:
                hint += f"; it says base-commit: {series.base}"
            raise LabError(f"patch {number} of {len(series.patches)} does not apply: "
                           f"{patch.title}\n{done.stderr.strip()}", hint)
