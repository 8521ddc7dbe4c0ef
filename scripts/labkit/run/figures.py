# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of traffic.py as tables and as a file.

Responsible for: ratios of the same round, their spread, and the form of the file.
State: none.
"""

import dataclasses
import json
import os
import pathlib
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .. import paths, steps
from ..errors import UsageError
from .traffic import WORKLOADS, Figure, Plan, Results, Workload

FORMAT = 1
PYTHON, PLOTTER = "/usr/bin/python3", paths.SCRIPTS / "labkit/benchplot.py"
CPUINFO = pathlib.Path("/proc/cpuinfo")

Spread = tuple[float, float, float]         # least, median, most
Value = Callable[[Figure], float]


def spread(values: Iterable[float]) -> Spread:
    """Of at least one value."""
    ordered = sorted(values)
    return ordered[0], statistics.median(ordered), ordered[-1]


def ratios(these: Sequence[Figure], those: Sequence[Figure], value: Value) -> Spread:
    """Of the same rounds."""
    return spread(value(one) / value(other) for one, other in zip(these, those, strict=True))


def rate(figure: Figure) -> float:
    """So many a second."""
    return figure.rate


def guest(figure: Figure) -> float:
    """The virtual CPUs' nanoseconds for each."""
    return 1e9 * figure.guest / figure.count


def device(figure: Figure) -> float:
    """Other nanoseconds of QEMU for each."""
    return 1e9 * figure.device / figure.count


# ---- tables

def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _of(found: Spread) -> str:
    least, middle, most = found
    return f"{middle:.2f} ({least:.2f}-{most:.2f})"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(workload: Workload, found: dict[str, list[Figure]]) -> list[str]:
    """A workload's table, in Markdown: medians, in parentheses the least and the most."""
    with_bytes = next(iter(found.values()))[0].unit == "bytes"
    unit, scale = ("Mbit/s", 8e-6) if with_bytes else (
        next(iter(found.values()))[0].unit + "/s", 1.0)
    each = "ns/byte" if with_bytes else "µs each"
    small = 1.0 if with_bytes else 1e-3
    against = [name for name in workload.against if name in found]
    lines = [_row([workload.name, unit, *(f"of {name}" for name in against), f"guest, {each}",
                   *(f"of {name}" for name in against), f"device, {each}"])]
    lines.append("|" + "---|" * (4 + 2 * len(against)))
    for name, figures in found.items():
        def cells(value: Value, of: Sequence[Figure] = figures) -> list[str]:
            return [_of(ratios(of, found[other], value)) for other in against]

        lines.append(_row([
            name, _number(scale * spread(map(rate, figures))[1]), *cells(rate),
            _number(small * spread(map(guest, figures))[1]), *cells(guest),
            _number(small * spread(map(device, figures))[1])]))
    return lines


def noise_line(noise: Sequence[float]) -> str:
    """How even the host was."""
    least, middle, most = spread(noise)
    return (f"the same work of the host took {least / middle:.2f} to {most / middle:.2f} times its "
            f"median, {len(noise)} times")


def lines(plan: Plan, results: Results, noise: Sequence[float]) -> list[str]:
    """All of it, for people."""
    found = []
    for workload in plan.workloads:
        found += [f"{workload.name}: {workload.about}", "",
                  *table(workload, results[workload.name]), ""]
    return [*found, f"{plan.rounds} rounds of {plan.seconds:g} s, interleaved; "
            + noise_line(noise)]


# ---- the plot

def panels(stored: Sequence[tuple[str, Results]]) -> list[dict[str, Any]]:
    """What benchplot.py draws of labelled results: the workloads and contenders that all have."""
    first = stored[0][1]
    found = []
    for name in [name for name in first if all(name in results for _, results in stored)]:
        workload = WORKLOADS[name]
        against = next(one for one in [*workload.against, *first[name]] if one in first[name])
        names = [one for one in first[name] if all(one in results[name] for _, results in stored)]
        if against in names:
            found.append({
                "title": f"{name}: {workload.about}", "against": against, "names": names,
                "series": [{"label": label, "spreads": [
                    ratios(results[name][one], results[name][against], rate) for one in names]}
                    for label, results in stored]})
    if not found:
        raise UsageError("these files have no workload in common that could be drawn")
    return found


def draw(stored: Sequence[tuple[str, Results]], target: pathlib.Path) -> None:
    """Draw results that have labels; raises LabError on failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "panels.json")
        path.write_text(json.dumps(panels(stored)), encoding="utf-8")
        steps.capture([PYTHON, "-B", PLOTTER, path, target], timeout=300)


# ---- the file

def _processor() -> str:
    for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def document(plan: Plan, results: Results, noise: Sequence[float],
             versions: dict[str, str]) -> dict[str, Any]:
    """What write() writes."""
    return {
        "format": FORMAT, "processor": _processor(), "processors": os.cpu_count(),
        "qemu": versions["qemu"], "kernel": versions["kernel_release"],
        "rounds": plan.rounds, "seconds": plan.seconds, "noise": list(noise),
        "figures": {name: {one: [dataclasses.asdict(figure) for figure in figures]
                           for one, figures in found.items()}
                    for name, found in results.items()}}


def read(path: pathlib.Path) -> tuple[Plan, Results, list[float]]:
    """A file that `lab bench` has written; raises UsageError if it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}, expected {FORMAT}")
        results = {name: {one: [Figure(**figure) for figure in figures]
                          for one, figures in found.items()}
                   for name, found in data["figures"].items()}
        plan = Plan([WORKLOADS[name] for name in results], (), data["rounds"], data["seconds"])
        return plan, results, data["noise"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: expected figures of traffic that `lab bench --json` has "
                         f"written: {error!r}") from error
