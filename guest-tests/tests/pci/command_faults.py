# SPDX-License-Identifier: GPL-2.0-or-later
"""cmd-fault: every command that the driver sends between probe and remove fails, or is late.

A driver is bound, used (TCP, counters, TLS) and unbound while the device refuses one command once,
refuses it always, or answers it late. What comes of it is compared with command-faults.toml, which
docs/command-faults.md shows: a driver that gives up cleanly, an interface that lacks something, or
one that works. The kernel survives without a splat in any case, and once the fault is gone the
driver is bound anew and everything works.
"""

import contextlib
import pathlib
import re
import tomllib

from lib import fault, traffic, txpath
from lib.case import Failure, Skip, add, expect, expect_equal, needs, test
from lib.counters import Watch, ethtool
from lib.driver import bound
from lib.hosts import CallError, CommandError, HostError
from lib.tls import Connection

TABLE = pathlib.Path(__file__).resolve().parents[2] / "command-faults.toml"
MODES = {           # the first of them shows whether the driver sends the command at all
    "always": "fail cmd={} status=1 syndrome=0xfa17",
    "once": "fail cmd={} status=1 syndrome=0xfa17 count=1",
    "late": "delay cmd={} ms=1500 count=2",
}
NEEDS = ("fault", "rebind", "tls-tx", "tls-rx", "driver:mlx5_core")
SIZE = 1 << 18
RECORDS = 100       # of TLS, until one of them must have been decrypted by the device
CARRIER = 20.0      # seconds: without a fault it takes a tenth of one, also on a busy host
HANGS = 500.0       # seconds of a bind or unbind: the driver's longest wait is a minute

# TLS takes the driver a while, for it makes a thousand contexts: used where nothing else will do
TLS_ONLY = ("CREATE_GENERAL_OBJECT", "MODIFY_GENERAL_OBJECT", "DESTROY_GENERAL_OBJECT")
NOT_SENT = "not sent"
NOTHING = "an interface that carries nothing"
# What the driver says of a command that failed is not the matter here; a splat begins otherwise.
SAID = ((r"^mlx5_\w+(\.\w+)* ", "the driver tells what the fault has kept from it"),)


def expectations():
    """{kernel series: {command: {mode: outcome}}}."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def _commands():
    """All that a driver of the table sends, in its order."""
    return list(dict.fromkeys(name for rows in expectations().values() for name in rows))


def _driver(env, what):
    """bind or unbind; the text of the error if the kernel refuses, else None."""
    doing = env.local.begin("procs.write", path=f"/sys/bus/pci/drivers/{env.pci_driver}/{what}",
                            text=env.pci)
    try:
        doing.result(HANGS)
    except CallError as error:
        return error.text
    except HostError as error:
        raise Failure(f"{what} hangs: {error}") from None
    return None


def _left(env):
    """Kinds of objects that are alive in the device."""
    return sorted(kind for kind, count in env.lab.objects().items() if count)


def _unbound(env):
    """Without a driver, and with nothing in the device of one that could not clean up."""
    if bound(env):
        _driver(env, "unbind")
    expect(not bound(env), "the driver does not let go of the function")
    env.local.write(f"/sys/bus/pci/devices/{env.pci}/reset", "1")
    expect(not _left(env), f"objects alive in the device after a reset: {_left(env)}")


def _mended(env):
    """Bound anew, without a fault, and as good as ever."""
    _unbound(env)
    problem = _driver(env, "bind")
    expect(problem is None and bound(env), f"the driver cannot be bound any more: {problem}")
    env.set_up_network()
    env.settle()


def _abilities(env):
    """What an interface can do, as far as the driver decides it by what the device answers."""
    nic = env.local.nic
    names = {name for name, (on, fixed) in nic.features().items() if on or not fixed}
    return names | {f"{nic.channels()[0]} channels"}


def _use_tls(env):
    """TLS in both directions; {"tx", "rx"}: hw or sw, as ss shows."""
    nic = env.local.nic
    with contextlib.ExitStack() as stack:
        for name in ("tls-hw-tx-offload", "tls-hw-rx-offload"):
            with contextlib.suppress(Failure, CallError):       # the connection shows it
                stack.enter_context(nic.with_features(**{name: True}))
        ends = [Watch(host) for host in env.hosts]
        connection = stack.enter_context(Connection(env.local, env.remote, seed=env.seed))
        connection.enable_tls()
        used = connection.configuration(env.local)
        connection.up.move(SIZE)
        for _ in range(RECORDS):
            connection.down.move(1000)
            if used["rx"] != "hw" or ends[0].nic()["rx_tls_decrypted_packets"]:
                break
        else:
            used["rx"] = "hw, but nothing is decrypted"
        connection.down.move(SIZE)
        if used["tx"] == "hw":
            txpath.store_filled(env.local)
        for end in ends:
            expect_equal("TlsDecryptError", end.protocols()["TlsDecryptError"], 0)
    return used


def _outcome(env, whole, tls):
    """What the fault has left: none, part, or all of an interface. whole: its _abilities(); tls: it
    is used too."""
    if not bound(env):
        return "not bound"
    with contextlib.suppress(CommandError, Failure):     # of a function without an interface, say
        env.set_up_network()
    nic = env.local.nic
    if nic.link() is None:
        return "bound, without an interface"
    if "UP" not in nic.link()["flags"]:
        return "an interface that cannot be brought up"
    try:
        nic.wait_ready(CARRIER)
    except Failure:
        return "an interface without carrier"
    lacks = sorted(whole - _abilities(env))
    try:
        traffic.both_ways(env, 4, SIZE)
        ethtool(env.local, nic.name)
        if tls:
            lacks += [f"TLS {way} {mode}" for way, mode in _use_tls(env).items() if mode != "hw"]
    except (Failure, CallError) as error:
        env.observe("carries nothing", str(error).splitlines()[0])
        return NOTHING
    return "works" + (f", lacks {', '.join(lacks)}" if lacks else "")


def _tried(env, command, mode, whole):
    """Bind and unbind a driver under a fault; (outcome, how often it was applied)."""
    with fault.faults(env, env.local, MODES[mode].format(command), must_hit=False) as made:
        refused = _driver(env, "bind")
        outcome = _outcome(env, whole, command in TLS_ONLY)
        if bound(env):
            _driver(env, "unbind")
        hits = made.hits()
        expect(not bound(env), f"{mode}: {outcome}, and the driver keeps the function")
    left = _left(env)
    if left:
        outcome += f"; leaves {', '.join(left)}"
    if refused:
        env.observe(f"bind, {mode}", refused)
    return outcome if hits else NOT_SENT, hits


def _faulty(command):
    def run(env):
        env.cleanup.callback(_mended, env)
        whole = _abilities(env)
        expected = expectations().get(".".join(map(str, env.kernel)), {}).get(command, {})
        found, wrong = {}, []
        for mode in MODES:
            _unbound(env)
            outcome, hits = _tried(env, command, mode, whole)
            env.observe(f"outcome, {mode}", outcome)
            found[mode] = outcome
            if mode in expected:
                if outcome != expected[mode]:
                    wrong.append(f"{mode}: {outcome}, expected {expected[mode]}")
            # nobody has tried that: what must hold of any
            elif outcome.startswith(NOTHING) or (mode == "late" and outcome not in (
                    "works", NOT_SENT)):
                wrong.append(f"{mode}: {outcome}, after {hits} times")
            if outcome == NOT_SENT:
                break
        expect(not wrong, "; ".join(wrong))
        if set(found.values()) == {NOT_SENT}:
            raise Skip(f"this driver does not send {command}")
    run.__doc__ = _faulty.__doc__
    return run


@test("cmd-fault/list", guard=900.0, full=True, allowed=SAID)
@needs(*NEEDS)
def every_command(env):
    """The driver sends nothing between bind and unbind that this matrix leaves out."""
    known = re.findall(r"\b[A-Z][A-Z0-9_]+\b",
                       env.lab.get("fault-help").partition("\ncommands:\n")[2])
    commands = _commands()
    expect(len(known) > len(commands) // 2, f"the device names its commands: {known}")
    env.cleanup.callback(_mended, env)
    with fault.faults(env, env.local, *(f"log cmd={name}" for name in known),
                      must_hit=False) as made:
        expect(_driver(env, "unbind") is None, "the driver cannot be unbound")
        expect(_driver(env, "bind") is None, "the driver cannot be bound")
        env.set_up_network()
        env.settle()
        used = _use_tls(env)
        expect(used == {"tx": "hw", "rx": "hw"}, f"TLS without a fault is {used}")
        expect(_driver(env, "unbind") is None, "the driver cannot be unbound again")
        sent = {entry["rule"].partition("cmd=")[2] for entry in made.list() if entry["hits"]}
    env.observe("commands", sorted(sent))
    lacking = sent - set(commands)
    expect(not lacking, f"{TABLE.name} lacks {sorted(lacking)}")


for _command in _commands():
    add(f"cmd-fault/{_command}", _faulty(_command), needs=NEEDS, guard=2400.0, full=True,
        allowed=SAID)
