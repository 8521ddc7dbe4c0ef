# SPDX-License-Identifier: GPL-2.0-or-later
"""Explanations of kernel log lines and TLS counters for the user.

Responsible for: the table of known lines, and the sentences about TLS in software.
State: a Hints knows which lines of the table have appeared.

docs/troubleshooting.md has more on each.
"""

import re

# (pattern, hint): one matching line is enough; the hint is given once.
LINES = (
    (re.compile(rb"unencrypted skb with no associated socket"),
     "the kernel dropped packets of a TLS connection (\"unencrypted skb with no associated "
     "socket\"): something between socket and NIC takes them from their socket, as a delay by "
     "`tc netem` does, and then no card may encrypt them; delay on the wire "
     "instead: `lab run --wire 'delay ...'` (docs/wire.md)"),
    (re.compile(rb"mlx5_core .*\) failed, status .*syndrome"),
     "the device refused a driver command; docs/commands.md explains syndromes, and "
     "--qemu-arg '-trace mlx5_cmd*' shows in qemu.log what was asked"),
    (re.compile(rb"Unknown symbol|disagrees about version of symbol|version magic .* should be"),
     "a module does not fit the kernel: both have to come from one build (docs/lab.md, other "
     "kernels)"),
    (re.compile(rb"BUG: soft lockup|rcu: INFO: .*detected (expedited )?stall|"
                rb"NETDEV WATCHDOG: .*timed out"),
     "the guest was held up for long: is this machine very busy?"),
)


class Hints:
    """The known lines found in a guest's log."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}

    def heed(self, line: bytes) -> None:
        """Process a line of the kernel's log, as bytes."""
        for pattern, hint in LINES:
            if hint not in self._found and pattern.search(line):
                self._found[hint] = line

    def found(self) -> list[str]:
        """Return the hints, in the order of their lines."""
        return list(self._found)


OPTION = {"tx": "tls-hw-tx-offload", "rx": "tls-hw-rx-offload"}
DONE = {"tx": "sent", "rx": "received"}
CIPHERS = "Linux gives a NIC TLS 1.2 with AES-128-GCM or AES-256-GCM and nothing else"


def nics(text: str) -> list[tuple[str, dict[str, str]]]:
    """Parse the output of `lab-net tls`: [(name, {word: value})]."""
    found = []
    for line in text.splitlines():
        name, *words = line.split()
        found.append((name, dict(word.split("=", 1) for word in words if "=" in word)))
    return found


def software_tls(text: str) -> list[str]:
    """Return sentences about TLS connections not offloaded, from the output of `lab-net tls`."""
    sentences = []
    for name, words in nics(text):
        for way, option in OPTION.items():
            count = int(words.get(f"Tls{way.title()}Sw", 0))
            if not count or option not in words:
                continue
            what = f"{name}: {count} TLS connection{'s'[:count > 1]} {DONE[way]} in software: "
            if words[option] == "on":
                sentences.append(what + f"{option} is on, so it is the version or the cipher: "
                                        f"{CIPHERS} (docs/troubleshooting.md)")
            else:
                default = ", the driver's default" if way == "rx" else ""
                sentences.append(what + f"{option} is off{default}; "
                                        f"`lab run --feature {option}=on` switches it on for "
                                        "both NICs")
    return sentences


def greeting(text: str) -> list[str]:
    """Return lines for a new shell: the state of TLS offload, and how to enable it."""
    lines = []
    for name, words in nics(text):
        states = [f"{option} {words[option]}" for option in OPTION.values() if option in words]
        lines.append(f"{name}: {', '.join(states) if states else 'no TLS offload'}")
    if any(words.get(option) == "off" for _, words in nics(text) for option in OPTION.values()):
        lines.append("on for all NICs: `lab-net feature tls-hw-rx-offload=on`, or `lab run "
                     "--feature tls-hw-rx-offload=on` from the start")
    return lines
