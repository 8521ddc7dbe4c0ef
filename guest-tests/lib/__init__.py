# SPDX-License-Identifier: GPL-2.0-or-later
"""The library of the tests; see docs/tests.md."""
