# SPDX-License-Identifier: GPL-2.0-or-later
"""When the device has the steering entry of a connection: the driver makes it in the background.

Responsible for: waiting until there is one more, told by the device or by the driver's own
tracepoint mlx5:mlx5_fs_set_fte, which comes when the device has answered.
State: none beyond a block.
Callers: rx.py; tests in which the first packet counts.
"""

import contextlib

from . import tracepoints
from .case import wait_for

EVENT = "mlx5_fs_set_fte"
MORE_EVENTS = (f"mlx5/{EVENT}",)


def missing(env, host):
    """Why nothing tells at an end when its device has an entry; or None."""
    if env.device(host) is not None:
        return None
    return tracepoints.missing(host, *MORE_EVENTS)


def entries(env, host, trace):
    """A function: how many entries the device at an end has had made. `trace` is one of that end's
    kernel with MORE_EVENTS, and is asked if the device cannot be."""
    device = env.device(host)
    if device is not None:
        return lambda: device.objects()["flow_entry"]
    # those of connections have the ports; two ends of one kernel are not told apart
    return lambda: sum("tcp_dport" in event.fields for event in trace.events(EVENT))


@contextlib.contextmanager
def new_entries(env, *hosts):
    """When the block ends each of the devices at these ends gets one more than it had."""
    with contextlib.ExitStack() as stack:
        counts, traces = [], {}
        for host in hosts:
            # the kernels that have to be traced
            kernel = env.local if env.remote_type == "netns" else host
            if env.device(host) is None and kernel not in traces:
                traces[kernel] = stack.enter_context(tracepoints.trace(kernel, *MORE_EVENTS))
            counts.append(entries(env, host, traces.get(kernel)))
        before = [count() for count in counts]
        yield
        # a trace that two ends share counts for both
        more = len(hosts) if traces and len(traces) < len(hosts) else 1
        for count, had in zip(counts, before, strict=True):
            wait_for("the steering entry", lambda count=count, had=had: count() >= had + more)
