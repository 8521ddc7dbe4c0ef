# SPDX-License-Identifier: GPL-2.0-or-later
"""The suite `storm`: the qtest with everything concurrently, for some time, under sanitizers.

Responsible for: the selection of the test, its QEMU and its duration.
State: none.
"""

import os
import pathlib

from .qtest import Qtest
from .suite import Context


class Storm(Qtest):
    """The qtest with everything concurrently, for some time, under sanitizers."""

    name = "storm"
    about = "everything at once for a minute, on a QEMU with sanitizers (MLX5_STORM_SECONDS)"
    default = False
    order = 640
    variant = {"sanitize": True}
    part = "/storm/"

    def _programs(self, context: Context) -> tuple[dict[str, pathlib.Path], dict[str, str]]:
        programs, env = super()._programs(context)
        return programs, {"MLX5_STORM_SECONDS": os.environ.get("MLX5_STORM_SECONDS", "60"),
                          "UBSAN_OPTIONS": "halt_on_error=1", **env}
