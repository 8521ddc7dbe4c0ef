# SPDX-License-Identifier: GPL-2.0-or-later
"""One NIC is unbound from its driver, reset, and bound again; reset under a bound driver; and put
to sleep."""

import contextlib

from lib import pci, traffic
from lib.case import Failure, Skip, expect, expect_equal, needs, test, wait_for
from lib.driver import bound, fatal_errors
from lib.hosts import CallError
from lib.ktap import note
from lib.net import ping

TIMES = 5

# A function level reset under a bound driver is the loss of the device for it. Its health poller
# notices and says so; what it had under way when that happened fails, and which that is depends on
# the moment.
RESET_ALLOWED = (
    (r"mlx5_core .*poll_health:.*(Fatal error|miss count)", "the poller notices the lost device"),
    (r"mlx5_core .*print_health_info:", "it prints what the health buffer of a reset device has"),
    (r"mlx5_core .*mlx5_(enter_error_state|error_sw_reset|health_try_recover|handle_bad_state)",
     "it gives the device up"),
    (r"mlx5_core .*(mlx5_cmd_out_err|cmd_work_handler|wait_func)", "a command under way fails"),
    (r"mlx5_core .*(mlx5e_close_rq|mlx5e_disable_sq|mlx5e_destroy|mlx5_destroy|"
     r"mlx5_core_destroy|mlx5_vport)", "an object of the lost device cannot be destroyed"),
)


def _bus(*parts):
    return "/".join(("/sys/bus/pci", *parts))


def _unbind(env):
    env.local.write(_bus("drivers", env.pci_driver, "unbind"), env.pci)
    expect(not bound(env), f"{env.pci} is still bound after unbind")


def _bind(env):
    env.local.write(_bus("drivers", env.pci_driver, "bind"), env.pci)
    expect(bound(env), f"{env.pci} is not bound after bind")
    env.set_up_network()
    env.settle()


def _expect_nothing_alive(env):
    """Without a driver the device has no object."""
    if env.lab and env.lab.has("objects"):
        alive = {kind: count for kind, count in env.lab.objects().items() if count}
        expect(not alive, f"objects alive in the device without a driver: {alive}")


def _reset(env):
    try:
        env.local.write(_bus("devices", env.pci, "reset"), "1")
    except CallError as error:
        raise Failure(f"echo 1 > /sys/bus/pci/devices/{env.pci}/reset: {error.text}") from None


def _ensure_bound(env):
    if not bound(env):
        _bind(env)
    elif env.local.nic.link() is None:
        _unbind(env)
        _bind(env)


def _check_method(env):
    """The reset must be one of the function itself to say anything about the device."""
    path = _bus("devices", env.pci, "reset_method")
    try:
        note(f"reset methods: {env.local.read(path)}")
    except CallError as error:
        raise Failure(f"{env.pci} cannot be reset: {error.text}") from None


@test("rebind/reset-between", guard=900.0, smoke=True)
@needs("rebind")
def reset_between(env):
    """unbind, reset, bind, five times."""
    _check_method(env)
    env.cleanup.callback(_ensure_bound, env)
    for _ in range(TIMES):
        _unbind(env)
        _expect_nothing_alive(env)
        _reset(env)
        _bind(env)
    traffic.both_ways(env)


@contextlib.contextmanager
def _method(env, name):
    """One way of resetting, for the block."""
    path = _bus("devices", env.pci, "reset_method")
    env.local.write(path, name)
    try:
        yield
    finally:
        env.local.write(path, "default")


def _methods(env):
    _check_method(env)
    return env.local.read(_bus("devices", env.pci, "reset_method")).split()


@test("rebind/reset-methods", guard=900.0)
@needs("rebind")
def reset_methods(env):
    """Every way of resetting that is offered does, and the driver finds a device in order."""
    env.cleanup.callback(_ensure_bound, env)
    methods = _methods(env)
    # what is kept over D3hot cannot be reset by it
    control = pci.read(env.pci, pci.capability(env.pci, pci.CAP_PM) + pci.PM_STATE)
    expect("pm" not in methods or not control & 8, f"{methods} are offered with NoSoftRst+")
    for name in methods:
        traffic.both_ways(env, 4, 1 << 20)
        with _method(env, name):
            _unbind(env)
            if env.lab and env.lab.has("counters"):
                sent = env.lab.counters()["tx_unicast_packets"]
                expect(sent > 0, "the device has sent nothing")
            _reset(env)
            if env.lab and env.lab.has("counters"):
                sent = env.lab.counters()["tx_unicast_packets"]
                expect(sent == 0, f"after a reset by {name} tx_unicast_packets is {sent}")
            _bind(env)
        traffic.both_ways(env, 4, 1 << 20)


@test("rebind/d3hot", guard=900.0)
@needs("rebind")
def d3hot(env):
    """The function sleeps between two drivers; frames find nobody, and it wakes up in order."""
    counts = env.lab and env.lab.has("counters")
    env.cleanup.callback(_ensure_bound, env)
    # a driver that goes takes its port down, and the peer then sends nothing; a reset brings the
    # port back up
    _unbind(env)
    _reset(env)
    pci.set_power_state(env.pci, pci.D3HOT)
    env.cleanup.callback(pci.set_power_state, env.pci, pci.D0)
    expect(pci.power_state(env.pci) == pci.D3HOT, "the function did not go to D3hot")
    before = env.lab.counters() if counts else {}

    def lost():
        expect_equal("echoes of a function that sleeps",
                     ping(env.remote, env.local.address(4), count=3, wait=1), 0)
        return not counts or env.lab.counters()["rx_asleep"] > before["rx_asleep"]

    wait_for("a frame is lost in D3hot", lost)
    if counts:
        expect_equal("frames that came to a function awake",
                     env.lab.counters()["rx_no_driver"] - before["rx_no_driver"], 0)
    pci.set_power_state(env.pci, pci.D0)
    _bind(env)
    traffic.both_ways(env)


@test("rebind/runtime-suspend", guard=900.0)
@needs("rebind")
def runtime_suspend(env):
    """The kernel suspends a function that no driver has, D3cold allowed or not; it comes back."""
    if pci.attribute(env.pci, "power/runtime_status") is None or \
            pci.attribute(env.pci, "d3cold_allowed") is None:
        raise Skip("this kernel has no runtime power management of PCI devices")
    env.cleanup.callback(_ensure_bound, env)
    allowed = pci.attribute(env.pci, "d3cold_allowed")
    env.cleanup.callback(env.local.write, _bus("devices", env.pci, "d3cold_allowed"), allowed)
    env.cleanup.callback(env.local.write, _bus("devices", env.pci, "power/control"), "on")
    for cold in ("0", "1"):
        env.local.write(_bus("devices", env.pci, "d3cold_allowed"), cold)
        _unbind(env)
        env.local.write(_bus("devices", env.pci, "power/control"), "auto")
        wait_for("the function is suspended", lambda: pci.attribute(
            env.pci, "power/runtime_status") == "suspended")
        _bind(env)
        env.local.write(_bus("devices", env.pci, "power/control"), "on")
        wait_for("the function is active", lambda: pci.attribute(
            env.pci, "power/runtime_status") == "active")
        traffic.both_ways(env, 4, 1 << 20)


@test("rebind/under-traffic", guard=900.0)
@needs("rebind")
def under_traffic(env):
    """The NIC goes away from under a busy connection; the peer's NIC is not disturbed."""
    env.cleanup.callback(_ensure_bound, env)
    traffic.send_without_end(env)
    _unbind(env)
    expect(env.remote.nic.link() is not None, "the peer's interface is gone too")
    for host in env.hosts:
        host.restart()
    _bind(env)
    traffic.both_ways(env)


def _reset_while_bound(env, before_unbind):
    """A reset under a bound driver, in every way that is offered: the machine lives on, and unbind
    and bind recover the NIC. before_unbind(): called between the two."""
    env.cleanup.callback(_ensure_bound, env)
    for name in _methods(env):
        with _method(env, name):
            _reset(env)
        if env.lab:
            expect(env.lab.client.info(), f"the lab does not answer after a reset by {name}")
        before_unbind()
        _unbind(env)
        _expect_nothing_alive(env)
        _bind(env)
        traffic.both_ways(env, 4, 1 << 20)


@test("rebind/reset-while-bound", guard=1100.0, allowed=RESET_ALLOWED)
@needs("rebind", "driver:mlx5_core", "local-tool:devlink")
def reset_while_bound(env):
    """The driver has noticed when it is unbound."""
    _reset_while_bound(env, lambda: wait_for("the driver has noticed the reset",
                                             lambda: fatal_errors(env)))


@test("rebind/unbind-after-reset", guard=1100.0, allowed=RESET_ALLOWED, full=True)
@needs("rebind", "driver:mlx5_core")
def unbind_after_reset(env):
    """The driver has not noticed: it waits a minute for its first command."""
    _reset_while_bound(env, lambda: None)
