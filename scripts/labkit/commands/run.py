# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab run`: one command, or a shell, in the guest.

Responsible for: the options of `lab run`, the terminal of an interactive shell, and the exit
status.
State: the terminal's settings while a shell runs.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import termios
import time
import tty as ttymodule
from collections.abc import Iterator

from .. import explain, steps
from ..errors import EXIT_TIMEOUT, LabError, UsageError, printable
from ..run import console, hints, pcap, session, watch, wire
from ..run.guest import CommandLost, Guest, OutputGone
from ..run.machine import Machine
from ..run.spec import Spec, seconds

TLS_TIMEOUT = 60        # seconds after which the hints about TLS are left out
BROKEN_PIPE = 141       # 128 + SIGPIPE, as a shell reports a writer whose reader is gone

DESCRIPTION = """\
Boot the guest and run a command in it as root. Standard input, output and error are
those of the command, and so is the exit status: 124 when --timeout is over, 125 when
the lab itself failed (a guest that died, a build that failed), 128+N when signal N
ended the command. Without a command: a shell.

The guest has mlx0 (10.0.0.1, fd00::1) and, in the network namespace "peer", mlx1
(10.0.0.2, fd00::2), wired back to back; with --topology user one NIC on libslirp.
"""

EPILOG = """\
examples:
  lab run -- ethtool -i mlx0
  lab run -- sh -c 'ping -c 3 10.0.0.2; ip netns exec peer ip addr'
  lab run --share ~/tests --timeout 300 -- /mnt/share/mytest
  lab run --topology user --hostfwd tcp::8443-:443 -- nginx -g 'daemon off;'
  lab run --disk freebsd.qcow2 --topology user --hostfwd tcp::2222-:22
  lab run --nic tx-seq-check=ignore --qemu-arg '-trace mlx5_*'
  lab run --feature tls-hw-rx-offload=on --wire 'drop a>b record=7 byte=2' -- /mnt/share/mytest
  lab run --explain -- /mnt/share/mytest
  lab run --pcap flow.pcapng,keys=on -- /mnt/share/mytest
"""

FEATURE = re.compile(r"[a-z0-9][a-z0-9-]*=(on|off)")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab run`; the command is handled elsewhere."""
    session.add_options(parser, "run")
    parser.add_argument("--feature", metavar="NAME=on|off", action="append", default=[],
                        type=_feature,
                        help="switch a feature of `ethtool -k` on both NICs before the command, "
                             "such as tls-hw-rx-offload=on, which is off by default")
    parser.add_argument("--explain", action="store_true",
                        help="say at the end of each TLS connection whether it was offloaded, and "
                             "why not (docs/explain.md)")
    parser.add_argument("--pcap", metavar="FILE[,keys=on]", type=pcap.request,
                        help="have the NICs write their packets, on both sides of the crypto and "
                             "with verdicts, to this pcapng file; keys=on: with the TLS secrets "
                             "that the command's programs log (docs/observing.md)")
    parser.add_argument("--quiet", "-q", action="store_true",
                        help="print only errors: no progress, no greeting, no hints")
    parser.add_argument("--timeout", metavar="S", type=seconds,
                        help="end the command after S seconds, counted from its start")


def _feature(text: str) -> str:
    if not FEATURE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected NAME=on or NAME=off, such as "
                                         "tls-hw-rx-offload=on")
    return text


def main(args: argparse.Namespace, command: list[str]) -> int:
    """Run it; returns the exit status."""
    spec = Spec.from_args(args)
    if "help" in args.nic:
        return _nic_help(args)
    if spec.wire:
        wire.check(spec.wire)
    steps.ticker.quiet = args.quiet
    if spec.foreign:
        return _foreign(args, spec, command)
    if args.explain:
        watch.prepare(spec)
    if args.pcap:
        pcap.check(spec)
    products = session.ensure_products(args)
    interactive = not command and os.isatty(0)
    with session.artifacts("run", args.artifacts, quiet=args.quiet) as rundir, \
            session.booted(products, spec, rundir, hints=not args.quiet) as guest:
        steps.inform(f"guest ready after {guest.booted_in:.1f} s")
        try:
            with contextlib.ExitStack() as observers:
                if args.pcap:
                    observers.enter_context(pcap.captured(guest, args.pcap))
                if args.explain:
                    observers.enter_context(_explained(guest))
                status = _follow(guest, args, None if interactive else command or ["/bin/sh"])
        except OutputGone:
            return BROKEN_PIPE
        if not args.quiet and not args.explain:
            for sentence in hints.software_tls(_tls(guest)):
                steps.hint(sentence)
        return status


@contextlib.contextmanager
def _explained(guest: Guest) -> Iterator[None]:
    """Observe the command, and print what is to be said of its TLS connections, however it ends:
    one that stands still until --timeout is one that needs explaining."""
    try:
        with watch.watched(guest):
            yield
    finally:
        for line in explain.as_text(watch.load(guest.rundir.path)).splitlines():
            print(printable(line), file=sys.stderr, flush=True)


def _foreign(args: argparse.Namespace, spec: Spec, command: list[str]) -> int:
    """Boot the user's image, and be its console until it powers off."""
    for given, what in ((command, "a command"), (args.feature, "--feature"),
                        (args.explain, "--explain"), (args.pcap, "--pcap"),
                        (args.kernel, "--kernel")):
        if given:
            raise UsageError(f"{what} is for the lab's own guest, in place of which --disk and "
                             "--cdrom boot another")
    products = session.ensure_products(args, only=("qemu",))
    terminal = os.isatty(0)
    with session.artifacts("run", args.artifacts, quiet=args.quiet) as rundir:
        with Machine(products, spec, rundir) as machine:
            if terminal and not args.quiet:
                steps.say("the machine's serial console; Ctrl-] three times ends the machine")
            with _raw(0) if terminal else contextlib.nullcontext():
                ended = console.attach(machine, _stdin(), terminal, args.timeout)
        session.report_exit(machine)
        if not ended:
            steps.say(f"ended after {args.timeout:g} s (--timeout)")
            return EXIT_TIMEOUT
        return 0


def _follow(guest: Guest, args: argparse.Namespace, command: list[str] | None) -> int:
    """Run the command (None: a shell). If it is lost because the guest reboots (kexec, reset), run
    the command it has requested for that case; a shell is followed by another one."""
    limit = None if args.timeout is None else time.monotonic() + args.timeout
    env = args.pcap.environment if args.pcap else {}
    while True:
        try:
            if args.feature:
                _switch(guest, args.feature)
            if command is None:
                return _shell(guest, args.quiet, env)
            left = None if limit is None else max(0.0, limit - time.monotonic())
            return guest.run(command, stdin=_stdin(), timeout=left, ahead=guest.unread, env=env)
        except CommandLost as lost:
            following = guest.actions.take_next()
            if following is None and command is not None:
                lost.hint = ("`lab-kexec -- CMD` in the guest, or the action lab.next, says what "
                             "goes on after it")
                raise
            steps.say(lost.message)
            if problem := guest.boot("waiting for the guest to boot again"):
                session.warn_network(problem)
            command = following


def _switch(guest: Guest, features: list[str]) -> None:
    status, out, err = guest.output(["lab-net", "feature", *features])
    if status:
        raise LabError(f"--feature {' '.join(features)}: {(err or out).strip()}",
                       "`lab run -- ethtool -k mlx0` lists the features")


def _tls(guest: Guest) -> str:
    """Return the output of `lab-net tls`; "" if it does not answer, which is not an error."""
    with contextlib.suppress(LabError):
        return guest.output(["lab-net", "tls"], timeout=TLS_TIMEOUT)[1]
    return ""


def _stdin() -> int | None:
    """Return descriptor 0, or None if reading it would stop us: a terminal while in the
    background."""
    try:
        if os.isatty(0) and os.tcgetpgrp(0) != os.getpgrp():
            return None
        os.fstat(0)
    except OSError:
        return None
    return 0


def _size() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(0)
    except OSError:
        return 24, 80
    return rows or 24, columns or 80


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    """Put the terminal into raw mode, so that all keys are interpreted in the guest."""
    before = termios.tcgetattr(fd)
    try:
        ttymodule.setraw(fd)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _shell(guest: Guest, quiet: bool, env: dict[str, str]) -> int:
    if not quiet:
        steps.say("a shell in the guest; `exit` or Ctrl-D ends it, Ctrl-] three times ends the "
                  "machine")
        for line in hints.greeting(_tls(guest)):
            steps.say(line)
    status, _, _ = guest.output(["test", "-x", "/bin/bash"])
    shell = ["/bin/bash", "-l"] if status == 0 else ["/bin/sh", "-l"]
    with _raw(0):
        return guest.run(shell, stdin=0, stdout=1, tty=_size(), window=_size, env=env)


def _nic_help(args: argparse.Namespace) -> int:
    products = session.ensure_products(args)
    command = [str(products.qemu)]
    for folder in products.firmware_dirs:
        command += ["-L", str(folder)]
    result = subprocess.run([*command, "-device", f"{args.nic_model},help"], check=False,
                            stdin=subprocess.DEVNULL)
    if result.returncode:
        raise LabError(f"{products.qemu} does not know the device {args.nic_model}")
    sys.stdout.flush()
    return 0
