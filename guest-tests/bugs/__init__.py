# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs of the driver, or of the kernel's TLS, each brought about by a module of this package.

Responsible for: what such a module may say, and what several of them do.
State: none.
Callers: bug.py, which runs the function run(env) of one module; the modules.

A module brings the situation about and looks whether it has come about: it ends by itself only if
it has. What the kernel then does is seen in one of three ways:

  it dies         the lab knows the bug by what must be in the oops (bugs.toml)
  Shown           the module itself has seen it: a call that never ends, bytes that never come
  run() returns   the situation was there, and nothing was wrong

Anything else that is raised means that the situation was not there, so nothing is known.
"""

import sys

from lib.case import wait_for

NEEDS = ("wire", "fault", "tls-tx", "tls-rx", "driver:mlx5_core")


class Shown(Exception):
    """The bug has shown; the text says how."""


def say(text):
    """A step that was done. When the guest dies, the last one tells where."""
    print(f"# {text}", file=sys.stderr, flush=True)


def arrives(connection, sender, way, size, tries=4):
    """Send; do the bytes arrive? No, when TCP has sent them so often that a network that only loses
    some would have got one through. The connection is aborted then."""
    before = connection.info(sender)
    finish = way.begin(size)

    def outcome():
        now = connection.info(sender)
        if now["bytes_acked"] - before["bytes_acked"] >= size:
            return "arrived"
        if now["total_retrans"] - before["total_retrans"] >= tries \
                and now["bytes_acked"] == before["bytes_acked"]:
            return "stalled"
        return None

    if wait_for("bytes that arrive, or are sent in vain", outcome, 120) == "stalled":
        connection.close(abort=True)
        return False
    finish()
    return True
