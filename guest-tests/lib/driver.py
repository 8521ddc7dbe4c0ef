# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver of the local end's NIC, bound anew; what it has seen of a lost device.

Responsible for: unbinding and binding with nothing of the driver's left under way.
State: none.
Callers: tests that need("rebind"), bugs/.
"""

import json

from . import txpath


def _bound(env):
    return env.local.call("procs.readlink",
                          path=f"/sys/bus/pci/devices/{env.pci}/driver") is not None


def bind(env):
    """Bind it, unless it is bound; the network is as before."""
    if not _bound(env):
        env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/bind", env.pci)
    env.set_up_network()
    env.settle()


def rebind(env):
    """Unbind and bind it: what it keeps in store is gone."""
    env.cleanup.callback(bind, env)
    txpath.store_filled(env.local)
    env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/unbind", env.pci)
    bind(env)


def fatal_errors(env):
    """How often the driver has noticed that its device is lost."""
    shown = json.loads(env.local.out("devlink", "-j", "health", "show", f"pci/{env.pci}",
                                     "reporter", "fw_fatal"))
    return sum(reporter["error"] for reporters in shown["health"].values()
               for reporter in reporters)
