# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab that runs this machine, if any.

Responsible for: finding the lab's client library and the lab's name for our NIC.
State: one client.
Callers: env.py; tests that need("lab"), which are skipped on real hardware.
"""

import contextlib
import sys

from .case import wait_for

LIBRARY = "/usr/local/lib/lab"


class NoLab(Exception):
    """There is no lab; the text says what was searched for."""


def connect():
    """Return the client (see labclient.py in the guest); raises NoLab if there is none."""
    if LIBRARY not in sys.path:
        sys.path.append(LIBRARY)
    try:
        import labclient        # pylint: disable=import-outside-toplevel,import-error
    except ImportError:
        raise NoLab(f"no lab beside this machine: no labclient in {LIBRARY}") from None
    try:
        return labclient.connect()
    except labclient.Absent as reason:
        raise NoLab(f"no lab beside this machine: {reason}") from None


def missing(env, host, prop, actions):
    """Return the reason why the device at an end lacks the property, or the lab the actions; or
    None."""
    device = env.device(host)
    if device is None:
        return without(env, prop) or f"the lab knows nothing of the NIC on the {host.name} end"
    for action in actions:
        if not device.can(action):
            return f"the lab has no action {action}"
    return None if device.has(prop) else f"the device has no property {prop}"


def without(env, prop):
    """The reason why a property of the emulated device cannot be had, if there is no lab."""
    return env.no_lab and f"the device's property {prop} is needed: {env.no_lab}"


def device_property(env, prop):
    """Return {end: value} of a property of plugged-in devices that have it."""
    found = {}
    for host in env.hosts:
        device = env.device(host)
        value = device.get_or_none(prop) if device is not None else None
        if value is not None:
            found[host] = value
    return found


class LabNic:
    """The lab's handle of a NIC."""

    def __init__(self, client, ifname):
        self.client = client
        info = client.info()
        found = [(nic, about) for nic, about in info["nics"].items()
                 if about.get("ifname") == ifname]
        if not found:
            raise NoLab(f"the lab knows no NIC called {ifname}; it has: "
                        + ", ".join(str(about.get("ifname")) for about in info["nics"].values()))
        self.ident, about = found[0]
        self.netdev = about["netdev"]
        self.actions = info["actions"]

    def link(self, up):
        """Plug or unplug the cable."""
        self.client.link(self.ident, up)

    def objects(self):
        """Return {kind: live objects} of the device."""
        return self.client.get(self.ident, "objects")

    def counters(self):
        """Return the device's own counters."""
        return self.client.get(self.ident, "counters")

    @contextlib.contextmanager
    def new_steering_entry(self):
        """After the block, wait until the device has one more steering entry than before."""
        before = self.objects()["flow_entry"]
        yield
        wait_for("the steering entry", lambda: self.objects()["flow_entry"] == before + 1)

    def replug(self, **props):
        """Unplug and replug the NIC, optionally with other property values (_ for -). The interface
        is then new: call env.set_up_network()."""
        self.client.unplug(self.ident)
        self.client.call("nic.plug", nic=self.ident,
                         props={name.replace("_", "-"): value for name, value in props.items()})

    def has(self, prop):
        """Return whether the device has this QOM property."""
        return prop in self.client.properties(self.ident)

    def can(self, action):
        """Return whether the lab supports this action."""
        return action in self.actions

    def get(self, prop):
        """Return a QOM property of the device."""
        return self.client.get(self.ident, prop)

    def get_or_none(self, prop):
        """The same; None if the device lacks it or is unplugged."""
        import labclient        # pylint: disable=import-outside-toplevel,import-error
        try:
            return self.get(prop)
        except (labclient.ActionError, labclient.ChannelError):
            return None

    @contextlib.contextmanager
    def with_property(self, prop, value):
        """Set a property that can be changed at run time, for the block."""
        before = self.get(prop)
        self.client.call("nic.set", nic=self.ident, property=prop, value=value)
        try:
            yield
        finally:
            self.client.call("nic.set", nic=self.ident, property=prop, value=before)

    def artifact(self, name, data):
        """Store bytes with the lab's artifacts; raises OSError on failure."""
        import labclient        # pylint: disable=import-outside-toplevel,import-error
        try:
            self.client.artifact(name, data)
        except (labclient.ActionError, labclient.ChannelError) as error:
            raise OSError(f"the lab keeps no {name}: {error}") from error
