# SPDX-License-Identifier: GPL-2.0-or-later
"""Senders that retransmit only if a test makes them.

Responsible for: sysctls and routes that prevent spurious retransmissions by TCP.
State: the settings of both ends, for the block.
Callers: rx.py; tests that predict every packet.
"""

import contextlib

RTO = "100s"                # the kernel's maximum is 120 s
AT_ONCE = 300               # segments that may be outstanding: a whole burst, before any is missed

# no tail loss probe, no loss timer, many late packets are not a loss
PATIENT = {"tcp_no_metrics_save": 1, "tcp_early_retrans": 0, "tcp_recovery": 0,
           "tcp_max_reordering": 300, "tcp_reordering": 300}
QUICK = {"tcp_no_metrics_save": 1, "tcp_early_retrans": 0, "tcp_recovery": 0, "tcp_reordering": 3}


@contextlib.contextmanager
def quiet_senders(env, patient=True):
    """Neither end retransmits on its own: no tail loss probe, no retransmission timeout for RTO;
    patient: nor are late packets taken for lost."""
    with contextlib.ExitStack() as stack:
        for host in env.hosts:
            values = dict(PATIENT if patient else QUICK)
            if patient and env.kernel >= (6, 17):
                values["tcp_sack"] = 0      # with SACK, the sysctl has no effect
            stack.enter_context(_sysctls(host, {f"/proc/sys/net/ipv4/{name}": str(value)
                                                for name, value in values.items()}))
            peer = env.other(host).address
            stack.enter_context(_slow_routes(host, [f"{peer(4)}/32", f"{peer(6)}/128"]))
        yield


@contextlib.contextmanager
def _sysctls(host, values):
    before = host.call("procs.read_many", paths=list(values))
    host.call("procs.write_many", texts=values)
    try:
        yield
    finally:
        host.call("procs.write_many", texts=before)


@contextlib.contextmanager
def _slow_routes(host, prefixes):
    """Routes whose connections have a long retransmission timeout and a large initial window: where
    the sender cannot be made patient (Linux 6.17 and later), it has sent everything by then."""
    # reordering learned by earlier connections overrides tcp_reordering
    host.run("ip", "-batch", "-", data="tcp_metrics flush all\n" + "".join(
        f"route replace {prefix} dev {host.nic.name} rto_min {RTO} initcwnd {AT_ONCE} "
        f"initrwnd {AT_ONCE}\n" for prefix in prefixes))
    try:
        yield
    finally:
        host.run("ip", "-force", "-batch", "-", check=False, data="".join(
            f"route del {prefix} dev {host.nic.name}\n" for prefix in prefixes))
