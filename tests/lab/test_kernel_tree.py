# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab kernel` up to the compiler: series of patches, mirrors of trees, configurations.

Responsible for: that a tree is only read, that its mirror is the tree, and that what does not apply
or does not survive is named, and what git bisect gets for an answer.
State: none.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
from collections.abc import Iterator
from unittest import mock

from labkit.commands import kernel
from labkit.errors import LabError, UsageError
from labkit.make import kernel_build, kernel_series, kernel_tree
from labkit.options import Parser
from labkit.run import session

from .judge import check, quiet_steps, raises, same, temporary_folder

IDENTITY = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")


def _git(tree: pathlib.Path, *words: str) -> str:
    return subprocess.run(["git", *IDENTITY, "-C", str(tree), *words], check=True,
                          capture_output=True, text=True).stdout


def _repository(tree: pathlib.Path) -> None:
    """Three commits: a base, and two that change a.c."""
    tree.mkdir()
    _git(tree, "init", "-q")
    files = {"a.c": "one\ntwo\nthree\n", "sub/b.c": "b\n", ".gitignore": "*.o\n.config\n",
             "gone.c": "x\n"}
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _git(tree, "add", "-A")
    _git(tree, "commit", "-qm", "base")
    for number, (old, new) in enumerate((("one", "first"), ("three", "third")), 1):
        path = tree / "a.c"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        _git(tree, "commit", "-qam", f"Change {number}: {old}")


def _files(tree: pathlib.Path) -> dict[str, str]:
    return {str(path.relative_to(tree)): path.read_text(encoding="utf-8")
            for path in tree.rglob("*") if path.is_file() and ".git" not in path.parts}


def test_series_forms(_rig: object) -> None:
    """A series as an mbox, as a directory with a cover letter, as single files and as a bare diff
    changes a tree in the same way, and patches have their titles."""
    with temporary_folder() as folder:
        tree = folder / "tree"
        _repository(tree)
        wanted = _files(tree)
        mbox = folder / "all.mbx"
        mbox.write_text(_git(tree, "format-patch", "--stdout", "--cover-letter", "--base=HEAD~2",
                             "HEAD~2"), encoding="utf-8")
        files = folder / "patches"
        _git(tree, "format-patch", "-q", "--cover-letter", f"-o{files}", "HEAD~2")
        diff = folder / "bare.diff"
        diff.write_text(_git(tree, "diff", "HEAD~2", "HEAD"), encoding="utf-8")
        singles = [str(path) for path in sorted(files.iterdir()) if "0000-" not in path.name]
        base = _git(tree, "rev-parse", "HEAD~2").strip()
        _git(tree, "checkout", "-q", "HEAD~2")
        for what, texts in (("mbox", [str(mbox)]), ("directory", [str(files)]),
                            ("files", singles), ("diff", [str(diff)])):
            series = kernel_series.read(texts)
            kernel_series.apply(series, tree)
            same(_files(tree), wanted, f"the tree after the {what}")
            same([patch.files for patch in series.patches],
                 [["a.c"]] * (1 if what == "diff" else 2), f"files of the {what}")
            _git(tree, "checkout", "-q", "--", ".")
        series = kernel_series.read([str(mbox)])
        same([patch.title for patch in series.patches], ["Change 1: one", "Change 2: three"],
             "titles")
        same(series.base, base, "the commit that the series is for")


def test_series_refusals(_rig: object) -> None:
    """What is no patch is named, and so is the patch that does not apply."""
    with temporary_folder() as folder:
        tree = folder / "tree"
        _repository(tree)
        letter = folder / "letter.mbx"
        letter.write_text("From x Mon Sep 17 00:00:00 2001\nFrom: a@example.org\nSubject: hello\n\n"
                          "text\n", encoding="utf-8")
        empty = folder / "empty"
        empty.mkdir()
        for text, said in ((folder / "none", "No such file"), (letter, "there is no diff in it"),
                           (empty, "expected a directory with files named *.patch")):
            with raises(UsageError, "--patch", said):
                kernel_series.read([str(text)])
        mbox = folder / "all.mbx"
        mbox.write_text(_git(tree, "format-patch", "--stdout", "--base=HEAD~2", "HEAD~2"),
                        encoding="utf-8")
        with raises(LabError, "patch 1 of 2 does not apply: Change 1: one", "a.c"):
            kernel_series.apply(kernel_series.read([str(mbox)]), tree)    # it is there already


def test_tree_mirror(_rig: object) -> None:
    """A mirror is what is in the tree now, without products; only what differs is copied; what a
    series changed comes back. The tree stays as it is."""
    with temporary_folder() as folder:
        tree, src = folder / "tree", folder / "src"
        _repository(tree)
        (tree / "a.c").write_text("not committed\n", encoding="utf-8")
        (tree / "new.c").write_text("not tracked\n", encoding="utf-8")
        (tree / "gone.c").unlink()
        (tree / "link").symlink_to("a.c")
        (tree / "a.o").write_text("product\n", encoding="utf-8")
        (tree / ".config").write_text("CONFIG_A=y\n", encoding="utf-8")
        before = _files(tree)
        wanted = {name: text for name, text in before.items() if name not in ("a.o", ".config")}
        kernel_tree.mirror(tree, src)
        same(_files(src), wanted, "the mirror")
        check((src / "link").is_symlink(), "a link is no link any more")
        seen = {path: os.lstat(path).st_ino for path in src.rglob("*")}
        (src / "sub/b.c").unlink()
        (src / "a.c").write_text("patched\n", encoding="utf-8")
        (src / "added-by-a-series.c").write_text("x\n", encoding="utf-8")
        (tree / "new.c").touch()            # what git checkout does to a file
        undone = kernel_tree.mirror(tree, src)
        same(_files(src), wanted, "the mirror, brought up to date")
        same({name: data for name, (data, _) in undone.items()},
             {"a.c": b"patched\n", "added-by-a-series.c": b"x\n"}, "what was undone")
        left = {str(path.relative_to(src)) for path, inode in seen.items()
                if os.lstat(path).st_ino == inode and path.name != "sub"}
        same(left | {"a.c", "sub/b.c"}, set(wanted), "files that were left alone")
        same(_files(tree), before, "the tree itself")


def test_tree_stamps(_rig: object) -> None:
    """make compiles what it has to: a file that a series had changed is newer than what was
    compiled of it when it comes back, whatever its age in the tree, and one that the same series
    changes again is as old as it was."""
    with temporary_folder() as folder:
        tree, src = folder / "tree", folder / "src"
        _repository(tree)
        old = 10**18
        for name in ("a.c", "sub/b.c", "gone.c"):
            os.utime(tree / name, ns=(old, old))
        series = folder / "one.diff"
        series.write_text("".join(f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{was}\n+patched\n"
                                  for name, was in (("sub/b.c", "b"), ("gone.c", "x")))
                          .replace("--- a/sub", "diff --git a/sub/b.c b/sub/b.c\n--- a/sub")
                          .replace("--- a/gone", "diff --git a/gone.c b/gone.c\n--- a/gone"),
                          encoding="utf-8")
        both = kernel_series.read([str(series)])
        one = kernel_series.Series([kernel_series.Patch("one", both.patches[0].diff[
            :both.patches[0].diff.index(b"diff --git a/gone")])])

        def stamp(name: str) -> int:
            return (src / name).stat().st_mtime_ns

        def source(given: kernel_series.Series) -> None:
            with quiet_steps():
                kernel_tree.source(given, tree, src)

        source(both)
        same((src / "gone.c").read_text(encoding="utf-8"), "patched\n", "gone.c with the series")
        # as if it had been compiled long ago: nothing may be as old as this by chance
        for name in ("a.c", "sub/b.c", "gone.c"):
            os.utime(src / name, ns=(old + 5, old + 5))
        source(both)
        same([stamp("sub/b.c"), stamp("gone.c")], [old + 5] * 2, "times with the same series again")
        source(one)
        same((src / "gone.c").read_text(encoding="utf-8"), "x\n", "gone.c without its patch")
        same(stamp("sub/b.c"), old + 5, "time of what the shorter series changes likewise")
        check(stamp("gone.c") > old + 5, "gone.c is back and looks older than its object")
        source(kernel_series.Series([]))
        same((src / "sub/b.c").read_text(encoding="utf-8"), "b\n", "sub/b.c without a series")
        check(stamp("sub/b.c") > old + 5, "sub/b.c is back and looks older than its object")
        kept = stamp("sub/b.c"), stamp("gone.c")
        source(kernel_series.Series([]))
        same((stamp("sub/b.c"), stamp("gone.c")), kept, "times when nothing has changed")
        short = one.patches[0].diff.partition(b"patched")[0] + b"p\n"
        source(kernel_series.Series([kernel_series.Patch("as long", short)]))
        same((src / "sub/b.c").read_text(encoding="utf-8"), "p\n", "sub/b.c with as long a line")
        os.utime(src / "sub/b.c", ns=(kept[0], kept[0]))    # all within one tick of the clock
        source(kernel_series.Series([]))
        same((src / "sub/b.c").read_text(encoding="utf-8"), "b\n", "sub/b.c, changed in no time")


def test_tree_refusals(_rig: object) -> None:
    """What is no kernel tree, and one in which products cannot be told from sources."""
    with temporary_folder() as folder:
        with raises(UsageError, str(folder), "expected the source tree of a Linux kernel"):
            kernel_tree.build(kernel_tree.Order(folder, kernel_series.Series([])))
        built = folder / "built"
        (built / "include/config").mkdir(parents=True)
        with raises(UsageError, "built in place", "mrproper"):
            kernel_tree.mirror(built, folder / "src")


def test_tree_configuration(_rig: object) -> None:
    """The last fragment has the last word, and each flavour is a fragment that says something."""
    with temporary_folder() as folder:
        one, two, out = folder / "one", folder / "two", folder / "out"
        one.write_text("CONFIG_A=y\n# a comment\nCONFIG_B=m\n", encoding="utf-8")
        two.write_text("# CONFIG_A is not set\nCONFIG_C=\"text = x\"\n", encoding="utf-8")
        kernel_tree.merge(out, [one, two])
        same(sorted(out.read_text(encoding="utf-8").splitlines()),
             ["# CONFIG_A is not set", "CONFIG_B=m", 'CONFIG_C="text = x"'], "the joint fragment")
        two.write_text("nothing\n", encoding="utf-8")
        with raises(LabError, str(two), "expected lines such as"):
            kernel_tree.merge(out, [two])
        names = kernel_tree.flavours()
        check({"kasan", "lockdep", "kmemleak", "kcsan", "gcov"} <= set(names), f"flavours: {names}")
        for name in names:
            kernel_tree.merge(out, [kernel_tree.flavour(name)])
        with raises(UsageError, "--flavour kasam", "expected one of"):
            kernel_tree.flavour("kasam")


def test_tree_needs(_rig: object) -> None:
    """Of the lab's configuration a tree gets what it has off; what it has on stays built in or a
    module as it is, and so does what is a matter of taste."""
    with temporary_folder() as folder:
        config = folder / ".config"
        config.write_text("CONFIG_VIRTIO_CONSOLE=m\nCONFIG_HZ_1000=y\n# CONFIG_HZ_250 is not set\n"
                          "# CONFIG_TLS_DEVICE is not set\nCONFIG_MLX5_CORE=y\n",
                          encoding="utf-8")
        lines = kernel_tree.switched_on(config)
        for line in ("CONFIG_TLS_DEVICE=y", "CONFIG_MLX5_CORE_EN=y", "CONFIG_MLX5_EN_TLS=y"):
            check(line in lines, f"{line} is missing in {lines}")
        wrong = [line for line in lines if line.partition("=")[0] in (
            "CONFIG_VIRTIO_CONSOLE", "CONFIG_MLX5_CORE", "CONFIG_HZ_250", "CONFIG_LOCALVERSION")]
        check(not wrong, f"decided against the tree's configuration: {wrong}")
        names = {line.removeprefix("# ").partition("=")[0].partition(" ")[0]
                 for line in kernel_build.fragment_lines()}
        same(sorted(kernel_tree.TASTE - names), [], "matters of taste that the lab does not have")


def test_tree_mended(_rig: object) -> None:
    """A built kernel that lacks an option is told which, and the command that builds one with it,
    also when it was built out of tree."""
    with temporary_folder() as folder:
        source, out = folder / "linux", folder / "out"
        (out / "arch/x86/boot").mkdir(parents=True)
        (out / "arch/x86/boot/bzImage").write_bytes(b"")
        (out / "Makefile").write_text("", encoding="utf-8")
        (out / ".config").write_text("".join(
            f"{symbol}=y\n" for symbol, _, _ in kernel_build.REQUIRED if symbol !=
            "CONFIG_MLX5_CORE_EN"), encoding="utf-8")
        with raises(UsageError, "CONFIG_MLX5_CORE_EN (the driver)", f"lab kernel {out}"):
            kernel_build.kernel(out)
        source.mkdir()
        (out / "source").symlink_to(source)
        with raises(UsageError, "CONFIG_MLX5_CORE_EN (the driver)",
                    f"lab kernel {source.resolve()}"):
            kernel_build.kernel(out)


def _bisected(folder: pathlib.Path, boots: bool, status: int,
              tally: tuple[int, int, int]) -> tuple[int, argparse.Namespace | None]:
    """What `lab kernel --bisect` ends with, and what `lab test` was given, when the kernel boots or
    does not, and the tests end with `status` and these numbers of passed, failed and skipped."""
    given: list[argparse.Namespace] = []

    @contextlib.contextmanager
    def booted(*_: object, **__: object) -> Iterator[None]:
        if not boots:
            raise LabError("the guest's network did not come up")
        yield

    def test(args: argparse.Namespace) -> int:
        given.append(args)
        (folder / "results.json").write_text(json.dumps(
            dict(zip(("passed", "failed", "skipped"), tally))), encoding="utf-8")
        return status

    parser = Parser(prog="lab kernel")
    kernel.add_options(parser)
    args = parser.parse_args(["--bisect", "guest/tls/tx", "--bisect", "guest/T-0*", "."])
    with quiet_steps(), mock.patch.object(kernel.host, "ensure_packages"), \
            mock.patch.object(kernel.kernel_tree, "build", return_value=folder), \
            mock.patch.object(kernel.kernel_build, "kernel"), \
            mock.patch.object(session, "ensure_products"), \
            mock.patch.object(session, "artifacts", return_value=contextlib.nullcontext()), \
            mock.patch.object(session, "booted", booted), \
            mock.patch.object(session, "named", [folder]), \
            mock.patch.object(kernel.test_command, "main", test):
        try:
            result = kernel.main(args)
        except LabError as error:
            result = error.exit_status
    return result, given[0] if given else None


def test_tree_bisect(_rig: object) -> None:
    """`git bisect run` is told: good, bad, or cannot be tested, which is what a kernel is that does
    not bring the NICs up, or whose tests are all skipped."""
    with temporary_folder() as folder:
        result, given = _bisected(folder, True, 0, (3, 0, 1))
        same(result, 0, "status when all passed")
        same((given.only, given.kernel) if given else None,
             (["guest/tls/tx", "guest/T-0*"], str(folder)), "what lab test is given")
        for what, wanted, boots, status, tally in (
                ("a test failed", 1, True, 1, (3, 1, 0)),
                ("all were skipped", 125, True, 0, (0, 0, 4)),
                ("the lab failed", 125, True, 125, (1, 0, 0)),
                ("it was interrupted", 130, True, 130, (1, 0, 0))):
            same(_bisected(folder, boots, status, tally)[0], wanted, f"status when {what}")
        same(_bisected(folder, False, 0, (3, 0, 0)), (125, None),
             "status, and what was tested, when the NICs do not come up")
