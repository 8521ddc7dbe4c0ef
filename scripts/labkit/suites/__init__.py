# SPDX-License-Identifier: GPL-2.0-or-later
"""The suites of `lab test`: the modules of this package.

Responsible for: the list. A new suite is a new module here, and nothing else.
State: none.
"""

import importlib
import inspect
import pathlib

from .suite import Suite


def all_suites() -> list[Suite]:
    """Return new instances of all suites, in the order in which they run."""
    found = []
    for path in pathlib.Path(__file__).parent.glob("*.py"):
        if path.stem != "__init__":
            module = importlib.import_module(f".{path.stem}", __package__)
            found += [kind() for _, kind in inspect.getmembers(module, inspect.isclass)
                      if issubclass(kind, Suite) and kind.__module__ == module.__name__
                      and kind.name]
    return sorted(found, key=lambda suite: (suite.order, suite.name))
