# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the lab compare with.

Responsible for: failures that show what was found and what was expected.
State: none.
"""

import contextlib
import io
import pathlib
import tempfile
from collections.abc import Iterator

from labkit import steps
from labkit.errors import LabError


def check(condition: object, text: str) -> None:
    """Like assert, which an optimising interpreter would drop."""
    if not condition:
        raise AssertionError(text)


def same(got: object, wanted: object, what: str) -> None:
    """check() for equality that shows both."""
    check(got == wanted, f"{what}: got {got!r:.300}, expected {wanted!r:.300}")


@contextlib.contextmanager
def raises(kind: type[LabError], *words: str) -> Iterator[list[LabError]]:
    """The block must raise `kind`, and what that prints must contain the words. Yields a list
    that has the error afterwards."""
    raised: list[LabError] = []
    try:
        yield raised
    except kind as error:
        raised.append(error)
        text = error.render()
        for word in words:
            check(word in text, f"{word!r} is not in the message: {text}")
    else:
        raise AssertionError(f"expected {kind.__name__}, nothing was raised")


@contextlib.contextmanager
def temporary_folder() -> Iterator[pathlib.Path]:
    """A temporary directory."""
    with tempfile.TemporaryDirectory(prefix="lab-check-") as name:
        yield pathlib.Path(name)


@contextlib.contextmanager
def quiet_steps() -> Iterator[io.StringIO]:
    """Steps say nothing meanwhile; yields what they would have said."""
    old, text = steps.ticker, io.StringIO()
    steps.ticker = steps.Ticker(text)
    try:
        yield text
    finally:
        steps.ticker = old
