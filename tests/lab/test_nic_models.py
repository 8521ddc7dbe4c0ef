# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of --nic-model and the suite nic-models that need no guest; registered in the suite `lab`.

Responsible for: what the guest's tests are told of another NIC, the refusal of a kernel without
its driver, how results are judged, the tables, and that docs/nic-models.md shows them.
State: none.
"""

import argparse
import dataclasses
from typing import Any

from labkit import expectations, ktap, paths
from labkit.errors import UsageError
from labkit.ktap import Result
from labkit.run import session
from labkit.run.spec import NIC_MODELS, OURS, Spec
from labkit.suites import nic_models
from labkit.suites.guest import GuestTests

from .judge import check, raises, same, temporary_folder


@dataclasses.dataclass
class _Context:
    """In place of a suite's Context: arguments alone."""

    args: argparse.Namespace


def _context(model: str) -> Any:
    return _Context(argparse.Namespace(nic_model=model, full=False))


def test_nic_model_tells_the_tests(_rig: object) -> None:
    """Tests on another NIC expect its driver, and TLS in software; on ours they do not."""
    for model, (driver, _) in NIC_MODELS.items():
        suite, context = GuestTests(), _context(model)
        same(suite.environment(context)["DRIVER"], driver, f"DRIVER of {model}")
        same("--software-tls" in suite.arguments(context), model != OURS, f"software of {model}")
        suite = nic_models.Control(model)       # whatever the command line says
        same(suite.environment(_context(OURS))["DRIVER"], driver, f"DRIVER of the control {model}")


def test_nic_model_needs_driver(_rig: object) -> None:
    """A kernel without the driver of the NIC is refused by name; an unknown configuration is
    not."""
    with temporary_folder() as folder:
        config = folder / "config"
        config.write_text("# CONFIG_IGB is not set\nCONFIG_IGBVF=m\nCONFIG_E1000E=m\n"
                          "CONFIG_VIRTIO_NET=y\n")

        @dataclasses.dataclass
        class _Products:
            kernel_config: Any
            versions: dict[str, str]

        made: Any = _Products(config, {"kernel_release": "1.2.3-x"})
        for model in ("e1000e", "virtio-net-pci"):
            session.check_driver(made, Spec(nic_model=model))
        with raises(UsageError, "--nic-model igb", "1.2.3-x", "igb (CONFIG_IGB)", "--kernel 7.3"):
            session.check_driver(made, Spec(nic_model="igb"))
        made.kernel_config = None
        session.check_driver(made, Spec(nic_model="igb"))


KNOWN: expectations.Table = {
    "igb": {"ping": {"v4": ("pass", ""), "v6": ("fail", "the model: it has | no answer")},
            "rss": {"key": ("skip", "the driver is igb, not mlx5_core")}},
    "e1000e": {"ping": {"v4": ("pass", ""), "v6": ("pass", "")},
               "rss": {"key": ("skip", "the driver is e1000e, not mlx5_core")}}}


def test_nic_model_tables(_rig: object) -> None:
    """The tables count every test once, name each one that fails, and count skipped ones by
    reason."""
    same(nic_models.markdown(KNOWN), [
        "|  | igb | e1000e |", "|---|---|---|", "| tests | 3 | 3 |", "| passed | 1 | 2 |",
        "| failed | 1 | 0 |", "| skipped | 1 | 1 |", "",
        "| why it fails | igb | e1000e |", "|---|---|---|",
        "| the model: it has \\| no answer | `ping/v6` | - |", "",
        "| why it is skipped | igb | e1000e |", "|---|---|---|",
        "| the driver is not mlx5_core | 1 | 1 |"], "tables")


def test_nic_model_merge(_rig: object) -> None:
    """What a run leaves is a file of what it found; a partial one keeps the rest of what is known,
    a whole one drops it."""
    found: expectations.Table = {"igb": {"ping": {"v6": ("pass", "")}}}
    part = nic_models.merged(KNOWN, found, True)
    same(part["igb"]["ping"], {"v4": ("pass", ""), "v6": ("pass", "")}, "ping of a partial run")
    same(part["igb"]["rss"], KNOWN["igb"]["rss"], "rss of a partial run")
    whole = nic_models.merged(KNOWN, found, False)
    same(whole, {"igb": found["igb"], "e1000e": KNOWN["e1000e"]}, "a whole run")
    with temporary_folder() as folder:
        path = folder / "7.3.toml"
        path.write_text(nic_models.render("7.3", part))
        same(expectations.load(path), part, "the file, read")


def test_nic_model_names(_rig: object) -> None:
    """In the report a test of a NIC has the NIC's name before its own, counts once, and is judged
    by what is known of it, in both directions."""
    said: list[str] = []
    report = ktap.MergedReport(said.append)
    report.begin_suite("nic-models", 5)
    part = nic_models.Within(report, "igb", {
        **nic_models.flat(KNOWN["igb"]), "tls/x": ("pass", ""), "mtu/odd": ("fail", "the model")})
    part.plan(1)
    part.result(Result(["ping/v4"], "pass"))
    part.result(Result(["ping/v6"], "fail", "no answer"))
    part.result(Result(["mtu/odd"], "pass"))
    part.result(Result(["rss/new"], "pass"))
    part.result(Result(["tls"], "fail"), seen=True)
    part.count(Result(["tls", "x"], "fail", "why"))
    same([(result.name, result.status) for _, result in report.results],
         [("igb/ping/v4", "pass"), ("igb/ping/v6", "pass"), ("igb/mtu/odd", "fail"),
          ("igb/rss/new", "fail"), ("igb/tls/x", "fail")], "names in the report")
    same([(result.name, result.status) for result in part.found],
         [("ping/v4", "pass"), ("ping/v6", "fail"), ("mtu/odd", "pass"), ("rss/new", "pass"),
          ("tls/x", "fail")], "results of the part")
    text = "".join(said)
    check("ok 1 igb/ping/v4" in text and text.count("1..") == 1, text)
    check("# fails as expected: the model: it has | no answer\n  ok 2 igb/ping/v6\n" in text, text)
    check("expected fail (the model), got pass" in text, text)
    part = nic_models.Within(report, "e1000e", None)
    for status in ("pass", "skip", "fail"):
        part.result(Result(["ping/v4"], status))
        same(report.results[-1][1].status, status, "a test of a NIC of which nothing is known")


def test_nic_model_document(_rig: object) -> None:
    """docs/nic-models.md has the tables of every file of what is known, and that is of tests that
    there are, each failure with a reason."""
    text = (paths.REPO / "docs/nic-models.md").read_text(encoding="utf-8")
    for path in sorted(nic_models.FOLDER.glob("*.toml")):
        known = expectations.load(path)
        wanted = "\n".join(nic_models.markdown(known))
        check(wanted in text, f"docs/nic-models.md does not show {path.name} as it is; expected "
                              f"there:\n{wanted}")
        for model, groups in known.items():
            check(model in nic_models.CONTROLS, f"{path.name}: expected {nic_models.CONTROLS}, "
                                                f"found {model}")
            tests = nic_models.flat(groups)
            there = set(nic_models.Control(model).tests(_context(OURS)))
            same(sorted(set(tests) - there), [], f"tests of {model} in {path.name} that there are "
                                                 "no more")
            same([name for name, (status, reason) in tests.items()
                  if status == "fail" and ": " not in reason], [],
                 f"failures of {model} whose reason does not say whose they are ('the model: …')")
