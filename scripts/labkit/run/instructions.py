# SPDX-License-Identifier: GPL-2.0-or-later
"""Instructions per packet in the device, a figure without noise.

Responsible for: running QEMU under callgrind while tests/bench drives it, counting only below the
device's entry points, and the figures kept in the tree.
State: none beyond a run.

A scenario runs twice, with few and with many bursts: the difference, divided by the difference in
packets, excludes one-time costs. Only code called from ENTRIES is counted, not the qtest protocol,
the main loop or reading the socket.
"""

import os
import pathlib
import platform
import re
import tempfile
import tomllib

from .. import paths, steps
from ..errors import LabError
from ..make import qemu_build
from ..make.products import Products

# Functions of the device that QEMU's main loop calls: all its work for a packet is in calls from
# one of them, and they never call each other.
ENTRIES = ("bh_run", "nic_receive")
FEW, MANY = 8, 72                   # bursts
LIMIT = 3600.0                      # hang guard of a run, in seconds
BASELINE = paths.TESTS / "bench" / "baseline.toml"
TOLERANCE = 0.03                    # figures may be that much above the baseline's
HEAD = """\
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Instructions per packet in the device, by what else decides them, as `lab bench --baseline` writes
# them. The suite instructions fails when a packet takes over 3 % more.
"""
Figures = dict[str, float]          # instructions per packet by scenario


def scenarios(products: Products) -> list[str]:
    """Return what tests/bench can do."""
    return steps.capture([products.bench]).stdout.split()


def wrapper(folder: pathlib.Path, qemu: pathlib.Path) -> pathlib.Path:
    """Write a program, to be started by libqtest, that runs QEMU under callgrind; returns its path.

    Its name ends like QEMU's, since libqtest derives the architecture from it.
    """
    path = folder / qemu.name
    toggles = " ".join(f"--toggle-collect={entry}" for entry in ENTRIES)
    path.write_text("#!/bin/sh\n"
                    f"exec valgrind --tool=callgrind --callgrind-out-file='{folder}/out' "
                    f"{toggles} --log-file='{folder}/log' '{qemu}' \"$@\"\n", encoding="ascii")
    path.chmod(0o755)
    return path


def count(products: Products, scenario: str, bursts: int) -> tuple[int, int]:
    """Run a scenario; returns (instructions, packets)."""
    qemu, bench = products.qemu, products.bench
    assert qemu and bench       # callers had them built
    with tempfile.TemporaryDirectory(prefix="lab-bench-") as name:
        folder = pathlib.Path(name)
        env = {"QTEST_QEMU_BINARY": str(wrapper(folder, qemu))}
        ran = steps.capture([bench, scenario, str(bursts)], env=env, check=False,
                            timeout=LIMIT)
        packets = re.search(r"^packets (\d+)$", ran.stdout, re.MULTILINE)
        if ran.returncode or not packets:
            raise LabError(f"{bench.name} {scenario} {bursts} ended with status "
                           f"{ran.returncode}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
        text = (folder / "out").read_text(encoding="utf-8", errors="replace")
    total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
    if not total or not int(total[1]):
        raise LabError(f"callgrind counted nothing below {', '.join(ENTRIES)}",
                       hint="are these still the device's entries? scripts/labkit knows them")
    return int(total[1]), int(packets[1])


def per_packet(products: Products, scenario: str) -> float:
    """Return the instructions for one more packet."""
    few, packets_few = count(products, scenario, FEW)
    many, packets_many = count(products, scenario, MANY)
    return (many - few) / (packets_many - packets_few)


# ---- the baseline: figures of this tree's device, by what else decides them


def made_with(products: Products) -> str:
    """Return what the figures depend on besides the device: machine, compiler, series of QEMU."""
    series = ".".join(products.versions["qemu"].split(".")[:2])
    return f"{platform.machine()}, gcc {qemu_build.compiler()}, qemu {series}"


def baseline(path: pathlib.Path = BASELINE) -> dict[str, Figures]:
    """Read {made_with(): figures}; raises LabError if the file is not of that form."""
    try:
        kept = tomllib.loads(path.read_text(encoding="utf-8"))
        for figures in kept.values():
            if not all(isinstance(figure, (int, float)) and figure > 0
                       for figure in figures.values()):
                raise ValueError("expected numbers above 0")
    except (OSError, ValueError, AttributeError) as error:
        raise LabError(f"{path}: expected figures as `lab bench --baseline` writes them: "
                       f"{error}") from error
    return kept


def keep_baseline(products: Products, figures: Figures, path: pathlib.Path = BASELINE) -> None:
    """Put figures in the place of those of the same scenarios, machine, compiler and QEMU."""
    kept = baseline(path) if path.exists() else {}
    mine = kept.setdefault(made_with(products), {})
    mine.update({name: round(figure) for name, figure in figures.items()})
    text = HEAD
    for made, known in sorted(kept.items()):
        text += f'\n["{made}"]\n' + "".join(f"{name} = {figure}\n"
                                            for name, figure in known.items())
    write(path, text)


def write(path: pathlib.Path, text: str) -> None:
    """Write a file of figures, as a whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def verdict(figure: float, base: float) -> tuple[bool, str]:
    """Return (whether it is within the tolerance, a sentence that says how it compares)."""
    change = figure / base - 1
    sentence = f"{figure:.0f} instructions per packet, {change:+.1%} of {base:.0f}"
    if figure > base * (1 + TOLERANCE):
        return False, (f"{sentence}; expected at most {TOLERANCE:+.0%} (if it is meant: `lab bench "
                       "--baseline`)")
    if figure < base * (1 - TOLERANCE):
        sentence += ": the baseline can be lowered with `lab bench --baseline`"
    return True, sentence
