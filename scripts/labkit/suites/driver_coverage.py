# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `driver-coverage`: which lines of the driver's TLS offload the guest's tests reach.

Responsible for: a kernel that counts (`lab kernel --flavour gcov`), taking the counters out of each
guest before it ends, and the report: lines, branches, and what was not reached.
State: none.

The counters of a guest that dies are lost with it, and the report says how many guests that were.
"""

import collections
import io
import json
import os
import pathlib
import shutil
import tarfile
import tempfile
import tomllib
from typing import Any

from .. import ktap, paths, steps
from ..errors import LabError, UsageError
from ..make import kernel_build
from ..make.products import Products
from ..run.guest import Guest
from ..run.rundir import RunDir
from .guest import GuestTests
from .suite import Context

CORE = "drivers/net/ethernet/mellanox/mlx5/core/"
# directories of the source and what of them is reported, as in kernel_tree.WORDS
MEASURED = {
    CORE + "en_accel": ("ktls.c", "ktls_rx.c", "ktls_stats.c", "ktls_tx.c", "ktls_txrx.c",
                        "fs_tcp.c"),
    CORE + "lib": ("crypto.c",),
    "net/tls": ("tls_device.c", "tls_device_fallback.c"),
}
REASONS = paths.REPO / "tests" / "driver-coverage.toml"
COUNTERS = "counters.tar"
# A file of debugfs has no size before it is read, which tar would believe.
TAKE = r"""
cd /sys/kernel/debug/gcov || exit 1
t=$(mktemp -d)
find . -name '*.gcda' | while read -r f; do mkdir -p "$t/${f%/*}" && cat "$f" >"$t/$f"; done
tar -C "$t" -cf - . && rm -r "$t"
"""


class Source:
    """What was executed of a source file; counts of several guests add up."""

    def __init__(self) -> None:
        self.lines: collections.Counter[int] = collections.Counter()
        self.branches: dict[tuple[int, str], list[int]] = {}    # (line, function): times taken
        self.functions: dict[int, str] = {}                     # line: the function it is in

    def add(self, data: dict[str, Any]) -> None:
        """Add a "file" of gcov's JSON."""
        for line in data["lines"]:
            number, function = line["line_number"], line.get("function_name", "")
            self.lines[number] += line["count"]
            self.functions.setdefault(number, function)
            taken = [branch["count"] for branch in line["branches"]]
            known = self.branches.get((number, function))
            if known and len(known) == len(taken):
                taken = [a + b for a, b in zip(known, taken)]
            if taken:
                self.branches[number, function] = taken

    def missed(self) -> list[int]:
        """Numbers of lines never executed."""
        return sorted(number for number, count in self.lines.items() if not count)

    def tally(self) -> tuple[int, int, int, int]:
        """(lines executed, lines, branches taken, branches)"""
        taken = [count for counts in self.branches.values() for count in counts]
        return (len(self.lines) - len(self.missed()), len(self.lines),
                sum(bool(count) for count in taken), len(taken))


class DriverCoverage(GuestTests):
    """The guest's tests, on a kernel that counts."""

    name = "driver-coverage"
    about = "lines of the driver's TLS offload that the guest's tests reach (lab coverage)"
    default = False
    by_name = True
    order = 695

    def products(self, context: Context) -> Products:
        products = super().products(context)
        config = products.kernel_config
        if config is None or not kernel_build.has(config, "GCOV_KERNEL"):
            raise UsageError(f"--suite {self.name}: expected a --kernel with CONFIG_GCOV_KERNEL",
                             "`lab coverage --driver` builds one; so does "
                             "`lab kernel --flavour gcov`")
        return products

    def run(self, context: Context, report: ktap.MergedReport, names: list[str]) -> None:
        super().run(context, report, names)
        build = pathlib.Path(context.args.kernel).expanduser().resolve()
        boots = sorted(path for path in context.rundir.path.glob(f"{self.name}*") if path.is_dir())
        taken = [path / COUNTERS for path in boots if (path / COUNTERS).exists()]
        if not taken:
            raise LabError("no guest gave its counters")
        found = read(taken, build)
        if len(taken) < len(boots):
            report.emit(f"# the counters of {len(boots) - len(taken)} of {len(boots)} guests are "
                        "lost", 1)
        for line in table(found):
            report.emit("# " + line, 1)
        listing = unreached(found, pathlib.Path(os.path.realpath(build / "source")), reasons())
        where = context.rundir.file("driver-coverage.txt")
        where.write_text("".join(f"{line}\n" for line in listing), encoding="utf-8")
        save(found, context.rundir.file("driver-coverage.json"))
        report.emit(f"# what was not reached: {where}", 1)

    def finish(self, guest: Guest, rundir: RunDir) -> None:
        with open(rundir.file(COUNTERS), "wb") as out, \
                open(rundir.file("counters-stderr.txt"), "wb") as errors:
            status = guest.run(["sh", "-c", TAKE], stdout=out.fileno(), stderr=errors.fileno())
        if status:
            rundir.file(COUNTERS).unlink()
            steps.say(f"the guest's counters could not be read: status {status}")


def read(archives: list[pathlib.Path], build: pathlib.Path) -> dict[str, Source]:
    """{path in the source: Source} of the counters of some guests whose kernel is BUILD's."""
    found = {f"{folder}/{name}": Source() for folder, names in MEASURED.items() for name in names}
    top = pathlib.Path(os.path.realpath(build / "source"))
    for archive in archives:
        with tempfile.TemporaryDirectory(prefix="lab-coverage-") as name:
            for counters in _unpack(archive, build, pathlib.Path(name)):
                text = steps.capture(["gcov", "-b", "--json-format", "--stdout", counters],
                                     cwd=build).stdout
                for document in text.splitlines():
                    for data in json.loads(document)["files"] if document else ():
                        path = os.path.realpath(build / data["file"])
                        source = found.get(os.path.relpath(path, top))
                        if source is not None:
                            source.add(data)
    return found


def _unpack(archive: pathlib.Path, build: pathlib.Path, into: pathlib.Path) -> list[pathlib.Path]:
    """The counters of what is measured, each beside its notes."""
    files = []
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        for member in tar:
            path = pathlib.PurePosixPath("/") / member.name
            if not member.isfile() or not path.is_relative_to(build):
                continue
            inner = path.relative_to(build)
            if f"{inner.stem}.c" not in MEASURED.get(str(inner.parent), ()):
                continue
            data = tar.extractfile(member)
            assert data is not None
            (into / inner.name).write_bytes(data.read())
            shutil.copyfile((build / inner).with_suffix(".gcno"),
                            (into / inner.name).with_suffix(".gcno"))
            files.append(into / inner.name)
    if not files:
        raise LabError(f"{archive} has no counter of {build}: another kernel was booted")
    return files


def table(found: dict[str, Source]) -> list[str]:
    """The report as lines of text."""
    rows = [f"{'file':30} {'lines':>12} {'%':>6} {'branches':>12} {'%':>6}"]
    total = [0, 0, 0, 0]
    for name, source in found.items():
        numbers = source.tally()
        total = [a + b for a, b in zip(total, numbers)]
        rows.append(_row(name.removeprefix(CORE), *numbers))
    return [*rows, _row("all", *total)]


def _row(name: str, lines: int, of_lines: int, taken: int, of_branches: int) -> str:
    return (f"{name:30} {f'{lines}/{of_lines}':>12} {_share(lines, of_lines)} "
            f"{f'{taken}/{of_branches}':>12} {_share(taken, of_branches)}")


def _share(done: int, there: int) -> str:
    if not there:
        return f"{'-':>6}"
    share = 100 * done / there
    return f"{min(share, 99.9) if done < there else share:6.1f}"


def reasons() -> list[dict[str, str]]:
    """The entries of the list of reasons: file, function, optionally text, why."""
    entries: list[dict[str, str]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))["unreached"]
    return entries


def reason(entries: list[dict[str, str]], name: str, function: str, text: str) -> str:
    """Why a line of a file is not reached; "" when nothing is known. An entry without `text` is
    about the whole function."""
    for entry in entries:
        if name.endswith(entry["file"]) and entry["function"] == function and \
                entry.get("text", "") in text:
            return entry["why"]
    return ""


def unreached(found: dict[str, Source], top: pathlib.Path,
              entries: list[dict[str, str]]) -> list[str]:
    """Every line not reached, with its text and the reason, those without a reason first."""
    known, unknown = [], []
    for name, source in found.items():
        missed = source.missed()
        text = (top / name).read_text(encoding="utf-8", errors="replace").splitlines() \
            if missed else []
        for number in missed:
            function = source.functions[number]
            why = reason(entries, name, function, text[number - 1])
            line = f"{name.removeprefix(CORE)}:{number}: {function}: {text[number - 1].strip()}"
            if why:
                known.append(f"{line}    # {why}")
            else:
                unknown.append(line)
    return [f"{len(unknown)} lines without a known reason", *unknown, "",
            f"{len(known)} lines with one", *known]


def save(found: dict[str, Source], path: pathlib.Path) -> None:
    """Save the same as JSON."""
    data = {}
    for name, source in found.items():
        lines, of_lines, taken, of_branches = source.tally()
        data[name] = {"lines": of_lines, "executed": lines, "branches": of_branches,
                      "taken": taken, "missed": source.missed()}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
