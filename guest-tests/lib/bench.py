# SPDX-License-Identifier: GPL-2.0-or-later
"""A bench that the tests set up and take down by themselves: interfaces that somebody has named,
as they are on a machine that belongs to nobody's lab.

Responsible for: addresses, the peer's namespace, putting the middlebox between the ends and taking
it out again, and leaving everything as it was, at once or by restore() after a crash.
State: what is set up, where the peer's interface is, and how the interfaces were at the start.
Callers: run.py makes one from its options; env.py and runner.py use it.

    direct      NIC under test <-cable-> peer's interface, which has the peer's addresses
    wired       NIC under test <-cable-> peer's interface <-mlx5-wire-> veth, which has them

In both the addresses, MACs and the place of the peer's stack are the same, so connections differ
in what they meet on their way and in nothing else. The peer's stack is in the namespace PEER of
this machine, or another machine's own, reached by ssh; the middlebox is on that machine, in the
namespace WIRE.
"""

import contextlib
import dataclasses
import ipaddress
import re

from . import bench_journal, bench_state, hosts, preflight
from .bench_wire import Middlebox
from .case import wait_for

PEER, WIRE = "mlx5-peer", "mlx5-wire"       # namespaces
VETH = "wire-end"                           # the peer's interface while the middlebox is there
INNER = "wire-box"                          # its other end
# features of a NIC that merge segments, and of a veth that leave bursts whole
MERGING = ("generic-receive-offload", "large-receive-offload", "rx-gro-hw")
BURSTS = ("tcp-segmentation-offload", "generic-segmentation-offload", "tx-udp-segmentation")
NET_V4, NET_V6 = "192.0.2.0/24", "2001:db8:6d78::/64"   # of the ranges for documentation


class BenchProblem(Exception):
    """The bench cannot be set up, or not be taken down; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the command line asks for."""

    iface: str                  # the NIC under test
    peer_iface: str             # what is cabled to it
    peer_ssh: str = ""          # arguments of ssh, "" when the peer is of this machine
    net_v4: str = NET_V4        # .1 is the NIC under test, .2 the peer
    net_v6: str = NET_V6
    wire: str = "auto"          # path of mlx5-wire, "auto" or "none"

    def addresses(self, version):
        """(local, remote, length of the prefix) as texts and a number."""
        network = ipaddress.ip_network(self.net_v4 if version == 4 else self.net_v6)
        return str(network[1]), str(network[2]), network.prefixlen

    def settings(self):
        """The plan as the environment variables that tests are run with otherwise."""
        local, remote = zip(*(self.addresses(version)[:2] for version in (4, 6)))
        return {"NETIF": self.iface, "LOCAL_V4": local[0], "LOCAL_V6": local[1],
                "REMOTE_V4": remote[0], "REMOTE_V6": remote[1],
                "REMOTE_TYPE": "ssh" if self.peer_ssh else "netns",
                "REMOTE_ARGS": self.peer_ssh or PEER}


def network(version):
    """argparse type: a network of this version with room for two ends."""
    def read(text):
        try:
            found = ipaddress.ip_network(text)
        except ValueError as error:
            raise ValueError(str(error)) from None
        if found.version != version or found.num_addresses < 4:
            raise ValueError(text)
        return text
    read.__name__ = f"IPv{version} network"     # argparse has it in its message
    return read


class Port:
    """One interface on one machine, wherever it is among the namespaces that we use."""

    def __init__(self, machine, name):
        self.machine, self.name = machine, name
        self.pci = self.driver = None   # it is found by that after its driver was loaded anew
        self.before = None              # its settings when the bench was set up

    def learn(self):
        """Find out what it is; BenchProblem when there is none."""
        if not self.locate(("",)):
            raise BenchProblem(f"{self.name}: no such interface on the {self.machine.name} end")
        path = self.machine.call("procs.readlink", path=f"/sys/class/net/{self.name}/device")
        if path and "/pci" in path:
            # a virtio interface hangs off a virtio bus below its function
            self.pci = re.findall(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", path)[-1]
            self.driver = self._bound()
        self.before = bench_state.read(self)

    def _bound(self):
        path = self.machine.call("procs.readlink", path=f"/sys/bus/pci/devices/{self.pci}/driver")
        return path and path.rsplit("/", 1)[1]

    def note(self):
        """What the journal has of it."""
        return {"name": self.name, "pci": self.pci, "driver": self.driver, "before": self.before}

    def take_note(self, note):
        """The other way round."""
        self.pci, self.driver, self.before = note["pci"], note["driver"], note["before"]

    def wake(self):
        """Bind the driver again, should a test have died while it was not bound."""
        if not self.driver or self._bound() == self.driver:
            return
        drivers = "/sys/bus/pci/drivers"
        if self.driver not in self.machine.listdir(drivers):
            self.machine.run("modprobe", self.driver, timeout=500)
        if self._bound() != self.driver:
            self.machine.write(f"{drivers}/{self.driver}/bind", self.pci)

    def in_namespace(self, space, *argv, **more):
        """Run a program in a namespace; "" is the machine's own."""
        prefix = ("ip", "netns", "exec", space) if space else ()
        return self.machine.run(*prefix, *argv, **more)

    def _has(self, space, name):
        prefix = ("-n", space) if space else ()
        return self.machine.run("ip", *prefix, "link", "show", "dev", name, check=False).rc == 0

    def _by_pci(self, space):
        """Its name in this namespace; None when it is not there."""
        if not self.pci:
            return None
        script = (f"for d in /sys/bus/pci/devices/{self.pci}/net/* "
                  f"/sys/bus/pci/devices/{self.pci}/virtio*/net/*; do "
                  "[ -e $d ] && echo ${d##*/}; done; true")
        names = self.in_namespace(space, "sh", "-c", script).out.split()
        return self.name if self.name in names else (names or [None])[0]

    def locate(self, spaces):
        """(namespace, name) where it is now, or None."""
        for space in spaces:
            found = self._by_pci(space)
            if found or (not self.pci and self._has(space, self.name)):
                return space, found or self.name
        return None

    def place(self, spaces, target):
        """Bring it into the namespace `target`, under its own name; BenchProblem when it is in
        none of `spaces`."""
        where = self.locate(spaces)
        if where is None:
            raise BenchProblem(f"{self.name}: no such interface on the {self.machine.name} end")
        space, name = where
        if name != self.name:
            self.batch(space, f"link set dev {name} down",
                       f"link set dev {name} name {self.name}")
        if space != target:
            self.batch(space, f"link set dev {self.name} netns "
                       f"{target or self.machine.agent_pid}")

    def features(self, space, names):
        """{name: "on"} of those features that are on and can be changed."""
        out = self.in_namespace(space, "ethtool", "-k", self.name).out
        pairs = (line.strip().split(": ", 1) for line in out.splitlines() if ": " in line)
        return {name: state for name, state in pairs if name in names and state == "on"}

    def set_features(self, space, name, values):
        """Set features of an interface there, by the names that `ethtool -k` has."""
        for feature, state in values.items():
            self.in_namespace(space, "ethtool", "-K", name, feature, state)

    def batch(self, space, *lines):
        """Commands of ip(8) in a namespace."""
        prefix = ("-n", space) if space else ()
        self.machine.run("ip", *prefix, "-batch", "-", data="\n".join(lines) + "\n")


class Bench:
    """The two interfaces and what stands between them. open(), then close() whatever happens."""

    def __init__(self, plan):
        self.plan = plan
        self.machine = None         # an agent beside the tests', on the machine that has the peer
        self.here = None            # likewise on this machine; the same one without ssh
        self.wired = False
        self._space = "" if plan.peer_ssh else PEER
        self._written = False       # the journal is ours
        self.near = self.far = None # Ports
        self._box = None
        self._merging = {}          # what of MERGING the peer's interface had on
        self.no_wire = ""           # why there can be no middlebox

    # life

    def _connect(self):
        """Start the agents."""
        self.here = hosts.Host("local")
        self.here.start()
        if self.plan.peer_ssh:
            self.machine = hosts.remote("ssh", self.plan.peer_ssh)
            self.machine.start()
        else:
            self.machine = self.here
        self.near = Port(self.here, self.plan.iface)
        self.far = Port(self.machine, self.plan.peer_iface)

    def open(self):
        """Set up the direct bench."""
        self._connect()
        self._check_free()
        for port in (self.near, self.far):
            port.learn()
        self.no_wire = self._find_wire()
        try:
            bench_journal.write(self.plan.iface, {
                "plan": dataclasses.asdict(self.plan),
                "near": self.near.note(), "far": self.far.note()})
        except (bench_journal.Busy, OSError) as error:
            raise BenchProblem(f"{self.plan.iface}: {error}") from None
        self._written = True
        self.set_up()

    def _check_free(self):
        """Nothing of the names that we are about to use is there, and the interfaces are free."""
        for iface, ssh in ((self.plan.iface, ""), (self.plan.peer_iface, self.plan.peer_ssh)):
            for found in preflight.in_use(preflight.Look(iface, ssh)):
                if found.level == preflight.MISSING:
                    raise BenchProblem(f"{iface}: {found.found}; {found.to_do}")
        journal = bench_journal.path_of(self.plan.iface)
        if journal.exists():
            raise BenchProblem(f"{self.plan.iface}: {bench_journal.whose(journal)}")
        spaces = self.machine.listdir("/run/netns")
        for name in {self._space, WIRE} - {""}:
            if name in spaces:
                raise BenchProblem(f"there is a network namespace {name} already, which is not of "
                                   f"a run of ours: `ip netns del {name}` if nothing needs it")

    def _find_wire(self):
        """Why there is no middlebox, "" when there can be one."""
        self._box = Middlebox(self.machine, self.here)
        if self.plan.wire == "none":
            return "--wire none"
        try:
            self._box.find(self.plan.wire)
        except FileNotFoundError as error:
            return str(error)
        return ""

    def set_up(self):
        """The direct bench, from whatever is there: also after a driver was loaded anew."""
        rewire, self.wired = self.wired, False
        if self._space and self._space not in self.machine.listdir("/run/netns"):
            self.machine.run("ip", "netns", "add", self._space)
            self.machine.run("ip", "-n", self._space, "link", "set", "dev", "lo", "up")
        self._end_wire()
        wait_for(f"{self.near.name} is there", lambda: self.near.locate(("",)), 120)
        self.near.place(("",), "")
        wait_for(f"{self.far.name} is there", lambda: self.far.locate(self._spaces()), 120)
        self.far.place(self._spaces(), self._space)
        self._address(self.near, "", 0, self.near.name)
        self._address(self.far, self._space, 1, self.far.name)
        if rewire:
            self.wire(True)

    def _spaces(self):
        """Namespaces of the peer's machine in which its interface may be."""
        there = self.machine.listdir("/run/netns")
        return [space for space in (self._space, WIRE, "") if not space or space in there]

    def _address(self, port, space, end, name):
        """Give an end its addresses and bring it up."""
        lines = []
        for version in (4, 6):
            *ends, length = self.plan.addresses(version)
            lines.append(f"addr replace {ends[end]}/{length} dev {name}"
                         + (" nodad" if version == 6 else ""))
        port.batch(space, f"link set dev {name} up", *lines)

    def close(self):
        """Take everything down; returns a line for each thing that is not as it was."""
        try:
            return self._take_down() if self._written else []
        finally:
            for host in {self.here, self.machine} - {None}:
                host.kill()
            self.here = self.machine = None

    def _take_down(self):
        """Everything is as the journal has it, which is gone then."""
        self._end_wire()
        problems = []
        for port, spaces in ((self.near, ("",)), (self.far, self._spaces())):
            try:
                port.wake()
                wait_for(f"{port.name} is there", lambda p=port, s=spaces: p.locate(s), 120)
                port.place(spaces, "")
            except (AssertionError, BenchProblem, hosts.CommandError, hosts.CallError) as error:
                problems.append(str(error))
        for name in {self._space} - {""} & set(self.machine.listdir("/run/netns")):
            self.machine.run("ip", "netns", "del", name)
        for port in (self.near, self.far):
            if port.locate(("",)):
                problems += bench_state.bring_back(port, port.before)
        if not problems:
            bench_journal.path_of(self.plan.iface).unlink(missing_ok=True)
            self._written = False
        return problems

    def restore(self, journal):
        """Take down what a run that died has left; as close()."""
        self._connect()
        self.near.take_note(journal["near"])
        self.far.take_note(journal["far"])
        for space in {self._space, WIRE} - {""} & set(self.machine.listdir("/run/netns")):
            pids = self.machine.out("ip", "netns", "pids", space).split()
            if pids:
                self.machine.run("kill", "-9", *pids, check=False)
        self._box = Middlebox(self.machine, self.here)
        self._written = True
        return self.close()

    # the middlebox

    @property
    def control(self):
        """(is it on the remote end, path) of the middlebox's control socket; None without one."""
        return (bool(self.plan.peer_ssh), self._box.control) if self.wired else None

    @property
    def peer_name(self):
        """The interface that has the peer's addresses."""
        return VETH if self.wired else self.far.name

    def wire(self, wanted):
        """Put the middlebox in, or take it out; True when that changed something."""
        if wanted == self.wired or (wanted and self.no_wire):
            return False
        if wanted:
            self._begin_wire()
        else:
            self._end_wire()
            self.set_up()
        return True

    def _begin_wire(self):
        far, machine = self.far, self.machine
        about = machine.out("ip", *self._in_peer(), "-o", "link", "show", "dev", far.name).split()
        mtu, mac = about[about.index("mtu") + 1], about[about.index("link/ether") + 1]
        machine.run("ip", "netns", "add", WIRE)
        # nothing in there says a word of its own
        far.in_namespace(WIRE, "sh", "-c", "for d in all default; do "
                         "echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6; done", check=False)
        far.batch(self._space, f"link set dev {far.name} netns {WIRE}",
                  f"link add name {VETH} address {mac} mtu {mtu} type veth peer name {INNER} "
                  f"mtu {mtu} netns {WIRE}")
        self._merging = far.features(WIRE, MERGING)
        far.set_features(WIRE, far.name, {name: "off" for name in self._merging})
        far.set_features(self._space, VETH, {name: "off" for name in BURSTS})
        far.batch(WIRE, f"link set dev {far.name} up", f"link set dev {INNER} up")
        self._box.start(WIRE, f"packet:{far.name}", f"packet:{INNER}")
        self.wired = True
        self._address(far, self._space, 1, VETH)

    @contextlib.contextmanager
    def room_for(self, mtu):
        """The middlebox, if it stands between the ends, lets frames of this MTU pass while the
        block lasts."""
        names = (self.far.name, INNER) if self.wired else ()
        before = {name: int(self.machine.out("ip", "-n", WIRE, "-o", "link", "show", "dev", name)
                            .split(" mtu ")[1].split()[0]) for name in names}
        change = {name: value for name, value in before.items() if value < mtu}
        self._set_mtus({name: mtu for name in change})
        try:
            yield
        finally:
            if self.wired:
                self._set_mtus(change)

    def _set_mtus(self, values):
        if values:
            self.far.batch(WIRE, *(f"link set dev {name} mtu {mtu}"
                                   for name, mtu in values.items()))

    def _in_peer(self):
        return ("-n", self._space) if self._space else ()

    def _end_wire(self):
        """Nothing of the middlebox is left; the peer's interface is where place() finds it."""
        self.wired = False
        self._box.stop()
        if WIRE not in self.machine.listdir("/run/netns"):
            return
        with contextlib.suppress(BenchProblem):
            self.far.place((WIRE,), self._space)
            self.far.set_features(self._space, self.far.name, self._merging)
        self.machine.run("ip", *self._in_peer(), "link", "del", "dev", VETH, check=False)
        self.machine.run("ip", "netns", "del", WIRE)

    def problem(self):
        """What is wrong with the middlebox, "" if nothing."""
        return self._box.problem() if self.wired else ""

    def describe(self):
        """A line for the report."""
        peer = f"{self.plan.peer_ssh}: {self.far.name}" if self.plan.peer_ssh else \
            f"{self.far.name} in namespace {self._space}"
        wire = self.no_wire and f"no middlebox: {self.no_wire}"
        return f"bench: {self.near.name} and {peer}; " + (
            wire or f"for tests that need it, {self._box.about()} stands between them")


def restore(iface=None):
    """Mend what runs that died have left, or the one of a NIC. Returns (lines that say what was
    done, lines that say what could not be)."""
    paths = [bench_journal.path_of(iface)] if iface else bench_journal.all_paths()
    done, problems = [], []
    for path in paths:
        try:
            journal = bench_journal.read(path)
            plan = Plan(**journal["plan"])
            if bench_journal.alive(journal):
                problems.append(f"{plan.iface}: {bench_journal.whose(path)}")
                continue
            left = Bench(plan).restore(journal)
        except FileNotFoundError:
            done.append(f"{iface}: no run has left anything")
            continue
        except (OSError, ValueError, TypeError, BenchProblem, hosts.HostError, hosts.CallError,
                hosts.CommandError) as error:
            problems.append(f"{path}: {error}")
            continue
        problems += left
        if not left:
            done.append(f"{plan.iface} and {plan.peer_iface} are as they were")
    return done or ([] if problems else ["no run has left anything"]), problems
