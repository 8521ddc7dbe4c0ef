# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab coverage --driver` without a kernel: counters of a small program in the place of
the driver's.

Responsible for: that counts of several guests add up, and that a line not reached is listed, with
its reason if one is known.
State: none.
"""

import os
import pathlib
import subprocess
import tarfile
from unittest import mock

from labkit.commands import coverage
from labkit.errors import LabError, UsageError
from labkit.options import Parser
from labkit.suites import driver_coverage

from .judge import check, raises, same, temporary_folder

PROGRAM = """\
#include <stdlib.h>
static int half(int n)
{
    if (n > 10) {
        return n / 2;
    }
    return n;
}
static int never(void)
{
    return 7;
}
int main(int argc, char **argv)
{
    if (argc > 5) {
        return never();
    }
    return half(atoi(argv[1])) != atoi(argv[2]);
}
"""
NAME = "net/tls/tls_device.c"


def _kernel(folder: pathlib.Path) -> pathlib.Path:
    """A build directory with the source beside it, as `make O=` leaves it."""
    source, build = folder / "src", folder / "build"
    for path in (source / NAME, build / NAME):
        path.parent.mkdir(parents=True)
    (source / NAME).write_text(PROGRAM, encoding="utf-8")
    (build / "source").symlink_to(source)
    subprocess.run(["gcc", "--coverage", "-o", "program", f"../src/{NAME}", "-dumpdir", "net/tls/",
                    "-dumpbase", "tls_device.c", "-dumpbase-ext", ".c"], cwd=build, check=True)
    return build


def _guest(build: pathlib.Path, archive: pathlib.Path, *words: str) -> pathlib.Path:
    """Run the program once, and pack what a guest would give."""
    subprocess.run([build / "program", *words], check=True)
    found = list(build.rglob("*.gcda"))
    with tarfile.open(archive, "w") as tar:
        for path in found:
            tar.add(path, arcname=f".{path}")
            path.unlink()
    return archive


def test_driver_coverage_counts(_rig: object) -> None:
    """Lines and branches of two guests add up; what neither has reached is listed, with a reason
    where there is one."""
    with temporary_folder() as folder:
        build = _kernel(folder)
        one = _guest(build, folder / "one.tar", "3", "3")
        two = _guest(build, folder / "two.tar", "30", "15")
        first = driver_coverage.read([one], build)[NAME]
        same(first.missed(), [5, 9, 11, 16], "lines that the first guest misses")
        found = driver_coverage.read([one, two], build)
        same(found[NAME].missed(), [9, 11, 16], "lines that both miss")
        same(found[NAME].lines[4], 2, "runs of the line with the question")
        done, there, *branches = found[NAME].tally()
        same((there - done, first.tally()[2:], branches), (3, (2, 4), [3, 4]),
             "lines missed and branches taken")
        row = next(line for line in driver_coverage.table(found) if line.startswith(NAME))
        same(row.split(), [NAME, f"{done}/{there}", f"{100 * done / there:.1f}", "3/4", "75.0"],
             "its row of the table")
        why = [{"file": "tls_device.c", "function": "never", "why": "nobody does"},
               {"file": "tls_device.c", "function": "main", "text": "never", "why": "five words"}]
        listing = driver_coverage.unreached(found, folder / "src", why[:1])
        same(listing[:2], ["1 lines without a known reason",
                           f"{NAME}:16: main: return never();"], "without a reason")
        check(f"{NAME}:11: never: return 7;    # nobody does" in listing, f"{listing}")
        same(driver_coverage.unreached(found, folder / "src", why)[0],
             "0 lines without a known reason", "with both reasons")


def test_driver_coverage_refusals(_rig: object) -> None:
    """Counters of another kernel are none of this one's, and options without --driver none."""
    with temporary_folder() as folder:
        build = _kernel(folder)
        archive = _guest(build, folder / "one.tar", "3", "3")
        other = folder / "other"
        os.rename(build, other)
        with raises(LabError, "another kernel was booted"):
            driver_coverage.read([archive], other)
    parser = Parser(prog="lab coverage")
    coverage.add_options(parser)
    with mock.patch.object(coverage.test_command, "main", side_effect=AssertionError), \
            raises(UsageError, "expected --driver"):
        coverage.main(parser.parse_args(["--only", "T-*"]))


def test_driver_coverage_reasons(_rig: object) -> None:
    """Each entry of the list is about a file that is measured, and says why."""
    names = [f"{folder}/{name}" for folder, files in driver_coverage.MEASURED.items()
             for name in files]
    entries = driver_coverage.reasons()
    check(bool(entries), "there is no entry")
    for entry in entries:
        check({"file", "function", "why"} <= set(entry) <= {"file", "function", "text", "why"},
              f"{entry}: expected file, function and why, and maybe text")
        check(any(name.endswith(entry["file"]) for name in names), f"{entry}: not measured")
