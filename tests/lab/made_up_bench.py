# SPDX-License-Identifier: GPL-2.0-or-later
"""A bench that is made up, which tells of itself more than a result file may have.

Responsible for: an Env, its hosts and NICs as guest-tests/lib/result.py asks them, and a file that
it has written of them.
State: none.
"""

import importlib
import json
import pathlib
import sys
import types
from typing import Any
from unittest import mock

from labkit import paths

# a bench as it may be anywhere; none of this may be in a file
HOST, PEER, NIC, PEER_NIC = "build7.corp.example", "rack-12", "enp65s0f0np0", "enp65s0f1np1"
PORT = "enp1s0np7"
PCI, PEER_PCI = "0000:41:00.0", "0000:41:00.1"
SERIAL = "MT2109X01234"
SECRETS = [HOST, "build7", PEER, NIC, PEER_NIC, PORT, PCI, PEER_PCI, SERIAL,
           "10.20.30.40", "10.20.30.41",
           "fd12:3456::1", "fe80::ec4:2aff:fea1:b2c3", "0c:42:a1:b2:c3:d4", "0c42a10300b2c3d4",
           "00112233445566778899aabbccddeeff", "8899aabbccddeeff", "tester@rack-12",
           "/home/tester", "000000001b5c0ee2"]


def of_guest_tests(name: str) -> Any:
    """A module of guest-tests/lib."""
    folder = str(paths.GUEST_TESTS)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(f"lib.{name}")


class _Nic:
    """A NIC that tells more than it should."""

    def __init__(self, name: str, pci: str) -> None:
        self.name, self._pci = name, pci

    def driver_info(self) -> dict[str, str]:
        """`ethtool -i`."""
        return {"driver": "mlx5_core", "version": "6.12.117", "bus-info": self._pci,
                "firmware-version": "22.39.1048 (MT_0000000359)"}

    def features(self) -> dict[str, tuple[bool, bool]]:
        """`ethtool -k`."""
        return {"tls-hw-rx-offload": (False, False), "rx-gro-hw": (False, True)}

    def channels(self) -> tuple[int, int]:
        """`ethtool -l`."""
        return 2, 63

    def link(self, details: bool = False) -> dict[str, Any]:
        """`ip -d link`."""
        return {"address": "0c:42:a1:b2:c3:d4", "max_mtu": 9978 if details else None,
                "parentdev": self._pci, "phys_switch_id": "0c42a10300b2c3d4"}

    def pci_address(self) -> str:
        """Of the function."""
        return self._pci


class _Host:
    """An end that tells more than it should."""

    def __init__(self, name: str, nic: _Nic) -> None:
        self.name, self.nic = name, nic
        self.count = 0

    def read(self, path: str) -> str:
        """A file of /proc."""
        return {"/proc/sys/kernel/hostname": HOST if self.name == "local" else PEER,
                "/proc/sys/kernel/osrelease": "6.12.117-amd64"}[path] + "\n"

    def call(self, op: str, **args: Any) -> Any:
        """An operation of the agent."""
        self.count += 1
        if op == "ethtool.statistics":
            return {"rx_tls_err": self.count, "rx0_packets": 7, "tx_packets": 100 * self.count,
                    "rx_prio0_packets": 1}
        if op == "procs.read_many" and str(args["paths"][0]).startswith("/sys"):
            return {path: "0x15b3\n" if path.endswith("/vendor") else None
                    for path in args["paths"]}
        return {path: "TlsDecryptError\t3\n" if path.endswith("tls_stat") else ""
                for path in args["paths"]}

    @staticmethod
    def run(*argv: str, **_: Any) -> Any:
        """devlink, with everything that it knows."""
        said: dict[str, Any] = {"info": {f"pci/{PCI}": {
            "driver": "mlx5_core", "serial_number": SERIAL, "board.serial_number": SERIAL,
            "versions": {"fixed": {"fw.psid": "MT_0000000359"}, "running": {"fw": "1.2.3.4"}}}}}
        return types.SimpleNamespace(rc=0, out=json.dumps(said if "info" in argv else {
            "param": {f"pci/{PCI}": [{"name": "enable_roce", "values": [{"value": True}]}]}}))


def bench(ssh: str = "") -> Any:
    """An Env, as far as result.py needs one. ssh: it has set up its bench itself, with the peer
    reached so."""
    ends = (_Host("local", _Nic(NIC, PCI)), _Host("remote", _Nic(PEER_NIC, PEER_PCI)))
    return types.SimpleNamespace(hosts=ends, local=ends[0], remote=ends[1], remote_type="ssh",
                                 lab=None, no_lab="none", disruptive=False, software_tls=False,
                                 bench=types.SimpleNamespace(
                                     plan=types.SimpleNamespace(peer_ssh=ssh, peer_iface=PORT),
                                     no_wire="none") if ssh else None)


def written(folder: pathlib.Path, own: bool = False) -> pathlib.Path:
    """A file as run.py writes it, of tests whose texts are full of what must not be there. own: the
    bench was set up by run.py, which knows it from its options."""
    result, path = of_guest_tests("result"), folder / "result.json"
    with mock.patch.dict("os.environ", {"REMOTE_ARGS": "" if own else f"tester@{PEER}"}):
        file = result.Result(bench(f"-p 22 tester@{PEER}" if own else ""), path,
                             {"full": False, "only": ["T-*", f"x-{NIC}"]})
        text = " | ".join(SECRETS)
        file.test("T-13/rx-false-candidate", "pass", seconds=1.25, observed={"asked": [2, 3]},
                  moved={"local": {"rx_tls_err": 4}})
        file.test("ping/v4", "fail", reason=f"it said: {text}\nand then ({text})",
                  observed={f"of {NIC}": [{HOST: [text, 7, None, 0.5, True]}]})
        file.test("wire/plain", "skip", reason=f"no middlebox: {PEER} has none")
        file.finish()
    return path
