# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab test --target local`: the functional tests on this machine's own NIC, without QEMU and
without building a kernel.

Responsible for: its options, running guest-tests/run.py here, its report while it comes, and giving
it the time to put everything back however it ends.
State: none beyond the run.

Names, report and artifacts are those of the suite `guest`; docs/hardware.md is for the owner of a
card. What is set up and restored is run.py's matter (guest-tests/lib/bench.py).
"""

import argparse
import os
import pathlib
import signal
import subprocess
import sys

from .. import ktap, paths, steps
from ..errors import UsageError
from ..interrupts import held
from ..make import wire_build
from ..run.rundir import RunDir
from ..suites.guest import GuestTests, Stream
from ..suites.suite import Context

RUN = paths.GUEST_TESTS / "run.py"
RESTORE_LIMIT = 900.0       # a hang guard, of putting everything back
# options that run.py has under the same names: (name, metavar, help)
OPTIONS = (
    ("--iface", "NAME", "the NIC under test"),
    ("--peer-iface", "NAME", "what is cabled to it: another interface of this machine, or of the "
                             "--peer-ssh"),
    ("--peer-ssh", "[USER@]HOST", "the peer is another machine, reached by ssh without a question"),
    ("--net-v4", "NET", "addresses of the two ends are taken from it (default: 192.0.2.0/24)"),
    ("--net-v6", "NET", "likewise (default: 2001:db8:6d78::/64)"),
    ("--wire-program", "PROGRAM", "mlx5-wire on the peer's machine, or none (default: built here)"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options about this machine's NIC."""
    group = parser.add_argument_group("--target local (docs/hardware.md)")
    for name, metavar, about in OPTIONS:
        group.add_argument(name, metavar=metavar, help=about)
    group.add_argument("--preflight", action="store_true",
                       help="run no test and change nothing: say what this machine lacks, and how "
                            "to get it")


def bench_arguments(args: argparse.Namespace, build: bool = True) -> list[str]:
    """The options of run.py that the command line asks for; with `build`, the middlebox's program
    is made when it is to run here."""
    if not args.iface or not args.peer_iface:
        raise UsageError("--target local: expected --iface and --peer-iface",
                         "`ip -brief link` lists the interfaces of this machine")
    found = []
    for name, _, _ in OPTIONS[:-1]:
        value = getattr(args, name.removeprefix("--").replace("-", "_"))
        if value:
            found += [name, value]
    if args.wire_program:
        found += ["--wire", args.wire_program]
    elif not args.peer_ssh and build:
        found += ["--wire", str(wire_build.build())]
    return found


def ask(*arguments: str) -> int:
    """Run run.py for what it prints (--preflight, --restore); its exit status."""
    return subprocess.run([sys.executable, "-B", str(RUN), *arguments], check=False,
                          stdin=subprocess.DEVNULL).returncode


class ThisMachine(GuestTests):
    """The guest tests, here. Without a name it is none of the lab's own suites."""

    name = ""
    parts: tuple[str, ...] = ()
    purposes = ("compile",)         # the middlebox

    def __init__(self) -> None:
        self.name = "guest"         # what they are called everywhere

    def environment(self, context: Context) -> dict[str, str]:
        """Nothing more: it is for the owner of the machine to say DISRUPTIVE=1."""
        return {}

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        if os.geteuid() != 0:
            raise UsageError("--target local: expected to be run as root",
                             "links, namespaces and features of the NIC are changed")
        bench = bench_arguments(context.args)
        report.plan(len(names))
        left = list(names)
        rundir = context.rundir
        stream = Stream(report, left, rundir.file("guest.ktap"))
        argv = [sys.executable, "-B", str(RUN), *self.arguments(context), *bench,
                "--result", str(rundir.file("result.json"))]
        for name in names:
            argv += ["--only", name]
        try:
            status = self._pass_on(argv, stream, rundir)
        finally:
            stream.close()
        if left:
            reason = self._reason(rundir, status)
            for name in list(left):
                report.result(ktap.Result([name], "fail", reason))

    def _pass_on(self, argv: list[str], stream: Stream, rundir: RunDir) -> int:
        """run.py from its begin to its end; the exit status."""
        with open(rundir.file("guest-stderr.txt"), "wb") as errors, held():
            # pylint: disable-next=consider-using-with      # ended below
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=errors, cwd=paths.GUEST_TESTS,
                                       start_new_session=True)
        assert process.stdout is not None
        try:
            while data := os.read(process.stdout.fileno(), 1 << 16):
                stream.feed(data)
            return process.wait()
        finally:
            self._end(process)

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """It has ended, or is told to; it puts everything back before it does."""
        if process.poll() is not None:
            return
        with held():
            steps.say("putting everything back")
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=RESTORE_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                steps.say("it does not end: `lab test --restore` puts everything back")

    @staticmethod
    def _reason(rundir: RunDir, status: int) -> str:
        path: pathlib.Path = rundir.file("guest-stderr.txt")
        tail = path.read_text(errors="replace").splitlines()[-20:]
        return "\n".join([f"not run: the test program ended with status {status}", *tail])
