# SPDX-License-Identifier: GPL-2.0-or-later
"""The TLS version of a run's sessions, and what follows from it for their records.

Responsible for: reading TLS_VERSION, and the sizes of what a record has beside its payload.
State: none; it is read when the tests are loaded, since lists of sizes follow from it.
Callers: tests, and what makes sessions for them.

A test whose name has a version is about that one, whatever the run's is.
"""

import os
import sys

from agent import ktls

VARIABLE = "TLS_VERSION"
DEFAULT = "1.2"


def _chosen():
    found = os.environ.get(VARIABLE) or DEFAULT
    if found not in ktls.VERSIONS:
        print(f"run.py: {VARIABLE}={found!r}: expected one of {', '.join(ktls.VERSIONS)}",
              file=sys.stderr)
        raise SystemExit(2)
    return found


TLS = _chosen()
HEADER, TAG = 5, 16
NONCE = 8 if TLS == "1.2" else 0        # 1.3 has none on the wire
OVERHEAD = ktls.OVERHEAD[TLS]           # 1.3 has the content type, encrypted, before the tag
