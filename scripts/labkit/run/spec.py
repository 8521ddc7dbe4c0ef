# SPDX-License-Identifier: GPL-2.0-or-later
"""The specification of a machine, and its options.

Responsible for: each option about the machine, from its help to its additions to the command lines
of QEMU and the kernel; conflicts between them.
State: none.

A new option is a new field of Spec. Whatever its `qemu` and `kernel` cannot express (such as a
device that needs a descriptor of ours), machine.py does with the field's value.
"""

import argparse
import dataclasses
import pathlib
import re
import shlex
import socket
from typing import Any, ClassVar

from .. import options
from ..errors import UsageError
from ..options import option
from . import passthrough

OURS = "mlx5-ktls"
# {a NIC of QEMU: (its driver in the guest, the option of the kernel that the driver is)}
NIC_MODELS = {OURS: ("mlx5_core", "MLX5_CORE_EN"), "igb": ("igb", "IGB"),
              "e1000e": ("e1000e", "E1000E"), "virtio-net-pci": ("virtio_net", "VIRTIO_NET")}
BOOT_TIMEOUT = 180.0
HANG_TIMEOUT = 300.0
MANAGE_ADDRESS = 0x4        # of that virtio NIC on the root bus
SHARE_TAG, SHARE_ADDRESS = "labshare", 0x3

_MEMORY = re.compile(r"\d+[MmGg]?")
_HOSTFWD = re.compile(r"(tcp|udp):[^:]*:\d+-[^:]*:\d+")


def quote(value: object) -> str:
    """Quote a value inside a QEMU option: commas are doubled."""
    return str(value).replace(",", ",,")


# ---- argparse types; errors say what was expected

def seconds(text: str) -> float:
    """argparse type: a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a positive number of seconds")
    return value


def _cpus(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 8:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1 to 8 "
                                         "(the guest's kernel has 8 CPUs at most)")
    return int(text)


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a size such as 1024, 512M or 4G")
    size = int(text.rstrip("MmGg")) * (1024 if text[-1] in "Gg" else 1)
    if size < 384:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 384M or more, which the guest needs")
    return text.upper()


# ---- conversion to fields

def _properties(texts: list[str]) -> list[str]:
    return [text.strip(",") for text in texts if text.strip(",")]


def _forwards(rules: list[str]) -> list[str]:
    for rule in rules:
        if not _HOSTFWD.fullmatch(rule):
            raise UsageError(f"--hostfwd {rule!r}: expected tcp|udp:[HOSTADDR]:HOSTPORT-"
                             "[GUESTADDR]:GUESTPORT, such as tcp::8443-:443")
    return rules


def _share(text: str | None) -> pathlib.Path | None:
    if text is None:
        return None
    path = pathlib.Path(text).resolve()
    if not path.is_dir():
        raise UsageError(f"--share {path}: not a directory")
    return path


def _image(text: str | None) -> pathlib.Path | None:
    if text is None:
        return None
    path = pathlib.Path(text).resolve()
    if not path.is_file() and not path.is_block_device():
        raise UsageError(f"{path}: expected a disk image")
    return path


def _drive(kind: str, place: int, path: pathlib.Path) -> list[str]:
    """An image as drive number `place` of the AHCI controller, and of the boot order."""
    with open(path, "rb") as image:
        form = "qcow2" if image.read(4) == b"QFI\xfb" else "raw"
    flags = ",media=cdrom,readonly=on" if kind == "ide-cd" else ""
    return ["-drive", f"if=none,id={kind},format={form},file={quote(path)}{flags}",
            "-device", f"{kind},drive={kind},bus=ide.{place},bootindex={place}"]


def _function(text: str | None) -> str | None:
    return None if text is None else passthrough.address(text)


def _rules(texts: list[str] | None) -> list[str] | None:
    return None if texts is None else [text for text in texts if text != "none"]


def _qemu_words(texts: list[str]) -> list[str]:
    words = []
    for text in texts:
        words += shlex.split(text) if text.startswith("-") and " " in text.strip() else [text]
    return words


def _share_devices(path: pathlib.Path) -> list[str]:
    return ["-fsdev", f"local,id=share,path={quote(path)},security_model=none,multidevs=remap",
            "-device", f"virtio-9p-pci,fsdev=share,mount_tag={SHARE_TAG},bus=pcie.0,"
                       f"addr={SHARE_ADDRESS:#x}"]


@dataclasses.dataclass
class Spec:
    """The specification of a machine."""

    TITLE: ClassVar[str] = "the machine"

    topology: str = option(
        "--topology", commands=("run",), choices=("pair", "user"), default="pair",
        help="pair: two NICs back to back (default); user: one NIC on libslirp with DHCP")
    hostfwd: list[str] = option(
        "--hostfwd", commands=("run",), metavar="RULE", default=[], convert=_forwards,
        help="with --topology user: forward a port of the host, "
             "tcp|udp:[ADDR]:PORT-[ADDR]:PORT")
    share: pathlib.Path | None = option(
        "--share", commands=("run",), metavar="DIR", convert=_share,
        help="share this host directory, read-write at /mnt/share in the guest",
        qemu=_share_devices, kernel=lambda _: [f"lab.share={SHARE_TAG}"])
    disk: pathlib.Path | None = option(
        "--disk", commands=("run",), metavar="IMAGE", convert=_image,
        help="boot this disk (raw or qcow2) in place of the lab's guest, with the same NICs; its "
             "serial console is the terminal (docs/other-guests.md)",
        qemu=lambda path: _drive("ide-hd", 0, path))
    cdrom: pathlib.Path | None = option(
        "--cdrom", commands=("run",), metavar="FILE", convert=_image,
        help="likewise this CD; with --disk, if the disk does not boot",
        qemu=lambda path: _drive("ide-cd", 1, path))
    # rules of the middlebox between the NICs, None without middlebox
    wire: list[str] | None = option(
        "--wire", commands=("run",), metavar="RULE", action="append", convert=_rules,
        help="put the middlebox of docs/wire.md between the NICs, with this rule; may be given "
             "several times; `none` for no rule")
    nic: list[str] = option(
        "--nic", metavar="PROPS", type=options.verbatim, default=[], convert=_properties,
        help="properties added to every NIC, as in -device mlx5-ktls,PROPS (`lab run --nic help` "
             "lists them)")
    nic_model: str = option(
        "--nic-model", choices=NIC_MODELS, default=OURS,
        help="another NIC of QEMU in place of ours, as a control (default: %(default)s); igb and "
             "e1000e need a kernel that has their drivers, such as --kernel 7.3")
    bdf: str | None = option(
        "--bdf", commands=("run", "test"), metavar="BDF", convert=_function,
        help="give the guest this PCI function of the host, by vfio-pci, in place of an emulated "
             "NIC; with --peer-bdf")
    peer_bdf: str | None = option(
        "--peer-bdf", commands=("run", "test"), metavar="BDF", convert=_function,
        help="the function at the other end of the cable, which becomes the guest's mlx1")
    smp: int = option("--smp", metavar="N", type=_cpus, default=2,
                      help="virtual CPUs (default: %(default)s)",
                      qemu=lambda smp: ["-smp", str(smp)])
    mem: str = option("--mem", metavar="M", type=_memory, default="2G",
                      help="memory, in megabytes or with M or G (default: %(default)s)",
                      qemu=lambda mem: ["-m", mem])
    append: str = option("--append", metavar="TEXT", type=options.verbatim, default="",
                         help="more words for the kernel's command line",
                         kernel=lambda text: [text] if text else [])
    boot_timeout: float = option(
        "--boot-timeout", metavar="S", type=seconds, default=BOOT_TIMEOUT,
        help="give up on a guest that is not ready after S seconds (default: %(default).0f)")
    # guest seconds without an answer after which it counts as hung
    hang_timeout: float = option(
        "--hang-timeout", metavar="S", type=seconds, default=HANG_TIMEOUT,
        help="give up on a running guest that has not answered for S seconds "
             "(default: %(default).0f)")
    # last on QEMU's command line, where an option overrides earlier ones
    qemu_arg: list[str] = option(
        "--qemu-arg", metavar="ARG", type=options.verbatim, default=[], convert=_qemu_words,
        help="an extra argument for QEMU; several in one string if it begins with '-' and has "
             "blanks: --qemu-arg '-trace mlx5_*'",
        qemu=list)
    # nothing in the guest can reach the lab: no port lab.channel
    alone: bool = False
    # names of the NICs only: no namespaces, no addresses
    bare: bool = False
    # topology "cable", one of several machines: its number, which tells its NIC's address from the
    # others', and stream sockets: of its NIC, and of a virtio NIC by which machines are managed
    number: int = 0
    cables: list[socket.socket] = dataclasses.field(default_factory=list)
    # additional archives for the guest
    initrds: list[pathlib.Path] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        if self.hostfwd and self.topology != "user":
            raise UsageError("--hostfwd forwards ports of libslirp, which only --topology user has",
                             "add --topology user")
        if self.wire and self.topology != "pair":
            raise UsageError("--wire stands between two NICs, which only --topology pair has")
        if self.foreign:
            for given, what in ((self.share, "--share"), (self.append, "--append"),
                                (self.functions, "--bdf")):
                if given:
                    raise UsageError(f"{what} is for the lab's own guest, in place of which --disk "
                                     "and --cdrom boot another")
        self._check_functions()

    def _check_functions(self) -> None:
        if not self.bdf and not self.peer_bdf:
            return
        if not self.bdf or not self.peer_bdf or self.bdf == self.peer_bdf:
            raise UsageError(f"--bdf {self.bdf or 'none'}, --peer-bdf {self.peer_bdf or 'none'}: "
                             "expected two functions, the ends of one cable")
        for given, what in ((self.topology != "pair", f"--topology {self.topology}"),
                            (self.wire is not None, "--wire"), (self.nic, "--nic"),
                            (self.nic_model != OURS, f"--nic-model {self.nic_model}")):
            if given:
                raise UsageError(f"{what} is about emulated NICs, which --bdf takes the place of")
        self.alone = True       # what the lab does to its own devices it cannot do to these

    @classmethod
    def from_args(cls, args: argparse.Namespace, **changes: Any) -> "Spec":
        """Return the machine of a command line, with some fields changed."""
        return cls(**{**options.values(cls, args), **changes})

    @property
    def foreign(self) -> bool:
        """Whether the machine boots an image of the user, without the lab's agent."""
        return self.disk is not None or self.cdrom is not None

    @property
    def nics(self) -> list[str]:
        """Return the ids of the NICs of this topology."""
        return ["nic0", "nic1"] if self.topology == "pair" else ["nic0"]

    @property
    def functions(self) -> list[str]:
        """Functions of the host that take the place of the NICs, in their order; [] for none."""
        return [bdf for bdf in (self.bdf, self.peer_bdf) if bdf]
