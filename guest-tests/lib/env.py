# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench: two ends, their interfaces and addresses, and the lab if there is one.

Responsible for: reading the environment variables that kselftest's NetDrvEpEnv uses, starting the
ends, and bringing both back to a known state after each test.
State: the Hosts, the state that the interfaces had at the start.
Callers: runner.py; every test gets it as its argument.
"""

import contextlib
import ipaddress
import json
import os
import re
import shlex
import shutil

from . import bench, hosts, lab
from .case import wait_for
from .ktap import note
from .net import Nic, find_by_address, ping

VARIABLES = {
    "NETIF": "the interface under test",
    "LOCAL_V4": "its IPv4 address",
    "LOCAL_V6": "its IPv6 address",
    "REMOTE_V4": "the peer's IPv4 address",
    "REMOTE_V6": "the peer's IPv6 address",
    "REMOTE_TYPE": "how the peer is reached: netns or ssh",
    "REMOTE_ARGS": "the name of the namespace, or user@host",
}


class EnvironmentProblem(Exception):
    """The bench is not as it must be; the text says what to do."""


def settings(variables):
    """The variables, checked; EnvironmentProblem names every one that is wrong."""
    wrong, values = [], {}
    for name, about in VARIABLES.items():
        value = values[name] = variables.get(name, "").strip()
        if not value:
            wrong.append(f"{name} is not set: {about}")
            continue
        if name.endswith(("_V4", "_V6")):
            version = int(name[-1])
            try:
                if ipaddress.ip_address(value).version != version:
                    raise ValueError
            except ValueError:
                wrong.append(f"{name}={value!r}: expected an IPv{version} address without a "
                             "prefix length")
    if values["REMOTE_TYPE"] and values["REMOTE_TYPE"] not in ("netns", "ssh"):
        wrong.append(f"REMOTE_TYPE={values['REMOTE_TYPE']!r}: expected netns or ssh")
    if os.geteuid() != 0:
        wrong.append("not root: links, namespaces and modules are changed")
    if wrong:
        raise EnvironmentProblem("\n".join(wrong))
    return values


def kernel_version(release):
    """(6, 12) of "6.12.107-mlx5-ktls"; what expectations depend on where drivers differ."""
    found = re.match(r"(\d+)\.(\d+)", release)
    if not found:
        raise EnvironmentProblem(f"the kernel calls itself {release!r}: no version is in that")
    return int(found[1]), int(found[2])


class Env:
    """What tests get."""

    def __init__(self, software_tls=False, seed="guest-tests", plan=None):
        """`plan`: of a bench that is to be set up (bench.Plan); without one the environment
        variables tell what somebody else has set up."""
        values = settings(plan.settings() if plan else os.environ)
        self.bench = bench.Bench(plan) if plan else None
        self.software_tls = software_tls
        self.seed = seed
        self.kernel = kernel_version(os.uname().release)     # of this machine, (major, minor)
        self.remote_type = values["REMOTE_TYPE"]
        self.disruptive = os.environ.get("DISRUPTIVE", "") not in ("", "0")
        self.net_setup = os.environ.get("NET_SETUP") or (
            "lab-net up" if shutil.which("lab-net") else "")
        self.restores_network = bool(self.bench or self.net_setup)
        self.local = hosts.local()
        self.remote = hosts.remote(values["REMOTE_TYPE"], values["REMOTE_ARGS"])
        self.hosts = (self.local, self.remote)
        self._addresses = {
            self.local: {4: values["LOCAL_V4"], 6: values["LOCAL_V6"]},
            self.remote: {4: values["REMOTE_V4"], 6: values["REMOTE_V6"]}}
        for host in self.hosts:
            host.address = self._addresses[host].get
        self._netif = values["NETIF"]
        self.lab, self.no_lab = None, ""
        self._devices = {}
        self.driver = self.pci = self.remote_pci = self.pci_driver = None
        self._baseline = {}
        self.cleanup = contextlib.ExitStack()
        self.observed = {}      # of the running test; the runner begins a new one for each

    def device(self, host):
        """The lab's handle of the NIC at an end; None where there is none."""
        return self._devices.get(host)

    def other(self, host):
        """The other end."""
        return self.remote if host is self.local else self.local

    def observe(self, name, value):
        """Keep what the running test has seen where devices may rightly differ, beside what it
        asserts: `name` is the test's own, stable, in lower case; `value` is anything that JSON
        has. What is kept is in `observed` ({name: [value]} in the order in which it was seen), and
        in the report."""
        self.observed.setdefault(name, []).append(value)
        note(f"observed {name}: {json.dumps(value)}")

    # life

    def open(self):
        """Start both ends and find out what is there."""
        if self.bench:
            self.bench.open()
        for host in self.hosts:
            host.start()
        self.local.nic = Nic(self.local, self._netif)
        if self.local.nic.link() is None:
            raise EnvironmentProblem(f"NETIF={self._netif}: there is no such interface here")
        name = find_by_address(self.remote, self.remote.address(4))
        if name is None:
            raise EnvironmentProblem(f"REMOTE_V4={self.remote.address(4)}: no interface of the "
                                     "remote end has this address")
        self.remote.nic = Nic(self.remote, name)
        self.driver = self.local.nic.driver_info().get("driver")
        self.pci = self.local.nic.pci_address()
        bound = self.pci and self.local.call("procs.readlink",
                                             path=f"/sys/bus/pci/devices/{self.pci}/driver")
        # not the interface's own driver where a virtio bus stands between
        self.pci_driver = bound and bound.rsplit("/", 1)[1]
        if self.remote_type == "netns":
            self.remote_pci = self.remote.nic.pci_address()
        try:
            self.lab = lab.LabNic(lab.connect(), self._netif)
            self._devices[self.local] = self.lab
            if self.remote_type == "netns":
                self._devices[self.remote] = lab.LabNic(self.lab.client, self.remote.nic.name)
            if self.bench:
                self.bench.no_wire = "the lab has one of its own"
        except lab.NoLab as reason:
            self.no_lab = str(reason)
        for host in self.hosts:
            if host.address(4) not in self._addresses_of(host):
                raise EnvironmentProblem(f"{host.nic.name} on the {host.name} end does not have "
                                         f"the address {host.address(4)}")
            self._baseline[host] = host.nic.state()
        self.settle()

    @staticmethod
    def _addresses_of(host):
        return [entry.split("/")[0] for entry in host.nic.state()["addresses"]]

    def close(self):
        """Stop both ends, and take down a bench of our own; returns a line for each thing that is
        not as it was."""
        for host in self.hosts:
            host.kill()
        return self.bench.close() if self.bench else []

    def names(self):
        """What makes a line of the kernel's log one about our NICs."""
        found = {self.driver, self.local.nic.name, "mlx5"}
        if self.remote_type == "netns":
            found.add(self.remote.nic.name)
        return [name for name in found | {self.pci, self.remote_pci} if name]

    def settle(self):
        """Wait until both ends are up and reach each other by both protocols."""
        for host in self.hosts:
            host.nic.wait_ready()
        for family in (4, 6):
            wait_for(f"the remote end answers to IPv{family}",
                     lambda version=family: ping(self.local, self.remote.address(version), count=1,
                                                 wait=2), 60)

    # the middlebox of a bench of our own

    def arrange(self, words):
        """Have the bench as a test with these needs wants it."""
        if not self.bench or not self.bench.wire("wire" in words):
            return
        name = self.bench.peer_name
        self.remote.nic = Nic(self.remote, name)
        self._baseline[self.remote] = self.remote.nic.state()
        self.settle()

    def room_for(self, mtu):
        """A block in which what stands between the ends has room for frames of this MTU. A
        middlebox that somebody else has set up must have it already."""
        return self.bench.room_for(mtu) if self.bench else contextlib.nullcontext()

    @property
    def arrangement(self):
        """What answers of the bench hold for: they may be others in another arrangement."""
        return self.bench.wired if self.bench else None

    # between tests

    def changed(self):
        """What differs from the state at the start: [text]."""
        found = []
        for host, state in self._baseline.items():
            link = host.nic.link()
            if link is None:
                found.append(f"{host.nic.name} on the {host.name} end is gone")
                continue
            now = host.nic.state(link)
            found += [f"{host.nic.name} on the {host.name} end: {name} is {now[name]!r}, was "
                      f"{value!r}" for name, value in state.items() if now[name] != value]
            if now["up"] and not host.nic.ready(link):
                try:
                    host.nic.wait_ready()
                except AssertionError as error:
                    found.append(str(error))
        if self.bench and self.bench.problem():
            found.append(self.bench.problem())
        return found

    def restore(self):
        """Bring both ends back to the state at the start; raises when that is impossible."""
        gone = any(host.nic.link() is None for host in self.hosts)
        if gone or (self.bench and self.bench.problem()):
            self.set_up_network()
        for host, state in self._baseline.items():
            host.nic.set_state(state)
        self.settle()

    def set_up_network(self):
        """Names, namespaces and addresses after the driver or a NIC has come back."""
        if self.bench:
            self.bench.set_up()
            return
        if not self.net_setup:
            raise EnvironmentProblem("the interfaces are gone and nothing brings them back: no "
                                     "lab-net here, and NET_SETUP is not set")
        self.local.run(*shlex.split(self.net_setup), timeout=240)
