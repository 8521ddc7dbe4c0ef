# SPDX-License-Identifier: GPL-2.0-or-later
"""Definition of tests, and their ways to fail.

Responsible for: the registry of tests, the exceptions that end a test, and comparisons with both
values in their messages.
State: the registry, in the order of definition.
Callers: the modules in tests/; runner.py.
"""

import dataclasses
import time

HANG_GUARD = 600.0      # seconds; emulated machines are slow, and share the CPU
POLL = 0.05


class Skip(Exception):
    """This machine cannot run the test; the text says what is missing."""


class Failure(AssertionError):
    """The test has found an error."""


@dataclasses.dataclass
class Case:
    """A test."""

    name: str                   # group/test; stable, since people grep for it
    function: object            # called with the environment
    needs: tuple = ()           # names in needs.py
    guard: float = HANG_GUARD   # seconds until it counts as hung
    smoke: bool = False         # part of a short run
    allowed: tuple = ()         # (regular expression, reason): kernel lines that are expected
    full: bool = False          # only in a full run, since it takes minutes
    violates: tuple = ()        # reasons of strict-violations that the test provokes


REGISTRY = []


def add(name, function, *, needs=(), guard=HANG_GUARD, smoke=False, allowed=(),
        full=False, violates=()):
    """Register a test."""
    if any(case.name == name for case in REGISTRY):
        raise ValueError(f"two tests are called {name}")
    more = getattr(function, "needs", ())
    REGISTRY.append(Case(name, function, tuple(more) + tuple(needs), guard, smoke,
                         tuple(allowed), full, tuple(violates)))


def test(name, **options):
    """Decorator: the function is the test `name`."""
    def register(function):
        add(name, function, **options)
        return function
    return register


def needs(*names):
    """Decorator, below @test: requirements on the machine; see needs.py."""
    def mark(function):
        function.needs = tuple(names) + getattr(function, "needs", ())
        return function
    return mark


def fail(text):
    """Fail with `text`."""
    raise Failure(text)


def expect(condition, text):
    """Fail with `text` unless the condition holds."""
    if not condition:
        raise Failure(text)


def expect_equal(what, got, want):
    """Fail unless both are equal."""
    if got != want:
        raise Failure(f"{what}: {got!r}, expected {want!r}")


def expect_between(what, got, low, high):
    """Fail unless low <= got <= high; None for no bound."""
    if (low is not None and got < low) or (high is not None and got > high):
        raise Failure(f"{what}: {got!r}, expected {low!r} to {high!r}")


def wait_for(what, look, seconds=60.0):
    """Call look() until it returns a true value, which is returned. Fails after `seconds`.

    The time is a hang guard, not a measure.
    """
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failure(f"{what}: not after {seconds:.0f} s")
        time.sleep(POLL)


def wait_equal(what, look, want, seconds=60.0):
    """Wait until look() == want, for values updated asynchronously."""
    end = time.monotonic() + seconds
    while True:
        got = look()
        if got == want:
            return
        if time.monotonic() > end:
            raise Failure(f"{what}: {got!r} after {seconds:.0f} s, expected {want!r}")
        time.sleep(POLL)
