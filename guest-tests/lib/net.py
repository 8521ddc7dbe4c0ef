# SPDX-License-Identifier: GPL-2.0-or-later
"""A network interface at one end: ethtool and ip, with restoration.

Responsible for: reading and changing settings of an interface. Every change is a context manager
that restores the previous value.
State: none; everything is queried each time.
Callers: tests, through env.local.nic and env.remote.nic.
"""

import contextlib
import fnmatch
import json
import re

from .case import Skip, expect, fail, wait_for
from .hosts import CallError, CommandError
from .ktap import note

CARRIER_GUARD = 60.0

# Names in `ethtool -k` for a kernel feature, or for all that match
GROUPS = {"rx-checksumming": "rx-checksum", "tx-checksumming": "tx-checksum-*",
          "scatter-gather": "tx-scatter-gather*",
          "tcp-segmentation-offload": "tx-tcp*-segmentation",
          "generic-segmentation-offload": "tx-generic-segmentation",
          "generic-receive-offload": "rx-gro", "large-receive-offload": "rx-lro",
          "rx-vlan-offload": "rx-vlan-hw-parse", "tx-vlan-offload": "tx-vlan-hw-insert",
          "ntuple-filters": "rx-ntuple-filter", "receive-hashing": "rx-hashing"}


# Features that a driver does not switch alone: it makes them follow another one
# (igb_fix_features(), e1000_fix_features(): one bit of the NIC is for both directions), or that the
# stack does not where the other one is missing (netdev_fix_features(); virtio has scatter-gather
# only with a backend that takes its headers).
TIED = {"igb": {"tx-vlan-offload": "rx-vlan-offload"},
        "e1000e": {"tx-vlan-offload": "rx-vlan-offload"},
        "virtio_net": {"generic-segmentation-offload": "tx-scatter-gather"}}


class Tied(Skip):
    """The driver does not switch this feature alone."""


def _members(name, features):
    """Return the kernel features that `ethtool` means by a name."""
    pattern = GROUPS.get(name, name)
    return {feature for feature in features if fnmatch.fnmatchcase(feature, pattern)}


class Nic:
    """An interface of an end."""

    def __init__(self, host, name):
        self.host = host
        self.name = name

    # what it is

    def driver_info(self):
        """Return `ethtool -i` as a dictionary."""
        pairs = (line.partition(":") for line in self.host.out("ethtool", "-i", self.name)
                 .splitlines())
        return {key.strip(): value.strip() for key, _, value in pairs}

    def sysfs(self, *parts):
        """Return a path in the interface's sysfs directory."""
        return "/".join((f"/sys/class/net/{self.name}",) + parts)

    def pci_address(self):
        """Return 0000:01:00.0, or None if it is not a PCI device."""
        path = self.host.call("procs.readlink", path=self.sysfs("device"))
        # a virtio interface is on a virtio bus below its PCI function
        found = re.findall(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", path or "")
        return found[-1] if found else None

    def link(self, details=False):
        """Return the interface as in `ip -j addr` (with details: `ip -d -j link`), or None."""
        argv = ["ip", "-d", "-j", "link"] if details else ["ip", "-j", "addr"]
        result = self.host.run(*argv, "show", "dev", self.name, check=False)
        if result.rc != 0:
            return None
        found = [item for item in json.loads(result.out) if item]
        return found[0] if found else None

    @property
    def mac(self):
        """Return its MAC address."""
        return self.link()["address"]

    @property
    def mtu(self):
        """Return its MTU."""
        return self.link()["mtu"]

    def carrier(self):
        """True, False, or None while the interface is down."""
        try:
            return self.host.read(self.sysfs("carrier")) == "1"
        except CallError:
            return None

    def ready(self, link=None):
        """Return whether it is up, with carrier, and no address is tentative; `link`: a fresh
        result of link()."""
        link = link or self.link()
        return (link is not None and "UP" in link["flags"] and "LOWER_UP" in link["flags"]
                and not any(entry.get("tentative") for entry in link["addr_info"]))

    def wait_ready(self, seconds=CARRIER_GUARD):
        """Wait until ready()."""
        wait_for(f"{self.name} on the {self.host.name} end is up and has carrier", self.ready,
                 seconds)

    def state(self, link=None):
        """Return the state that a test must leave unchanged; `link`: a fresh result of link()."""
        link = link or self.link()
        if link is None:
            return None
        return {"up": "UP" in link["flags"], "mtu": link["mtu"], "mac": link["address"],
                "promisc": "PROMISC" in link["flags"], "allmulti": "ALLMULTI" in link["flags"],
                "addresses": sorted(f"{entry['local']}/{entry['prefixlen']}"
                                    for entry in link["addr_info"]
                                    if entry.get("scope") != "link")}

    def set_state(self, state):
        """Restore a result of state()."""
        now = self.state()
        expect(now is not None, f"{self.name} on the {self.host.name} end is gone")
        lines = []
        if now["mac"] != state["mac"]:
            lines += [f"link set dev {self.name} down",
                      f"link set dev {self.name} address {state['mac']}"]
        lines += [f"link set dev {self.name} mtu {state['mtu']}",
                  f"link set dev {self.name} promisc {'on' if state['promisc'] else 'off'}",
                  f"link set dev {self.name} allmulticast {'on' if state['allmulti'] else 'off'}",
                  f"link set dev {self.name} {'up' if state['up'] else 'down'}"]
        lines += [f"addr replace {address} dev {self.name}" + (" nodad" if ":" in address else "")
                  for address in state["addresses"]]
        self.host.run("ip", "-batch", "-", data="\n".join(lines) + "\n")

    # features

    def features(self):
        """Return {name: (on, fixed)} of `ethtool -k`, with its names."""
        found = self._kernel_features()
        for name, pattern in GROUPS.items():
            members = _members(name, found)
            if members:
                # a group is on, or changeable, if one of its members is
                found[name] = (any(found[member][0] for member in members),
                               all(found[member][1] for member in members))
            if members == {pattern}:
                del found[pattern]
        return found

    def _kernel_features(self):
        """Return {name: (on, fixed)} with the kernel's names."""
        return {name: tuple(values) for name, values in
                self.host.call("ethtool.features", ifname=self.name).items()}

    def feature(self, name):
        """Return whether a feature is on."""
        return self.features().get(name, (False, True))[0]

    def can(self, name):
        """Return whether a feature is on or can be switched on."""
        on, fixed = self.features().get(name, (False, True))
        return on or not fixed

    @contextlib.contextmanager
    def with_features(self, **wanted):
        """Set features for the block; keywords with _ for -, or the names themselves, some of which
        have a _. Fixed features that already have the wanted value are allowed."""
        before = self.features()
        wanted = {name if name in before else name.replace("_", "-"): value
                  for name, value in wanted.items()}
        change = {}
        for name, value in wanted.items():
            on, fixed = before.get(name, (False, True))
            if on != value:
                expect(not fixed, f"{self.name}: feature {name} cannot be changed")
                change[name] = value
        try:
            if change:
                self._set_features(change)
                after = self.features()
                for name, value in change.items():
                    if after[name][0] != value:
                        self._unchanged(name, value)
            yield
        finally:
            if change and self.link() is not None:
                now = self.features()
                back = {name: on for name, (on, fixed) in before.items()
                        if not fixed and name in now and now[name][0] != on}
                if back:
                    self._set_features(back)

    def _unchanged(self, name, value):
        """A feature is not as it was asked to be: a failure, unless the driver is known for it."""
        other = TIED.get(self.driver_info().get("driver"), {}).get(name)
        if other:
            raise Tied(f"{name} of {self.name} follows {other}")
        fail(f"switching {name} of {self.name} {_word(value)} had no effect")

    def _set_features(self, change):
        found = self._kernel_features()
        self.host.call("ethtool.set_features", ifname=self.name, wanted={
            member: on for name, on in change.items() for member in _members(name, found)
            if not found[member][1]})

    def private_flags(self):
        """Return {name: on} of the driver's private flags, in its order."""
        lines = self.host.out("ethtool", "--show-priv-flags", self.name).splitlines()[1:]
        pairs = (line.partition(":") for line in lines)
        return {name.strip(): value.strip() == "on" for name, _, value in pairs}

    @contextlib.contextmanager
    def with_private_flag(self, name, value):
        """Set a private flag of the driver for the block; it must exist."""
        before = self.private_flags()
        expect(name in before, f"{self.name}: the driver has no private flag {name}")

        def change(to):
            self.host.run("ethtool", "--set-priv-flags", self.name, name, _word(to))
            self.wait_ready()
            expect(self.private_flags()[name] == to,
                   f"switching the private flag {name} of {self.name} {_word(to)} had no effect")

        try:
            if before[name] != value:
                change(value)
            yield
        finally:
            if self.link() is not None and self.private_flags()[name] != before[name]:
                change(before[name])

    # MTU and the like

    @contextlib.contextmanager
    def with_mtu(self, mtu):
        """Set the MTU for the block."""
        before = self.mtu
        addresses = self.state()
        self.host.run("ip", "link", "set", "dev", self.name, "mtu", mtu)
        try:
            self.wait_ready()
            yield
        finally:
            self.host.run("ip", "link", "set", "dev", self.name, "mtu", before)
            if mtu < 1280:      # this had removed IPv6
                self.set_state(addresses)
            self.wait_ready()

    @contextlib.contextmanager
    def with_link_option(self, name, value):
        """`ip link set dev X NAME VALUE`, for what `ip -d -j link` shows under the same name."""
        before = self.link(details=True)[name]
        self.host.run("ip", "link", "set", "dev", self.name, name, value)
        try:
            yield
        finally:
            self.host.run("ip", "link", "set", "dev", self.name, name, before)

    @contextlib.contextmanager
    def with_flag(self, name):
        """Set promisc or allmulticast for the block."""
        self.host.run("ip", "link", "set", "dev", self.name, name, "on")
        try:
            yield
        finally:
            self.host.run("ip", "link", "set", "dev", self.name, name, "off")

    def set_up(self, up):
        """`ip link set up|down`."""
        self.host.run("ip", "link", "set", "dev", self.name, "up" if up else "down")

    # channels and rings

    def _two_sections(self, *argv):
        """Parse the output of ethtool -l and -g: (maxima, current), with None for "n/a"."""
        result = self.host.run("ethtool", *argv, self.name, check=False)
        sections = [{}, {}]
        index = 0
        for line in result.out.splitlines():
            if line.startswith("Current"):
                index = 1
            name, colon, value = line.partition(":")
            value = value.strip()
            if colon and (value.isdigit() or value == "n/a"):
                sections[index][name.strip()] = int(value) if value.isdigit() else None
        return sections

    def channels(self):
        """Return the (current, maximum) number of combined channels; (1, 1) if not supported."""
        most, current = self._two_sections("-l")
        return current.get("Combined") or 1, most.get("Combined") or 1

    @contextlib.contextmanager
    def with_channels(self):
        """Yields a function that sets the number of channels; restored at the end."""
        before = self.channels()[0]

        def change(count):
            if self.channels()[0] != count:
                self.host.run("ethtool", "-L", self.name, "combined", count)

        try:
            yield change
        finally:
            change(before)
            self.wait_ready()

    @contextlib.contextmanager
    def with_one_channel(self):
        """All packets and control WQEs of the block are of one channel."""
        with self.with_channels() as change:
            change(1)
            self.wait_ready()
            yield

    def rings(self):
        """Return ({"RX", "TX"} current, maximum) ring sizes."""
        most, current = self._two_sections("-g")
        pick = ("RX", "TX")
        return ({name: current.get(name) for name in pick}, {name: most.get(name) for name in pick})

    @contextlib.contextmanager
    def with_rings(self):
        """Yields a function that sets ring sizes (rx, tx); restored at the end."""
        before = self.rings()[0]

        def change(rx, tx):
            now = self.rings()[0]
            words = []
            if now["RX"] != rx:
                words += ["rx", rx]
            if now["TX"] != tx:
                words += ["tx", tx]
            if words:
                self.host.run("ethtool", "-G", self.name, *words)

        try:
            yield change
        finally:
            change(before["RX"], before["TX"])
            self.wait_ready()

    # RSS

    def rss(self):
        """Return {table: [queue], key: bytes, functions: {name: on}} of `ethtool -x`, or None."""
        result = self.host.run("ethtool", "-x", self.name, check=False)
        if result.rc != 0:
            return None
        table, key, functions = [], b"", {}
        part = None
        for line in result.out.splitlines():
            if line.startswith("RX flow hash indirection table"):
                part = "table"
            elif line.startswith("RSS hash key"):
                part = "key"
            elif line.startswith("RSS hash function"):
                part = "function"
            elif part == "table" and ":" in line:
                table += [int(word) for word in line.partition(":")[2].split()]
            elif part == "key" and re.fullmatch(r"[0-9a-f:]+", line.strip()):
                key = bytes(int(word, 16) for word in line.strip().split(":"))
            elif part == "function" and ":" in line:
                name, _, value = line.partition(":")
                functions[name.strip()] = value.strip() == "on"
        return {"table": table, "key": key, "functions": functions}

    def queue_packets(self):
        """Return the packets received by each channel: {queue: packets}; None if unknown."""
        found = {}
        for name, value in self._queue_counters():
            match = (re.fullmatch(r"rx(\d+)_packets", name)
                     or re.fullmatch(r"rx[_-]?queue[_-](\d+)[_-]packets", name))
            if match:
                found[int(match[1])] = value
        return found or None

    def _queue_counters(self):
        from .counters import ethtool      # pylint: disable=import-outside-toplevel
        return ethtool(self.host, self.name).items()

    # VLAN

    def wait_usable(self):
        """An IPv6 address is usable when the kernel's worker has been at it, nodad or not."""
        wait_for(f"the addresses of {self.name} are usable", lambda: not any(
            entry.get("tentative") for entry in self.link()["addr_info"]
            if entry.get("scope") != "link"))

    @contextlib.contextmanager
    def with_vlan(self, number, addresses):
        """A VLAN interface with addresses for the block; yields its name."""
        name = f"gtv{number}"
        batch = [f"link add link {self.name} name {name} type vlan id {number}"]
        batch += [f"addr add {address} dev {name}" + (" nodad" if ":" in address else "")
                  for address in addresses]
        batch += [f"link set dev {name} up"]
        self.host.run("ip", "-batch", "-", data="\n".join(batch) + "\n")
        vlan = Nic(self.host, name)
        try:
            if any(":" in address for address in addresses):
                vlan.wait_usable()
            yield name
        finally:
            self.host.run("ip", "link", "del", "dev", name)


def _word(value):
    return "on" if value else "off"


def find_by_address(host, address):
    """Return the name of the interface of `host` with `address`, or None."""
    try:
        found = json.loads(host.out("ip", "-j", "addr", "show", "to", address))
    except (CommandError, ValueError):
        return None
    names = [item["ifname"] for item in found if item.get("ifname")]
    return names[0] if names else None


def ping(host, address, *, size=56, count=3, fragment=True, wait=30):
    """Send echo requests; returns how many were answered with the data sent. `wait`: seconds for
    each, a hang guard where an answer must come."""
    got = host.call("icmp.echo", address=address, sizes=[size], count=count, fragment=fragment,
                    timeout=wait)
    if got["wrong"]:
        note(f"the answer to {size} bytes from {address} has other bytes")
        return 0
    if got["error"]:
        note(f"{size} bytes to {address}: {got['error']}")
    return got["answered"].get(str(size), 0)
