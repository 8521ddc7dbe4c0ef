# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own account: tracepoints tls:* of an end.

Responsible for: a tracefs instance for a block, parsing its events, and finding the events of a
connection.
State: the instance "guest-tests"; it is removed when the block ends.
Callers: tests that need("tracepoints").

An event identifies its socket only by a (hashed) address. tls_device_offload_set occurs while the
test sets the keys of a connection, in the process of that end's agent, so Trace.follow() finds the
address there; all later events of the socket have the same one.
"""

import contextlib
import dataclasses
import re

from .case import expect, fail
from .hosts import CallError

PLACES = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
INSTANCE = "guest-tests"
BUFFER_KIB = 8192           # for each processor
DIRECTIONS = {"rx": 0, "tx": 1}
# task-pid (tgid) [cpu] flags time: event: fields; the tgid is a row of dashes if unknown
LINE = re.compile(r"\s*.+-(\d+)\s+\(\s*(\d+|-+)\)\s+\[(\d+)\]\s+\S+\s+([\d.]+): (\w+): (.*)$")


@dataclasses.dataclass(frozen=True)
class Event:
    """An event. `fields` has numbers as int, the socket as text."""

    name: str
    time: float
    pid: int
    tgid: int | None
    fields: dict

    def __getattr__(self, name):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"{self.name} has no {name}; it has "
                                 f"{', '.join(self.fields)}") from None


def parse(text):
    """Return [Event] from the text of a trace file."""
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        fields = {}
        for word in match[6].split():
            key, equals, value = word.partition("=")
            if equals:
                fields[key] = value if key == "sk" or not re.fullmatch(r"-?\d+", value) \
                    else int(value)
        found.append(Event(match[5], float(match[4]), int(match[1]),
                           int(match[2]) if match[2].isdigit() else None, fields))
    return found


def _place(host):
    for path in PLACES:
        if "events" in host.listdir(path):
            return path
    return None


def missing(host, *more):
    """Return the reason why events are not available at an end, or None. `more`: others
    ("mlx5/NAME")."""
    place = _place(host)
    if place is None:
        return f"no tracefs in {' or '.join(PLACES)} on the {host.name} end"
    if not host.listdir(f"{place}/events/tls"):
        return f"the kernel of the {host.name} end has no tls:* tracepoints"
    for name in more:
        if not host.listdir(f"{place}/events/{name}"):
            return f"the kernel of the {host.name} end has no tracepoint {name.replace('/', ':')}"
    return None


class Trace:
    """The events since the start of the block."""

    def __init__(self, host, root):
        self._host, self._root = host, root
        self._followed = set()

    def set(self, name, value):
        """Write to a file of the instance."""
        self._host.write(f"{self._root}/{name}", f"{value}\n")

    def events(self, name=None, sk=None):
        """Return [Event], optionally of one kind and one socket."""
        lost = [line for line in self._host.read(f"{self._root}/trace").splitlines()
                if "LOST" in line]
        expect(not lost, f"events were lost: {lost[:1]}")
        return [event for event in parse(self._host.read(f"{self._root}/trace"))
                if name in (None, event.name) and sk in (None, event.fields.get("sk"))]

    def follow(self, host, direction):
        """Return the socket for which the agent at `host` has last set offloaded keys of a
        direction ("rx", "tx"); each is returned once."""
        for event in reversed(self.events("tls_device_offload_set")):
            key = event.sk, event.time
            if (event.tgid == host.agent_pid and event.direction == DIRECTIONS[direction]
                    and event.ret == 0 and key not in self._followed):
                self._followed.add(key)
                return event.sk
        return fail(f"no tls_device_offload_set of the {host.name} end for {direction}; there are "
                    + "; ".join(f"{event.tgid}: {event.fields}"
                                for event in self.events("tls_device_offload_set")))


@contextlib.contextmanager
def trace(host, *more):
    """The tls:* events of an end's kernel, and `more` ("mlx5/NAME"), while the block lasts. Two
    ends on one machine share them: ask one of the ends."""
    place = _place(host)
    root = f"{place}/instances/{INSTANCE}"
    with contextlib.suppress(CallError):        # left by a killed test
        host.call("procs.rmdir", path=root)
    host.call("procs.mkdir", path=root)
    try:
        found = Trace(host, root)
        found.set("buffer_size_kb", BUFFER_KIB)
        found.set("options/record-tgid", 1)
        for name in ("tls", *more):
            found.set(f"events/{name}/enable", 1)
        yield found
    finally:
        with contextlib.suppress(CallError):
            host.write(f"{root}/events/enable", "0\n")
        host.call("procs.rmdir", path=root)
