# SPDX-License-Identifier: GPL-2.0-or-later
"""The PCI function of a NIC: configuration space, capabilities, driver binding.

Responsible for: accesses by tests of resets, power and errors.
State: none.
Callers: tests/pci/. Only for devices of this machine.
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
    """Read a number from configuration space."""
    with open(DEVICES / address / "config", "rb", buffering=0) as file:
        file.seek(offset)
        data = file.read(size)
    expect(len(data) == size, f"{address}: configuration space ends before {offset:#x}")
    return int.from_bytes(data, "little")


def write(address, offset, value, size=2):
    """Write a number to configuration space."""
    with open(DEVICES / address / "config", "r+b", buffering=0) as file:
        file.seek(offset)
        file.write(value.to_bytes(size, "little"))


def capability(address, ident):
    """Return the offset of a capability; fails if there is none."""
    at = read(address, 0x34, 1)
    while at:
        if read(address, at, 1) == ident:
            return at
        at = read(address, at + 1, 1)
    expect(False, f"{address} has no capability {ident:#x}")
    return None


def extended(address, ident):
    """Return the offset of an extended capability; fails if there is none."""
    at = 0x100
    while at:
        header = read(address, at, 4)
        if header & 0xffff == ident:
            return at
        at = header >> 20
    expect(False, f"{address} has no extended capability {ident:#x}")
    return None


def port_of(address):
    """Return the PCI address of the bridge above the function."""
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
    """Return the directory of the function's hot-plug slot, or None."""
    for slot in SLOTS.glob("*"):
        if (slot / "address").read_text(encoding="ascii").strip() == address.rpartition(".")[0]:
            return slot
    return None


def power_state(address):
    """Return the power state reported by the function, 0 (D0) to 3 (D3hot)."""
    return read(address, capability(address, CAP_PM) + PM_STATE) & 3


def set_power_state(address, state):
    """Write the power state, bypassing the kernel; only for an unbound function."""
    write(address, capability(address, CAP_PM) + PM_STATE, state)


def attribute(address, name):
    """Return the text of an attribute, or None."""
    try:
        return (DEVICES / address / name).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None


def interface(port):
    """Return the network interface behind a port, or None. That of virtio is one level deeper."""
    found = sorted(path for way in ("net/*", "virtio*/net/*")
                   for path in (DEVICES / port).glob(f"0000:*/{way}"))
    return found[0].name if found else None
