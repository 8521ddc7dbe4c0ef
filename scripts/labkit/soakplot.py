# SPDX-License-Identifier: GPL-2.0-or-later
"""Plots soak.json: the share of records offloaded and the cost of sending, by loss rate.

    /usr/bin/python3 scripts/labkit/soakplot.py soak.json soak.svg

Responsible for: one picture (SVG, PNG, by the name's ending), with Debian's python3-matplotlib.
State: none. A separate program, for the suite soak and for figures of a real NIC.
"""

import json
import sys
from typing import Any

KINDS = (("full", "fully offloaded", "#2b7bba"), ("part", "partly", "#f2b134"),
         ("none", "not offloaded", "#b8b8b8"))


def main(argv: list[str]) -> int:
    """The command line; returns the exit status."""
    if len(argv) != 3:
        print(f"usage: {argv[0]} soak.json PICTURE.svg|png", file=sys.stderr)
        return 2
    try:
        # pylint: disable=import-outside-toplevel    # a person's machine may lack it: see below
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        print(f"soakplot: {error}: Debian's package python3-matplotlib is needed, for "
              f"/usr/bin/python3 (this is {sys.executable})", file=sys.stderr)
        return 1
    with open(argv[1], encoding="utf-8") as file:
        rates = json.load(file)["rates"]
    matplotlib.rcParams.update({"svg.hashsalt": "soak", "font.size": 9})
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    _records(left, [rate for rate in rates if rate["records"]])
    _dumps(right, [rate for rate in rates if rate["dump_per_wire_byte"] is not None])
    figure.suptitle(f"{sum(rate['connections'] for rate in rates)} connections, "
                    f"{sum(rate['payload_bytes'] for rate in rates) / (1 << 20):.0f} MiB, "
                    f"{sum(rate['seconds'] for rate in rates):.0f} s; as many packets reordered as "
                    "lost, both ways")
    figure.savefig(argv[2], dpi=150, metadata={"Date": None} if argv[2].endswith("svg") else None)
    return 0


def _records(axes: Any, rates: list[dict[str, Any]]) -> None:
    loss = [f"{rate['loss']:g}" for rate in rates]
    bottom = [0.0] * len(rates)
    for kind, label, colour in KINDS:
        shares = [100 * rate["records"][kind] / max(1, sum(rate["records"].values()))
                  for rate in rates]
        axes.bar(loss, shares, bottom=bottom, label=label, color=colour, width=0.7)
        for place, (base, share) in enumerate(zip(bottom, shares)):
            if share >= 4:
                axes.text(place, base + share / 2, f"{share:.1f}", ha="center", va="center")
        bottom = [base + share for base, share in zip(bottom, shares)]
    axes.set(title="received records", xlabel="packets lost, %", ylabel="% of records",
             ylim=(0, 100))
    axes.legend(loc="lower left")


def _dumps(axes: Any, rates: list[dict[str, Any]]) -> None:
    loss = [rate["loss"] for rate in rates]
    axes.plot(loss, [rate["dump_per_wire_byte"] for rate in rates], "o-", color="#b03a2e",
              label="DUMP bytes per byte on the wire")
    axes.set(title="sending", xlabel="packets lost, %", ylabel="DUMP bytes per byte on the wire")
    axes.set_ylim(bottom=0)
    again = axes.twinx()
    again.plot(loss, [100 * rate["segments_retransmitted"] / max(1, rate["segments_sent"])
                      for rate in rates], "s--", color="#555555", label="segments sent again, %")
    again.set_ylabel("segments sent again, %")
    again.set_ylim(bottom=0)
    lines = axes.get_lines() + again.get_lines()
    axes.legend(lines, [line.get_label() for line in lines], loc="upper left")
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
