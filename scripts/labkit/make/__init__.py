# SPDX-License-Identifier: GPL-2.0-or-later
"""Fetching and building: everything needed from the host, Debian's archive, and compilers."""
