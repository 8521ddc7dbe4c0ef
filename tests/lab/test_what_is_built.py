# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of what a run builds: what its suites and tests need, and nothing else.

Responsible for: every suite's parts and packages, with builders that only write down what they
are asked for.
State: none.
"""

import argparse
import contextlib
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

from labkit import ktap, steps
from labkit.commands import test as command
from labkit.errors import LabError
from labkit.make import host
from labkit.options import Parser
from labkit.suites import all_suites
from labkit.suites.suite import Context, Suite

from .judge import check, quiet_steps, same, temporary_folder
from .registry import all_tests
from .stand_ins import plain_rundir

EVERYTHING = {"qemu", "kernel", "rootfs"}


class _Asked(LabError):
    """A builder was asked for something; a run ends there, since nothing is built."""


@contextlib.contextmanager
def _nothing_is_built(asked: set[str]) -> Iterator[Any]:
    """Whatever would be built is written down in `asked`; yields a builder for a Context."""
    def build(_args: argparse.Namespace, only: tuple[str, ...], **changes: Any) -> None:
        variant = ",".join(f"{name}={value}" for name, value in changes.items())
        asked.update(f"{part}({variant})" if variant and part == "qemu" else part for part in only)
        raise _Asked("not built")

    def run(_step: steps.Step, argv: list[Any], **_more: Any) -> None:
        asked.add(str(argv[0]))
        raise _Asked("not run")

    with mock.patch.object(steps.Step, "run", run), \
            mock.patch.object(host, "ensure_packages", lambda *_words, **_more: []):
        yield build


def _built(suite: Suite, patterns: tuple[str, ...] = (), listed: bool = False) -> set[str]:
    """What listing and running a suite, or only listing it, asks for, with an empty cache."""
    parser = Parser(prog="lab test", allow_abbrev=False)
    command.add_options(parser)
    args = parser.parse_args([f"--only={pattern}" for pattern in patterns])
    asked: set[str] = set()
    with temporary_folder() as folder, quiet_steps(), \
            mock.patch.dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")), \
            _nothing_is_built(asked) as build:
        context = Context(args, plain_rundir(folder), build)
        with contextlib.suppress(_Asked):
            names = context.wants(suite.name, suite.tests(context))
            if listed:
                return asked
            report = ktap.MergedReport(lambda _text: None)
            report.begin(1)
            report.begin_suite(suite.name)
            suite.run(context, report, names)
    return asked


def test_suites_build_what_they_need(_rig: object) -> None:
    """No guest's kernel for a qtest, no QEMU for a unit test; each variant where it is needed."""
    suites = {suite.name: suite for suite in all_suites()}
    for name, wanted in (("unit", {"meson"}), ("coverage", {"meson"}), ("random", {"meson"}),
                         ("qtest", {"qemu"}), ("break", {"qemu(breakable=True)"}),
                         ("storm", {"qemu(sanitize=True)"}),
                         ("qemu-10.2", {"qemu(qemu_series=10.2)"}), ("guest", EVERYTHING),
                         ("soak", EVERYTHING), ("driver-bugs", EVERYTHING),
                         ("asan", EVERYTHING - {"qemu"} | {"qemu(sanitize=True)"})):
        same(_built(suites[name]), wanted, f"the suite {name}")


def test_listing_builds_nothing(_rig: object) -> None:
    """`lab test --list` builds for those suites alone that say so."""
    for suite in all_suites():
        same(bool(_built(suite, listed=True)), suite.builds_to_list, f"{suite.name} is built")


def test_lab_tests_build_what_they_need(_rig: object) -> None:
    """A test of the lab without a guest builds nothing; one with a guest all that it takes."""
    lab = {suite.name: suite for suite in all_suites()}["lab"]
    same(_built(lab, ("lab/ktap",)), set(), "a test of the lab that needs nothing")
    same(_built(lab, ("lab/ktap", "lab/documented-qemu-lines")), {"qemu"}, "one with QEMU")
    same(_built(lab, ("lab/exit-status",)), EVERYTHING, "one with a guest")
    check(any(test.parts for test in all_tests()), "no test of the lab has a guest")


def test_suites_ask_for_packages(_rig: object) -> None:
    """Packages are those of the parts, and all are known; a kernel is built for no qtest."""
    args = argparse.Namespace(only=["lab/ktap"], full=False)
    for suite in all_suites():
        found = suite.packages(Context(args, None))
        same(set(found) - set(host.PACKAGES), set(), f"purposes that {suite.name} has and host not")
        if suite.parts:
            check("compile" in found and "fetch" in found, f"{suite.name} cannot build: {found}")
    suites = {suite.name: suite for suite in all_suites()}
    check("kernel" not in suites["qtest"].packages(Context(args, None)), "a qtest has a kernel")
    same(suites["lab"].packages(Context(args, None)), (), "a test of the lab that needs nothing")


def test_products_are_built_once(_rig: object) -> None:
    """What is there already is not asked for again, unless another variant is meant."""
    asked = []

    def build(_args: argparse.Namespace, only: tuple[str, ...], **changes: Any) -> Any:
        asked.append((only, changes))
        return object()

    context = Context(argparse.Namespace(only=[]), None, build)
    whole = context.products()
    check(context.products(only=("qemu",)) is whole, "QEMU was built again for a part of it")
    check(context.products(only=("qemu",), sanitize=True) is not whole, "another QEMU was not")
    same(asked, [(tuple(("qemu", "kernel", "rootfs")), {}), (("qemu",), {"sanitize": True})],
         "what was built")
