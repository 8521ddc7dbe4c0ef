# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors of PCI Express that the lab makes."""

from lib import pci, traffic
from lib.case import expect_equal, needs, test, wait_equal

CORRECTABLE = {"RCVR": "RxErr", "BAD_TLP": "BadTLP", "BAD_DLLP": "BadDLLP", "REP_ROLL": "Rollover",
               "REP_TIMER": "Timeout"}
TIMES = 3

REPORTED = (
    (r"AER:|PCIe Bus Error|device \[\w+:\w+\] error status|"
     r"^(mlx5_core|pcieport) [\w:.]+: +\[ ?\d+\]", "the error that the test makes"),
)


def _counts(env, kind):
    """{name: count} of aer_dev_correctable and its like."""
    rows = (line.rsplit(" ", 1) for line in pci.attribute(env.pci, f"aer_dev_{kind}").splitlines())
    return {name: int(count) for name, count in rows}


def _inject(env, error, *header):
    env.lab.client.call("nic.aer", nic=env.lab.ident, error=error, header=list(header))


@test("aer/taken-over", smoke=True)
@needs("lab", "driver:mlx5_core")
def taken_over(env):
    """The kernel listens for errors: enabled in the function, in the port above it."""
    for address in (env.pci, pci.port_of(env.pci)):
        control = pci.read(address, pci.capability(address, pci.CAP_EXPRESS) + pci.DEVICE_CONTROL)
        expect_equal(f"error enables of {address}", control & 0xf, 0xf)
    port = pci.port_of(env.pci)
    command = pci.read(port, pci.extended(port, pci.EXT_AER) + pci.ROOT_COMMAND)
    expect_equal(f"Root Error Command of {port}", command & 7, 7)


@test("aer/correctable", allowed=REPORTED, smoke=True)
@needs("aer", "driver:mlx5_core")
def correctable(env):
    """Counted one by one, each under its name, and traffic goes on."""
    before = _counts(env, "correctable")
    with traffic.running(env) as state:
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
