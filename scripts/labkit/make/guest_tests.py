# SPDX-License-Identifier: GPL-2.0-or-later
"""guest-tests/ as an archive that is added to the guest's root file system.

Responsible for: where the tests are in the guest, and the page that one of them executes.
State: none; the caller owns the archive.
"""

import pathlib

from .. import paths
from . import cpio

AT = "/opt/guest-tests"
GUIDE = paths.REPO / "docs" / "guide.md"


def archive(folder: pathlib.Path) -> pathlib.Path:
    """Pack the current tests into a file in `folder`."""
    path = folder / "guest-tests.cpio"
    cpio.write(path, trees=[(paths.GUEST_TESTS, AT)],
               files=[(f"{AT}/{GUIDE.name}", GUIDE.read_bytes(), 0o644)])
    return path


def checkout(at: str) -> tuple[list[tuple[pathlib.Path, str]], list[tuple[str, bytes, int]]]:
    """Return the trees and files for cpio.write() of a checkout at `at` in a guest, from which a
    lab of its own can run the tests."""
    return ([(paths.SCRIPTS, f"{at}/scripts"), (paths.GUEST_TESTS, f"{at}/guest-tests")],
            [(f"{at}/{GUIDE.relative_to(paths.REPO)}", GUIDE.read_bytes(), 0o644)])
