# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests, in the order in which they run: what everything else rests on comes first.

  nic/   an interface without TLS: link, packets, offloads, queues, filters, every question
  tls/   TLS; there setup, *_sessions and what is named after a program run beside any NIC and
         allow for its freedom, tx_* and rx_* are the functional tests T-01 to T-36, which know
         every packet (docs/tls-tests.md)
  pci/   the function itself: unbound, reset, unplugged, in error; they come last
"""

import importlib
import pathlib

ORDER = (
    ("nic", "probe link ping tcp udp iperf offload lro checksum vlan tunnel mtu filter counters "
            "queues striding compression rss flows tc_flower mst sweep"),
    ("tls", "setup tx_sessions rx_sessions both_sessions record_sizes openssl nginx guide "
            "loss_by_tc live_changes"),
    ("tls", "rx_context rx_loss rx_resync rx_damage rx_faults rx_storm rx_streams"),
    ("tls", "tx_context tx_pool tx_records tx_resync tx_changes"),
    ("tls", "questions knobs"),
    ("tls", "plaintext_on_wire device_faults"),
    ("pci", "rebind reload hotplug profiles aer command_faults"),
    ("tls", "numbered_faults soak"),
)


def load():
    """Import every module, which registers its tests. A module that ORDER forgets is an error."""
    here = pathlib.Path(__file__).parent
    there = {f"{path.parent.name}.{path.stem}" for path in here.glob("*/[!_]*.py")}
    order = [f"{topic}.{name}" for topic, names in ORDER for name in names.split()]
    if there != set(order):
        raise ImportError(f"tests/__init__.py: ORDER and the files differ in "
                          f"{', '.join(sorted(there ^ set(order)))}")
    for name in order:
        importlib.import_module(f"tests.{name}")
