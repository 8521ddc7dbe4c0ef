# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of what a run of the guest tests writes down, and what it must not write down.

Responsible for: guest-tests/lib/result.py and anonymous.py, with a bench that is made up.
State: none.
"""

import json
import random

from labkit import results

from .judge import check, same, temporary_folder
from .made_up_bench import PORT, SECRETS, bench, of_guest_tests, written


def test_result_is_anonymous(_rig: object) -> None:
    """No address, no key, no name of a machine, an interface or a person gets into a result file,
    wherever a test puts it; what is compared does."""
    with temporary_folder() as folder:
        for own in (True, False):
            text = written(folder, own).read_text(encoding="utf-8")
            for secret in SECRETS:
                if own or secret != PORT:       # which only run.py's own bench has
                    check(secret.lower() not in text.lower(), f"{secret} is in the file")
    content = json.loads(text)
    local = content["device"]["local"]
    same(local["driver"]["firmware-version"], "22.39.1048 (MT_0000000359)", "the firmware")
    same(local["devlink-versions"], {"fixed": {"fw.psid": "MT_0000000359"},
                                     "running": {"fw": "1.2.3.4"}}, "four numbers of a version")
    same(local["devlink-parameters"], {"enable_roce": True}, "parameters")
    same(local["pci"], {"vendor": "0x15b3"}, "of /sys")
    same(local["features"]["rx-gro-hw"], "off fixed", "a feature")
    same(content["environment"]["kernel"]["remote"], "6.12.117-amd64", "the kernel")
    moments = content["counters"]["local"]
    same(sorted(moments["after"]), ["TlsDecryptError", "rx_tls_err", "tx_packets"], "counters")
    check(moments["after"]["tx_packets"] > moments["before"]["tx_packets"], "before and after")
    first, second = content["tests"][:2]
    same(first, {"name": "T-13/rx-false-candidate", "result": "pass", "seconds": 1.2,
                 "observed": {"asked": [2, 3]}, "counters": {"local": {"rx_tls_err": 4}}}, "a test")
    same(list(second["observed"].values())[0][0]["<host>"][1:], [7, None, 0.5, True], "values")


def test_anonymous_addresses(_rig: object) -> None:
    """Addresses and keys of any looks are taken out; versions, times, counters and names of tests
    stay as they are."""
    cloak = of_guest_tests("anonymous").Cloak({})
    draw = random.Random(20)
    for _ in range(500):
        octets = [draw.randrange(256) for _ in range(6)]
        words = [f"{draw.randrange(65536):x}" for _ in range(8)]
        at = draw.randrange(7)
        for secret in (".".join(map(str, octets[:4])), ":".join(f"{octet:02x}" for octet in octets),
                       ":".join(words), ":".join(words[:at]) + "::" + ":".join(words[at + 2:]),
                       f"{octets[0]:04x}:{octets[1]:02x}:{octets[2] % 32:02x}.{at}",
                       draw.randbytes(16).hex(), draw.randbytes(32).hex()):
            for around in ("{}", "at {}: no", "({})", "'{}',", "{}."):
                said = cloak.text(around.format(secret))
                check(secret not in said, f"{secret} is left in {said}")
    for kept in ("T-13/rx-false-candidate", "Linux 6.12.117-amd64", "22.39.1048 (MT_0000000359)",
                 "12:34:56", "18446744073709551615", "{'rx_tls_err': 4}", "tls-hw-rx-offload",
                 "feature rx-gro-hw is fixed", "3 of 4 packets", "lib/rx.py:120: 1 expected"):
        same(cloak.text(kept), kept, "a text without secrets")
    try:
        cloak.value({"x": b"key"})
    except TypeError as error:
        check("expected what JSON has" in str(error), f"{error}")
    else:
        check(False, "bytes were taken")


def test_result_without_room(_rig: object) -> None:
    """A file is there whole or as it was, and one of an unfinished run says so."""
    result = of_guest_tests("result")
    with temporary_folder() as folder:
        path = folder / "result.json"
        file = result.Result(bench(), path, {})
        file.save()
        check(not results.load(path).content["complete"], "an unfinished run is complete")
        file.finish()
        check(results.load(path).content["complete"], "a finished run is not complete")
        same([each.name for each in folder.iterdir()], ["result.json"], "files")
        missing = result.Result(bench(), folder / "no" / "result.json", {})
        try:
            missing.save()
        except OSError:
            return
    raise AssertionError("a file was written into a directory that is not there")
