# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab selftest` and the suite kselftest that need no guest; registered in the suite
`lab`.

Responsible for: what is read from a program's output, how it is compared with what is expected, the
table of expectations, and that docs/selftests.md shows it.
State: none.
"""

from labkit import expectations, paths
from labkit.errors import LabError, UsageError
from labkit.ktap import Result
from labkit.make import selftests
from labkit.run import selftest
from labkit.suites import kselftest

from .judge import check, raises, same, temporary_folder

PYTHON = """TAP version 13
1..3
# Exception| something
# Exception|
not ok 1 ping.test_v4
ok 2 ping.test_v6 # SKIP Test requires IPv6 connectivity
ok 3 ping.test_tcp # XFAIL Device does not support rx-gro-hw
# Totals: pass:0 fail:1 xfail:1 xpass:0 skip:1 error:0
"""
SHELL = """TEST: force of same speed autoneg off                                [ OK ]
TEST: advertise subset of speeds                                     [FAIL]
\tping failed
TEST: no cable                                                       [SKIP]
"""


def _brief(results: list[Result]) -> list[tuple[str, str, str]]:
    return [(result.name, result.status, result.summary) for result in results]


def test_selftest_output(_rig: object) -> None:
    """The cases of a program, by either of the two ways in which programs name them."""
    same(_brief(selftest.outcome("drivers/net/ping.py", PYTHON, 1)),
         [("test_v4", "fail", "something"),
          ("test_v6", "skip", "Test requires IPv6 connectivity"),
          ("test_tcp", "skip", "Device does not support rx-gro-hw")], "a program in Python")
    same(_brief(selftest.outcome("drivers/net/hw/ethtool.sh", SHELL, 1)),
         [("force of same speed autoneg off", "pass", ""),
          ("advertise subset of speeds", "fail", "ping failed"), ("no cable", "skip", "")],
         "a shell script")


def test_selftest_ends(_rig: object) -> None:
    """A program that breaks off has failed, whatever its cases say; one that is skipped has not."""
    def whole(text: str, status: int) -> tuple[str, str]:
        result = selftest.outcome("drivers/net/ping.py", text, status)[-1]
        return (result.status, result.reason) if result.name == selftest.WHOLE else ("", "")

    same(whole("ok 1 a\n", 0), ("", ""), "a good end")
    same(whole("SKIP: no mausezahn\n", 4), ("skip", "SKIP: no mausezahn"), "skipped")
    same(whole("Traceback\n", 1)[0], "fail", "no case")
    same(whole("ok 1 a\n", 1), ("fail", "ended with status 1"), "a bad status")
    same(whole("1..3\nok 1 a\n", 0)[1], "planned 3 cases and reported 1", "too few")
    check("did not end" in whole("ok 1 a\n", 124)[1], "a time limit is not told")
    check("signal 11" in whole("ok 1 a\n", 139)[1], "a signal is not told")


def test_selftest_targets(_rig: object) -> None:
    """Directories, programs and patterns select; what selects nothing is refused."""
    programs = ["drivers/net/ping.py", "drivers/net/hw/rss_ctx.py", "drivers/net/hw/rss_api.py"]
    cases: list[tuple[list[str], list[str]]] = [
        ([], programs), (["drivers/net"], programs[:1]), (["drivers/net/ping"], programs[:1]),
        (["tools/testing/selftests/drivers/net/hw/"], programs[1:]),
        (["drivers/net/hw/rss_a*", "drivers/net/ping.py"], [programs[2], programs[0]])]
    for targets, wanted in cases:
        same(selftests.chosen(programs, targets), wanted, f"{targets}")
    with raises(UsageError, "ping: expected a directory"):
        selftests.chosen(programs, ["ping"])


def test_selftest_ours(_rig: object) -> None:
    """Our programs are among those of a source whose library they can use, and of no older one."""
    spec = {"directories": ["drivers/net"], "programs": ["net/tls"]}
    with temporary_folder() as source:
        library = source / selftests.BELOW / selftests.LIBRARY
        library.parent.mkdir(parents=True)
        (source / selftests.BELOW / "drivers/net/Makefile").write_text("TEST_PROGS := ping.py\n")
        # pylint: disable=protected-access
        same(selftests._programs(spec, source), ["drivers/net/ping.py", "net/tls"], "6.1")
        library.write_text("self.remote_v4 = None\n")
        same(selftests._programs(spec, source), ["drivers/net/ping.py", "net/tls"], "6.12")
        library.write_text("self.remote_ifname = self.resolve_remote_ifc()\n")
        same(selftests._programs(spec, source),
             ["drivers/net/ping.py", "drivers/net/hw/tls_offload.py", "net/tls"], "7.3")


def test_kselftest_either_direction(_rig: object) -> None:
    """What differs from the table fails, for better or worse; so does a case that is on one side
    only."""
    expected = {"good": ("pass", ""), "bad": ("fail", "no such feature"), "gone": ("pass", ""),
                "not": ("skip", "the driver lacks it")}

    def status(*results: Result) -> dict[str, str]:
        return {result.name: result.status
                for result in expectations.compared(list(results), expected)}

    same(status(Result(["good"], "pass"), Result(["bad"], "fail"), Result(["not"], "skip"),
                Result(["gone"], "pass")),
         {"good": "pass", "bad": "pass", "not": "skip", "gone": "pass"}, "as expected")
    same(status(Result(["good"], "fail"), Result(["bad"], "pass"), Result(["not"], "pass"),
                Result(["new"], "pass")),
         {"good": "fail", "bad": "fail", "not": "fail", "new": "fail", "gone": "fail"}, "otherwise")


def test_kselftest_table(_rig: object) -> None:
    """A table is read as it was written; results that are saved keep the reasons of the same
    status."""
    with temporary_folder() as folder:
        path = folder / "7.3.toml"
        kselftest.save(path, "nic", {"a/b.py": [Result(["x"], "pass"),
                                                Result(["y.\"1\""], "skip", "why \\ not")]})
        same(expectations.load(path), {"nic": {"a/b.py": {"x": ("pass", ""),
                                                       "y.\"1\"": ("skip", "why \\ not")}}}, "read")
        path.write_text(path.read_text().replace("why \\\\ not", "known"))
        kselftest.save(path, "nic", {"a/b.py": [Result(["x"], "fail", "new"),
                                                Result(["y.\"1\""], "skip", "other")]})
        same(expectations.load(path)["nic"]["a/b.py"],
             {"x": ("fail", "new"), "y.\"1\"": ("skip", "known")}, "saved again")
        path.write_text('[nic."a/b.py"]\npass = ["x"]\nfail."why" = ["x"]\n')
        with raises(LabError, "expected once"):
            expectations.load(path)


def test_kselftest_document(_rig: object) -> None:
    """docs/selftests.md has the tables of every file of expectations."""
    text = (paths.REPO / "docs/selftests.md").read_text(encoding="utf-8")
    files = sorted(kselftest.FOLDER.glob("*.toml"))
    check(bool(files), f"{kselftest.FOLDER} has no table")
    for path in files:
        wanted = "\n".join(kselftest.markdown(expectations.load(path)))
        check(wanted in text, f"docs/selftests.md does not show {path.name} as it is; expected "
                              f"there:\n{wanted}")
