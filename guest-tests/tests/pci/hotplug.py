# SPDX-License-Identifier: GPL-2.0-or-later
"""The NIC is pulled out of the running machine and put back, or into another port."""

from lib import pci, traffic
from lib.case import Skip, expect, needs, test, wait_for
from lib.net import ping


def _ensure_plugged(env):
    """Whatever happened: the NIC is there at the end."""
    if env.local.nic.link() is not None:
        return
    if not env.local.listdir(f"/sys/bus/pci/devices/{env.pci}"):
        env.lab.client.plug(env.lab.ident)
    env.set_up_network()


def _plug(env):
    env.lab.client.plug(env.lab.ident)
    env.set_up_network()
    env.settle()


@test("hotplug/unplug-plug", guard=900.0, smoke=True)
@needs("lab", "rebind")
def unplug_plug(env):
    """device_del and device_add, three times; the interface works each time."""
    env.cleanup.callback(_ensure_plugged, env)
    for _ in range(3):
        env.lab.client.unplug(env.lab.ident)
        wait_for("the interface is gone", lambda: env.local.nic.link() is None)
        expect(not env.local.listdir(f"/sys/bus/pci/devices/{env.pci}"),
               f"{env.pci} is still there after unplugging")
        _plug(env)
        traffic.both_ways(env, 4, 1 << 20)


@test("hotplug/slot-power", guard=900.0)
@needs("lab", "rebind")
def slot_power(env):
    """The guest itself ejects the NIC, by the switch of its slot, from under a busy connection:
    the machine has it no more, and can have it again."""
    slot = pci.slot_of(env.pci)
    if slot is None:
        raise Skip(f"the kernel has no hot-plug slot for {env.pci}")
    env.cleanup.callback(_ensure_plugged, env)
    traffic.send_without_end(env)
    (slot / "power").write_text("0", encoding="ascii")
    wait_for("the device is gone", lambda: env.lab.get_or_none("counters") is None)
    expect(env.local.nic.link() is None, "the interface is still there")
    for host in env.hosts:
        host.restart()
    _plug(env)
    traffic.both_ways(env, 4, 1 << 20)


@test("hotplug/under-traffic", guard=900.0)
@needs("lab", "rebind")
def under_traffic(env):
    """The same while a connection is busy."""
    env.cleanup.callback(_ensure_plugged, env)
    traffic.send_without_end(env)
    env.lab.client.unplug(env.lab.ident)
    for host in env.hosts:
        host.restart()
    _plug(env)
    traffic.both_ways(env)


def _in_port(port):
    return any((pci.DEVICES / port).glob("0000:*/vendor"))


def _back_in_place(env):
    """The NIC is in its own port again."""
    ports = env.lab.client.info()["ports"]
    if _in_port(ports["spare"]):
        env.lab.client.unplug(env.lab.ident)
    if not _in_port(ports[f"rp{env.lab.ident[3:]}"]):
        env.lab.client.plug(env.lab.ident)
    env.set_up_network()


@test("hotplug/empty-port", guard=900.0)
@needs("lab", "rebind")
def empty_port(env):
    """Into a port that was empty when the machine started: the BARs find room, and packets pass."""
    port = env.lab.client.info()["ports"]["spare"]
    env.cleanup.callback(_back_in_place, env)
    env.lab.client.unplug(env.lab.ident)
    for _ in range(2):
        env.lab.client.plug(env.lab.ident, port="spare")
        name = wait_for("an interface behind the spare port", lambda: pci.interface(port), 120)
        env.local.run("ip", "link", "set", "dev", name, "up")
        env.local.run("ip", "addr", "add", f"{env.local.address(4)}/24", "dev", name)
        wait_for("the remote end answers",
                 lambda: ping(env.local, env.remote.address(4), count=1, wait=2), 60)
        traffic.both_ways(env, 4, 1 << 20)
        env.lab.client.unplug(env.lab.ident)
        expect(not _in_port(port), f"something is left behind {port}")
