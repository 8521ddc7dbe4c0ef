# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the figures of `lab bench` that the tree keeps.

Responsible for: what counts as more than the baseline, and what its file may be.
State: none.
"""

import types
from typing import Any

from labkit.errors import LabError
from labkit.run import instructions

from .judge import check, raises, same, temporary_folder


def test_instructions_verdict(_rig: object) -> None:
    """Three per cent more pass, anything above fails and says by how much; less is said."""
    for figure, good, word in ((1000, True, "+0.0%"), (1030, True, "+3.0%"),
                               (1031, False, "+3.1% of 1000; expected at most +3%"),
                               (2000, False, "--baseline"), (960, True, "can be lowered")):
        passed, sentence = instructions.verdict(figure, 1000)
        same(passed, good, f"{figure} of 1000")
        check(word in sentence, f"{figure} of 1000: {word!r} is not in {sentence!r}")


def test_instructions_baseline(_rig: object) -> None:
    """Figures go where their compiler and QEMU are, and nothing else changes; a file of another
    form is refused by name."""
    products: Any = types.SimpleNamespace(versions={"qemu": "10.0.13"})
    me = instructions.made_with(products)
    check(", gcc " in me and me.endswith(", qemu 10.0"), me)
    with temporary_folder() as folder:
        path = folder / "baseline.toml"
        other = {"pdp11, gcc 1.0, qemu 0.1": {"tx-small": 7}}
        path.write_text('["pdp11, gcc 1.0, qemu 0.1"]\ntx-small = 7\n')
        instructions.keep_baseline(products, {"tx-small": 100.4, "rx-small": 200.0}, path)
        instructions.keep_baseline(products, {"tx-small": 90.0}, path)
        same(instructions.baseline(path), {**other, me: {"tx-small": 90, "rx-small": 200}},
             "what is kept")
        for text in ("{}", "x = 1", "[x]\ntx-small = 0", '[x]\ntx-small = "1"'):
            path.write_text(text)
            with raises(LabError, str(path)):
                instructions.baseline(path)
