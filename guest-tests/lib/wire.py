# SPDX-License-Identifier: GPL-2.0-or-later
"""The middlebox between the ends: loses, delays or splits exactly the chosen packets.

Responsible for: finding mlx5-wire (docs/wire.md), rules for a block and their hits, and the list of
segments that passed.
State: a Box owns the rules it has added; they are removed at the end of its block.
Callers: tests that need("wire").

In the lab it is accessed through the lab's channel. On a bench set up by run.py, bench.py starts it
for the tests that need it. On any other bench, the environment variable WIRE_CONTROL names its
control socket: a path on this machine, or remote:PATH on the machine of the remote end. Side A of
the program must be the one of the local end.
"""

import contextlib
import dataclasses
import os

from .case import expect, expect_equal, fail, wait_for
from .hosts import CallError

VARIABLE = "WIRE_CONTROL"
END = 1 << 52               # beyond any hit: queries the end of the log


def _socket(env):
    """Return (host, path) of the control socket outside the lab, or None."""
    if env.bench and env.bench.control:
        remote, path = env.bench.control
        return env.remote if remote else env.local, path
    value = os.environ.get(VARIABLE, "").strip()
    if not value:
        return None
    if value.startswith("remote:"):
        return env.remote, value.removeprefix("remote:")
    return env.local, value


def missing(env):
    """Return the reason why there is no wire, or None."""
    if env.lab is not None:
        return None if env.lab.can("wire.add") else "no middlebox is between the lab's NICs"
    if env.bench:
        return f"no middlebox: {env.bench.no_wire}" if env.bench.no_wire else None
    there = _socket(env)
    if there is None:
        return f"no middlebox: {env.no_lab}, and {VARIABLE} is not set"
    host, path = there
    reason = host.call("control.available", path=path)
    return reason and f"{VARIABLE}: no middlebox on the {host.name} end: {reason}"


@dataclasses.dataclass(frozen=True)
class Segment:
    """A TCP segment with payload, as it arrived at the wire."""

    seq: int
    length: int
    stream: int             # offset of its first byte in the stream
    again: bool             # retransmission of its first byte
    packet: int             # number in the connection and direction

    @property
    def end(self):
        """Return the stream offset after it."""
        return self.stream + self.length


class WireRule:
    """A rule of the middlebox."""

    def __init__(self, box, ident, text, must_hit):
        self._box, self.ident, self.text, self.must_hit = box, ident, text, must_hit

    def hits(self):
        """How often it was applied."""
        return self._box.hits(self.ident)

    def check_hits(self, count):
        """Check that it was applied exactly `count` times."""
        expect_equal(f"hits of the wire's rule {self.text!r}", self.hits(), count)

    def wait_hits(self, count, seconds=60.0):
        """Wait until it was applied at least `count` times."""
        wait_for(f"the wire's rule {self.text!r} is applied {count} times",
                 lambda: self.hits() >= count, seconds)

    def clear(self):
        """Remove it, and release the frames it holds."""
        self._box.check(self)
        self._box.ask("clear", rule=self.ident)
        self._box.forget(self)


class Box:
    """The rules of a block."""

    def __init__(self, env):
        self._env = env
        there = None if env.lab is not None else _socket(env)
        self._ask = self._by_lab if there is None else self._by_socket
        self._there = there
        self._rules = []
        self._since = self.ask("log", since=END)["next"]

    def _by_lab(self, cmd, args):
        return self._env.lab.client.call(f"wire.{cmd}", **args)

    def _by_socket(self, cmd, args):
        host, path = self._there
        try:
            return host.call("control.ask", path=path, request={"cmd": cmd, **args})
        except CallError as error:
            return fail(f"the wire: {error.text}")

    @property
    def host(self):
        """The end that has the program, and its files; None in the lab."""
        return self._there and self._there[0]

    def ask(self, cmd, **args):
        """Run a command of the control socket."""
        return self._ask(cmd, args)

    # rules

    def way(self, direction):
        """Return "a>b" or "b>a": the local end is on side A."""
        return "a>b" if direction.sender is self._env.local else "b>a"

    def add(self, direction, text, must_hit=True):
        """Add the rule `text` ("ACTION KEY=VALUE…") for one direction of a connection."""
        action, _, keys = text.strip().partition(" ")
        sport, dport = direction.ports
        return self.add_raw(f"{action} {self.way(direction)} sport={sport} dport={dport} {keys}"
                            .strip(), must_hit)

    def add_raw(self, text, must_hit=True):
        """Add a complete rule. must_hit: the block fails if it was never applied."""
        rule = WireRule(self, self.ask("add", rules=[text])[0], text, must_hit)
        self._rules.append(rule)
        return rule

    def hits(self, ident):
        """Return how often a rule was applied."""
        for entry in self.ask("rules"):
            if entry["id"] == ident:
                return entry["hits"]
        return fail(f"the wire has no rule {ident} any more")

    def check(self, rule):
        """Check that a rule with must_hit was applied."""
        if rule.must_hit:
            expect(rule.hits() > 0, f"the wire's rule {rule.text!r} was never applied")

    def forget(self, rule):
        """Drop a removed rule."""
        self._rules.remove(rule)

    def release(self, name=None):
        """Release held frames; returns how many."""
        return self.ask("release", **({"name": name} if name else {}))

    def close(self, check=True):
        """Remove all rules of this block; with `check`, check those that must have hit."""
        try:
            if check:
                for rule in self._rules:
                    self.check(rule)
        finally:
            for rule in self._rules:
                self.ask("clear", rule=rule.ident)
            self._rules = []

    # what passed

    def log(self, rule=None):
        """Return the hits of all rules (or one WireRule) since the start of the block, from the
        wire's log."""
        found, since = [], self._since
        while True:
            page = self.ask("log", since=since)
            expect(page["first"] == since, "the wire's log is longer than it keeps")
            found += page["hits"]
            since = page["next"]
            if not page["more"]:
                break
        return [hit for hit in found if rule is None or hit["rule"] == rule.ident]

    def flow(self, direction):
        """Return the wire's account of the connection in this direction."""
        sport, dport = direction.ports
        for flow in reversed(self.ask("flows")):
            # ports on sides a and b of the wire
            if {flow["a_port"], flow["b_port"]} == {sport, dport}:
                return flow[self.way(direction)]
        return fail(f"the wire has seen no connection {sport}-{dport}")

    def watch_records(self, direction, count):
        """From now on each of the first `count` records of a stream is written down when its header
        first passes; records() has them. To be asked for before rules that drop. The wire knows a
        record by its header: encrypted ones of a length that clear ones never have, such as long
        alerts, it passes over (lib/capture.py finds all)."""
        sport, dport = direction.ports
        texts = [f"log {self.way(direction)} sport={sport} dport={dport} wire-record={number} "
                 "byte=4" for number in range(count)]
        found = [WireRule(self, ident, text, False)
                 for ident, text in zip(self.ask("add", rules=texts), texts, strict=True)]
        self._rules += found
        return found

    def records(self, watched):
        """{number: (type, length with the header)} of the records that watch_records() has seen."""
        idents = {rule.ident for rule in watched}
        return {hit["wire_record"]: (hit["type"], hit["record_len"]) for hit in self.log()
                if hit["rule"] in idents}

    def watch(self, direction):
        """Record every segment with payload from now on, for segments(). Call before adding rules
        that drop: later rules do not see a dropped packet."""
        return self.add(direction, "log stream=0.. sent=any", must_hit=False)

    def segments(self, watch):
        """Return [Segment] recorded by a watch(), in order of arrival."""
        return [Segment(hit["seq"], hit["len"], hit["stream"], hit["sent"] > 1, hit["packet"])
                for hit in self.log(watch)]


@contextlib.contextmanager
def rules(env):
    """A Box for the block. Fails at its end if a rule that must hit did not."""
    box = Box(env)
    good = False
    try:
        yield box
        good = True
    finally:
        box.close(check=good)
