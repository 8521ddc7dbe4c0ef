# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run leaves: a file with everything that another run, elsewhere, can be compared with.

Responsible for: the form of result files (docs/parity/format.md), what is read of the bench once,
what each test adds, and that the file never has addresses, keys or names of machines.
State: what was collected so far.
Callers: runner.py. `lab parity` (scripts/labkit/results.py) reads the files.
"""

import contextlib
import json
import os
import pathlib
import platform
import re
import time

from . import wire
from .anonymous import Cloak
from .counters import ethtool, protocols
from .hosts import CallError, CommandError, HostError

FORMAT, SCHEMA = "mlx5-ktls guest-tests result", 1
ARTIFACT = "result.json"        # in the lab's artifacts
REST = 30.0                     # seconds between two times that an unfinished file is written
MOST_PATTERNS = 16              # of --only, that are told one by one
REASON = 1500                   # characters of a reason

# Of a NIC's counters: TLS, packets, checksums, and whatever counts errors, in sum. Those of single
# queues, priorities and modules of the driver that no test is about would be most of the file.
COUNTERS = re.compile(
    r"^(?!.*(prio\d|xdp|xsk|ptp|cache|_pp_))[rt]x_"
    r"(packets|tso_packets|csum_\w+|\w*tls\w*|\w*(err|drop|discard|recover|out_of_buffer)\w*)$")
PROTOCOLS = re.compile(r"^(Tls\w+|TcpRetransSegs|TcpInCsumErrors)$")

DRIVER = ("driver", "version", "firmware-version", "expansion-rom-version")     # ethtool -i
PCI = ("vendor", "device", "subsystem_vendor", "subsystem_device", "revision", "class",
       "current_link_speed", "current_link_width", "max_link_speed", "max_link_width")
LINK = ("min_mtu", "max_mtu", "num_tx_queues", "num_rx_queues", "gso_max_size", "gso_max_segs",
        "tso_max_size", "tso_max_segs", "gro_max_size")
TROUBLE = (CallError, CommandError, HostError, OSError, ValueError, KeyError, AttributeError)


def cloak(env):
    """The Cloak of a bench."""
    plan = env.bench.plan if env.bench else None
    peer = plan.peer_ssh if plan else os.environ.get("REMOTE_ARGS", "")
    here = platform.node()
    names = {name: "<host>" for word in peer.split()
             for name in (word, word.rpartition("@")[2])}
    names.update({here: "<host>", here.partition(".")[0]: "<host>"})
    if plan:
        # with the wire between them the peer has another interface than this one
        names[plan.peer_iface] = "<remote port>"
    for host in env.hosts:
        with contextlib.suppress(*TROUBLE):
            node = host.read("/proc/sys/kernel/hostname").strip()
            names.update({node: "<host>", node.partition(".")[0]: "<host>"})
        names[host.nic.name] = f"<{host.name} nic>"
        for name, value in _devlink_info(host).items():
            if name.endswith("serial_number"):
                names[str(value)] = "<serial number>"
    return Cloak(names)


def _kept(values, names):
    return {name: values[name] for name in names if values.get(name) not in (None, "")}


def _json(host, *argv):
    """What a program says in JSON; None when it is not there or refuses."""
    try:
        done = host.run(*argv, check=False)
        return json.loads(done.out) if done.rc == 0 and done.out.strip() else None
    except TROUBLE:
        return None


def _devlink(host, *words):
    """What `devlink dev …` says of the function at an end; {} where it says nothing."""
    pci = host.nic.pci_address()
    said = _json(host, "devlink", "-j", "dev", *words, f"pci/{pci}") if pci else None
    for shown in said.values() if isinstance(said, dict) else ():
        return next(iter(shown.values()), {}) if isinstance(shown, dict) else {}
    return {}


def _devlink_info(host):
    return _devlink(host, "info")


def _devlink_parameters(host):
    parameters = {}
    for one in _devlink(host, "param", "show"):
        values = [value.get("value") for value in one.get("values", [])]
        parameters[one.get("name", "?")] = values[0] if len(values) == 1 else values
    return parameters


def device(host, hidden):
    """What can be read of the NIC at an end without asking a device of ours. hidden: a Cloak."""
    nic, found = host.nic, {}
    with contextlib.suppress(*TROUBLE):
        found["driver"] = {name: hidden.text(value, version=True)
                           for name, value in _kept(nic.driver_info(), DRIVER).items()}
    with contextlib.suppress(*TROUBLE):
        found["features"] = {name: ("on" if on else "off") + (" fixed" if fixed else "")
                             for name, (on, fixed) in sorted(nic.features().items())}
    with contextlib.suppress(*TROUBLE):
        found["channels"] = nic.channels()[1]
    with contextlib.suppress(*TROUBLE):
        found["link"] = _kept(nic.link(details=True) or {}, LINK)
    pci = nic.pci_address()
    if pci:
        paths = {name: f"/sys/bus/pci/devices/{pci}/{name}" for name in PCI}
        with contextlib.suppress(*TROUBLE):
            texts = host.call("procs.read_many", paths=list(paths.values()))
            found["pci"] = {name: texts[path].strip() for name, path in paths.items()
                            if texts[path]}
        found["devlink-parameters"] = _devlink_parameters(host)
        # nothing else of what it says: serial numbers are there
        found["devlink-versions"] = {
            kind: {name: hidden.text(str(value), version=True) for name, value in names.items()}
            for kind, names in _devlink_info(host).get("versions", {}).items()}
    return hidden.value({name: value for name, value in found.items() if value not in ({}, [])}) \
        | {name: found[name] for name in ("driver", "devlink-versions") if found.get(name)}


def counters(host):
    """{counter: value} of the NIC at an end and of its kernel: those that are compared."""
    return chosen(ethtool(host, host.nic.name), protocols(host))


def chosen(nic, stack):
    """Of the NIC's counters and the kernel's those that are compared, as one dictionary."""
    return {name: value for values, pattern in ((nic, COUNTERS), (stack, PROTOCOLS))
            for name, value in sorted(values.items()) if pattern.match(name)}


class Result:
    """The file of one run."""

    def __init__(self, env, path, options):
        """path: where it goes, or None; options: {option: value} of the command line that say what
        was run. In the lab it goes to the artifacts too."""
        self._env, self._path = env, path
        self._hidden = cloak(env)
        self._written = time.monotonic()
        self._began = time.monotonic()
        self.content = {
            "format": FORMAT, "schema": SCHEMA, "runs": 1, "complete": False, "seconds": 0.0,
            "environment": self._environment(options),
            "device": {host.name: device(host, self._hidden) for host in env.hosts},
            "counters": {host.name: {"before": self._all_counters(host)} for host in env.hosts},
            "tests": [],
        }

    def _environment(self, options):
        env = self._env
        kernels = {}
        for host in env.hosts:
            with contextlib.suppress(*TROUBLE):
                kernels[host.name] = host.read("/proc/sys/kernel/osrelease").strip()
        # the version of a kernel is its own text: a name in it was given by whoever built it
        return self._hidden.value({
            "machine": platform.machine(), "processors": os.cpu_count(),
            "python": platform.python_version(), "peer": env.remote_type,
            "lab": env.lab is not None, "wire": wire.missing(env) is None,
            "disruptive": env.disruptive, "software_tls": env.software_tls,
            "options": {name: value if name != "only" or len(value) <= MOST_PATTERNS
                        else f"{len(value)} patterns"
                        for name, value in options.items() if value},
        }) | {"kernel": kernels}

    @staticmethod
    def _all_counters(host):
        try:
            return counters(host)
        except TROUBLE:         # unplugged, or the driver is not there
            return {}

    def test(self, name, outcome, *, reason="", seconds=None, observed=None, moved=None):
        """A test has ended. outcome: pass, fail or skip; moved: {end: {counter: difference}}."""
        entry = {"name": name, "result": outcome}
        if reason:
            entry["reason"] = self._hidden.text(reason)[:REASON]
        if seconds is not None:
            entry["seconds"] = round(seconds, 1)
        if observed:
            entry["observed"] = self._hidden.value(observed)
        if moved:
            entry["counters"] = moved
        self.content["tests"].append(entry)
        if time.monotonic() - self._written > REST:
            self.save()

    def finish(self):
        """The run is over: nothing is missing in the file."""
        for host in self._env.hosts:
            self.content["counters"][host.name]["after"] = self._all_counters(host)
        self.content["complete"] = True
        self.save()

    def save(self):
        """Write it as it is now: a run that takes the machine down leaves what came before. OSError
        when it cannot be written."""
        self.content["seconds"] = round(time.monotonic() - self._began, 1)
        data = render(self.content).encode()
        if self._path is not None:
            write(self._path, data)
        if self._env.lab is not None:
            self._env.lab.artifact(ARTIFACT, data)
        self._written = time.monotonic()


def render(content):
    """The text of a file: a line for each test, so that two files can be compared by any program
    for that."""
    tests = ",\n".join("  " + json.dumps(entry) for entry in content["tests"])
    head = {name: value for name, value in content.items() if name != "tests"}
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    return "{\n" + ",\n".join([*lines, ' "tests": [\n' + tests + "\n ]"]) + "\n}\n"


def write(path, data):
    """Put the bytes there, whole or not at all."""
    path = pathlib.Path(path)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(new, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
