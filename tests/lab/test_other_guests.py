# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of the user in place of the lab's guest: `lab run --disk`; the suite `lab`.

Responsible for: that the image boots, sees the NICs, has the console, and ends.
State: none.
"""

import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

from labkit.run import session
from labkit.run.machine import Machine
from labkit.run.spec import Spec

from .judge import check, same
from .rig import LIMIT, LabRig

PARTS = ("qemu",)
# A boot sector. It asks the BIOS (INT 1Ah, AX B102h) for functions 15b3:101d, writes
# "disk: N NICs" to the first serial port, then what it reads there; `q` powers off, by the q35's
# PM1 control register, port 604h.
SECTOR = bytes.fromhex(
    "31c08ed889c6"                          # xor ax,ax; mov ds,ax; mov si,ax
    "b802b1b91d10bab315cd1a720346ebf0"      # find: int 1Ah; jc found; inc si; jmp find
    "fa89f00006607cbe5a7c"                  # found: cli; add [count],al; mov si,text
    "ac84c07405e82100ebf6"                  # print: lodsb; call put until a 0
    "bafd03eca80174f8baf803ec"              # listen: wait for a byte
    "3c717405e80c00ebeb"                    # q: off; else call put; jmp listen
    "ba0406b80020eff4ebfd"                  # off: out 604h,2000h; hlt
    "88c4bafd03eca82074fb88e0baf803eec3"    # put: wait; out 3f8h,al; ret
) + b"disk: 0 NICs\r\n\0"

# QEMU, which has closed its connections at its end, and ends some time later
SLOW_END = """#!{python} -I
import os, subprocess, sys, time
qemu = subprocess.Popen(["{qemu}", *sys.argv[1:]], close_fds=False)
os.closerange(3, 1024)
qemu.wait()
time.sleep(2)
sys.exit(qemu.returncode)
"""


def _image(folder: pathlib.Path) -> str:
    path = folder / "disk,1.img"            # a comma is special to QEMU
    path.write_bytes(SECTOR.ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    return str(path)


def test_other_guest_boots(rig: LabRig) -> None:
    """It boots, has the NICs and the terminal, and its end is the lab's."""
    with tempfile.TemporaryDirectory() as folder:
        image = _image(pathlib.Path(folder))
        for topology, nics in (("pair", b"2"), ("user", b"1")):
            process = rig.start(None, "--disk", image, "--topology", topology,
                                stdin=subprocess.PIPE)
            shown = b""
            while b"NICs\r\n" not in shown and (more := os.read(process.stdout.fileno(), 4096)):
                shown += more
            check(b"disk: %s NICs\r\n" % nics in shown, f"{topology}: {shown!r}")
            status, out, err = rig.finish(process, b"hello q")
            same((status, out), (0, b"hello "), f"{topology}: {err}")
            log = (process.folder / "console.log").read_bytes()
            check(shown + out in log, f"console.log lacks what was shown: {log!r}")
        status, out, err = rig.run(None, "--disk", image, "--timeout", "5")
        same(status, 124, f"nobody types q: {err}")


def test_slow_end(rig: LabRig) -> None:
    """A QEMU whose guest has powered off is waited for, not killed, however long it takes."""
    made = rig.context.products()
    with tempfile.TemporaryDirectory() as folder:
        slow = pathlib.Path(folder) / "qemu"
        slow.write_text(SLOW_END.format(python=sys.executable, qemu=str(made.qemu)),
                        encoding="utf-8")
        slow.chmod(0o755)
        spec = dataclasses.replace(Spec.from_args(rig.context.args, topology="user"),
                                   disk=pathlib.Path(_image(pathlib.Path(folder))))
        with session.artifacts("lab", pathlib.Path(folder) / "run", quiet=True) as rundir:
            machine = Machine(dataclasses.replace(made, qemu=slow), spec, rundir)
            with machine:
                machine.agent.setblocking(True)
                machine.agent.settimeout(LIMIT)
                shown = b""
                while b"NICs\r\n" not in shown and (more := machine.agent.recv(4096)):
                    shown += more
                check(b"disk: 1 NICs\r\n" in shown, f"the guest's console: {shown!r}")
                machine.agent.send(b"q")
                same(machine.agent.recv(1), b"", "the console after the guest has powered off")
            same(machine.exit_status, 0, machine.epitaph())


def test_other_guest_refused(rig: LabRig) -> None:
    """What needs the lab's guest is refused by name, and so is what is no image."""
    with tempfile.TemporaryDirectory() as folder:
        image = _image(pathlib.Path(folder))
        for options, command, word in (
                (["--disk", image], ["true"], "a command"),
                (["--disk", image, "--feature", "tso=on"], None, "--feature"),
                (["--disk", image, "--append", "debug"], None, "--append"),
                (["--cdrom", image, "--share", folder], None, "--share"),
                (["--disk", image, "--bdf", "0000:01:00.0", "--peer-bdf", "0000:01:00.1"], None,
                 "--bdf"),
                (["--disk", folder], None, "expected a disk image")):
            status, _, err = rig.run(command, *options)
            same(status, 125, f"{options}: {err}")
            check(word in err, f"{word} expected: {err}")
