# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the lab itself: the suite `lab` of `lab test` (scripts/labkit/suites/lab.py)."""
