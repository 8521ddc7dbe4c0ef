# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests are written with; see docs/tests.md."""
