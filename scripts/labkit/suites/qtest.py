# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `qtest`: the device without a guest, driven through QEMU's qtest.

Responsible for: running the qtest programs, and continuing after a test that aborts one.
State: the prefix of the names of a program's tests.
"""

import dataclasses
import os
import pathlib

from .. import ktap
from ..errors import LabError
from .suite import WHOLE, Context, Suite, complete, glib_names, run_tap

RESTARTS = 5            # of a qtest program that dies in a test


class Qtest(Suite):
    """Tests of the device without a guest."""

    name = "qtest"
    about = "device tests without a guest (QEMU's qtest)"
    order = 200
    builds_to_list = True
    parts = ("qemu",)
    part = ""           # restricts the suite to tests with this in their name

    def __init__(self) -> None:
        self._prefix: dict[str, str] = {}

    def _programs(self, context: Context) -> tuple[dict[str, pathlib.Path], dict[str, str]]:
        """Return {name: path} of the qtest programs, and their environment."""
        products = self.products(context)
        if not products.qtests:
            raise LabError("this QEMU was built without qtests")
        return ({pathlib.Path(path).name: path for path in products.qtests},
                {"QTEST_QEMU_BINARY": str(products.qemu)})

    def tests(self, context: Context) -> list[str]:
        programs, env = self._programs(context)
        names = []
        for program, path in programs.items():
            inner = glib_names([path], env)
            if not inner:
                raise LabError(f"{path} -l lists no tests")
            # the common prefix (architecture, device) is redundant
            self._prefix[program] = os.path.commonpath(inner) + "/" if len(inner) > 1 else ""
            names += [f"{program}/{name.removeprefix(self._prefix[program])}" for name in inner
                      if self.part in name]
        return names

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        programs, env = self._programs(context)
        chosen = {program: [name.split("/", 1)[1] for name in names
                            if name.split("/", 1)[0] == program] for program in programs}
        chosen = {program: inner for program, inner in chosen.items() if inner}
        report.plan(len(chosen))
        for program, inner in chosen.items():
            results, everything = [], not context.partial and not self.part
            for _ in range(RESTARTS):
                results += self._once(context, programs[program], env, program,
                                      [] if everything else inner)
                done = {result.name for result in results}
                inner, everything = [name for name in inner if name not in done], False
                if not inner:
                    break
                # it aborted; unless it reported the failure itself, the next test is the culprit
                if results and results[-1].path == [WHOLE]:
                    results[-1] = dataclasses.replace(results[-1], path=[inner.pop(0)])
                if not inner:
                    break
            results += [ktap.Result([name], "fail", f"not run: {program} ended before it")
                        for name in inner]
            report.group(program, results)

    def _once(self, context: Context, path: pathlib.Path, env: dict[str, str], program: str,
              names: list[str]) -> list[ktap.Result]:
        """Return the results of a run of a program; no names means all tests."""
        prefix = self._prefix[program]
        argv = [path, "--tap", "-k"]
        for name in names:
            argv += ["-p", f"/{prefix}{name}"]
        parser, status, errors = run_tap(argv, what=program, env=env,
                                         log=context.rundir.file("qtest.log"))
        results = complete(parser, status, errors, program)
        for result in results:
            result.path[0] = result.path[0].removeprefix(prefix)
        return results
