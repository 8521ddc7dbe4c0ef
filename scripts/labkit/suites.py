# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites of `lab test`: each knows its tests' names and how to run them.

Responsible for: meson's unit tests, the qtest binary, the tests in the guest, and the
suites built of them (sanitizers, another QEMU).
State: none between suites; products are built on demand and remembered by Context.
Callers: testcmd.py.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import traceback

from . import cpio, ktap, paths, session, steps
from .errors import BuildError, LabError

GUEST_TESTS_AT = "/opt/guest-tests"
SILENCE = 3600.0        # a guest test that says nothing for so long hangs; beyond its own guard
HOST_TEST_LIMIT = 4 * 3600.0    # a hang guard, of a whole program
LIST_LIMIT = 600.0      # likewise, of a program that lists its tests
WHOLE = "(whole program)"
RESTARTS = 5            # of a qtest program that dies in a test
BOOTS = 4               # of the guest suite: after a death the rest gets another machine


class Context:
    """What all suites of one `lab test` share."""

    def __init__(self, args, rundir):
        self.args = args
        self.rundir = rundir
        self.patterns = args.only or []
        self._products = {}

    def products(self, **changes):
        """Built products, each combination once."""
        key = tuple(sorted(changes.items()))
        if key not in self._products:
            self._products[key] = session.ensure_products(self.args, **changes)
        return self._products[key]

    def used(self):
        """What was built so far."""
        return list(self._products.values())

    def wants(self, suite, names):
        """Those of `names` (without the suite) that --only chooses."""
        return [name for name in names if ktap.selected(f"{suite}/{name}", self.patterns)]


class Suite:
    """One suite. `default`: part of a plain `lab test`."""

    name = ""
    about = ""
    default = True

    def tests(self, context):
        """Names of the tests, without the suite's own."""
        raise NotImplementedError

    def run(self, context, report, names):
        """Run `names`, a subset of tests(), into the report."""
        raise NotImplementedError


def run_tap(argv, *, what, env=None, log=None, limit=HOST_TEST_LIMIT):
    """Run a program that prints TAP; returns (parser, exit status, stderr's end).

    The status is None when it ran longer than `limit` seconds and was ended.
    """
    started = time.monotonic()
    with steps.child(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                     stderr=subprocess.PIPE) as process:
        while True:
            try:
                out, err = process.communicate(timeout=0.25)
                status = process.returncode
                break
            except subprocess.TimeoutExpired:
                took = time.monotonic() - started
                steps.ticker.show(f"lab: {what}: {took:.0f}s")
                if took > limit:
                    steps.end_group(process)
                    out, err = process.communicate()
                    status = None
                    break
    steps.ticker.clear()
    if log:
        with open(log, "ab") as file:
            file.write(out + err)
    return (ktap.parse(out.decode(errors="replace")), status,
            err.decode(errors="replace").strip().splitlines()[-30:])


def complete(parser, status, errors, name):
    """The results of a program, with one failure more when it did not end as it should."""
    results = parser.results()
    missing = (parser.plan or 0) - len(results)
    wrong = ""
    if status is None:
        wrong = "did not end in time"
    elif status < 0:
        wrong = f"was killed by signal {-status}"
    elif parser.bail:
        wrong = f"bailed out: {parser.bail}"
    elif status and not any(result.status == "fail" for result in results):
        wrong = f"ended with status {status}"
    elif missing > 0 and parser.plan:
        wrong = f"planned {parser.plan} tests and reported {len(results)}"
    elif not results and parser.plan is None:
        wrong = "reported no test"
    if wrong and not (parser.bail and any(result.status == "fail" for result in results)):
        results.append(ktap.Result([WHOLE], "fail", f"{name} {wrong}",
                                   parser.rest() + errors))
    return results


def glib_names(argv, env=None):
    """Paths of the tests in a GLib test program, or [] for any other program."""
    try:
        listed = steps.capture([*argv, "-l"], env=env, check=False, timeout=LIST_LIMIT)
    except LabError:
        return []
    # messages of the program itself come in between, as comments
    names = [line for line in listed.stdout.splitlines() if line.startswith("/")]
    others = [line for line in listed.stdout.splitlines()
              if line and not line.startswith(("/", "#", "TAP ", "1.."))]
    return [] if listed.returncode or others else [name.strip("/") for name in names]


class Unit(Suite):
    """Tests of the engine: `meson test` of the top-level project."""

    name = "unit"
    about = "engine tests on the host (meson test)"

    def __init__(self):
        self._dir = None
        self._programs = None

    def _prepare(self):
        if self._programs is not None:
            return
        if not (paths.REPO / "meson.build").is_file():
            raise LabError(f"{paths.REPO} has no meson.build: there are no unit tests to run")
        self._dir = paths.cache_dir("unit", paths.checkout_id())
        with steps.Step("build the unit tests", log="unit-build") as step:
            if not paths.configured(self._dir):
                step.run(["meson", "setup", self._dir, paths.REPO],
                         hint="`lab doctor` says what is missing")
            step.run(["ninja", "-C", self._dir, f"-j{steps.jobs()}"], progress=steps.Ninja())
        listed = steps.capture(["meson", "introspect", "--tests", self._dir])
        self._programs = {entry["name"]: entry for entry in json.loads(listed.stdout)}

    def program(self, name):
        """Path of a test program, built if need be."""
        self._prepare()
        if name not in self._programs:
            raise LabError(f"meson knows no test {name!r}; it has {', '.join(self._programs)}")
        return self._programs[name]["cmd"][0]

    def tests(self, context):
        self._prepare()
        names = []
        for program, entry in self._programs.items():
            inner = glib_names(entry["cmd"], entry.get("env")) \
                if entry.get("protocol") == "tap" else []
            names += [f"{program}/{name}" for name in inner] or [program]
        return names

    def run(self, context, report, names):
        self._prepare()
        programs = [program for program in self._programs
                    if any(name.split("/")[0] == program for name in names)]
        log = context.rundir.file("unit.log")
        results = self._dir / "meson-logs" / "testlog.json"
        results.unlink(missing_ok=True)
        started = time.monotonic()
        with open(log, "wb") as out, \
                steps.child(["meson", "test", "-C", self._dir, "--no-rebuild",
                             "--print-errorlogs", "--timeout-multiplier", "20", *programs],
                            stdin=subprocess.DEVNULL, stdout=out,
                            stderr=subprocess.STDOUT) as process:
            while True:
                try:
                    process.wait(0.25)
                    break
                except subprocess.TimeoutExpired:
                    steps.ticker.show(f"lab: unit tests: {time.monotonic() - started:.0f}s")
        steps.ticker.clear()
        if not results.exists():
            raise BuildError("meson test did not run", log=log,
                             tail=log.read_text(errors="replace").splitlines()[-20:])
        shutil.copy(results, context.rundir.file("unit.json"))
        entries = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
        report.plan(len(entries))
        for entry in entries:
            self._report(context, report, entry, names)

    def _report(self, context, report, entry, names):
        program = entry["name"].rsplit(" / ", 1)[-1]
        parser = ktap.parse(entry.get("stdout") or "")
        errors = (entry.get("stderr") or "").strip().splitlines()[-30:]
        if parser.results() or parser.plan:
            found = complete(parser, entry.get("returncode"), errors, program)
            done = {f"{program}/{result.name}" for result in found}
            found += [ktap.Result([name.split("/", 1)[1]], "fail", f"not run: {program} ended "
                                  "before it") for name in names
                      if name.startswith(f"{program}/") and name not in done]
            chosen = [result for result in found if f"{program}/{result.name}" in names
                      or result.path == [WHOLE] or not context.patterns]
            report.group(program, chosen or found)
            return
        outcome = entry.get("result", "ERROR")
        status = {"OK": "pass", "EXPECTEDFAIL": "pass", "SKIP": "skip"}.get(outcome, "fail")
        report.result(ktap.Result([program], status, "" if status == "pass" else outcome.lower(),
                                  errors, entry.get("duration")))


class Qtest(Suite):
    """Tests of the device without a guest."""

    name = "qtest"
    about = "device tests without a guest (QEMU's qtest)"
    products_changes = {}
    part = ""           # of the names: only tests that have it

    def __init__(self):
        self._prefix = {}

    def _programs(self, context):
        """{name: path} of the qtest programs, and the environment that they need."""
        products = context.products(only=("qemu",), **self.products_changes)
        if not products.qtests:
            raise LabError("this QEMU was built without qtests")
        return ({pathlib.Path(path).name: path for path in products.qtests},
                {"QTEST_QEMU_BINARY": str(products.qemu)})

    def tests(self, context):
        programs, env = self._programs(context)
        names = []
        for program, path in programs.items():
            inner = glib_names([path], env)
            if not inner:
                raise LabError(f"{path} -l lists no tests")
            # what all names begin with (architecture, device) tells nothing
            self._prefix[program] = os.path.commonpath(inner) + "/" if len(inner) > 1 else ""
            names += [f"{program}/{name.removeprefix(self._prefix[program])}" for name in inner
                      if self.part in name]
        return names

    def run(self, context, report, names):
        programs, env = self._programs(context)
        chosen = {program: [name.split("/", 1)[1] for name in names
                            if name.split("/", 1)[0] == program] for program in programs}
        chosen = {program: inner for program, inner in chosen.items() if inner}
        report.plan(len(chosen))
        for program, inner in chosen.items():
            results, everything = [], not context.patterns and not self.part
            for _ in range(RESTARTS):
                results += self._once(context, programs[program], env, program,
                                      [] if everything else inner)
                done = {result.name for result in results}
                inner, everything = [name for name in inner if name not in done], False
                if not inner:
                    break
                # it ended in the middle; unless it said so itself, what came next is the culprit
                if results and results[-1].path == [WHOLE]:
                    results[-1] = dataclasses.replace(results[-1], path=[inner.pop(0)])
                if not inner:
                    break
            results += [ktap.Result([name], "fail", f"not run: {program} ended before it")
                        for name in inner]
            report.group(program, results)

    def _once(self, context, path, env, program, names):
        """Results of one run of a program; no names for all its tests."""
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


class Break(Qtest):
    """Does strict=on see a device that is broken? Each check, with a device broken for it."""

    name = "break"
    about = "strict=on sees a device that is broken on purpose (another QEMU build)"
    default = False
    products_changes = {"breakable": True}
    part = "/break/"


class Storm(Qtest):
    """The qtest in which everything overlaps, for some time, under sanitizers."""

    name = "storm"
    about = "everything at once for a minute, on a QEMU with sanitizers (MLX5_STORM_SECONDS)"
    default = False
    products_changes = {"sanitize": True}
    part = "/storm/"

    def _programs(self, context):
        programs, env = super()._programs(context)
        return programs, {"MLX5_STORM_SECONDS": os.environ.get("MLX5_STORM_SECONDS", "60"),
                          "UBSAN_OPTIONS": "halt_on_error=1", **env}


def watched(spec):
    """A machine whose devices watch themselves, unless the user's --nic says strict=off.

    guest-tests/lib/runner.py looks at what they find.
    """
    if spec.nic_model != "mlx5-ktls":
        return spec
    return dataclasses.replace(spec, nic_props=["strict=on", *spec.nic_props])


class GuestTests(Suite):
    """guest-tests/run.py in the guest: one boot for all, another one if the guest dies."""

    name = "guest"
    about = "functional tests in the guest"
    extra_args = ()
    group = None            # the only group of tests that this suite is about
    products_changes = {}

    def tests(self, context):
        run = paths.GUEST_TESTS / "run.py"
        if not run.is_file():
            raise LabError(f"{run} does not exist: there are no guest tests to run")
        only = ["--only", self.group] if self.group else []
        listed = steps.capture([sys.executable, "-B", run, "--list", *only,
                                *self.arguments(context)], env=self.environment(context),
                               timeout=LIST_LIMIT)
        names = [line.strip() for line in listed.stdout.splitlines() if line.strip()]
        if not names:
            raise LabError(f"{run} --list names no test")
        return names

    def run(self, context, report, names):
        products = context.products(**self.products_changes)
        report.plan(len(names))
        left = list(names)
        for boot in range(1, BOOTS + 1):
            reason, hopeless = self._boot(context, report, products, left, boot, names)
            if not left:
                return
            if hopeless:
                break
            report.result(ktap.Result([left.pop(0)], "fail", reason))
            if not left:
                return
            if boot < BOOTS:
                steps.say(f"{len(left)} guest tests are left; booting again")
            reason = f"not run: {BOOTS} guests died before it"
        for name in left:
            report.result(ktap.Result([name], "fail", reason))

    def _boot(self, context, report, products, left, boot, names):
        """One guest: runs `left` and takes what was done off it.

        Returns why it ended early ("" if it did not), and whether another guest is no use.
        """
        where = context.rundir.file(self.name + (f"-{boot}" if boot > 1 else ""))
        with session.artifacts(self.name, where, quiet=True) as rundir:
            archive = rundir.sockets / "guest-tests.cpio"
            cpio.write(archive, trees=[(paths.GUEST_TESTS, GUEST_TESTS_AT)])
            spec = watched(session.spec_of(context.args, topology="pair", initrds=[archive],
                                           wire=[]))
            stream = _Stream(report, left, rundir.file("guest.ktap"))
            problem, started = "", False
            try:
                with session.booted(products, spec, rundir, context.args.boot_timeout,
                                    need_network=True) as guest:
                    steps.say(f"guest ready after {guest.booted_in:.1f} s, running "
                              f"{len(left)} tests")
                    started = True
                    problem = self._tests(context, guest, stream, left, names, rundir)
            except LabError as error:   # it died, hangs, or QEMU crashed at its end
                problem = error.message
                steps.say(problem.splitlines()[0])
            finally:
                stream.close()
            verdict = self.verdict(rundir)
            if (problem or verdict) and not left:
                report.result(ktap.Result(["(machine)"], "fail", verdict or problem))
            elif verdict:
                problem = f"{verdict}\n{problem}"
            return (problem or "the test program ended without a result for it",
                    not started or stream.bail)

    def _tests(self, context, guest, stream, left, names, rundir):
        argv = ["python3", "-B", f"{GUEST_TESTS_AT}/run.py", *self.arguments(context)]
        if len(left) < len(names) or context.patterns or self.group:
            for name in left:
                argv += ["--only", name]
        with open(rundir.file("guest-stderr.txt"), "wb") as errors:
            status = guest.run(argv, stdout=stream.feed, stderr=errors.fileno(),
                               cwd=GUEST_TESTS_AT, silence=SILENCE,
                               env=self.environment(context))
        if left:
            tail = rundir.file("guest-stderr.txt").read_text(errors="replace").splitlines()[-20:]
            return f"the test program ended with status {status}\n" + "\n".join(tail)
        return ""

    def arguments(self, context):
        """More arguments for the test program: all of its tests in a full run."""
        return [*self.extra_args, *(["--full"] if context.args.full else [])]

    def environment(self, context):     # pylint: disable=unused-argument
        """More environment for the tests: this machine is theirs alone."""
        return {"DISRUPTIVE": "1"}

    def verdict(self, rundir):  # pylint: disable=unused-argument
        """"" or what is wrong with the run as a whole, from its artifacts."""
        return ""


class _Stream:
    """The guest's KTAP as it arrives: lines of groups pass, results of tests are renumbered."""

    def __init__(self, report, left, copy):
        self._report = report
        self._left = left
        self._parser = ktap.Parser(self._on_result)
        self._rest = b""
        self._taken = 0
        self._time = time.monotonic()
        # pylint: disable=consider-using-with
        self._copy = open(copy, "wb")

    def feed(self, data):
        """Bytes of the program's stdout."""
        self._copy.write(data)
        self._copy.flush()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            line = raw.decode(errors="replace").rstrip("\r")
            if line.startswith("  "):
                self._report.emit(line, 1)
            self._parser.line(line)

    def _on_result(self, result, depth, group):
        if depth:
            return
        now = time.monotonic()
        leaves = self._parser.results()[self._taken:]
        self._taken += len(leaves)
        if group:
            self._report.result(ktap.Result(list(result.path), result.status, result.reason),
                                seen=True)
            for leaf in leaves:
                self._report.count(leaf)
        else:
            if result.seconds is None:
                result.seconds = now - self._time
            self._report.result(result)
        self._time = now
        if result.path[0] in self._left:
            self._left.remove(result.path[0])

    @property
    def bail(self):
        """Whether the program itself gave up."""
        return self._parser.bail is not None

    def close(self):
        """No more is to come."""
        self._copy.close()


class Asan(GuestTests):
    """The guest's smoke tests on a QEMU with sanitizers."""

    name = "asan"
    about = "guest smoke tests on QEMU with address and undefined-behaviour sanitizers"
    default = False
    products_changes = {"sanitize": True}
    extra_args = ("--smoke",)
    words = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")

    def verdict(self, rundir):
        log = rundir.file("qemu.log")
        with contextlib.suppress(OSError):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if any(word in line for word in self.words):
                    return f"a sanitizer spoke: {line.strip()}; all of it: {log}"
        return ""


class Qemu102(Suite):
    """The device compiles in the next QEMU series."""

    name = "qemu-10.2"
    about = "the device compiles in QEMU 10.2"
    default = False

    def tests(self, context):
        return ["compile"]

    def run(self, context, report, names):
        report.plan(1)
        started = time.monotonic()
        try:
            context.products(qemu_series="10.2", only=("qemu",))
            result = ktap.Result(["compile"], "pass")
        except BuildError as error:
            result = ktap.Result(["compile"], "fail", error.message, error.tail)
        result.seconds = time.monotonic() - started
        report.result(result)


class Lab(Suite):
    """The lab itself, through its command line: what selftest.py has."""

    name = "lab"
    about = "the lab's own promises: exit statuses, streams, failures, no stray process"

    def tests(self, context):
        from . import selftest      # pylint: disable=import-outside-toplevel
        return [test.name for test in selftest.TESTS]

    def run(self, context, report, names):
        from . import bench, selftest       # pylint: disable=import-outside-toplevel
        report.plan(len(names))
        context.products()
        with contextlib.closing(bench.Bench(context)) as tools:
            self._tests(tools, selftest.TESTS, report, names)

    def _tests(self, bench, tests, report, names):
        for test in tests:
            if test.name not in names:
                continue
            steps.ticker.show(f"lab: testing the lab: {test.name}")
            started = time.monotonic()
            result = ktap.Result([test.name], "pass")
            try:
                skip = test.function(bench)
                if skip:
                    result.status, result.reason = "skip", skip
            except (AssertionError, LabError) as error:
                lines = str(error).splitlines() or ["failed"]
                result.status, result.reason, result.output = "fail", lines[0], lines[1:]
            except Exception as error:      # pylint: disable=broad-except
                # a socket that nobody answers, say: one failure, and the rest is still to be tested
                result.status, result.reason = "fail", f"{type(error).__name__}: {error}"
                result.output = traceback.format_exc().splitlines()
            result.seconds = time.monotonic() - started
            steps.ticker.clear()
            report.result(result)


def all_suites():
    """Every suite, in the order in which they run: the quick ones first."""
    # they are made of those above
    from .coverage import Coverage          # pylint: disable=import-outside-toplevel
    from .driverbugs import DriverBugs      # pylint: disable=import-outside-toplevel
    from .randomrun import RandomPackets    # pylint: disable=import-outside-toplevel
    from .soak import Soak                  # pylint: disable=import-outside-toplevel
    return [Unit(), Qtest(), GuestTests(), Lab(), Coverage(), RandomPackets(), Break(), Storm(), Asan(),
            Qemu102(), Soak(), DriverBugs()]

