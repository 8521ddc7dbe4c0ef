# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux's selftests of network drivers in a guest, on its two NICs.

Responsible for: the environment that the tests expect of a machine, running them one after another,
another guest after one that died, and what each of them reported.
State: none beyond the run.

The tests get their NICs as the maintainers' CI passes them: NETIF is the one under test, the other
one is in the network namespace that REMOTE_ARGS names. Most of those written in shell want both in
one namespace, as arguments.
"""

import argparse
import contextlib
import dataclasses
import pathlib
import re
from collections.abc import Callable, Iterator, Sequence

from .. import ktap, steps
from ..errors import LabError
from ..make import rootfs, selftests
from ..make.products import Products
from ..make.selftests import Selftests
from . import session
from .guest import Guest, GuestDied
from .rundir import RunDir
from .spec import Spec

KERNEL = selftests.KERNEL
CPUS = 6                # the tests of RSS want some queues
LIMIT = 2400            # seconds for a program; under emulation the longest take half of it
GRACE = 60              # seconds for its clean-up when these are over
BOOTS = 4               # after a crash the rest runs on another machine
WHOLE = "(whole program)"
SKIPPED = 4             # kselftest's exit status of a program that was skipped
PREFIX = "fd01::/64"    # addresses behind the NIC under test, which the other end routes to it
ENVIRONMENT = {"KSFT_MACHINE_SLOW": "yes", "LOCAL_PREFIX_V6": PREFIX}
# Addresses outlive a link that is down, as the tests expect; lab-net has made the rest.
PREPARE = f"""
sysctl -q -w net.ipv6.conf.all.keep_addr_on_down=1 net.ipv6.conf.$NETIF.keep_addr_on_down=1
ip netns exec $REMOTE_ARGS sysctl -q -w net.ipv6.conf.all.keep_addr_on_down=1
ip -n $REMOTE_ARGS route replace {PREFIX} via $LOCAL_V6
"""
CONFORMANT = "DRIVER_TEST_CONFORMANT:=yes"      # in a script that takes NETIF and REMOTE_ARGS
PREFIXES = re.compile(r"^[# ]*(?:\w+ ?Exception\||Exception\||Check\|)?")
LOG_TEST = re.compile(r"TEST: (.*?)\s+\[\s*(OK|FAIL|SKIP|XFAIL)\s*\]\s*$")
STATES = {"OK": "pass", "FAIL": "fail", "SKIP": "skip", "XFAIL": "skip"}


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a program did."""

    program: str
    results: list[ktap.Result]      # their paths are the names of its cases
    died: bool = False              # so did the guest


def build(what: str | None) -> Selftests:
    """The tests of a kernel, by default KERNEL, built unless cached."""
    return selftests.build(what or KERNEL, rootfs.build())


def run(args: argparse.Namespace, made: Products, tests: Selftests, programs: Sequence[str],
        folder: Callable[[str], RunDir]) -> Iterator[Ran]:
    """Run PROGRAMS in turn on a machine of ARGS with at least CPUS processors; yields what each of
    them did. FOLDER makes the artifacts directory of a guest. The programs' output goes to files
    there, named after them."""
    left = list(programs)
    for boot in range(1, BOOTS + 1):
        with folder(f"guest-{boot}" if boot > 1 else "guest") as rundir:
            try:
                yield from _boot(args, made, tests, left, rundir)
            except GuestDied as error:
                if not left:
                    raise
                yield Ran(left.pop(0), [ktap.Result([WHOLE], "fail", error.message)], died=True)
        if not left:
            return
        steps.say(f"{len(left)} programs are left; booting again")
    for program in left:
        yield Ran(program, [ktap.Result([WHOLE], "fail",
                                        f"not run: {BOOTS} guests died before it")])


def _boot(args: argparse.Namespace, made: Products, tests: Selftests, left: list[str],
          rundir: RunDir) -> Iterator[Ran]:
    """One guest; takes the programs that have ended off LEFT."""
    spec = Spec.from_args(args, topology="pair", initrds=[tests.archive], wire=None,
                          smp=max(args.smp, CPUS))
    with session.booted(made, spec, rundir, need_network=True) as guest:
        steps.say(f"guest ready after {guest.booted_in:.1f} s, {len(left)} programs to run")
        _shell(guest, PREPARE)
        while left:
            ran = _program(guest, left[0], rundir.file(left[0].replace("/", "-") + ".txt"))
            left.pop(0)
            yield ran
            if left:
                _shell(guest, "lab-net up")
                _shell(guest, PREPARE)


def _shell(guest: Guest, script: str) -> None:
    status, out, err = guest.output(["sh", "-e", "-c", script], timeout=120)
    if status:
        raise LabError(f"the guest cannot be prepared: {(err or out).strip()}")


def _program(guest: Guest, program: str, log: pathlib.Path) -> Ran:
    """Run a program to its end."""
    folder, _, name = f"/{selftests.AT}/{selftests.BELOW}/{program}".rpartition("/")
    # as kselftest's own runner starts a program that is not executable, which some are not
    interpreter = {".py": ["python3"], ".sh": ["bash"]}.get(pathlib.Path(name).suffix, [])
    argv = ["timeout", "-k", str(GRACE), str(LIMIT), *interpreter, f"./{name}"]
    if name.endswith(".sh") and guest.output(["grep", "-q", CONFORMANT, f"{folder}/{name}"])[0]:
        _shell(guest, "ip -n $REMOTE_ARGS link set dev mlx1 netns 1")
        argv += ["mlx0", "mlx1"]
    said = bytearray()
    with open(log, "wb", buffering=0) as copy, _ticking(program):
        def take(data: bytes) -> None:
            said.extend(data)
            copy.write(data)

        status = guest.run(argv, stdout=take, stderr=take, cwd=folder, env=ENVIRONMENT,
                           timeout=LIMIT + 2 * GRACE)
    return Ran(program, outcome(program, said.decode(errors="replace"), status))


@contextlib.contextmanager
def _ticking(program: str) -> Iterator[None]:
    steps.ticker.show(f"lab: {program}")
    try:
        yield
    finally:
        steps.ticker.clear()


# ---- what a program reported

def outcome(program: str, text: str, status: int) -> list[ktap.Result]:
    """The results of a program's cases from its output and exit status. One that says nothing of
    its cases is one result, named WHOLE."""
    parser = ktap.parse(text)
    results = parser.results() or _logged(text)
    stem = program.rpartition("/")[2].partition(".")[0]
    for result in results:
        result.path = [part.removeprefix(f"{stem}.") for part in result.path]
        if result.status == "fail" and not result.reason:
            result.reason = _last_words(result.output)
    lines = [line.lstrip("# ") for line in text.strip().splitlines() if line.strip("# ")]
    missing = (parser.plan or 0) - len(results)
    wrong = ""
    if status == 124:
        wrong = f"did not end within {LIMIT} s"
    elif status > 128:
        wrong = f"was killed by signal {status - 128}"
    elif not results and status == SKIPPED:
        return [ktap.Result([WHOLE], "skip", lines[-1] if lines else "it does not say why")]
    elif not results:
        wrong = f"ended with status {status} and reported no case"
    elif status not in (0, SKIPPED) and all(result.status != "fail" for result in results):
        wrong = f"ended with status {status}"
    elif missing > 0:
        wrong = f"planned {parser.plan} cases and reported {len(results)}"
    if wrong:
        results.append(ktap.Result([WHOLE], "fail", wrong, lines[-20:]))
    return results


def _last_words(output: list[str]) -> str:
    """The line of a failure's diagnostics that says most: that of the check, or the last one."""
    lines = [PREFIXES.sub("", line).strip() for line in output]
    checks = [line for line in lines if line.startswith("Check failed")]
    return next(filter(None, [*checks, *reversed(lines)]), "")


def _logged(text: str) -> list[ktap.Result]:
    """Results of a program that writes "TEST: name [ OK ]"."""
    found: list[ktap.Result] = []
    for line in text.splitlines():
        match = LOG_TEST.match(line.strip())
        if match:
            found.append(ktap.Result([match[1]], STATES[match[2]],
                                     "xfail" if match[2] == "XFAIL" else ""))
        elif found and line.startswith((" ", "\t")) and line.strip():
            last = found[-1]                # the reason comes after the verdict
            last.reason = last.reason or line.strip()
    return found
