# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab bug` and the suite driver-bugs that need no guest; registered in the suite `lab`.

Responsible for: what is taken for a bug's oops and what is not, the judgement of an outcome, and
that table, modules and pages agree.
State: none.
"""

import dataclasses
import re

from labkit import paths
from labkit.run import driverbugs
from labkit.run.driverbugs import Bug, Outcome
from labkit.suites import driver_bugs

from .judge import check, same

PAGES = paths.REPO / "docs" / "driver-bugs"

# lines of a console, as a kernel prints them
CONSOLE = """\
[    1.000001] Run /init as init process
[   40.000001] BUG: kernel NULL pointer dereference, address: 0000000000000040\r
[   40.000002] #PF: supervisor read access in kernel mode\r
[   40.000003] Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI\r
[   40.000004] RIP: 0010:the_function+0x2c/0x120 [mlx5_core]\r
[   40.000005] RSP: 0018:ffffc90000003e60 EFLAGS: 00000246\r
[   40.000006] Call Trace:\r
[   40.000007]  <IRQ>\r
[   40.000008]  ? page_fault_oops+0x100/0x200\r
[   40.000009]  mlx5e_poll_ico_cq+0x100/0x200 [mlx5_core]\r
[   40.000010] ---[ end trace 0000000000000000 ]---\r
[   40.000011] RIP: 0010:another_function+0x2c/0x120 [mlx5_core]\r
[   40.000012] Kernel panic - not syncing: Fatal exception in interrupt\r
"""
BUG = Bug("x", "about", {"6.12": True, "6.1": False},
          oops=("NULL pointer", "RIP: .*the_function"))


def test_bug_oops(_rig: object) -> None:
    """A bug is known by its own oops: not by another one, not by one behind it, and not by a guest
    that is gone."""
    got = driverbugs.judge(BUG, CONSOLE, "the guest ended")
    same(got.shown, True, "its oops")
    same(got.lines, ("BUG: kernel NULL pointer dereference, address: 0000000000000040",
                     "#PF: supervisor read access in kernel mode",
                     "Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI",
                     "RIP: 0010:the_function+0x2c/0x120 [mlx5_core]", "Call Trace:", " <IRQ>",
                     " mlx5e_poll_ico_cq+0x100/0x200 [mlx5_core]"), "lines that are shown")
    for text, bug, words in (
            (CONSOLE.replace("the_function", "other"), BUG, "RIP: .*the_function"),
            (CONSOLE, dataclasses.replace(BUG, oops=("RIP: .*another_function",)), "is not in it"),
            (CONSOLE, dataclasses.replace(BUG, oops=()), "none is expected"),
            (CONSOLE.splitlines()[0], BUG, "ended without an oops: the guest ended")):
        got = driverbugs.judge(bug, text, "the guest ended\nand more")
        same(got.shown, None, f"outcome of {words!r}")
        check(words in got.text, f"{got.text!r} does not say {words!r}")


def test_bug_expectation(_rig: object) -> None:
    """Where it is expected it must show, elsewhere it must not; what is not known is not judged,
    and what could not be tried has failed."""
    for kernel, shown, status, words in (
            ("6.12", True, "pass", "it shows on Linux 6.12: why"),
            ("6.12", False, "fail", "it is gone"), ("6.1", True, "fail", "it is new here"),
            ("6.1", False, "pass", "it does not show on Linux 6.1"),
            ("9.9", True, "skip", "nothing is known of this kernel; it shows on Linux 9.9"),
            ("6.12", None, "fail", "could not be tried"), ("9.9", None, "fail", "why")):
        got = driver_bugs.expected(BUG, kernel, Outcome(shown, "why", ("a line",)))
        same((got.status, got.name, got.output), (status, "x", ["a line"]), f"{kernel}, {shown}")
        check(words in got.reason, f"{got.reason!r} does not say {words!r}")


def test_bug_untried(_rig: object) -> None:
    """A kernel that lacks what the bug needs skips it, with the reason; others do not."""
    bug = dataclasses.replace(BUG, lacks={"6.12": "tunnels"})
    same(driver_bugs.untried(bug, "6.1"), None, "a kernel that has it")
    got = driver_bugs.untried(bug, "6.12")
    assert got, "a bug is tried on a kernel that lacks what it needs"
    same((got.status, got.name, got.reason), ("skip", "x", "Linux 6.12 of the lab lacks tunnels"),
         "a kernel that lacks it")


def test_bug_pages(_rig: object) -> None:
    """Each bug has its module and is told of in a page, by the command that shows it."""
    bugs = driverbugs.known()
    check(len(bugs) > 5, "the table is empty")
    pages = {path.name: path.read_text(encoding="utf-8") for path in PAGES.glob("*.md")}
    index = pages.pop("README.md")
    for bug in bugs.values():
        module = paths.GUEST_TESTS / "bugs" / f"{bug.name.replace('-', '_')}.py"
        check(module.is_file(), f"{bug.name} has no {module}")
        told = [name for name, text in pages.items()
                if re.search(rf"lab bug {bug.name}(?![\w-])", text)]
        check(told, f"no page in {PAGES} has the command `lab bug {bug.name}`")
        check(any(f"({name})" in index for name in told), f"{PAGES}/README.md leads to no page of "
                                                          f"{bug.name}")
    for name, text in pages.items():
        found = set(re.findall(r"lab bug ([\w-]+)", text))
        check(found and found <= set(bugs), f"{name}: bugs that are not in the table: "
                                            f"{found - set(bugs)}")
