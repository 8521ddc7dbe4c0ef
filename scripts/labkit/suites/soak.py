# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `soak`: many TLS connections for a chosen time while packets are lost and reordered.

Responsible for: its options, running guest-tests/tests/tls/soak.py with them, soak.json (the
figures of all loss rates) and soak.svg (their plot).
State: none beyond the run.

soakplot.py draws the plot with Debian's python3-matplotlib, and therefore the system's own Python.
"""

import argparse
import json
import pathlib
import re
from typing import Any

from .. import ktap, paths, steps
from ..errors import HostError, LabError
from ..make import host
from ..run.rundir import RunDir
from .guest import GuestTests
from .suite import Context

FIGURES, PLOT = "soak.json", "soak.svg"
PYTHON = "/usr/bin/python3"
PART = "guest-soak-*.json"      # the guest's figures of a loss rate
TIMES = {"": 1, "s": 1, "m": 60, "h": 3600}
SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the suite soak")
    group.add_argument("--soak-time", metavar="T", type=duration, default=None,
                       help="total time, shared among the loss rates: 90s, 10m, 2h "
                            "(default: 10m, or without end if there is a --soak-volume)")
    group.add_argument("--soak-volume", metavar="BYTES", type=volume, default=None,
                       help="stop after this much payload: 500M, 2G")
    group.add_argument("--soak-loss", metavar="P,P…", type=loss_rates, default="0,0.5,1,2,3,5",
                       help="loss rates in percent; as many packets are reordered "
                            "(default: 0,0.5,1,2,3,5)")
    group.add_argument("--soak-connections", metavar="N", type=connections, default="12",
                       help="concurrent connections (default: 12)")
    group.add_argument("--soak-seed", metavar="TEXT", default="soak",
                       help="seed of sizes, contents and losses (default: soak)")


def duration(text: str) -> float:
    """argparse type: seconds of "90s", "10m"."""
    return _scaled(text, TIMES, "a time such as 90s, 10m or 2h")


def volume(text: str) -> int:
    """argparse type: bytes of "500M"."""
    return int(_scaled(text, SIZES, "an amount of bytes such as 500M or 2G"))


def _scaled(text: str, units: dict[str, int], wanted: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]?)", text.strip())
    if not match or match[2] not in units or float(match[1]) * units[match[2]] < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {wanted}")
    return float(match[1]) * units[match[2]]


def loss_rates(text: str) -> str:
    """argparse type: the rates, checked; the guest gets them as text."""
    for part in text.split(","):
        if not re.fullmatch(r"\d+(\.\d+)?", part.strip()) or float(part) > 50:
            raise argparse.ArgumentTypeError(f"{part!r}: expected percentages from 0 to 50 with "
                                             "commas between them, such as 0,0.5,1,2")
    return text


def connections(text: str) -> str:
    """argparse type: the number, checked."""
    if not text.isdigit() or not 1 <= int(text) <= 200:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1 to 200")
    return text


class Soak(GuestTests):
    """tests/tls/soak.py in the guest."""

    name = "soak"
    about = "TLS for a long time under loss and reordering (--soak-time, --soak-loss …)"
    default = False
    order = 670
    group = "soak"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        _add_options(parser)

    def environment(self, context: Context) -> dict[str, str]:
        args = context.args
        found = {"SOAK_LOSS": args.soak_loss, "SOAK_CONNECTIONS": args.soak_connections}
        seconds = args.soak_time
        if seconds is None and args.soak_volume is None:
            seconds = 600.0
        if seconds is not None:
            found["SOAK_TIME"] = f"{seconds:g}"
        if args.soak_volume is not None:
            found["SOAK_VOLUME"] = str(args.soak_volume)
        return {**super().environment(context), **found}

    def arguments(self, context: Context) -> list[str]:
        return [*super().arguments(context), "--seed", context.args.soak_seed]

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        plot = plotter(context.args.yes)
        try:
            super().run(context, report, names)
        finally:
            for line in conclude(context.rundir, plot):
                report.emit("# " + line, 1)


def plotter(yes: bool) -> str:
    """Ensure that plotting is possible, before the long part; returns the reason if not."""
    try:
        host.ensure_packages(yes, purposes=("plot",))
        return ""
    except HostError as error:
        steps.say(f"there will be no plot: {error.message}")
        return error.message + (f"\n{error.hint}" if error.hint else "")


def conclude(rundir: RunDir, no_plot: str) -> list[str]:
    """Collect the figures of all rates and plot them; returns lines for the report."""
    rates = collect(rundir.path)
    if not rates:
        return ["no figures: no loss rate was finished"]
    figures = rundir.file(FIGURES)
    figures.write_text(json.dumps({"rates": rates}, indent=1) + "\n", encoding="utf-8")
    lines = [*table(rates), f"figures: {figures}"]
    if not no_plot:
        try:
            draw(figures, rundir.file(PLOT))
            return [*lines, f"plot: {rundir.file(PLOT)}"]
        except LabError as error:
            no_plot = error.message
    return [*lines, *(f"no plot: {line}" for line in no_plot.splitlines())]


def collect(folder: pathlib.Path) -> list[dict[str, Any]]:
    """Return the figures from the guests of this run, by loss rate."""
    found = [json.loads(path.read_text(encoding="utf-8"))
             for path in sorted(pathlib.Path(folder).glob("soak*/" + PART))]
    return sorted(found, key=lambda rate: rate["loss"])


def draw(figures: pathlib.Path, target: pathlib.Path) -> None:
    """Plot soak.json; raises LabError on failure."""
    script = paths.SCRIPTS / "labkit/soakplot.py"
    steps.capture([PYTHON, "-B", script, figures, target], cwd=paths.REPO, timeout=300)


def table(rates: list[dict[str, Any]]) -> list[str]:
    """Return the figures as a readable table."""
    lines = [f"{'loss':>5} {'full':>7} {'partly':>7} {'not':>7}  {'dump/wire':>9} "
             f"{'again':>6} {'conns':>6} {'MiB':>7} {'s':>6}"]
    for rate in rates:
        shares = fractions(rate)
        cells = [f"{100 * share:6.2f}%" for share in shares] if shares else ["      -"] * 3
        dump = rate["dump_per_wire_byte"]
        again = rate["segments_retransmitted"] / max(1, rate["segments_sent"])
        lines.append(f"{rate['loss']:4g}% {' '.join(cells)}  "
                     f"{'-' if dump is None else format(dump, '.4f'):>9} {100 * again:5.2f}% "
                     f"{rate['connections']:6} {rate['payload_bytes'] / (1 << 20):7.1f} "
                     f"{rate['seconds']:6.1f}")
    return lines


def fractions(rate: dict[str, Any]) -> list[float] | None:
    """Return the fractions of received records (fully, partly, not offloaded); None if not
    counted."""
    records = rate["records"]
    total = sum(records.values()) if records else 0
    return [records[kind] / total for kind in ("full", "part", "none")] if total else None
