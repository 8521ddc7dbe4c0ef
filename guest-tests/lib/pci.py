# SPDX-License-Identifier: GPL-2.0-or-later
"""The PCI function of a NIC: configuration space, capabilities, bound or not.

Responsible for: what tests of resets, power and errors read and write there.
State: none.
Callers: tests/pci/. This machine's devices only.
"""

import pathlib
import re

from .case import expect

DEVICES = pathlib.Path("/sys/bus/pci/devices")
SLOTS = pathlib.Path("/sys/bus/pci/slots")
SERVICES = pathlib.Path("/sys/bus/pci_express")
ADDRESS = r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"

CAP_PM, CAP_EXPRESS = 0x01, 0x10
PM_STATE = 4                        # PMCSR, in the capability
DEVICE_CONTROL = 8                  # in the PCI Express capability
EXT_AER = 0x0001
ROOT_COMMAND = 0x2c                 # in AER
D0, D3HOT = 0, 3


def read(address, offset, size=2):
    """A number out of configuration space."""
    with open(DEVICES / address / "config", "rb", buffering=0) as file:
        file.seek(offset)
        data = file.read(size)
    expect(len(data) == size, f"{address}: configuration space ends before {offset:#x}")
    return int.from_bytes(data, "little")


def write(address, offset, value, size=2):
    """A number into configuration space."""
    with open(DEVICES / address / "config", "r+b", buffering=0) as file:
        file.seek(offset)
        file.write(value.to_bytes(size, "little"))


def capability(address, ident):
    """Offset of a capability; a failure when there is none."""
    at = read(address, 0x34, 1)
    while at:
        if read(address, at, 1) == ident:
            return at
        at = read(address, at + 1, 1)
    expect(False, f"{address} has no capability {ident:#x}")
    return None


def extended(address, ident):
    """Offset of an extended capability; a failure when there is none."""
    at = 0x100
    while at:
        header = read(address, at, 4)
        if header & 0xffff == ident:
            return at
        at = header >> 20
    expect(False, f"{address} has no extended capability {ident:#x}")
    return None


def port_of(address):
    """PCI address of the bridge that the function is behind."""
    return (DEVICES / address).resolve().parent.name


def root_of(address):
    """PCI address of the root port that the function is behind, itself if it is behind none."""
    above = (DEVICES / address).resolve()
    while re.fullmatch(ADDRESS, above.parent.name):
        above = above.parent
    return above.name


def has_service(port, name):
    """Does a driver of PCI Express services ("aer") have the port?"""
    bound = SERVICES / "drivers" / name
    return bound.is_dir() and any(entry.name.startswith(f"{port}:") for entry in bound.iterdir())


def slot_of(address):
    """Directory of the hot-plug slot that the function is in, None without one."""
    for slot in SLOTS.glob("*"):
        if (slot / "address").read_text(encoding="ascii").strip() == address.rpartition(".")[0]:
            return slot
    return None


def power_state(address):
    """0 for D0 to 3 for D3hot, as the function says itself."""
    return read(address, capability(address, CAP_PM) + PM_STATE) & 3


def set_power_state(address, state):
    """Write it, past the kernel: of a function that no driver has."""
    write(address, capability(address, CAP_PM) + PM_STATE, state)


def attribute(address, name):
    """Text of an attribute; None without it."""
    try:
        return (DEVICES / address / name).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def interface(port):
    """The network interface behind a port, None without one."""
    found = sorted((DEVICES / port).glob("0000:*/net/*"))
    return found[0].name if found else None
