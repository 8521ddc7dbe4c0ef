# SPDX-License-Identifier: GPL-2.0-or-later
"""A running machine: QEMU, the guest in it, and what the two ask of one another."""
