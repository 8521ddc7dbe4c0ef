#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/tls-rows.md and the tests: does each row have its tests, is each test that is named there?

    tls-rows.py check --build DIR                          as a unit test, TAP on stdout
    tls-rows.py update --build DIR --results FILE…         writes the columns anew

Responsible for: comparing the rows of the engine's lists (in its headers), the rows
of the docs, the names of unit tests (R12 in the name of one says that it takes R12, which the test
itself verifies), the names of guest tests and, to make the guest column, which rows they took.
State: none. Callers: meson, people.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parents[2]
DOCS = REPO / "docs" / "tls-rows.md"
ENGINE = REPO / "hw" / "net" / "mlx5" / "engine"
LISTS = {"R": "rx", "TX": "tx"}         # by prefix: MLX5_TLS_RX_ROWS(X) of tls_rx.h, and so on
PROGRAMS = ("test-tls-rx", "test-tls-rx-error", "test-tls-rx-resync", "test-tls-tx")
ROW = re.compile(r"\b(TX|R)(\d+)\b")
NAMED = 3               # guest tests named for a row; of the others the number is told
NEVER = "## Rows that no driver takes"


def order(row):
    """Sort key: R1, R2, … R34, TX1, …"""
    match = ROW.fullmatch(row)
    return match[1], int(match[2])


def engine_rows():
    """The rows of the engine's lists, `X(number, name, "text")`."""
    found = []
    for prefix, way in LISTS.items():
        text = (ENGINE / f"tls_{way}.h").read_text(encoding="utf-8")
        rows = text.partition(f"#define MLX5_TLS_{way.upper()}_ROWS(X)")[2].partition("typedef")[0]
        found += [prefix + number for number in re.findall(r"\bX\((\d+), ", rows)]
    return sorted(found, key=order)


def unit_tests(build):
    """{row: names of unit tests that take it}."""
    found = collections.defaultdict(list)
    for program in PROGRAMS:
        listed = subprocess.run([build / "tests" / "unit" / program, "-l"], check=True, text=True,
                                capture_output=True).stdout
        for name in (line for line in listed.splitlines() if line.startswith("/")):
            for prefix, number in ROW.findall(name.replace("-", " ")):
                found[prefix + number].append(name)
    return found


def guest_tests():
    """Names of all guest tests."""
    run = REPO / "guest-tests" / "run.py"
    listed = subprocess.run([sys.executable, "-B", run, "--list", "--full"], check=True, text=True,
                            capture_output=True).stdout
    return listed.split("\n")[:-1]


def qtests():
    """Names of all qtests, as the sources register them."""
    found = set()
    for source in (REPO / "tests" / "qtest").glob("*.c"):
        found |= set(re.findall(r'"mlx5-ktls/([^"]+)"', source.read_text(encoding="utf-8")))
    return found


class Table:
    """The rows of the docs: {row: list of cells}, and the second table's {row: cells}."""

    def __init__(self, text):
        self.text = text
        tables, _, never = text.partition(NEVER)
        self.rows = self._read(tables)
        self.never = self._read(never)

    @staticmethod
    def _read(text):
        rows = {}
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("|") and ROW.fullmatch(cells[0]):
                rows[cells[0]] = cells
        return rows

    def write(self, unit, guest, without):
        """The text with new columns; those of tests that were not run keep what they have.

        unit     {row: names of unit tests}
        guest    {row: cell} of guest tests, or {} if none were run
        without  the same of qtests
        """
        lines, never = [], False
        for line in self.text.splitlines():
            never |= line == NEVER
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("|") and ROW.fullmatch(cells[0]):
                row = cells[0]
                if never:
                    cells[2] = without.get(row, "none") if without else cells[2]
                else:
                    cells[4] = " ".join(f"`{name.removeprefix('/tls/')}`"
                                        for name in unit.get(row, []))
                    cells[5] = guest.get(row, "") if guest else cells[5]
                line = ("| " + " | ".join(cells) + " |").replace("|  |", "| |")
            lines.append(line)
        return "\n".join(lines) + "\n"


def names_of(cell):
    """Names in a cell of the docs."""
    return re.findall(r"`([^`]+)`", cell)


def passed(text):
    """(suite, name, diagnostics) of the tests that passed in a report: the lab's results.json, or
    what guest-tests/run.py printed."""
    if text.startswith("{"):
        for result in json.loads(text)["results"]:
            if result["status"] == "pass":
                yield result["suite"], result["name"], result["output"]
        return
    lines = []
    for line in text.splitlines():
        match = re.fullmatch(r"(not )?ok \d+ (\S+)", line)
        if not match:
            lines.append(line)
            continue
        if not match[1]:
            yield "guest", match[2], lines
        lines = []


def measured(files, suite, there):
    """{row: the cell with tests of a suite} of the reports of test runs; `there`: those that there
    are (a report may be older)."""
    took = collections.defaultdict(set)     # test: rows that it took
    for path in files:
        for reported, name, lines in passed(pathlib.Path(path).read_text(encoding="utf-8")):
            # a qtest has the program's name in front, and may start several machines
            name = name.removeprefix("mlx5-ktls-test/")
            for line in lines if reported == suite and name in there else ():
                if line.startswith("# rows "):
                    took[name] |= {word.partition("=")[0] for word in line.split()[2:]}
    cells = {}
    for row in engine_rows():
        tests = sorted((test for test, rows in took.items() if row in rows),
                       key=lambda test: (not test.startswith("T-"), len(took[test]), test))
        if tests:
            more = f" +{len(tests) - NAMED}" if len(tests) > NAMED else ""
            cells[row] = " ".join(f"`{test}`" for test in tests[:NAMED]) + more
    return cells


# ---- the unit test -------------------------------------------------------------------


def problems(build):
    """[(what is looked at, [what is wrong])]."""
    table, engine, unit = Table(DOCS.read_text(encoding="utf-8")), engine_rows(), unit_tests(build)
    guest, without = set(guest_tests()), qtests()
    wrong = collections.defaultdict(list)
    for row in engine:
        if row not in table.rows:
            wrong["rows"].append(f"{row} is a row of the engine, docs/tls-rows.md does not have it")
            continue
        cells = table.rows[row]
        if len(cells) != 6:
            wrong["rows"].append(f"{row} has {len(cells)} cells, expected 6")
            continue
        wrong["rows"] += [f"{row}: nothing in the column {column}" for column, cell in
                          zip(("state", "event", "what is done"), cells[1:4]) if not cell]
        named = ["/tls/" + name for name in names_of(cells[4])]
        if not unit.get(row):
            wrong["unit"].append(f"no unit test has {row} in its name")
        elif named != unit[row]:
            wrong["unit"].append(f"{row}: {named} in the docs, {unit[row]} in the programs")
        there = names_of(cells[5])
        wrong["guest"] += [f"{row}: there is no guest test {name}" for name in there
                           if name not in guest]
        if bool(there) == (row in table.never):
            wrong["guest"].append(f"{row}: expected a guest test, or a line under {NEVER!r}, and "
                                  "not both")
    wrong["rows"] += [f"{row} is in docs/tls-rows.md, the engine does not have it"
                      for row in {*table.rows, *table.never} - set(engine)]
    for row, cells in table.never.items():
        if not all(cells[1:]) or len(cells) != 3:
            wrong["guest"].append(f"{row}: expected a reason and a qtest under {NEVER!r}")
        wrong["guest"] += [f"{row}: there is no qtest {name}" for name in names_of(cells[-1])
                           if name not in without]
    return [(what, wrong[what]) for what in ("rows", "unit", "guest")]


def check(args):
    """TAP; returns the exit status."""
    print("1..3")
    failed = False
    for number, (what, wrong) in enumerate(problems(args.build), 1):
        for text in wrong:
            print(f"# {text}")
        failed |= bool(wrong)
        print(f"{'not ' if wrong else ''}ok {number} {what}")
    if failed:
        print("# tests/unit/tls-rows.py update --build DIR --results FILE makes the columns anew")
    return int(failed)


def update(args):
    """Write the columns; returns the exit status."""
    table = Table(DOCS.read_text(encoding="utf-8"))
    DOCS.write_text(table.write(unit_tests(args.build),
                                measured(args.results, "guest", set(guest_tests())),
                                measured(args.results, "qtest", qtests())), encoding="utf-8")
    table = Table(DOCS.read_text(encoding="utf-8"))
    for row in engine_rows():
        if row not in table.rows:
            print(f"{row}: not in the docs; write its line")
        elif not names_of(table.rows[row][5]) and row not in table.never:
            print(f"{row}: no guest test")
        elif names_of(table.rows[row][5]) and row in table.never:
            print(f"{row}: a guest test takes it now; it is still under {NEVER!r}")
    return 0


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("check", "update"))
    parser.add_argument("--build", metavar="DIR", type=pathlib.Path, required=True,
                        help="build directory of the unit tests")
    parser.add_argument("--results", metavar="FILE", action="append", default=[],
                        help="results.json of a `lab test` with guest tests or qtests, or what "
                             "guest-tests/run.py printed; may be given several times")
    args = parser.parse_args()
    return check(args) if args.command == "check" else update(args)


if __name__ == "__main__":
    sys.exit(main())
