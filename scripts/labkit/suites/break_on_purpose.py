# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `break`: checks that strict=on detects a broken device.

Responsible for: the selection of tests, and the QEMU whose device can be broken.
State: none.
"""

from .qtest import Qtest


class Break(Qtest):
    """Does strict=on see a device that is broken? Each check, with a device broken for it."""

    name = "break"
    about = "strict=on sees a device broken on purpose (another QEMU build)"
    default = False
    order = 630
    variant = {"breakable": True}
    part = "/break/"
