# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything about an interface that a test may change: written down, compared, brought back.

Responsible for: reading the settings of one interface in a form that JSON can keep, and the
commands that bring them back.
State: none.
Callers: bench.py, which writes them into its journal.

A setting is a name and a value; read() has them all. Each ASPECT reads some of them with one
program, and knows the commands for a value that has changed. What a driver does not have is not in
it, and is left alone.
"""

import json
import re

from .hosts import CommandError

# what the tests set for all connections of the machine (lib/quiet.py, the tests of flows)
SYSCTLS = tuple(f"/proc/sys/net/ipv4/tcp_{name}" for name in (
    "no_metrics_save", "early_retrans", "recovery", "max_reordering", "reordering", "sack")) + (
    "/proc/sys/net/core/rps_sock_flow_entries",)
# of the interface, below these directories; they are lost when it changes its namespace
FILES = ("/proc/sys/net/ipv4/conf/{}/*", "/proc/sys/net/ipv6/conf/{}/*",
         "/proc/sys/net/ipv4/neigh/{}/*", "/proc/sys/net/ipv6/neigh/{}/*",
         "/sys/class/net/{}/queues/*/*_cpus", "/sys/class/net/{}/queues/*/rps_flow_cnt",
         "/sys/class/net/{}/gro_flush_timeout", "/sys/class/net/{}/napi_defer_hard_irqs",
         "/sys/class/net/{}/threaded")
# counters and switches among them that are no settings
NO_SETTING = re.compile(r"/(stable_secret|mc_forwarding|force_forwarding|gc_stale_time_ms|"
                        r"retrans_time|base_reachable_time)$")
PCI_FILES = ("reset_method", "d3cold_allowed", "power/control")
LINK = ("mtu", "address", "txqlen", "gso_max_size", "gso_max_segs", "inet6_addr_gen_mode")
RINGS = {"RX": "rx", "RX Mini": "rx-mini", "RX Jumbo": "rx-jumbo", "TX": "tx"}
CHANNELS = {"RX": "rx", "TX": "tx", "Other": "other", "Combined": "combined"}
PAUSE = {"Autonegotiate": "autoneg", "RX": "rx", "TX": "tx"}
HASHED = ("tcp4", "tcp6", "udp4", "udp6")
HASH_FIELDS = (("IP SA", "s"), ("IP DA", "d"), ("src port", "f"), ("dst port", "n"),
               ("L2DA", "m"), ("VLAN tag", "v"), ("L3 proto", "t"))


class Place:
    """An interface in a namespace: where commands about it run."""

    def __init__(self, port, space):
        self.port, self.space, self.name = port, space, port.name

    def try_out(self, *argv):
        """What a program prints; "" when it fails: the driver or the program has no such thing."""
        done = self.port.in_namespace(self.space, *argv, check=False)
        return done.out if done.rc == 0 else ""

    def json(self, *argv):
        """The same, of a program that prints JSON."""
        return [item for item in json.loads(self.try_out(*argv) or "[]") if item]


def _pairs(text, names):
    """{option: value} of the lines "Name: value"; of those that a heading calls current, if there
    is one."""
    found = {}
    for line in text.rpartition("Current hardware settings")[2].splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() in names and value.strip() not in ("", "n/a"):
            found[names[name.strip()]] = value.split()[0]
    return found


# ---- aspects: read(place) -> {setting: value}; write(place, {setting: value}) -> [command]

def _read_link(place):
    link = place.json("ip", "-d", "-j", "link", "show", "dev", place.name)[0]
    found = {name: link[name] for name in LINK if name in link}
    return {**found, **{flag.lower(): flag in link["flags"]
                        for flag in ("UP", "PROMISC", "ALLMULTI")}}


def _write_link(place, values):
    words = {"inet6_addr_gen_mode": "addrgenmode", "allmulti": "allmulticast"}
    set_link = ["ip", "link", "set", "dev", place.name]
    commands = [[*set_link, words.get(name, name), _word(value)]
                for name, value in values.items() if name != "up"]
    if "up" in values:
        commands.append([*set_link, "up" if values["up"] else "down"])
    return commands


def _read_features(place):
    found = {}
    for line in place.try_out("ethtool", "-k", place.name).splitlines()[1:]:
        name, _, value = line.strip().partition(": ")
        if value in ("on", "off"):          # others are fixed, or only asked for
            found[name] = value
    return found


def _write_features(place, values):
    return [["ethtool", "-K", place.name, name, value] for name, value in values.items()]


def _of_ethtool(show, change, names):
    """An aspect whose settings are lines of `ethtool SHOW`, and words of `ethtool CHANGE`."""
    def read(place):
        return _pairs(place.try_out("ethtool", show, place.name), names)

    def write(place, values):
        return [["ethtool", change, place.name, *(word for pair in values.items()
                                                  for word in pair)]]
    return read, write


def _read_coalescing(place):
    found = {}
    for line in place.try_out("ethtool", "-c", place.name).splitlines()[1:]:
        both = re.match(r"(Adaptive|CQE mode) RX: +(\S+) +TX: +(\S+)", line)
        if both:
            name = both[1].lower().replace(" ", "-")
            found |= {f"{name}-rx": both[2], f"{name}-tx": both[3]}
        elif ":" in line:
            name, _, value = line.partition(":")
            found[name.strip()] = value.strip()
    return {name: value for name, value in found.items() if re.fullmatch(r"on|off|\d+", value)}


def _write_coalescing(place, values):
    # one by one: a value may be refused while another is on, and be moot
    return [["ethtool", "-C", place.name, *pair] for pair in sorted(values.items())]


def _read_rss(place):
    text = place.try_out("ethtool", "-x", place.name)
    table = [int(word) for line in re.findall(r"^\s*\d+:((?:\s+\d+)+)\s*$", text, re.MULTILINE)
             for word in line.split()]
    key = re.search(r"^([0-9a-f]{2}(?::[0-9a-f]{2})+)$", text, re.MULTILINE)
    function = re.search(r"^\s*(\w+): on$", text, re.MULTILINE)
    found = {"table": table} if table else {}
    found |= {"hkey": key[1]} if key else {}
    return found | ({"hfunc": function[1]} if function else {})


def _write_rss(place, values):
    commands = [["ethtool", "-X", place.name, name, values[name]]
                for name in ("hfunc", "hkey") if name in values]
    table = values.get("table")
    if table:
        count = max(table) + 1
        even = table == [index % count for index in range(len(table))]
        # ethtool can ask for shares only, not for each entry; the driver spreads evenly by itself
        words = ["default"] if even else ["weight", *(table.count(queue)
                                                      for queue in range(count))]
        commands.insert(0, ["ethtool", "-X", place.name, *words])
    return commands


def _read_hashing(place):
    found = {}
    for kind in HASHED:
        text = place.try_out("ethtool", "-n", place.name, "rx-flow-hash", kind)
        letters = "".join(letter for words, letter in HASH_FIELDS if words in text)
        if letters:
            found[kind] = letters
    return found


def _write_hashing(place, values):
    return [["ethtool", "-N", place.name, "rx-flow-hash", *pair] for pair in values.items()]


def _read_flags(place):
    lines = place.try_out("ethtool", "--show-priv-flags", place.name).splitlines()[1:]
    return {name.strip(): value.strip() for name, _, value in
            (line.partition(":") for line in lines) if value.strip() in ("on", "off")}


def _write_flags(place, values):
    return [["ethtool", "--set-priv-flags", place.name, *pair] for pair in values.items()]


def _read_mode(place):
    text = place.try_out("ethtool", place.name)
    found = {}
    for name, pattern in (("autoneg", r"Auto-negotiation: (on|off)"), ("speed", r"Speed: (\d+)"),
                          ("wol", r"^\s*Wake-on: (\w+)")):
        match = re.search(pattern, text, re.MULTILINE)
        if match:
            found[name] = match[1]
    # a speed that was negotiated is the cable's matter
    return found if found.get("autoneg") == "off" else {
        name: value for name, value in found.items() if name != "speed"}


def _write_mode(place, values):
    return [["ethtool", "-s", place.name, *(word for pair in values.items() for word in pair)]]


def _read_rules(place):
    text = place.try_out("ethtool", "-n", place.name)
    return {number: "present" for number in re.findall(r"^Filter: (\d+)", text, re.MULTILINE)}


def _write_rules(place, values):
    return [["ethtool", "-N", place.name, "delete", number]
            for number, value in values.items() if value is None]


def _read_queueing(place):
    found = {}
    for entry in place.json("tc", "-j", "qdisc", "show", "dev", place.name):
        if entry.get("root") or entry["kind"] in ("clsact", "ingress"):
            found["root" if entry.get("root") else entry["kind"]] = entry["kind"]
    return found


def _write_queueing(place, values):
    # gone with it are its filters; a root that was another one is replaced, without its options
    return [["tc", "qdisc", "del", "dev", place.name, name] if value is None or name == "root"
            else ["tc", "qdisc", "add", "dev", place.name, value]
            for name, value in values.items()]


def _read_addresses(place):
    found = {}
    for link in place.json("ip", "-j", "addr", "show", "dev", place.name):
        for entry in link["addr_info"]:
            if entry["family"] == "inet6" and (entry.get("scope") == "link"
                                               or entry.get("dynamic")):
                continue                    # the kernel's own, or a router's
            about = {name: entry[name] for name in ("broadcast", "scope", "label", "metric")
                     if name in entry}
            found[f"{entry['local']}/{entry['prefixlen']}"] = about
    return found


def _write_addresses(place, values):
    commands = []
    for address, about in values.items():
        words = [] if about is None else [word for pair in about.items() for word in pair]
        verb = "del" if about is None else "replace"
        nodad = ["nodad"] if about is not None and ":" in address else []
        commands.append(["ip", "addr", verb, address, "dev", place.name, *words, *nodad])
    return commands


def _read_routes(place):
    found = {}
    for family in ("-4", "-6"):
        text = place.try_out("ip", family, "route", "show", "table", "all", "dev", place.name)
        for line in text.splitlines():
            line = re.sub(r" (linkdown|expires \d+sec|pref medium)", "", line).strip()
            # those come and go with addresses
            if line and not re.search(r"proto kernel|table local|^(local|multicast|anycast) ",
                                      line):
                found[f"{family} {line}"] = "present"
    return found


def _write_routes(place, values):
    return [["ip", line.split()[0], "route", "replace" if value else "del", *line.split()[1:],
             "dev", place.name] for line, value in values.items()]


def _read_uppers(place):
    links = place.json("ip", "-j", "link", "show")
    return {link["ifname"]: "present" for link in links if link.get("link") == place.name}


def _write_uppers(_, values):
    return [["ip", "link", "del", "dev", name] for name, value in values.items() if value is None]


def _read_devlink(place):
    """Parameters of the function; what it is set to after the next reload of the driver too."""
    if place.space or not place.port.pci:
        return {}
    handle = f"pci/{place.port.pci}"
    shown = json.loads(place.try_out("devlink", "-j", "dev", "param", "show", handle) or "{}")
    return {f"{parameter['name']} {entry['cmode']}": str(entry["value"]).lower()
            if isinstance(entry["value"], bool) else str(entry["value"])
            for parameter in shown.get("param", {}).get(handle, ())
            for entry in parameter["values"] if "value" in entry}


def _write_devlink(place, values):
    return [["devlink", "dev", "param", "set", f"pci/{place.port.pci}", "name", name.split()[0],
             "value", value, "cmode", name.split()[1]]
            for name, value in values.items() if value is not None]


def _read_files(place):
    """Values of files; the machine's own are read with those of the interface."""
    wanted = [pattern.format(place.name) for pattern in FILES]
    if not place.space:
        wanted += SYSCTLS
        if place.port.pci:
            wanted += [f"/sys/bus/pci/devices/{place.port.pci}/{name}" for name in PCI_FILES]
    text = place.try_out("sh", "-c", f"grep -H . {' '.join(wanted)} 2>/dev/null; true")
    found = dict(line.split(":", 1) for line in text.splitlines()
                 if line.startswith("/") and ":" in line)
    return {path: value for path, value in found.items() if not NO_SETTING.search(path)}


def _write_files(_, values):
    return [["sh", "-c", f"printf %s '{value}' >'{path}'"] for path, value in values.items()
            if value is not None]


# the order in which they are brought back: queues before what is said of them, the link before
# addresses, addresses before routes
ASPECTS = {
    "devlink": (_read_devlink, _write_devlink),
    "channels": _of_ethtool("-l", "-L", CHANNELS),
    "rings": _of_ethtool("-g", "-G", RINGS),
    "private flags": (_read_flags, _write_flags),
    "features": (_read_features, _write_features),
    "coalescing": (_read_coalescing, _write_coalescing),
    "RSS": (_read_rss, _write_rss),
    "hashing": (_read_hashing, _write_hashing),
    "pause": _of_ethtool("-a", "-A", PAUSE),
    "mode": (_read_mode, _write_mode),
    "rules": (_read_rules, _write_rules),
    "uppers": (_read_uppers, _write_uppers),
    "queueing": (_read_queueing, _write_queueing),
    "link": (_read_link, _write_link),
    "addresses": (_read_addresses, _write_addresses),
    "routes": (_read_routes, _write_routes),
    "files": (_read_files, _write_files),
}


def read(port, space=""):
    """{aspect: {setting: value}} of an interface."""
    place = Place(port, space)
    return {name: aspect[0](place) for name, aspect in ASPECTS.items()}


def differences(before, now):
    """{aspect: {setting: its value before}} of what is not as it was; None for what was not."""
    found = {}
    for name, old in before.items():
        new = now.get(name, {})
        moved = {setting: old.get(setting) for setting in [*old, *(set(new) - set(old))]
                 if old.get(setting) != new.get(setting)}
        if moved:
            found[name] = moved
    return found


def bring_back(port, before, space=""):
    """Make the interface what it was; returns a line for each setting that cannot be.

    Twice, since one setting may stand in the way of another.
    """
    place, said = Place(port, space), {}
    for _ in range(2):
        moved = differences(before, read(port, space))
        for name, values in moved.items():
            for command in ASPECTS[name][1](place, values):
                try:
                    port.in_namespace(space, *command)
                except CommandError as error:
                    said[name] = str(error)
    left = differences(before, now := read(port, space))
    return [f"{port.name}: {name}: {setting} is {now[name].get(setting)!r}, was {value!r}"
            + (f" ({said[name]})" if name in said else "")
            for name, values in left.items() for setting, value in values.items()]


def _word(value):
    return {True: "on", False: "off"}.get(value, value)
