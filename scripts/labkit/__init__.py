# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of scripts/lab. Python 3.11 standard library only; QEMU's own Python
modules are imported from the QEMU tree, and only when a machine is started."""
