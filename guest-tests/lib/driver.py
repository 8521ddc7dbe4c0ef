# SPDX-License-Identifier: GPL-2.0-or-later
"""The driver of the local end's NIC, bound anew, or its device plugged anew; what it has seen of a
lost device.

Responsible for: that with nothing of the driver's left under way, and the network as before.
State: none.
Callers: tests that need("rebind"), bugs/.
"""

import json

from . import txpath


def bound(env):
    """Whether the local end's function has a driver."""
    return env.local.call("procs.readlink",
                          path=f"/sys/bus/pci/devices/{env.pci}/driver") is not None


def bind(env):
    """Bind it, unless it is bound; the network is as before."""
    if not bound(env):
        env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/bind", env.pci)
    env.set_up_network()
    env.settle()


def rebind(env):
    """Unbind and bind it: what it keeps in store is gone."""
    env.cleanup.callback(bind, env)
    txpath.store_filled(env.local)
    env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/unbind", env.pci)
    bind(env)


def replug(env, **props):
    """Plug the lab's device anew with these properties, and with its own when the test ends."""
    env.cleanup.callback(_plug, env)
    _plug(env, **props)


def _plug(env, **props):
    env.lab.replug(**props)
    env.set_up_network()
    env.settle()


def fatal_errors(env):
    """How often the driver has noticed that its device is lost."""
    shown = json.loads(env.local.out("devlink", "-j", "health", "show", f"pci/{env.pci}",
                                     "reporter", "fw_fatal"))
    return sum(reporter["error"] for reporters in shown["health"].values()
               for reporter in reporters)
