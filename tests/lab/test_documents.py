# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the command lines that the documents show; registered in the suite `lab`.

Responsible for: finding them (indented blocks, and code in a line that begins with `lab`), and
trying each as far as it can be tried without waiting for a guest: QEMU realizes its devices, `lab`
and run.py take the options, and what a pattern is to choose exists.
State: none.
"""

import argparse
import contextlib
import copy
import io
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence

from labkit import cli, ktap, paths
from labkit.suites import all_suites

from .judge import check
from .rig import LabRig

PARTS = ("qemu",)
PAGES = ("README.md", "CONTRIBUTING.md", "scripts/overlay/README.md", "docs/*.md")
QEMU = "qemu-system-x86_64"
LIMIT = 300.0           # hang guard of one program
LAB = re.compile(r"(?:scripts/)?lab (?:run|test|build|demo|bench|bug|doctor)\b")
RUN_PY = re.compile(r"guest-tests/run\.py\b")
INLINE = re.compile(r"`([^`]+)`")


def _pages() -> Iterator[pathlib.Path]:
    for pattern in PAGES:
        yield from sorted(paths.REPO.glob(pattern))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Lines of indented blocks: (number, text), continued ones as one, without the explanation
    that may stand beside them."""
    number, joined = 0, ""
    for at, line in enumerate(text.splitlines(), 1):
        if not line.startswith("    ") and not joined:
            continue
        number = number if joined else at
        joined += line.strip().removesuffix("\\")
        if line.endswith("\\"):
            continue
        yield number, re.split(r" {2,}(?![\w-]+=)", joined)[0]
        joined = ""


def _commands(wanted: str | re.Pattern[str]) -> list[tuple[str, str]]:
    """[(place, command)] of the documents that begin with `wanted`, environment apart."""
    found = []
    for page in _pages():
        text = page.read_text(encoding="utf-8")
        name = page.relative_to(paths.REPO)
        lines = list(_blocks(text))
        lines += [(number, code) for number, line in enumerate(text.splitlines(), 1)
                  for code in INLINE.findall(line)]
        for number, line in lines:
            line = re.sub(r"^(sudo |env |[A-Z_0-9]+=\S+ +)*", "", line)
            if re.match(wanted, line) and "[" not in line:
                found.append((f"{name}:{number}", line))
    check(found, f"no document shows a command like {wanted}")
    return found


def _qemu(rig: LabRig, place: str, argv: list[str], monitor: Sequence[str] = ()) -> str:
    """Run QEMU without letting the machine run; its answers to the monitor's commands."""
    script = "".join(f"{line}\n" for line in (*monitor, "quit"))
    done = subprocess.run([str(rig.context.products(only=PARTS).qemu), *argv], input=script,
                          text=True, capture_output=True, timeout=LIMIT, check=False)
    said = [line for line in done.stderr.splitlines() if line.strip()
            and not (monitor and line.endswith("has no peer"))]     # the NIC is plugged in later
    check(done.returncode == 0 and not said,
          f"{place}: {' '.join(argv)}: status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _monitor_lines(place: str) -> list[str]:
    """Commands of QEMU's monitor that are shown below a command line."""
    page, number = place.rsplit(":", 1)
    lines = (paths.REPO / page).read_text(encoding="utf-8").splitlines()[int(number):]
    found = []
    for line in lines:
        if not line.startswith("    "):
            break
        if line.strip().startswith("(qemu) "):
            found.append(line.strip().removeprefix("(qemu) "))
    return found


def test_documented_qemu_lines(rig: LabRig) -> None:
    """Each command line of QEMU realizes the device, and says nothing else."""
    for place, line in _commands(QEMU + " "):
        argv = shlex.split(line.replace("…", ""))[1:]
        if argv[-1].endswith(",help"):
            check("mlx5-ktls" in _qemu(rig, place, argv), f"{place}: no help")
            continue
        if "mlx5-ktls" not in line and not _monitor_lines(place):
            argv += ["-M", "q35", "-netdev", "user,id=n0", "-device", "mlx5-ktls,netdev=n0"]
        if "-vga" not in argv:
            argv += ["-vga", "none"]    # of the parts that the example leaves out
        said = _qemu(rig, place, [*argv, "-display", "none", "-S", "-monitor", "stdio"],
                     (*_monitor_lines(place), "info qtree"))
        check("dev: mlx5-ktls," in said, f"{place}: {line}: no device\n{said:.2000}")


def test_documented_nic_options(rig: LabRig) -> None:
    """What `--nic` is shown with are properties, with values that are taken."""
    for place, line in _commands(LAB):
        argv = shlex.split(line)
        for at, word in enumerate(argv[:-1]):
            if word == "--nic" and "=" in argv[at + 1]:
                _qemu(rig, place, ["-M", "q35", "-vga", "none", "-display", "none", "-S",
                                     "-monitor", "stdio", "-netdev", "user,id=n0", "-device",
                                     f"mlx5-ktls,netdev=n0,{argv[at + 1]}"])


def _parse(place: str, line: str) -> argparse.Namespace:
    """The options of a `lab` command, as lab itself understands them."""
    ours, _ = cli.split_command(shlex.split(line.replace("…", ""))[1:])
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return cli.parser_of(ours[0]).parse_args(ours[1:])
    except SystemExit:
        raise AssertionError(f"{place}: {line}: {said.getvalue()}") from None


def test_documented_lab_lines(rig: LabRig) -> None:
    """`lab` takes the options that the documents show, and each --only chooses something
    (of all tests, if the line has --full)."""
    known = {suite.name: suite for suite in all_suites()}
    names: dict[tuple[bool, str], list[str]] = {}
    whole = copy.copy(rig.context)
    whole.args = argparse.Namespace(**{**vars(whole.args), "full": True})
    for place, line in _commands(LAB):
        args = _parse(place, line)
        for suite in getattr(args, "suite", ()):
            check(suite in known, f"{place}: {line}: there is no suite {suite}")
        for pattern in getattr(args, "only", ()):
            first = pattern.split("/")[0]
            if pattern in known or re.fullmatch(r"(.*/)?[A-Z]+", pattern) or place.startswith(
                    "docs/adding-a-command.md"):
                continue        # a whole suite; a word for a name; a test that the reader writes
            for suite in [first] if first in known else ("guest", "qtest", "lab"):
                if (args.full, suite) not in names:
                    names[args.full, suite] = known[suite].tests(
                        whole if args.full else rig.context)
            check(any(ktap.selected(f"{suite}/{name}", [pattern])
                      for (full, suite), listed in names.items() if full == args.full
                      for name in listed),
                  f"{place}: {line}: no test is called {pattern}")


def test_documented_guest_test_lines(_rig: object) -> None:
    """run.py takes the options that the documents show, and finds tests by them."""
    for place, line in _commands(RUN_PY):
        argv = shlex.split(line.replace("…", ""))[1:]
        done = subprocess.run([sys.executable, "-B", str(paths.GUEST_TESTS / "run.py"), *argv,
                               *([] if "--list" in argv else ["--list"])], text=True,
                              capture_output=True, timeout=LIMIT, check=False,
                              env={"PATH": "/usr/bin:/bin", "SOAK_TIME": "1"})
        check(done.returncode == 0 and done.stdout.strip(),
              f"{place}: {line}: status {done.returncode}: {done.stderr.strip()}")
