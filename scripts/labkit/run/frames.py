# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's framing: loads the guest's own frames.py.

Responsible for: sharing a single definition of the protocol.
State: none.
"""

import importlib.util
import sys
import types

from .. import paths

_PATH = paths.GUEST / "rootfs/usr/local/lib/lab/frames.py"


def _load() -> types.ModuleType:
    spec = importlib.util.spec_from_file_location("labkit._guest_frames", _PATH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


guest = _load()
