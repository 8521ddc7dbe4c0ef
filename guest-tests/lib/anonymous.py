# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts without what tells where they come from: addresses, names of machines, keys.

Responsible for: what is taken out of a text before it goes into a result file, by name (what is
known of the bench) and by looks (what an address or a key looks like).
State: a Cloak knows the names of one bench.
Callers: result.py.

It errs on the side of taking out too much: a text that reads badly can be asked for again.
"""

import ipaddress
import pathlib
import re

ROOT = str(pathlib.Path(__file__).resolve().parent.parent)
# names that many machines have, and words of our own messages: they tell nothing
COMMON = {"localhost", "localdomain", "(none)", "lab", "guest", "peer", "debian", "ubuntu",
          "fedora", "local", "remote", "test"}
SHORTEST = 3                # letters of a name that is looked for

_MAC = re.compile(r"(?<![0-9a-z])(?:[0-9a-f]{2}[:-]){5,}[0-9a-f]{2}(?![0-9a-z])", re.I)
_PCI = re.compile(r"(?<![0-9a-z:])(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?![0-9a-z])",
                  re.I)
_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)")
_IPV6 = re.compile(r"(?<![0-9a-z:])[0-9a-f:]*:[0-9a-f:]*:[0-9a-f.:]*(?:%\w+)?(?![0-9a-z])", re.I)
_USER = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w.-]*\w")
_HOME = re.compile(r"(?:/home/[^/\s'\":]+|/root(?=/))")
# sixteen digits and more are a key, a nonce, or an address in memory; shorter ones with letters
# may be a hardware address without colons, or what `ethtool -i` has as a serial number
_DIGITS = re.compile(r"(?<![\w])(?:0x)?([0-9a-f]{12,})(?![\w])", re.I)
_LONG = re.compile(r"[0-9a-f]{24,}", re.I)


def _ipv4(match):
    return "<address>" if all(int(part) < 256 for part in match[0].split(".")) else match[0]


def _ipv6(match):
    for cut in range(3):            # what ends a sentence is no part of it
        text = match[0][:len(match[0]) - cut]
        if match[0][len(text):].strip(".:"):
            break
        try:
            ipaddress.IPv6Address(text.partition("%")[0])
            return "<address>"
        except ValueError:
            pass
    return match[0]


def _digits(match):
    number = match[1]
    return match[0] if number.isdecimal() and len(number) < 24 else "<digits>"


BY_LOOKS = ((_MAC, "<mac>"), (_PCI, "<pci>"), (_IPV4, _ipv4), (_IPV6, _ipv6),
            (_USER, "<user>"), (_HOME, "<home>"), (_DIGITS, _digits), (_LONG, "<digits>"))


class Cloak:
    """What is taken out of the texts of one bench."""

    def __init__(self, names):
        """names: {text: what stands in its place}. A name that many machines have is left."""
        names = {ROOT: "guest-tests", **names}
        found = sorted((name for name in names
                        if len(name) >= SHORTEST and name.lower() not in COMMON),
                       key=len, reverse=True)
        self._names = {name.lower(): names[name] for name in found}
        self._pattern = re.compile(
            r"(?<![\w])(?:" + "|".join(re.escape(name) for name in found) + r")(?![\w])", re.I) \
            if found else None

    def text(self, text, version=False):
        """The text without them. version: it is a version, whose four numbers are no address."""
        if self._pattern:
            text = self._pattern.sub(lambda match: self._names[match[0].lower()], text)
        for pattern, instead in BY_LOOKS:
            if not (version and pattern is _IPV4):
                text = pattern.sub(instead, text)
        return text

    def value(self, value):
        """The same of a value of JSON, with all that is in it. What is none is refused."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, (list, tuple)):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.text(str(name)): self.value(each) for name, each in value.items()}
        raise TypeError(f"{value!r} of {type(value).__name__}: expected what JSON has")
