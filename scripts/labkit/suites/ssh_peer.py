# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `ssh-peer`: two guests, each with one NIC, wired; the tests run in the first one and
reach the second one by ssh, as two machines of an owner of cards.

Responsible for: the second guest, keys and an ssh server, and the network that ssh goes by.
State: the second guest while the suite runs.
"""

import contextlib
import pathlib
import shutil
import socket

from .. import ktap
from ..errors import HostError
from ..make import carry
from ..run import session
from ..run.guest import Guest
from ..run.rundir import RunDir
from ..run.spec import MANAGE_ADDRESS, Spec
from .guest import Stream, watched
from .local import BARE, Local, said, violations
from .suite import Context

# of the network between the guests that is not under test
ADDRESSES = ("198.51.100.1", "198.51.100.2")
SERVER = "/usr/local/sbin/dropbear"
CARRIED = {SERVER: "dropbear", "/usr/local/bin/ssh": "ssh",
           "/usr/local/bin/ssh-keygen": "ssh-keygen"}
MANAGE_UP = ("cd /sys/bus/pci/devices/0000:00:{slot:02x}.0 && set -- net/* virtio*/net/* && "
             "for d; do [ -e $d ] && dev=${{d##*/}}; done; "
             "ip addr add {address}/24 dev $dev && ip link set $dev up")
KEY = ("mkdir -p -m 700 /root/.ssh && ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && "
       "cat /root/.ssh/id_ed25519.pub")
# it makes its host key when it is first asked, and goes into the background;
# unless it runs, for a guest that was booted again and has a new key
SERVE = ("mkdir -p -m 700 /root/.ssh /etc/dropbear && cat >/root/.ssh/authorized_keys && "
         "chmod 600 /root/.ssh/authorized_keys || exit; "
         "[ -e /run/dropbear.pid ] || " + SERVER
         + " -R -s -P /run/dropbear.pid -p {address}:22 </dev/null >/dev/null 2>&1")
MEET = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new root@{address} true"


class SshPeer(Local):
    """The same tests as of `local`, with the peer on another machine."""

    name = "ssh-peer"
    about = "functional tests with the peer in a second guest, reached by ssh"
    order = 705
    purposes = (*Local.purposes, "ssh")
    own: list[str] = []         # they are about two ports of one machine

    def __init__(self) -> None:
        self._cables: list[socket.socket] = []
        self._peer: Guest | None = None

    def arguments(self, context: Context) -> list[str]:
        words = super().arguments(context)
        return [*words[:words.index("--iface")], "--iface", "mlx0", "--peer-iface", "mlx0",
                "--peer-ssh", f"root@{ADDRESSES[1]}"]

    def machine(self, context: Context, initrds: list[pathlib.Path], rundir: RunDir) -> Spec:
        return self._spec(context, 0, [*initrds, *self._programs(context, rundir)])

    def _spec(self, context: Context, number: int, initrds: list[pathlib.Path]) -> Spec:
        return Spec.from_args(context.args, topology="cable", initrds=initrds, number=number,
                              cables=self._cables[number::2], alone=True, bare=True)

    def _programs(self, context: Context, rundir: RunDir) -> list[pathlib.Path]:
        """Archives with what the guests lack."""
        found = {}
        for place, name in CARRIED.items():
            program = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
            if program is None:
                raise HostError(f"no {name} here", "`lab doctor` says which package has it")
            found[place] = pathlib.Path(program).resolve()
        return [self.middlebox(context, rundir),
                carry.archive(rundir.sockets / "ssh.cpio", found)]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(2):      # the cable under test, and the other network
                self._cables += [stack.enter_context(end) for end in socket.socketpair()]
            where = context.rundir.file(f"{self.name}-peer")
            rundir = stack.enter_context(session.artifacts(f"{self.name}-peer", where, quiet=True))
            spec = watched(self._spec(context, 1, self._programs(context, rundir)))
            self._peer = stack.enter_context(session.booted(
                self.products(context), spec, rundir, need_network=True))
            said(self._peer, *BARE)
            said(self._peer, "sh", "-c", MANAGE_UP.format(slot=MANAGE_ADDRESS,
                                                          address=ADDRESSES[1]))
            super().run(context, report, names)

    # pylint: disable-next=too-many-arguments       # as it is in the class above
    def _tests(self, context: Context, guest: Guest, stream: Stream, left: list[str],
               names: list[str], rundir: RunDir) -> str:
        assert self._peer is not None
        problem = super()._tests(context, guest, stream, left, names, rundir)
        return problem or violations(self._peer)

    def prepare(self, guest: Guest) -> None:
        super().prepare(guest)
        assert self._peer is not None
        said(guest, "sh", "-c", MANAGE_UP.format(slot=MANAGE_ADDRESS, address=ADDRESSES[0]))
        key = said(guest, "sh", "-c", KEY)
        said(self._peer, "sh", "-c", f"echo '{key}' | ({SERVE.format(address=ADDRESSES[1])})")
        said(guest, "sh", "-c", MEET.format(address=ADDRESSES[1]))
