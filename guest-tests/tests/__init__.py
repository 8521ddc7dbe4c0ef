# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests, in the order in which they run: what everything else rests on comes first."""

import fnmatch
import importlib
import pathlib

# "t_*" are the functional tests by number, T-01 and so on, in the order of their names
ORDER = ("probe", "link", "ping", "tcp", "udp", "iperf", "offload", "checksum", "vlan", "mtu",
         "filter", "counters", "queues", "rss", "flows", "tc_flower", "sweep", "tls_setup",
         "tls_tx", "tls_rx", "tls_both", "tls_records", "tls_openssl", "tls_nginx", "tls_loss",
         "tls_changes", "t_*", "wire", "fault", "rebind", "reload", "hotplug", "aer", "soak")


def load():
    """Import every module, which registers its tests. A module that ORDER forgets is an error."""
    there = {path.stem.removeprefix("test_")
             for path in pathlib.Path(__file__).parent.glob("test_*.py")}
    order = [name for pattern in ORDER
             for name in sorted(fnmatch.filter(there, pattern)) or [pattern]]
    if there != set(order):
        raise ImportError(f"tests/__init__.py: ORDER and the files differ in "
                          f"{', '.join(sorted(there ^ set(order)))}")
    for name in order:
        importlib.import_module(f"tests.test_{name}")
