# SPDX-License-Identifier: GPL-2.0-or-later
"""Fault injection in the emulated device: commands that fail, WQEs that are lost, late or wrong.

Responsible for: rules (docs/faults.md) in the device of one end, for a block, and their counters.
State: a Faults owns the rules it has added; at the end of its block they are removed, and the work
they deferred is released.
Callers: tests that need("fault") (the local end's device) or need("remote-fault").

    with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv") as held:
        ...
        held.wait_waiting(1)
        ...
        held.release("psv")
"""

import contextlib

from . import lab
from .case import expect, expect_equal, fail, wait_for

ACTIONS = ("fault.add", "fault.list", "fault.clear", "fault.release")


def missing(env, host):
    """Return the reason why faults are not available at an end, or None."""
    return lab.missing(env, host, "faults", ACTIONS)


class FaultRule:
    """A fault rule in a device."""

    def __init__(self, owner, ident, text, must_hit):
        self._owner, self.ident, self.text, self.must_hit = owner, ident, text, must_hit

    def state(self):
        """Return {id, rule, matches, hits, waiting}."""
        for entry in self._owner.list():
            if entry["id"] == self.ident:
                return entry
        return fail(f"the device has no rule {self.ident} ({self.text!r}) any more")

    def hits(self):
        """Return how often it was applied."""
        return self.state()["hits"]

    def waiting(self):
        """Return the amount of work it defers now."""
        return self.state()["waiting"]

    def check_hits(self, count):
        """Check that it was applied exactly `count` times."""
        expect_equal(f"hits of the fault {self.text!r}", self.hits(), count)

    def wait_hits(self, count, seconds=60.0):
        """Wait until it was applied at least `count` times."""
        wait_for(f"the fault {self.text!r} is applied {count} times",
                 lambda: self.hits() >= count, seconds)

    def wait_waiting(self, count, seconds=60.0):
        """Wait until it defers at least `count` items."""
        wait_for(f"{count} times something waits for the fault {self.text!r}",
                 lambda: self.waiting() >= count, seconds)

    def clear(self):
        """Remove it, and release the work it defers."""
        self._owner.clear(self)


class Faults:
    """The rules of a block in a device."""

    def __init__(self, env, host):
        self._device = env.device(host)
        expect(self._device is not None, f"no lab has the NIC of the {host.name} end")
        self.rules = []

    def _ask(self, action, **args):
        return self._device.client.call(f"fault.{action}", nic=self._device.ident, **args)

    def add(self, *texts, must_hit=True):
        """Add rules, all or none; returns the last one. must_hit: the block fails if one was never
        applied."""
        idents = self._ask("add", rules=list(texts))
        self.rules += [FaultRule(self, ident, text, must_hit)
                       for ident, text in zip(idents, texts, strict=True)]
        return self.rules[-1]

    def list(self):
        """Return all rules of the device: [{id, rule, matches, hits, waiting}]."""
        return self._ask("list")

    def hits(self, index=0):
        """Return how often rule number `index` of this block was applied."""
        return self.rules[index].hits()

    def wait_hits(self, count, index=0):
        """Wait until that rule was applied at least `count` times."""
        self.rules[index].wait_hits(count)

    def wait_waiting(self, count, index=0):
        """Wait until that rule defers at least `count` items."""
        self.rules[index].wait_waiting(count)

    def release(self, name=None):
        """Release deferred work, by name or all; returns how much there was."""
        return self._ask("release", **({"name": name} if name else {}))

    def clear(self, rule):
        """Remove a rule of this block, and release the work it defers."""
        if rule.must_hit:
            expect(rule.hits() > 0, f"the fault {rule.text!r} was never applied")
        self._ask("clear", rule=rule.ident)
        self.rules.remove(rule)

    def close(self, check=True):
        """Remove the rules of this block; with `check`, check those that must have hit."""
        try:
            if check:
                for rule in self.rules:
                    if rule.must_hit:
                        expect(rule.hits() > 0, f"the fault {rule.text!r} was never applied")
        finally:
            for rule in self.rules:
                self._ask("clear", rule=rule.ident)
            self.rules = []


@contextlib.contextmanager
def faults(env, host, *texts, must_hit=True):
    """Faults in the device at an end for the block. Fails at its end if a rule that must hit did
    not."""
    made = Faults(env, host)
    good = False
    try:
        if texts:
            made.add(*texts, must_hit=must_hit)
        yield made
        good = True
    finally:
        made.close(check=good)
