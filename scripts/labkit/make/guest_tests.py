# SPDX-License-Identifier: GPL-2.0-or-later
"""guest-tests/ as an archive that a guest gets beside its root file system.

Responsible for: where the tests are in the guest.
State: none; the archive is the caller's.
"""

import pathlib

from .. import paths
from . import cpio

AT = "/opt/guest-tests"


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the tests as they are now into a file of `folder`."""
    path = folder / "guest-tests.cpio"
    cpio.write(path, trees=[(paths.GUEST_TESTS, AT)])
    return path
