# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `vfio`: emulated NICs given to a second guest inside a guest with an IOMMU.

Responsible for: a guest that is the host of another one, `lab test --target vfio` in it, what comes
of a lab there that is ended or killed, and the logs of both.
State: none beyond the run.

In the outer guest everything is as on a machine with a card: this checkout, what has been built
(--built), two functions with the driver mlx5_core, each in an IOMMU group. The inner guest's driver
gives the devices addresses of that guest's memory, so nothing of it works without translation.
"""

from collections.abc import Iterator, Sequence

from .. import ktap, steps
from ..errors import LabError
from ..make import cpio, guest_tests, portable
from ..make.products import PARTS, Products
from ..run import session
from ..run.guest import Guest
from ..run.rundir import RunDir
from ..run.spec import Spec
from .local import Alone, violations
from .suite import Context, Suite

KERNEL = "7.3"              # of the outer guest: it has vfio
MEMORY = "4G"               # of it; the inner guest's is locked in it, and comes on top of files
IOMMU = ["-device", "intel-iommu,caching-mode=on"]
AT = "/opt/lab"             # the checkout in the outer guest
KEPT = "/tmp/inner"         # artifacts of the inner lab there
FUNCTIONS = ("0000:01:00.0", "0000:02:00.0")    # of the NICs, behind their ports
NO_NIC = "0000:00:1f.2"
# Emulated in an emulated machine a processor does a few million instructions a second. Its clock
# counts them, so that no timer and no limit of the kernel's comes too soon for it; the time stamp
# counter then counts nanoseconds.
INNER = ["--built", f"{AT}/built", "--smp", "1", "--mem", "640M", "--qemu-arg", "-accel",
         "--qemu-arg", "tcg,thread=single", "--qemu-arg", "-icount", "--qemu-arg", "shift=3",
         "--append", "tsc_early_khz=1000000", "--boot-timeout", "3600", "--hang-timeout", "3600",
         "--bdf", FUNCTIONS[0], "--peer-bdf", FUNCTIONS[1]]
SILENCE = 7200.0            # a hang guard, of the inner lab
SHORT = 1200.0              # likewise, of one that does not boot a guest
# The tests that the inner guest runs: a path of each kind through the device.
SELECTED = ("probe/driver", "probe/dmesg", "ping/v4", "tcp/v4-send", "tls-tx/aes128-v4",
            "tls-rx/aes128-v4")
REFUSED, ENDED, KILLED, BACK, WATCHED = (
    "refused", "given-back/ended", "given-back/killed", "given-back/after-tests", "strict")

# Starts a lab, waits until it has taken a function, and sends it a signal: prints its status.
INTERRUPT = """
import os, signal, subprocess, sys, time
# whatever started us in the background had it ignored; a person's Ctrl-C is not
signal.signal(signal.SIGINT, signal.default_int_handler)
function, number, *command = sys.argv[1:]
link = f"/sys/bus/pci/devices/{function}/driver"
lab = subprocess.Popen(command)
while not (os.path.exists(link) and os.readlink(link).endswith("/vfio-pci")):
    if lab.poll() is not None:
        sys.exit(f"it ended with status {lab.returncode} before it took {function}")
    time.sleep(0.05)
lab.send_signal(int(number))
print(lab.wait())
"""


def lab(*words: str) -> list[str]:
    """A command line of the inner lab."""
    return ["python3", "-B", f"{AT}/scripts/lab", *words]


class OnFunctions(Alone):
    """The suite `guest` with --target vfio: tests(), names and results are its own. Without a name
    as a class: `lab test` puts it into the place of the other."""

    name = ""

    def __init__(self) -> None:
        self.name = "guest"


class Vfio(Suite):
    """A guest in a guest, with the outer one's NICs."""

    name = "vfio"
    about = "lab test --target vfio in a guest with an IOMMU, and what it leaves behind"
    default = False
    by_name = True
    order = 720
    parts = PARTS

    def tests(self, context: Context) -> list[str]:
        return [REFUSED, ENDED, KILLED, *(f"guest/{name}" for name in SELECTED), BACK, WATCHED]

    def products(self, context: Context) -> Products:
        return context.products(only=PARTS, kernel=KERNEL)

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        outer, inner = self.products(context), context.products(only=PARTS)
        report.plan(len(names))
        where = context.rundir.file(self.name)
        left = list(names)
        reason = "the outer guest ended before it"
        try:
            with session.artifacts(self.name, where, quiet=True) as rundir:
                spec = self._machine(context, inner, rundir)
                with session.booted(outer, spec, rundir, need_network=True) as guest:
                    steps.say(f"outer guest ready after {guest.booted_in:.1f} s")
                    for result in Nested(guest, rundir).results(names):
                        report.result(result)
                        left.remove(result.name)
        except LabError as error:
            reason = error.message
        for name in left:
            report.result(ktap.Result([name], "fail", reason))

    @staticmethod
    def _machine(context: Context, inner: Products, rundir: RunDir) -> Spec:
        packed = rundir.sockets / "built"
        portable.pack(inner, packed)
        archive = rundir.sockets / "lab.cpio"
        trees, files = guest_tests.checkout(AT)
        cpio.write(archive, trees=[*trees, (packed, f"{AT}/built")], files=files)
        spec = Spec.from_args(context.args, topology="pair", initrds=[archive], mem=MEMORY)
        spec.nic = ["strict=on", *spec.nic]
        spec.qemu_arg = [*IOMMU, *spec.qemu_arg]
        spec.append = f"intel_iommu=on {spec.append}".strip()
        return spec


class Nested:
    """The tests, in a booted outer guest."""

    def __init__(self, guest: Guest, rundir: RunDir) -> None:
        self.guest = guest
        self.rundir = rundir
        self.log = rundir.file("inner-lab.txt")

    def results(self, names: Sequence[str]) -> Iterator[ktap.Result]:
        """Those of `names`, in order, as they come."""
        single = {REFUSED: self.refused, ENDED: self.ended, KILLED: self.killed,
                  BACK: self.works, WATCHED: self.violations}
        inner = [name for name in names if name not in single]
        for name in names:
            if name in single:
                problem = single[name]()
                yield ktap.Result([name], "fail" if problem else "pass", problem)
            elif inner:
                yield from self.inner(inner)
                inner = []

    def _run(self, argv: Sequence[str], timeout: float = SHORT) -> tuple[int, str]:
        """(status, all that it said) of a command in the outer guest; a copy goes to the log."""
        said = bytearray()
        status = self.guest.run(argv, stdout=said.extend, stderr=said.extend, timeout=timeout)
        text = said.decode(errors="replace")
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(argv)}\n{text}# status {status}\n")
        return status, text

    def _bound(self) -> str:
        """"" when both functions have their driver, and nothing of vfio stays; else what is."""
        for bdf in FUNCTIONS:
            _, text = self._run(["sh", "-c", f"cd /sys/bus/pci/devices/{bdf}; "
                                 "basename $(readlink driver); cat driver_override"])
            if text.split() != ["mlx5_core", "(null)"]:
                return f"{bdf} has driver and driver_override {text.split()}, " \
                       "expected mlx5_core and none"
        return ""

    def refused(self) -> str:
        """What is no NIC is refused, and nothing is touched; what is wrong with that."""
        status, text = self._run(lab("run", *INNER[:-1], NO_NIC, "--", "true"))
        if status != 125 or f"{NO_NIC}: its class is" not in text:
            return f"status {status}, expected 125 and a sentence about {NO_NIC}:\n{text}"
        return self._bound()

    def _signalled(self, number: int) -> tuple[int, str]:
        return self._run(["python3", "-c", INTERRUPT, FUNCTIONS[0], str(number),
                          *lab("run", *INNER, "--", "true")])

    def ended(self) -> str:
        """A lab that is told to end gives back what it has taken."""
        _, text = self._signalled(2)
        if text.split()[-1:] != ["130"]:
            return f"expected status 130 after SIGINT:\n{text}"
        return self._bound()

    def killed(self) -> str:
        """What a killed one has left, `lab test --restore` gives back."""
        self._signalled(9)
        if not self._bound():
            return "nothing was left by a lab that was killed: the test shows nothing"
        status, text = self._run(lab("test", "--restore"))
        if status or FUNCTIONS[0] not in text:
            return f"--restore: status {status}, expected 0 and {FUNCTIONS[0]}:\n{text}"
        return self._bound()

    def inner(self, names: Sequence[str]) -> Iterator[ktap.Result]:
        """The inner guest's tests; each has a result."""
        parser = ktap.Parser()
        rest = b""

        def feed(data: bytes) -> None:
            nonlocal rest
            log.write(data)
            log.flush()         # whoever waits for it can see how far it is
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                parser.line(line.decode(errors="replace"))

        argv = lab("test", "--target", "vfio", "--artifacts", KEPT, *INNER,
                   *(word for name in names for word in ("--only", name)))
        with open(self.log, "ab") as log:
            status = self.guest.run(argv, stdout=feed, stderr=log.fileno(), silence=SILENCE)
        self._keep()
        found = {result.name: result for result in parser.results()}
        for name in names:
            yield found.get(name) or ktap.Result(
                [name], "fail", f"the inner lab ended with status {status} without a result for "
                                f"it; what it said: {self.log}")

    def _keep(self) -> None:
        """The inner lab's artifacts, beside ours."""
        with open(self.rundir.file("inner.tar"), "wb") as out:
            self.guest.run(["sh", "-c", f"cd {KEPT} && busybox tar -cf - ."], stdout=out.fileno(),
                           timeout=SHORT)

    def works(self) -> str:
        """After all that the interfaces are the outer guest's again, and work."""
        problem = self._bound()
        if problem:
            return problem
        status, text = self._run(["sh", "-c", "lab-net up && ping -c 3 10.0.0.2"])
        return f"status {status}:\n{text}" if status else ""

    def violations(self) -> str:
        """The devices have seen no violation of strict mode, whoever drove them."""
        return violations(self.guest)
