# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of what the lab does for NICs that are not its own: --target local, and guests that are as
a machine with a card is.

Responsible for: options, ending a run so that it can put everything back, command lines of QEMU,
programs carried into a guest.
State: none.
"""

import argparse
import pathlib
import socket
import stat
import sys
import tempfile
from typing import Any
from unittest import mock

from labkit import options
from labkit.commands import test as test_command, this_machine
from labkit.errors import UsageError
from labkit.interrupts import Interrupted
from labkit.ktap import MergedReport, Result
from labkit.make import carry
from labkit.run import machine
from labkit.run.spec import Spec
from labkit.suites import local
from labkit.suites.guest import Stream

from .judge import check, raises, same
from .stand_ins import plain_rundir

# it needs a moment to put everything back when it is told to end
SLOW_TO_END = """
import pathlib, signal, sys, time
def end(*_):
    time.sleep(1.5)
    pathlib.Path(sys.argv[1]).write_text("restored")
    sys.exit(130)
signal.signal(signal.SIGTERM, end)
print("KTAP version 1", flush=True)
time.sleep(600)
"""


def _args(*words: str) -> argparse.Namespace:
    parser = options.Parser(prog="lab test", allow_abbrev=False)
    test_command.add_options(parser)
    return parser.parse_args(list(words))


def test_local_options(_rig: object) -> None:
    """--target local needs both interfaces, passes on what it is given, and is told apart from the
    lab's own suites."""
    ends = ("--target", "local", "--iface", "a0", "--peer-iface", "b0")
    given = (*ends, "--peer-ssh", "root@b", "--net-v4", "10.1.0.0/24", "--wire-program", "none")
    same(this_machine.bench_arguments(_args(*given)),
         ["--iface", "a0", "--peer-iface", "b0", "--peer-ssh", "root@b", "--net-v4", "10.1.0.0/24",
          "--wire", "none"], "words for run.py")
    for words, wanted in ((("--target", "local", "--iface", "a0"), "expected --iface and --peer"),
                          (("--iface", "a0"), "--iface: expected --target local"),
                          (("--preflight",), "--preflight: expected --target local"),
                          ((*ends, "--suite", "qtest"), "expected no --suite but guest")):
        with raises(UsageError, wanted):
            args = _args(*words)
            # pylint: disable-next=protected-access
            test_command._target(args)
            this_machine.bench_arguments(args)
    # pylint: disable-next=protected-access
    suites = test_command._target(_args(*ends))
    same([suite.name for suite in suites], ["guest"], "suites")


class _Impatient:
    """A stream whose reader is interrupted at the first line."""

    def feed(self, data: bytes) -> None:
        """Some bytes have come."""
        check(data.startswith(b"KTAP"), f"{data!r}")
        raise Interrupted(2)


def test_local_restores(_rig: object) -> None:
    """When the lab is interrupted, the test program is told to end, and waited for."""
    with tempfile.TemporaryDirectory() as folder:
        done = pathlib.Path(folder, "done")
        argv = [sys.executable, "-c", SLOW_TO_END, str(done)]
        stream: Any = _Impatient()
        try:
            # pylint: disable-next=protected-access
            this_machine.ThisMachine()._pass_on(argv, stream, plain_rundir(folder))
        except Interrupted:
            pass
        check(done.exists(), "it was ended before it had restored anything")


def _command_line(spec: Spec) -> list[str]:
    """QEMU's, for a machine that is never started."""
    products: Any = mock.Mock(firmware_dirs=[], kernel="k", kernel_args="")
    with tempfile.TemporaryDirectory() as folder:
        made = machine.Machine(products, spec, plain_rundir(folder))
        ports = [(name, 10 + number) for number, name in enumerate(machine.PORTS)]
        # pylint: disable-next=protected-access
        return made._args(pathlib.Path("i"), ports, [20, 21])


def test_a_guest_alone(_rig: object) -> None:
    """A guest that is to be alone has no port to the lab but the agent's."""
    for alone in (False, True):
        words = " ".join(_command_line(Spec(alone=alone, bare=alone)))
        check("name=lab.agent" in words, f"no agent in {words}")
        same("name=lab.channel" in words, not alone, f"the channel, alone={alone}")
        same("lab.topology=none" in words, alone, f"names only, alone={alone}")


def test_two_machines(_rig: object) -> None:
    """The guests at the ends of a cable have a NIC each, with addresses of their own, and a second
    network."""
    macs = set()
    for number in (0, 1):
        words = _command_line(Spec(topology="cable", number=number))
        netdevs = [word for word in words if word.startswith("stream,")]
        same([word.rpartition("=")[2] for word in netdevs], ["20", "21"], f"netdevs {netdevs}")
        nics = [word for word in words if word.startswith(("mlx5-ktls,", "virtio-net-pci,"))]
        same(len(nics), 2, f"NICs {nics}")
        macs |= {part for word in nics for part in word.split(",") if part.startswith("mac=")}
    same(len(macs), 4, f"addresses {macs}")
    near, far = socket.socketpair()
    with near, far:
        spec = Spec(topology="cable", cables=[near])
        with tempfile.TemporaryDirectory() as folder:
            made = machine.Machine(mock.Mock(), spec, plain_rundir(folder))
            # pylint: disable-next=protected-access
            ends = made._wire_ends()
        for end in ends:
            end.close()
        check(near.fileno() >= 0, "the owner's socket was closed")


def test_carried_program(_rig: object) -> None:
    """A program goes into a guest with its loader and all its libraries, and a script that starts
    it with them."""
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(carry.cpio, "write") as write:
        carry.archive(pathlib.Path(folder, "x"),
                      {"/usr/local/bin/look": pathlib.Path("/bin/ls").resolve()})
    files = {name: (data, mode) for name, data, mode in write.call_args.kwargs["files"]}
    script, mode = files["/usr/local/bin/look"]
    check(mode & stat.S_IXUSR, f"mode {mode:o}")
    words = script.decode().splitlines()[-1].split()
    for place in (words[1], f"{carry.HOME}/bin/look", f"{carry.HOME}/libc.so.6"):
        check(place in files, f"no {place} in {sorted(files)}")
        check(files[place][0].startswith(b"\x7fELF"), f"{place} is no program")
    check(words[1] == f"{carry.HOME}/ld-linux-x86-64.so.2", f"{words[1]} starts it")


class _Piecemeal:
    """A guest in which a program prints this, and the reader gets it in pieces."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.argv: list[str] = []

    def run(self, argv: list[str], *, stdout: Any, **_: object) -> int:
        """As Guest.run()."""
        self.argv = argv
        for start in range(0, len(self.text), 7):
            stdout(self.text[start:start + 7])
        return 1


def test_bench_in_the_guest(_rig: object) -> None:
    """The tests of benchcheck.py have a group in the report, and are asked for without it."""
    guest: Any = _Piecemeal(b"1..2\n# seed 4\nok 1 settings\n# is x\n"
                            b"not ok 2 interrupted - changed by the run: qdiscs\n")
    report = MergedReport(lambda text: None)
    left = ["bench/settings", "bench/interrupted"]
    with tempfile.TemporaryDirectory() as folder:
        stream = Stream(report, left, pathlib.Path(folder, "guest.ktap"))
        # pylint: disable-next=protected-access
        local.Local._check_bench(guest, stream, list(left), plain_rundir(folder))
        stream.close()
    same(guest.argv[-2:], ["settings", "interrupted"], "tests that are asked for")
    same([(result.name, result.status) for _, result in report.results],
         [("bench/settings", "pass"), ("bench/interrupted", "fail")], "results")
    same(left, [], "tests without a result")


def test_violations_from_outside(_rig: object) -> None:
    """What devices under strict mode have seen is asked for when no test could; other NICs have
    no such property."""
    def ask(command: str, path: str, **_: object) -> dict[str, int]:
        same(command, "qom-get", "command")
        return {"nonce_reuse": 0, "plaintext": 2 if path.endswith("/nic1") else 0}

    guest: Any = mock.Mock()
    guest.machine.qmp = ask
    for spec, wanted in ((Spec(), "violations of strict mode: nic1: plaintext: 2"),
                         (Spec(topology="cable"), ""), (Spec(nic_model="igb"), "")):
        guest.machine.spec = spec
        same(local.violations(guest), wanted, f"{spec.topology}, {spec.nic_model}")


def test_account(_rig: object) -> None:
    """Tests that ran are counted apart from those that did not, and the reasons are listed."""
    results = [Result(["T-01/a"], "pass"), Result(["T-01/b"], "fail", "x"),
               Result(["T-02/a"], "skip", "no log"), Result(["T-02/b"], "skip", "no log"),
               Result(["T-03/a"], "skip", "no tc"), Result(["ping/v4"], "pass"),
               Result(["Q-01/a"], "pass")]
    same(local.account(results),
         ["T-*: 2 run, 3 skipped", "     2 no log", "     1 no tc",
          "smoke and other tests: 1 run, 0 skipped", "Q-*: 1 run, 0 skipped"], "lines")
