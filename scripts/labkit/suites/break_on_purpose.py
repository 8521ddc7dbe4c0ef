# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `break`: does strict=on see a device that is broken?

Responsible for: the choice of the tests, and the QEMU whose device can be broken.
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
