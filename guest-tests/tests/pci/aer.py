# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of PCI Express that the lab makes: counted, recovered from by the driver, or by a reset of
the link; and the interface works afterwards."""

import contextlib

from lib import dmesg, pci, traffic
from lib.case import Skip, expect, expect_equal, needs, test, wait_equal, wait_for

CORRECTABLE = {"RCVR": "RxErr", "BAD_TLP": "BadTLP", "BAD_DLLP": "BadDLLP", "REP_ROLL": "Rollover",
               "REP_TIMER": "Timeout"}
TIMES = 3
RECOVERED = "device recovery successful"
NOT_RECOVERED = "device recovery failed"

REPORTED = (
    (r"AER:|PCIe Bus Error|device \[\w+:\w+\] error status|"
     r"^(mlx5_core|pcieport) [\w:.]+: +\[ ?\d+\]", "the error that the test makes"),
)
# What the driver says when it takes itself off a device that it cannot reach.
UNREACHABLE = REPORTED + (
    (r"mlx5_core .*mlx5_error_sw_reset", "it begins and ends the recovery"),
    (r"mlx5_core .*(mlx5_cmd_out_err|cmd_work_handler|wait_func)", "a command under way fails"),
    (r"mlx5_core .*(mlx5e_close_rq|mlx5e_disable_sq|mlx5e_destroy|mlx5_destroy|"
     r"mlx5_core_destroy|mlx5_vport)", "an object of the lost device cannot be destroyed"),
)


def _counts(env, kind):
    """{name: count} of aer_dev_correctable and its like."""
    rows = (line.rsplit(" ", 1) for line in pci.attribute(env.pci, f"aer_dev_{kind}").splitlines())
    return {name: int(count) for name, count in rows}


def _inject(env, error, *header):
    env.lab.client.call("nic.aer", nic=env.lab.ident, error=error, header=list(header))


@contextlib.contextmanager
def _recovery(env):
    """The kernel says in the block that it has recovered; then both ends are in order."""
    log = dmesg.Kmsg()
    texts = []

    def look():
        texts.extend(text for _, text in log.lines())
        expect(not any(NOT_RECOVERED in text for text in texts), "the kernel did not recover")
        return any(RECOVERED in text for text in texts)

    with contextlib.closing(log):
        yield texts
        wait_for("the kernel says that it has recovered", look, 300)
    env.set_up_network()
    env.settle()


def _works(env):
    """All that the interface is for: both protocols, jumbo frames, TLS by the devices."""
    for family in (4, 6):
        traffic.both_ways(env, family)
    with traffic.both_mtu(env, 9000):
        traffic.both_ways(env)
    if not env.local.nic.can("tls-hw-tx-offload"):
        return
    with traffic.session_both_ways(env, 1 << 20):
        pass


@test("aer/taken-over", smoke=True)
@needs("driver:mlx5_core")
def taken_over(env):
    """The kernel listens for errors: enabled in the function, and in the root port above it. (On
    other machines the firmware may have kept them for itself.)"""
    root = pci.root_of(env.pci)
    if not env.lab and not pci.has_service(root, "aer"):
        raise Skip(f"the kernel has no AER service at {root or env.pci}: PCI Express errors are "
                   "the firmware's here, or nobody's")
    for address in (env.pci, root):
        control = pci.read(address, pci.capability(address, pci.CAP_EXPRESS) + pci.DEVICE_CONTROL)
        expect_equal(f"error enables of {address}", control & 0xf, 0xf)
    command = pci.read(root, pci.extended(root, pci.EXT_AER) + pci.ROOT_COMMAND)
    expect_equal(f"Root Error Command of {root}", command & 7, 7)


@test("aer/correctable", allowed=REPORTED, smoke=True)
@needs("aer", "driver:mlx5_core")
def correctable(env):
    """Counted one by one, each under its name, and traffic goes on."""
    before = _counts(env, "correctable")
    with traffic.background(env) as state:
        for error, name in CORRECTABLE.items():
            for made in range(1, TIMES + 1):
                _inject(env, error)
                wait_equal(f"{name} counted", lambda seen=name: _counts(env, "correctable")[seen],
                           before[name] + made)
        state.progress()
    moved = {name: count - before[name] for name, count in _counts(env, "correctable").items()
             if count != before[name]}
    expect_equal("counters that moved", moved,
                 {name: TIMES for name in CORRECTABLE.values()} |
                 {"TOTAL_ERR_COR": TIMES * len(CORRECTABLE)})


HEADER_LOG, CAPABILITY = 0x1c, 0x18         # in AER
FIRST_ERROR = 0x1f                          # in the latter
UNCORRECTABLE = 0x04
NON_FATAL_ENABLE = 2                        # in Device Control
# {QEMU's name: its bit in the status}
WITH_HEADER = {"COMP_ABORT": 15, "UNX_COMP": 16, "POISON_TLP": 12}


@contextlib.contextmanager
def _unreported(address):
    """Uncorrectable errors of the function are logged in it and reported to nobody."""
    control = pci.capability(address, pci.CAP_EXPRESS) + pci.DEVICE_CONTROL
    before = pci.read(address, control)
    pci.write(address, control, before & ~NON_FATAL_ENABLE)
    try:
        yield
    finally:
        pci.write(address, control, before)


@test("aer/header", smoke=True)
@needs("aer", "driver:mlx5_core")
def header(env):
    """An error of which nobody is told is logged all the same: its number, and the header of the
    packet in error; its status stays until it is cleared."""
    aer = pci.extended(env.pci, pci.EXT_AER)

    def status():
        return pci.read(env.pci, aer + UNCORRECTABLE, 4)

    expect_equal("uncorrectable status at the beginning", status(), 0)
    with _unreported(env.pci), traffic.background(env) as state:
        for number, (error, bit) in enumerate(WITH_HEADER.items()):
            words = [0x4a000000 + bit, 0x01000004, 0x1234 << number, 0xdeadbeef]
            _inject(env, error, *words)
            # the bytes in the order in which QEMU keeps those of a word
            logged = [pci.read(env.pci, aer + HEADER_LOG + at, 4).to_bytes(4, "little")
                      for at in range(0, 16, 4)]
            expect_equal(f"header log after {error}",
                         [int.from_bytes(word, "big") for word in logged], words)
            expect_equal("number of the first error",
                         pci.read(env.pci, aer + CAPABILITY, 4) & FIRST_ERROR, bit)
            expect_equal("uncorrectable status", status(), 1 << bit)
            pci.write(env.pci, aer + UNCORRECTABLE, 1 << bit, 4)
            expect_equal("uncorrectable status after it was cleared", status(), 0)
        state.progress()


@test("aer/non-fatal", allowed=UNREACHABLE, guard=900.0)
@needs("aer", "driver:mlx5_core")
def non_fatal(env):
    """The driver starts over, a connection goes on over that, and everything works."""
    before = _counts(env, "nonfatal")
    with traffic.background(env) as state:
        with _recovery(env):
            _inject(env, "COMP_TIME", 0x4a000001, 0x01000004, 0x1234, 0xdeadbeef)
        state.progress()
    expect_equal("CmpltTO counted", _counts(env, "nonfatal")["CmpltTO"] - before["CmpltTO"], 1)
    _works(env)


@test("aer/fatal", allowed=UNREACHABLE, guard=900.0)
@needs("aer", "driver:mlx5_core")
def fatal(env):
    """The port resets the link, the driver starts over, a connection goes on, everything works."""
    def seen():
        # not of the function: up to 6.15 kernels ask nothing of one whose link may be gone
        return int(pci.attribute(pci.port_of(env.pci), "aer_rootport_total_err_fatal"))

    before = seen()
    with traffic.background(env) as state:
        with _recovery(env) as texts:
            _inject(env, "DLP")
        expect(any("link has been reset (0)" in text for text in texts),
               "no word of a reset of the link in the kernel's log")
        state.progress()
    expect_equal("fatal errors at the port", seen() - before, 1)
    _works(env)
