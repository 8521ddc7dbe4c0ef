# SPDX-License-Identifier: GPL-2.0-or-later
"""F-01 to F-44 where the test of a fault has another name, that of its scenario: the same tests by
the number of the fault. docs/faults.md has all numbers in a table.
"""

import dataclasses

from lib.case import REGISTRY

# The tests of a number, by their own names. They run under these only if asked for.
ELSEWHERE = {
    "F-01": ("T-06/tx-ooo-header", "T-06/tx-ooo-payload", "T-06/tx-ooo-tag", "T-07/tx-boundary"),
    "F-04": ("T-13/rx-duplicates", "T-13/rx-duplicates-while-searching"),
    "F-05": ("T-13/rx-inside-lost", "T-13/rx-inside-late"),
    "F-06": ("T-13/rx-header-lost", "T-13/rx-header-late", "T-13/rx-cut-header-lost"),
    "F-17": ("T-13/rx-late-answer", "T-21/rx-late-answer-behind-thirteen-headers"),
    "F-18": ("T-15/rx-answer-searching", "T-15/rx-answer-start", "T-15/rx-answer-offload",
             "T-15/rx-answer-authentication"),
    "F-19": ("T-13/rx-wrong-answer",),
    "F-21": ("T-15/rx-flag-at-loss",),
    "F-22": ("T-13/rx-false-candidate",),
    "F-23": ("T-13/rx-false-chain", "T-13/rx-false-candidate-that-joins",
             "T-13/rx-resync-repeat"),
    "F-24": ("T-13/rx-approval-ignored",),
    "F-25": ("T-13/rx-wrong-record-number",),
    "F-26": ("T-18/rx-damaged-record",),
    "F-27": ("T-18/rx-damaged-header",),
    "F-32": ("rebind/reset-while-bound",),
    "F-33": ("tls-changes/link", "T-33/tx-link"),
    "F-35": ("T-26/tx-from-below-2-64", "T-26/tx-past-the-last-record", "T-26/rx-record-numbers"),
    "F-36": ("T-35/rx-begins-with-unread-data",),
    "F-37": ("T-08/tx-skip-517", "T-09/tx-drop-acknowledged"),
    "F-38": ("T-11/rx-same-ports-again",),
    "F-39": ("tls-setup/software-1.3-aes-gcm-128", "tls-setup/software-1.3-aes-gcm-256"),
    "F-40": ("T-28/tx-types", "T-28/rx-control-records", "tls-records/receive-tiny"),
    "F-43": ("T-19/rx-storm", "T-19/rx-storm-1200"),
    "F-44": ("T-13/rx-congestion-and-keepalive",),
}


def _elsewhere():
    """Register each test of ELSEWHERE by its number too."""
    known = {case.name: case for case in REGISTRY}
    for number, names in ELSEWHERE.items():
        for name in names:
            REGISTRY.append(dataclasses.replace(known[name], smoke=False, full=True,
                                                name=f"{number}/{name.partition('/')[2]}"))


_elsewhere()
