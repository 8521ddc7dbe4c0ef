# SPDX-License-Identifier: GPL-2.0-or-later
"""Plots figures of traffic: rates in proportion to those of one contender.

    /usr/bin/python3 scripts/labkit/benchplot.py panels.json PICTURE.svg

Responsible for: one picture (SVG, PNG, by the name's ending), with Debian's python3-matplotlib.
State: none. A separate program, since only the system's own Python has matplotlib.

panels.json is a list of {"title", "against", "names", "series": [{"label", "spreads": [[least,
median, most]…]}]}: a panel for each workload, in it a bar for each name, and in a group of bars
one for each series (a file of figures). figures.panels() makes it.
"""

import json
import math
import sys
from typing import Any

COLOURS = ("#2b7bba", "#f2b134", "#5a9e6f", "#b03a2e", "#7d5ba6", "#555555")
COLUMNS = 3


def main(argv: list[str]) -> int:
    """The command line; returns the exit status."""
    if len(argv) != 3:
        print(f"usage: {argv[0]} panels.json PICTURE.svg|png", file=sys.stderr)
        return 2
    try:
        # pylint: disable=import-outside-toplevel    # a person's machine may lack it: see below
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        print(f"benchplot: {error}: Debian's package python3-matplotlib is needed, for "
              f"/usr/bin/python3 (this is {sys.executable})", file=sys.stderr)
        return 1
    with open(argv[1], encoding="utf-8") as file:
        panels = json.load(file)
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "font.size": 8})
    rows = math.ceil(len(panels) / COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(4 * COLUMNS, 2.4 * rows),
                                   layout="constrained", squeeze=False)
    for place, panel in zip(axes.flat, panels):
        _panel(place, panel)
    for place in list(axes.flat)[len(panels):]:
        place.set_axis_off()
    if len(panels[0]["series"]) > 1:
        axes.flat[0].legend(loc="lower left")
    figure.savefig(argv[2], dpi=150, metadata={"Date": None} if argv[2].endswith("svg") else None)
    return 0


def _panel(axes: Any, panel: dict[str, Any]) -> None:
    count = len(panel["series"])
    width = 0.8 / count
    for number, series in enumerate(panel["series"]):
        middles = [middle for _, middle, _ in series["spreads"]]
        axes.bar([at + (number - (count - 1) / 2) * width for at in range(len(middles))], middles,
                 width * 0.92, label=series["label"], color=COLOURS[number % len(COLOURS)],
                 yerr=[[middle - least for least, middle, _ in series["spreads"]],
                       [most - middle for _, middle, most in series["spreads"]]],
                 ecolor="#333333", capsize=2)
    axes.axhline(1.0, color="#888888", linewidth=0.8)
    axes.set_xticks(range(len(panel["names"])), panel["names"], rotation=20, ha="right")
    axes.set(title=panel["title"], ylabel=f"rate, {panel['against']} = 1")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
