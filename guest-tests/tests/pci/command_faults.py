# SPDX-License-Identifier: GPL-2.0-or-later
"""cmd-fault: every command that the driver sends between probe and remove fails, or is late.

A driver is bound while the device refuses one command once, refuses it always, or answers it late.
Whatever comes of it (a probe that fails, a function without an interface, an interface that lacks
something), the kernel survives without a splat, and once the fault is gone the driver is bound anew
and everything works.
"""

import contextlib
import re

from lib import fault, traffic
from lib.case import Failure, Skip, add, expect, needs, test
from lib.hosts import CallError, CommandError

# What Linux 6.1 to 7.3 send while a function is bound and unbound, interface up.
COMMANDS = (
    "QUERY_HCA_CAP", "QUERY_ADAPTER", "INIT_HCA", "TEARDOWN_HCA", "ENABLE_HCA", "DISABLE_HCA",
    "QUERY_PAGES", "MANAGE_PAGES", "SET_HCA_CAP", "QUERY_ISSI", "SET_ISSI",
    "SET_DRIVER_VERSION", "CREATE_MKEY", "DESTROY_MKEY", "QUERY_SPECIAL_CONTEXTS", "CREATE_EQ",
    "DESTROY_EQ", "CREATE_CQ", "DESTROY_CQ", "MODIFY_CQ", "QUERY_VPORT_STATE",
    "QUERY_NIC_VPORT_CONTEXT", "MODIFY_NIC_VPORT_CONTEXT", "ALLOC_Q_COUNTER",
    "DEALLOC_Q_COUNTER", "QUERY_Q_COUNTER", "QUERY_VPORT_COUNTER", "ALLOC_PD", "DEALLOC_PD",
    "ALLOC_UAR", "DEALLOC_UAR", "ACCESS_REG", "ALLOC_TRANSPORT_DOMAIN",
    "DEALLOC_TRANSPORT_DOMAIN", "CREATE_TIR", "MODIFY_TIR", "DESTROY_TIR", "CREATE_SQ",
    "MODIFY_SQ", "DESTROY_SQ", "CREATE_RQ", "MODIFY_RQ", "DESTROY_RQ", "CREATE_TIS",
    "DESTROY_TIS", "CREATE_RQT", "MODIFY_RQT", "DESTROY_RQT", "SET_FLOW_TABLE_ROOT",
    "CREATE_FLOW_TABLE", "MODIFY_FLOW_TABLE", "DESTROY_FLOW_TABLE", "CREATE_FLOW_GROUP",
    "DESTROY_FLOW_GROUP", "SET_FLOW_TABLE_ENTRY", "DELETE_FLOW_TABLE_ENTRY",
    "ALLOC_FLOW_COUNTER", "DEALLOC_FLOW_COUNTER", "SYNC_CRYPTO",
)

MODES = {
    "once": "fail cmd={} status=1 syndrome=0xfa17 count=1",
    "always": "fail cmd={} status=1 syndrome=0xfa17",
    "late": "delay cmd={} ms=1500 count=4",
}
SIZE = 1 << 18
CARRIER = 20.0      # seconds: without a fault it takes a tenth of one, also on a busy host

# What the driver says of a command that failed is not the matter here; a splat begins otherwise.
SAID = ((r"^mlx5_\w+(\.\w+)* ", "the driver tells what the fault has kept from it"),)


def _driver(env, what):
    """bind or unbind; the text of the error if the kernel refuses, else None."""
    try:
        env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/{what}", env.pci)
    except CallError as error:
        return error.text
    return None


def _bound(env):
    return env.local.call("procs.readlink",
                          path=f"/sys/bus/pci/devices/{env.pci}/driver") is not None


def _reset(env):
    """Nothing of a driver that could not clean up stays in the device."""
    env.local.write(f"/sys/bus/pci/devices/{env.pci}/reset", "1")
    alive = {kind: count for kind, count in env.lab.objects().items() if count}
    expect(not alive, f"objects alive in the device after a reset: {alive}")


def _mended(env):
    """Bound anew, without a fault, and as good as ever."""
    if _bound(env):
        _driver(env, "unbind")
    expect(not _bound(env), "the driver does not let go of the function")
    _reset(env)
    problem = _driver(env, "bind")
    expect(problem is None and _bound(env), f"the driver cannot be bound any more: {problem}")
    env.set_up_network()
    env.settle()


def _outcome(env):
    """What the fault has left: none, part, or all of an interface."""
    if not _bound(env):
        return "not bound"
    try:
        env.set_up_network()
    except (CommandError, Failure):
        pass            # of a function without an interface, say
    nic = env.local.nic
    if nic.link() is None:
        return "bound, without an interface"
    if "UP" not in nic.link()["flags"]:
        return "an interface that cannot be brought up"
    try:
        nic.wait_ready(CARRIER)
    except Failure:
        return "an interface without carrier"
    try:
        env.settle()
        traffic.both_ways(env, 4, SIZE)
    except Failure as error:
        return f"an interface that carries nothing: {str(error).splitlines()[0]}"
    return "works"


def _faulty(command, mode):
    def run(env):
        env.cleanup.callback(_mended, env)
        with contextlib.ExitStack() as stack:
            expect(_driver(env, "unbind") is None, "the driver cannot be unbound")
            made = stack.enter_context(fault.faults(env, env.local, MODES[mode].format(command),
                                                    must_hit=False))
            refused = _driver(env, "bind")
            outcome = _outcome(env)
            if _bound(env):
                _driver(env, "unbind")
            hits = made.hits()
            expect(not _bound(env), f"{outcome}, and the driver does not let go of the function")
        if not hits:
            raise Skip(f"this driver does not send {command}")
        env.observe("hits", hits)
        env.observe("outcome", outcome)
        if refused:
            env.observe("bind", refused)
        if mode == "late":
            expect(outcome == "works", f"{command} was late, that is all: {outcome} ({refused})")
        expect(not outcome.startswith("an interface that carries nothing"), outcome)
    run.__doc__ = _faulty.__doc__
    return run


@test("cmd-fault/list", guard=900.0, full=True, allowed=SAID)
@needs("fault", "rebind", "driver:mlx5_core")
def every_command(env):
    """The driver sends nothing between bind and unbind that this matrix leaves out."""
    known = re.findall(r"\b[A-Z][A-Z0-9_]+\b",
                       env.lab.get("fault-help").partition("\ncommands:\n")[2])
    expect(len(known) > len(COMMANDS) // 2, f"the device names its commands: {known}")
    env.cleanup.callback(_mended, env)
    with fault.faults(env, env.local, *(f"log cmd={name}" for name in known),
                      must_hit=False) as made:
        expect(_driver(env, "unbind") is None, "the driver cannot be unbound")
        expect(_driver(env, "bind") is None, "the driver cannot be bound")
        env.set_up_network()
        env.settle()
        expect(_driver(env, "unbind") is None, "the driver cannot be unbound again")
        sent = {entry["rule"].partition("cmd=")[2] for entry in made.list() if entry["hits"]}
    env.observe("commands", sorted(sent))
    left = sent - set(COMMANDS)
    expect(not left, f"COMMANDS lacks {sorted(left)}")


for _command in COMMANDS:
    for _mode in MODES:
        add(f"cmd-fault/{_command}-{_mode}", _faulty(_command, _mode),
            needs=("fault", "rebind", "driver:mlx5_core"), guard=1200.0, full=True, allowed=SAID)
