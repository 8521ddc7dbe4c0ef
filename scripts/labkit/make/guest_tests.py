# SPDX-License-Identifier: GPL-2.0-or-later
"""guest-tests/ as an archive that is added to the guest's root file system.

Responsible for: where the tests are in the guest.
State: none; the caller owns the archive.
"""

import pathlib

from .. import paths
from . import cpio

AT = "/opt/guest-tests"


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the current tests into a file in `folder`."""
    path = folder / "guest-tests.cpio"
    cpio.write(path, trees=[(paths.GUEST_TESTS, AT)])
    return path
