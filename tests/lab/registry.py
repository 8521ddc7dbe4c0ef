# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests of this folder: each function test_* of each module test_*.

Responsible for: finding them, and their names: test_exit_status is the test "exit-status".
State: which of them are for full runs only.

A test is called with a LabRig (rig.py). It raises AssertionError, or returns why it is skipped.
A module says in PARTS what its tests need to be built (labkit.make.products.PARTS); without it
they need nothing.
"""

import dataclasses
import importlib
import inspect
import pathlib
import types
from collections.abc import Callable


_FULL_ONLY: set[Callable] = set()


@dataclasses.dataclass(frozen=True)
class Test:
    """A name for --only, its function, and where it is from."""

    name: str
    function: Callable
    module: str
    parts: tuple[str, ...]
    full: bool              # only in a full run, or when it is named


def full_only(function: Callable) -> Callable:
    """Decorator: the test takes a minute and more; it runs with --full, or when it is named."""
    _FULL_ONLY.add(function)
    return function


def _of(module: types.ModuleType) -> list[Test]:
    return [Test(name.removeprefix("test_").replace("_", "-"), function, module.__name__,
                 getattr(module, "PARTS", ()), function in _FULL_ONLY)
            for name, function in vars(module).items()
            if name.startswith("test_") and inspect.isfunction(function)
            and function.__module__ == module.__name__]


def all_tests() -> list[Test]:
    """Every test: first those that need nothing built, those with a guest last."""
    modules = [importlib.import_module(f".{path.stem}", __package__)
               for path in sorted(pathlib.Path(__file__).parent.glob("test_*.py"))]
    modules.sort(key=lambda module: len(getattr(module, "PARTS", ())))
    found = [test for module in modules for test in _of(module)]
    names = [test.name for test in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two tests have the same name: {sorted(names)}")
    return found
