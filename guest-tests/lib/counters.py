# SPDX-License-Identifier: GPL-2.0-or-later
"""Counter differences between two moments: NIC, TLS and protocol counters.

Responsible for: reading counters and computing differences.
State: a Watch has the values at one moment.
Callers: tests, and runner.py for the report on a failed test.
"""

import re

TLS_STAT = "/proc/net/tls_stat"
PROTOCOL_FILES = ("/proc/net/snmp", "/proc/net/netstat", "/proc/net/snmp6", TLS_STAT)


def ethtool(host, ifname):
    """Return {counter: value} of `ethtool -S`."""
    return host.call("ethtool.statistics", ifname=ifname)


def protocols(host):
    """Return {name: value} of the namespace's protocol counters, such as TcpExtTCPTimeouts,
    UdpInErrors, TlsTxDevice."""
    values = {}
    for path, text in host.call("procs.read_many", paths=PROTOCOL_FILES).items():
        lines = (text or "").splitlines()
        if path in PROTOCOL_FILES[:2]:
            for names, numbers in zip(lines[::2], lines[1::2]):
                prefix, _, names = names.partition(":")
                for name, number in zip(names.split(), numbers.partition(":")[2].split()):
                    values[prefix + name] = int(number)
        else:
            for line in lines:
                name, _, number = line.partition("\t") if "\t" in line else line.partition(" ")
                if number.strip().isdigit():
                    values[name.strip()] = int(number)
    return values


def tls(host):
    """Return {name: value} of /proc/net/tls_stat in the end's namespace."""
    return {name: value for name, value in protocols(host).items() if name.startswith("Tls")}


class Delta(dict):
    """Differences; a nonexistent counter reads as 0, see has()."""

    def __init__(self, before, after):
        super().__init__({name: value - before.get(name, 0) for name, value in after.items()})

    def __missing__(self, name):
        return 0

    def has(self, name):
        """Return whether the counter exists."""
        return name in self

    def moved(self, pattern=""):
        """Return {name: difference} of counters that changed and match a regular expression."""
        return {name: value for name, value in sorted(self.items())
                if value and re.search(pattern, name)}


class Watch:
    """Counters of an end since the start of the watch."""

    def __init__(self, host):
        self._host = host
        self.restart()

    def restart(self):
        """Restart the watch."""
        self._nic = ethtool(self._host, self._host.nic.name)
        self._protocols = protocols(self._host)

    def nic(self):
        """Return the Delta of `ethtool -S`."""
        return Delta(self._nic, ethtool(self._host, self._host.nic.name))

    def protocols(self):
        """Return the Delta of the protocol counters, including tls_stat."""
        return Delta(self._protocols, protocols(self._host))
