# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of --nic-model and the suite nic-models that need no guest; registered in the suite `lab`.

Responsible for: what the guest's tests are told of another NIC, the refusal of a kernel without
its driver, and the tables.
State: none.
"""

import argparse
import dataclasses
from typing import Any

from labkit import ktap
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


def test_nic_model_tables(_rig: object) -> None:
    """The tables count every test once, by group and by reason, and name a failed one."""
    found = {"igb": [Result(["ping/v4"], "pass"), Result(["ping/v6"], "fail", "no answer\nmore"),
                     Result(["rss/key"], "skip", "the driver is igb, not mlx5_core")],
             "e1000e": [Result(["ping/v4"], "pass"), Result(["ping/v6"], "pass"),
                        Result(["rss/key"], "skip", "the driver is e1000e, not mlx5_core")]}
    same(nic_models.by_group(found), [
        "| group | igb | e1000e |", "|---|---|---|",
        "| ping | 1 passed, 1 failed | 2 passed |", "| rss | 1 skipped | 1 skipped |",
        "| all | 1 passed, 1 skipped, 1 failed | 2 passed, 1 skipped |"], "by group")
    same(nic_models.by_reason(found), [
        "| why not | igb | e1000e |", "|---|---|---|",
        "| the driver is not mlx5_core | 1 | 1 |", "| ping/v6 failed: no answer | 1 | - |"],
         "by reason")


def test_nic_model_names(_rig: object) -> None:
    """In the report a test of a NIC has the NIC's name before its own, and counts once."""
    said: list[str] = []
    report = ktap.MergedReport(said.append)
    report.begin_suite("nic-models", 2)
    part = nic_models.Within(report, "igb")
    part.plan(1)
    part.result(Result(["ping/v4"], "pass"))
    part.result(Result(["tls"], "fail"), seen=True)
    part.count(Result(["tls", "x"], "fail", "why"))
    same([(suite, result.name) for suite, result in report.results],
         [("nic-models", "igb/ping/v4"), ("nic-models", "igb/tls/x")], "names in the report")
    same([result.name for result in part.found], ["ping/v4", "tls/x"], "results of the part")
    text = "".join(said)
    check("ok 1 igb/ping/v4" in text and text.count("1..") == 1, text)
