#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of the sources as text, TAP on stdout.

    tests/lint/run.py                         all checks, and the checks of the checks
    tests/lint/run.py width 'broken/width/*'  some
    tests/lint/run.py width --files FILE…     only what concerns these files
    tests/lint/run.py --list                  names, each with what it is about

A check is a file in checks/: its docstring's first line says what it is about, RULES has its rules,
check(tree, paths) yields a Finding for each thing that is wrong in these files (a check that
compares files with one another may look at all of them), and breaks(tree) yields a Break for each
rule: a change that would be wrong. The test `broken/CHECK/RULE` makes that change to a copy of the
tree in memory, and fails unless it is refused.

Responsible for: finding, choosing and running checks, and the report.
State: none.
Exit status: 0 nothing is wrong, 1 something is, 2 the command line is wrong.
"""

import argparse
import fnmatch
import importlib.util
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import tree as trees                                                         # noqa: E402

LAST = 12               # lines of a traceback that are shown
SHOWN = 50              # findings of one check; the rest is counted


def load():
    """{name: module} of all checks."""
    checks = {}
    for path in sorted((HERE / "checks").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"checks.{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        checks[path.stem.replace("_", "-")] = module
    return checks


def names_of(checks):
    """{name of a test: what it is about}."""
    names = {name: check.__doc__.splitlines()[0] for name, check in checks.items()}
    for name, check in checks.items():
        names |= {f"broken/{name}/{rule}": f"refused: {about}"
                  for rule, about in check.RULES.items()}
    return names


class Runner:
    """Runs tests on one tree; of a whole tree, or of some files of it only."""

    def __init__(self, tree, checks, files):
        self.tree = tree
        self.checks = checks
        self.files = files
        self._found = {}

    def found(self, name):
        """Findings of a check, which runs once."""
        if name not in self._found:
            found = self.checks[name].check(self.tree, self.files or self.tree.files())
            self._found[name] = sorted(found, key=lambda finding: (
                finding.path, finding.line, finding.text))
        return self._found[name]

    def test(self, name):
        """Messages about what is wrong, none if the test passes."""
        if name.startswith("broken/"):
            return self._broken(*name.split("/")[1:])
        return [str(finding) for finding in self.found(name)
                if not self.files or finding.path in self.files]

    def _broken(self, check, rule):
        changes = [change for change in self.checks[check].breaks(self.tree)
                   if change.rule == rule]
        if not changes:
            return [f"checks/{check}.py: nothing breaks {rule!r}, expected a Break"]
        for change in changes:
            there = [path for path in change.files if self.tree.exists(path)]
            before = {_key(finding) for finding in self.checks[check].check(self.tree, there)}
            after = [finding for finding in self.checks[check].check(
                self.tree.edited(change.files), list(change.files))
                if _key(finding) not in before]
            if not any(finding.rule == rule and change.text in str(finding)
                       for finding in after):
                return [f"{', '.join(change.files)}: a change was not refused, expected a "
                        f"message with {change.text!r}", *map(str, after)]
        return []


def _key(finding):
    """What makes two findings one, though a change may have moved the line."""
    return finding.rule, finding.path, finding.text


def report(runner, names):
    """TAP; returns the exit status."""
    print(f"1..{len(names)}", flush=True)
    failed = False
    for number, name in enumerate(names, 1):
        try:
            wrong = runner.test(name)
        except Exception:       # pylint: disable=broad-except
            wrong = traceback.format_exc().splitlines()[-LAST:]
        for line in wrong[:SHOWN]:
            print(f"# {line}")
        if len(wrong) > SHOWN:
            print(f"# and {len(wrong) - SHOWN} more")
        failed |= bool(wrong)
        print(f"{'not ' if wrong else ''}ok {number} {name}", flush=True)
    return int(failed)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*",
                        help="a test, or a glob for several; default: all")
    parser.add_argument("--list", action="store_true", help="say which tests there are")
    parser.add_argument("--files", metavar="FILE", nargs="+", default=[],
                        help="say only what is wrong in these files")
    args = parser.parse_args()
    checks = load()
    known = names_of(checks)
    chosen = list(known)
    if args.names:
        for pattern in args.names:
            if not fnmatch.filter(known, pattern):
                parser.error(f"no test is called {pattern!r}, expected one of: "
                             f"{', '.join(checks)}, broken/CHECK/RULE")
        chosen = [name for name in known
                  if any(fnmatch.fnmatch(name, pattern) for pattern in args.names)]
    elif args.files:
        chosen = list(checks)
    if args.list:
        for name in chosen:
            print(f"{name:32} {known[name]}")
        return 0
    files = set()
    for name in args.files:
        path = pathlib.Path(name).resolve()
        if not path.is_relative_to(trees.REPO) or not path.is_file():
            parser.error(f"--files {name}: expected a file of {trees.REPO}")
        files.add(str(path.relative_to(trees.REPO)))
    return report(Runner(trees.Tree(), checks, files), chosen)


if __name__ == "__main__":
    sys.exit(main())
