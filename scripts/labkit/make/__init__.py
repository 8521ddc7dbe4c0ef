# SPDX-License-Identifier: GPL-2.0-or-later
"""Getting and building: what the lab needs of this host, of Debian's archive, and of compilers."""
