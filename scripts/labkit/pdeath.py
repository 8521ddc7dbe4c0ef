# SPDX-License-Identifier: GPL-2.0-or-later
"""Run QEMU so that it cannot outlive the lab, whatever ends the lab.

Responsible for: the parent-death signal, a session of its own (Ctrl-C on the terminal only reaches
the lab) and default signal handling.
State: none; execs the command.
Usage: python3 -I pdeath.py PARENT_PID COMMAND ARGS…
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> int:
    """Set up, then exec. Returns only as an exit status."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    os.setsid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.stderr.write("prctl(PR_SET_PDEATHSIG): " + os.strerror(ctypes.get_errno()) + "\n")
        return 126
    if os.getppid() != parent:
        return 126          # the lab ended before the signal was requested
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
    return 126


if __name__ == "__main__":
    sys.exit(main())
