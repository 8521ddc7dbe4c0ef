# SPDX-License-Identifier: GPL-2.0-or-later
"""Faults inside the emulated device: commands that fail, WQEs that are lost, late or wrong.

Responsible for: rules of docs/faults.md in the device of one end, for a block, and what they met.
State: a Faults owns the rules that it has added; they are gone when its block ends, and what they
made wait has gone on.
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
    """The reason why nothing can be done to the device at an end, or None."""
    return lab.missing(env, host, "faults", ACTIONS)


class FaultRule:
    """One fault rule in one device."""

    def __init__(self, owner, ident, text, must_hit):
        self._owner, self.ident, self.text, self.must_hit = owner, ident, text, must_hit

    def state(self):
        """{id, rule, matches, hits, waiting}."""
        for entry in self._owner.list():
            if entry["id"] == self.ident:
                return entry
        return fail(f"the device has no rule {self.ident} ({self.text!r}) any more")

    def hits(self):
        """How often it was applied."""
        return self.state()["hits"]

    def waiting(self):
        """How much waits because of it now."""
        return self.state()["waiting"]

    def check_hits(self, count):
        """It was applied exactly so often."""
        expect_equal(f"hits of the fault {self.text!r}", self.hits(), count)

    def wait_hits(self, count, seconds=60.0):
        """Until it was applied so often at least."""
        wait_for(f"the fault {self.text!r} is applied {count} times",
                 lambda: self.hits() >= count, seconds)

    def wait_waiting(self, count, seconds=60.0):
        """Until so much waits because of it, at least."""
        wait_for(f"{count} times something waits for the fault {self.text!r}",
                 lambda: self.waiting() >= count, seconds)

    def clear(self):
        """Remove it, and let go what it made wait."""
        self._owner.clear(self)


class Faults:
    """Rules of one block in one device."""

    def __init__(self, env, host):
        self._device = env.device(host)
        expect(self._device is not None, f"no lab has the NIC of the {host.name} end")
        self.rules = []

    def _ask(self, action, **args):
        return self._device.client.call(f"fault.{action}", nic=self._device.ident, **args)

    def add(self, *texts, must_hit=True):
        """Add rules, all or none; the last one. must_hit: the block fails if one was never
        applied."""
        idents = self._ask("add", rules=list(texts))
        self.rules += [FaultRule(self, ident, text, must_hit)
                       for ident, text in zip(idents, texts, strict=True)]
        return self.rules[-1]

    def list(self):
        """All rules of the device: [{id, rule, matches, hits, waiting}]."""
        return self._ask("list")

    def hits(self, index=0):
        """How often the rule was applied that was added as number `index` of this block."""
        return self.rules[index].hits()

    def wait_hits(self, count, index=0):
        """Until that rule was applied so often at least."""
        self.rules[index].wait_hits(count)

    def wait_waiting(self, count, index=0):
        """Until so much waits because of that rule, at least."""
        self.rules[index].wait_waiting(count)

    def release(self, name=None):
        """Let go what waits under a name, or all that waits; how much it was."""
        return self._ask("release", **({"name": name} if name else {}))

    def clear(self, rule):
        """Remove one rule of this block, and let go what it made wait."""
        if rule.must_hit:
            expect(rule.hits() > 0, f"the fault {rule.text!r} was never applied")
        self._ask("clear", rule=rule.ident)
        self.rules.remove(rule)

    def close(self, check=True):
        """Remove the rules of this block; with `check`, those that must have hit are asked."""
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
    """Faults in the device at an end while the block lasts. Leaving it fails when a rule that must
    hit did not."""
    made = Faults(env, host)
    good = False
    try:
        if texts:
            made.add(*texts, must_hit=must_hit)
        yield made
        good = True
    finally:
        made.close(check=good)
