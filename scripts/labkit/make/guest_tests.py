# SPDX-License-Identifier: GPL-2.0-or-later
"""guest-tests/ as an archive that is added to the guest's root file system.

Responsible for: where the tests are in the guest, and the page that one of them executes.
State: none; the caller owns the archive.
"""

import pathlib

from .. import paths
from . import cpio

AT = "/opt/guest-tests"
GUIDE = paths.GUEST_TESTS.parent / "docs" / "guide.md"


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the current tests into a file in `folder`."""
    path = folder / "guest-tests.cpio"
    cpio.write(path, trees=[(paths.GUEST_TESTS, AT)],
               files=[(f"{AT}/{GUIDE.name}", GUIDE.read_bytes(), 0o644)])
    return path
