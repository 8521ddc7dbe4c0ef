# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the tests: one process, one after the other, each with the same care around it.

Responsible for: choosing tests, needs, the hang guard, the dmesg check, cleaning up, and what is
printed of a failure.
State: whether the bench is still usable.
Callers: run.py.
"""

import contextlib
import fnmatch
import os
import signal
import sys
import time
import traceback

from . import dmesg, ktap, needs
from .bench import BenchProblem
from .case import REGISTRY, Failure, Skip
from .counters import Watch
from .env import Env, EnvironmentProblem
from .hosts import CallError, CommandError, HostError
from .result import Result, chosen
from .rows import Rows
from .strict import Violations

CLEAN_UP_GUARD = 240.0
OPEN_GUARD = 1800.0     # for the bench: programs start at both ends, by ssh too
EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130
EXIT_UNUSABLE = 3               # the machine is of no use any more, and there is a fresh one
EXPECTED = (Failure, CallError, CommandError, HostError, EnvironmentProblem, BenchProblem)


class Hang(BaseException):
    """The hang guard struck. Not an Exception: no test swallows it."""


@contextlib.contextmanager
def guard(seconds):
    """Raise Hang in the main thread when the block takes longer."""
    def strike(*_):
        raise Hang()

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def selected(name, patterns):
    """Does --only choose the test? Globs for the whole name, a part of it, or its group."""
    if not patterns:
        return True
    parts = name.split("/")
    candidates = {name, *parts, *("/".join(parts[:count]) for count in range(1, len(parts)))}
    return any(fnmatch.fnmatchcase(candidate, pattern.strip("/"))
               for candidate in candidates for pattern in patterns)


def choose(patterns, smoke=False, full=False):
    """The tests to run, in order. Long ones only in a full run, or when named as they are."""
    return [case for case in REGISTRY
            if selected(case.name, patterns) and (case.smoke or not smoke)
            and (full or not case.full or case.name in patterns)]


class Runner:
    """One run."""

    def __init__(self, report, env, result=None):
        """result: the Result that keeps what came of each test, or None."""
        self.report, self.env, self.result = report, env, result
        self.broken = None          # why the bench is of no use any more
        self._moved = {}            # what the last test has moved, {end: {counter: difference}}

    def run(self, cases):
        """All of them; returns the exit status."""
        ktap.attach(self.report)
        rows = Rows(self.env)
        for case in cases:
            if self.broken and os.environ.get("FRESH_MACHINE") == "1":
                self.report.note(f"this machine is of no use any more: {self.broken}")
                return EXIT_UNUSABLE
            if self.broken:
                self.report.not_ok(case.name, f"not run: {self.broken}")
                self._keep(case, "fail", f"not run: {self.broken}")
                continue
            started = time.monotonic()
            self.env.observed = {}
            dmesg.mark(f"begin {case.name}")
            outcome, text = self._one(case)
            took = time.monotonic() - started
            dmesg.mark(f"end {case.name}: {outcome}")
            self._keep(case, outcome, text, took)
            if outcome == "skip":
                self.report.skip(case.name, text)
                continue
            self.report.note(f"took {took:.1f} s")
            moved = rows.moved()
            if moved:
                self.report.note("rows " + " ".join(f"{row}={count}"
                                                    for row, count in moved.items()))
            if outcome == "ok":
                self.report.ok(case.name)
            else:
                self.report.not_ok(case.name, text)
        return EXIT_FAILED if self.report.failed else EXIT_OK

    def _keep(self, case, outcome, text, took=None):
        """Into the result file; the run goes on without it where it cannot be written."""
        if self.result is None:
            return
        moved, self._moved = self._moved, {}
        try:
            self.result.test(case.name, "pass" if outcome == "ok" else outcome, reason=text,
                             seconds=took, observed=self.env.observed, moved=moved)
        except OSError as error:
            self.report.note(f"the result file cannot be written: {error}")

    def _one(self, case):
        """(ok | skip | fail, reason) of one test with everything around it."""
        log = dmesg.Kmsg()
        try:
            with guard(case.guard):
                reason = needs.missing(self.env, case.needs)
                if not reason:
                    self.env.arrange(case.needs)
                    reason = needs.missing(self.env, case.needs)
            if reason:
                return "skip", reason
            watches = self._watches()
            violations = Violations(self.env)
            problems, skip = self._call(case)
            self._moved = self._moved_counters(watches)
            if problems:
                self._explain(watches)
            problems += self._clean_up(case)
            problems += violations.problems(case.violates)
            problems += dmesg.judge(log.lines(), self.env.names(), case.allowed)
        except Hang:
            problems, skip = ["the machine hangs: needs and counters could not be read"], None
            self.broken = f"since {case.name} the machine hangs"
        except EXPECTED as error:
            problems, skip = [str(error)], None
            problems += self._clean_up(case)
        finally:
            log.close()
        if problems:
            return "fail", "\n".join(problems)
        if skip is not None:
            return "skip", skip
        if self.env.software_tls and needs.asserts_offload(case.needs):
            return "skip", "worked with TLS in software; nothing was asserted about the device"
        return "ok", ""

    def _call(self, case):
        """(problems, reason to skip) of the test itself."""
        try:
            with guard(case.guard):
                case.function(self.env)
        except Skip as reason:
            return [], str(reason)
        except Hang:
            self._where_it_hangs()
            return [f"hung: no end after {case.guard:.0f} s"], None
        except EXPECTED as error:
            return [_place(error) + str(error)], None
        except Exception:       # pylint: disable=broad-except
            return ["the test itself is broken:\n" + traceback.format_exc()], None
        return [], None

    def _watches(self):
        return [(host, Watch(host)) for host in self.env.hosts]

    def _moved_counters(self, watches):
        """{end: {counter: difference}} of the counters that are compared between runs."""
        found = {}
        for host, watch in watches if self.result is not None else ():
            try:
                with guard(60):
                    moved = chosen(watch.nic(), watch.protocols())
            except (Hang, *EXPECTED):
                continue
            # a NIC that was unbound meanwhile counts from nothing again: there is no difference
            if all(value >= 0 for value in moved.values()):
                found[host.name] = {name: value for name, value in moved.items() if value}
        return found

    def _explain(self, watches):
        """What moved during a test that failed."""
        try:
            with guard(60):
                for host, watch in watches:
                    for what, delta in (("nic", watch.nic()), ("protocols", watch.protocols())):
                        moved = delta.moved(r"tls|Tls|Retrans|InCsum|InErr|drop|err|_packets$"
                                            r"|buffer|discard|recover|csum")
                        self.report.note(f"{host.name} {what}: " + " ".join(
                            f"{name}={value}" for name, value in moved.items()))
        except Hang:
            self.report.note("the counters cannot be read: it hangs")
        except EXPECTED as error:
            self.report.note(f"the counters cannot be read: {error}")

    def _where_it_hangs(self):
        """Blocked tasks into the kernel's log, and here what the ends were doing."""
        for host in self.env.hosts:
            try:
                with open(f"/proc/{host.pid}/stack", encoding="ascii") as stack:
                    self.report.note(f"{host.name} agent: " + " < ".join(
                        line.split()[-1] for line in stack))
            except OSError:
                pass
        try:
            with open("/proc/sysrq-trigger", "w", encoding="ascii") as trigger:
                trigger.write("w")
        except OSError:
            pass

    def _clean_up(self, case):
        """Undo what the test left; returns what was wrong with that."""
        problems = []
        try:
            with guard(CLEAN_UP_GUARD):
                self.env.cleanup.close()
                for host in self.env.hosts:
                    self._fresh(host)
                changed = self.env.changed()
                if changed:
                    problems += ["the test left something changed: " + text for text in changed]
                    self.env.restore()
        except Hang:
            problems.append("cleaning up hung")
            self.broken = f"cleaning up after {case.name} hung"
        except Exception as error:      # pylint: disable=broad-except
            problems.append(f"cleaning up failed: {error}")
            self.broken = f"the bench could not be restored after {case.name}: {error}"
        return problems

    @staticmethod
    def _fresh(host):
        """Nothing of the test is open at an end any more; a stuck agent is replaced."""
        try:
            host.begin("reset").result(20)
        except (HostError, CallError):
            host.restart()


def _place(error):
    """file:line of the test's own code that noticed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        _, tests, name = frame.filename.rpartition("/tests/")
        if tests:
            return f"tests/{name}:{frame.lineno}: "
    return ""


def main(args, plan=None):
    """Run what the command line asks for; returns the exit status. `plan`: a bench.Plan."""
    cases = choose(args.only, args.smoke, args.full)
    if not cases:
        print(f"run.py: no test matches --only {' '.join(args.only)}; --list names all",
              file=sys.stderr)
        return EXIT_USAGE
    if args.list:
        for case in cases:
            print(case.name)
        return EXIT_OK
    report = ktap.KtapStream(args.tap_indent)
    try:
        env = Env(args.software_tls, args.seed, plan)
    except EnvironmentProblem as problem:
        print(f"run.py: {problem}", file=sys.stderr)
        report.bail_out(str(problem))
        return EXIT_USAGE
    report.begin(len(cases))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    try:
        text = opened(env)
    except KeyboardInterrupt:
        report.bail_out("interrupted")
        return _close(env, EXIT_INTERRUPTED)
    if text:
        print(f"run.py: {text}", file=sys.stderr)
        report.bail_out(text)
        return _close(env, EXIT_FAILED)
    if env.bench:
        report.note(env.bench.describe())
    status = EXIT_FAILED
    try:
        status = _run(report, env, args, cases)
    except KeyboardInterrupt:
        report.bail_out("interrupted")
        status = EXIT_INTERRUPTED
    finally:
        status = _close(env, status)
    return status


def opened(env, limit=OPEN_GUARD):
    """Bring the bench up; "" or why it did not come up, with the place at which it hangs."""
    try:
        with guard(limit):
            env.open()
    except Hang as hang:
        frames = [frame for frame in traceback.extract_tb(hang.__traceback__)
                  if frame.name not in ("opened", "strike")]
        places = " < ".join(f"{frame.name} ({os.path.basename(frame.filename)}:{frame.lineno})"
                            for frame in reversed(frames))
        return f"the bench did not come up within {limit:g} s, it was in {places}"
    except EXPECTED as problem:
        return str(problem)
    return ""


def _close(env, status):
    """Stop, and restore the bench whatever else is asked of us meanwhile; the exit status."""
    with _deaf():
        problems = env.close()
    for problem in problems:
        print(f"run.py: not as it was: {problem}", file=sys.stderr)
    if problems:
        print("run.py: `run.py --restore` tries again", file=sys.stderr)
    return EXIT_FAILED if problems and not status else status


@contextlib.contextmanager
def _deaf():
    """What ends a program is not heard in the block: it is ending already."""
    before = {number: signal.signal(number, signal.SIG_IGN)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupted(*_):
    raise KeyboardInterrupt()


def _run(report, env, args, cases):
    """The tests, with a result file if there is to be one; returns the exit status."""
    if args.result is None and env.lab is None:
        return Runner(report, env).run(cases)
    result = Result(env, args.result, {"smoke": args.smoke, "full": args.full,
                                       "only": args.only})
    if not _saved(result.save, args.result):    # no hour of tests for a file that has no place
        return EXIT_USAGE
    try:
        status = Runner(report, env, result).run(cases)
    except BaseException:
        _saved(result.save, args.result)
        raise
    # what a fresh machine is to run is missing in this file
    finish = result.save if status == EXIT_UNUSABLE else result.finish
    return status if _saved(finish, args.result) else EXIT_USAGE


def _saved(save, path):
    """Could the result file be written?"""
    try:
        save()
        return True
    except OSError as error:
        print(f"run.py: --result {path}: {error}", file=sys.stderr)
        return False
