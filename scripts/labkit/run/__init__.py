# SPDX-License-Identifier: GPL-2.0-or-later
"""A running machine: QEMU, the guest in it, and requests between the guest and the lab."""
