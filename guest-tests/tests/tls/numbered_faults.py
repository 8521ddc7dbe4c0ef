# SPDX-License-Identifier: GPL-2.0-or-later
"""F-01 to F-44 where device_faults.py has no test of the number: faults whose tests are found under
another name as well, and those that leave the driver without something until it is bound anew.

docs/faults.md has all numbers in a table.
"""

import contextlib
import dataclasses
import errno

from lib import fault, rx
from lib.case import REGISTRY, expect, expect_equal, needs, test, wait_equal, wait_for
from lib.driver import bind, fatal_errors, rebind
from lib.hosts import CallError
from lib.rx import Flags
from lib.rx_layout import whole_segments
from lib.tls import Connection, Offload

from tests.pci.rebind import RESET_ALLOWED
from tests.tls.device_faults import (COMMAND_FAILED, NEEDS, RULE_FAILED, SIZE, objects,
                                       offloaded)
from tests.tls.tx_pool import SYNC, group

# The tests of a number, by their own names. They run under these only if asked for.
ELSEWHERE = {
    "F-01": ("T-06/tx-ooo-header", "T-06/tx-ooo-payload", "T-06/tx-ooo-tag", "T-07/tx-boundary"),
    "F-04": ("T-13/rx-duplicates", "T-13/rx-duplicates-while-searching"),
    "F-05": ("T-13/rx-inside-lost", "T-13/rx-inside-late"),
    "F-06": ("T-13/rx-header-lost", "T-13/rx-header-late", "T-13/rx-cut-header-lost"),
    "F-17": ("T-13/rx-late-answer", "T-21/rx-late-answer-behind-thirteen-headers"),
    "F-18": ("T-15/rx-answer-searching", "T-15/rx-answer-start", "T-15/rx-answer-offload",
             "T-15/rx-answer-authentication"),
    "F-19": ("T-13/rx-wrong-answer",),
    "F-21": ("T-15/rx-flag-at-loss",),
    "F-22": ("T-13/rx-false-candidate",),
    "F-23": ("T-13/rx-false-chain", "T-13/rx-false-candidate-that-joins",
             "T-13/rx-resync-repeat"),
    "F-24": ("T-13/rx-approval-ignored",),
    "F-25": ("T-13/rx-wrong-record-number",),
    "F-26": ("T-18/rx-damaged-record",),
    "F-27": ("T-18/rx-damaged-header",),
    "F-32": ("rebind/reset-while-bound",),
    "F-33": ("tls-changes/link", "T-33/tx-link"),
    "F-35": ("T-26/tx-from-below-2-64", "T-26/tx-past-the-last-record", "T-26/rx-record-numbers"),
    "F-36": ("T-35/rx-begins-with-unread-data",),
    "F-37": ("T-08/tx-skip-517", "T-09/tx-drop-acknowledged"),
    "F-38": ("T-11/rx-same-ports-again",),
    "F-39": ("tls-setup/software-1.3-aes-gcm-128", "tls-setup/software-1.3-aes-gcm-256"),
    "F-40": ("T-28/tx-types", "T-28/rx-control-records", "tls-records/receive-tiny"),
    "F-43": ("T-19/rx-storm", "T-19/rx-storm-1200"),
    "F-44": ("T-13/rx-congestion-and-keepalive",),
}

CONTROL_QUEUE_DEAD = (
    (r"WARNING: .*\bmlx5e_poll_ico_cq\b", "the completion with an error, which the test makes"),
    (r"Call Trace:", "of that warning; any other warning has a line of its own"),
    (r"Bad OP in ICOSQ CQE|Error cqe on cqn|async_icosq recovery is not implemented",
     "the queue that the test lets fail; Linux does not recover it"),
)
SYNC_FAILED = (r"Failed to exec sync crypto|crypto dek init failed", "what the test lets fail")


def _elsewhere():
    """Register each test of ELSEWHERE by its number too."""
    known = {case.name: case for case in REGISTRY}
    for number, names in ELSEWHERE.items():
        for name in names:
            REGISTRY.append(dataclasses.replace(known[name], smoke=False, full=True,
                                                name=f"{number}/{name.partition('/')[2]}"))


_elsewhere()


# keys

@test("F-11/sync-at-probe", full=True, allowed=(COMMAND_FAILED, SYNC_FAILED))
@needs(*NEEDS, "rebind", "kernel:>=6.3")
def sync_at_probe(env):
    """SYNC_CRYPTO fails when the driver first tries it: it makes a key for each connection and
    direction, as older drivers do, and both are offloaded."""
    env.cleanup.callback(rebind, env)
    with fault.faults(env, env.local, "fail cmd=SYNC_CRYPTO status=0x4") as made:
        rebind(env)
        expect(made.hits() >= 1, "SYNC_CRYPTO was not tried")
    with Offload(env, env.local, tx=True, rx=True) as offload, Offload(env, env.remote):
        before = env.lab.objects()["dek"]
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls()
            offload.check_configuration(connection)
            expect_equal("keys in the device", env.lab.objects()["dek"] - before, 2)
            connection.up.move(SIZE)
            connection.down.move(SIZE)
        offload.check_no_error()
        wait_equal("keys in the device", lambda: env.lab.objects()["dek"], before)


@test("F-11/sync-later", full=True, allowed=(COMMAND_FAILED, SYNC_FAILED))
@needs(*NEEDS, "rebind", "kernel:>=6.3")
def sync_later(env):
    """SYNC_CRYPTO fails when keys are to be used again: other keys are used, and when it works
    again the next one is made good for."""
    rebind(env)
    with group(env, SYNC + 2) as (open_some, close_some, offload):
        with fault.faults(env, env.local, "fail cmd=SYNC_CRYPTO status=0x4") as made:
            open_some(SYNC + 1)
            close_some()
            made.wait_hits(1)
            open_some(1)
            offload.check_opened(SYNC + 2, rx=False)
            before = env.lab.counters()
            expect_equal("tls_dek_stale", before["tls_dek_stale"], 0)
        close_some()
        wait_equal("SYNC_CRYPTO", lambda: env.lab.counters()["tls_sync_crypto"],
                   before["tls_sync_crypto"] + 1)
        open_some(1)
        offload.check_opened(SYNC + 3, rx=False)
        expect_equal("tls_dek_stale", env.lab.counters()["tls_dek_stale"], 0)


# questions without an answer

@test("F-16/rx-answer-error", full=True, allowed=CONTROL_QUEUE_DEAD)
@needs(*rx.NEEDS, "fault", "rebind")
def answer_error(env):
    """GET_PSV ends with an error, and so does its queue, for good: software decrypts from there on,
    no question is answered, and closing works. A driver that is bound anew is as good as ever."""
    with env.local.nic.with_one_channel(), rx.session(env) as session:
        env.cleanup.callback(rebind, env)
        with fault.faults(env, env.local, "error wqe=GET_PSV count=1"):
            sent = session.send_with_loss(whole_segments(4, 4), 4, answers=0)
        sent.repair()
        for _ in range(5):
            session.expect_flags("records behind an error", whole_segments(4, 4), Flags(plain=16))
        expect_equal("rx_tls_resync_req_start, _end, _res_ok, TlsDecryptError",
                     [session.driver(name) for name in (
                         "rx_tls_resync_req_start", "rx_tls_resync_req_end",
                         "rx_tls_resync_res_ok", "TlsDecryptError")], [1, 0, 0, 0])
    rebind(env)
    with Offload(env, env.local, tx=True, rx=True) as offload:
        offloaded(env, offload)


@test("F-20/rx-never-answered", full=True)
@needs(*rx.NEEDS, "fault")
def never_answered(env):
    """GET_PSV is not answered while 200 records come: software decrypts them, nothing hangs. (An
    answer after close() is a bug of the driver: lab bug get-psv-over-close.)"""
    with rx.session(env) as session:
        with fault.faults(env, env.local, "hold wqe=GET_PSV name=psv count=1") as held:
            sent = session.send_with_loss(whole_segments(4, 4), 4, answers=0)
            held.wait_waiting(1)
            sent.repair()
            session.transfer(whole_segments(1, 200))
            session.check(Flags(plain=11 + 200, decrypted=4, resync=1),
                          counters={"rx_tls_resync_req_start": 1})
            held.release("psv")
        session.wait_answers()


# the device goes away

@test("F-32/reset-under-sessions", full=True, guard=1100.0, allowed=RESET_ALLOWED)
@needs(*NEEDS, "rebind", "local-tool:devlink")
def reset_under_sessions(env):
    """The function is reset under sessions with both directions offloaded. The driver notices, is
    unbound and bound; the sessions are closed, and new ones are offloaded."""
    before = fatal_errors(env)
    env.cleanup.callback(bind, env)
    with contextlib.ExitStack() as stack:
        offload = stack.enter_context(Offload(env, env.local, tx=True, rx=True))
        made = []
        for index in range(4):
            made.append(Connection(env.local, env.remote, seed=f"{env.seed}/{index}"))
            made[-1].enable_tls()
            made[-1].up.move(5000)
            made[-1].down.move(5000)
        offload.check_opened(4)
        env.local.write(f"/sys/bus/pci/devices/{env.pci}/reset", "1")
        wait_for("the driver has noticed the reset", lambda: fatal_errors(env) > before, 300)
        env.local.write(f"/sys/bus/pci/drivers/{env.pci_driver}/unbind", env.pci)
        for connection in made:
            connection.close(abort=True)
        bind(env)
    with Offload(env, env.local, tx=True, rx=True) as offload:
        offloaded(env, offload)


# the kernel's own

@test("F-39/keys-again", full=True)
@needs("tls-tx", "tls-rx", "tls:1.2")
def keys_again(env):
    """A socket of TLS 1.2 that has its key gets another one: EBUSY, and it goes on with the
    first."""
    with Offload(env, env.local, tx=True, rx=True) as offload, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        keys = connection.enable_tls()
        for direction, way in (("tx", "up"), ("rx", "down")):
            try:
                env.local.call("tcp.tls_add", number=connection.client_socket,
                               direction=direction, keys=keys[way])
                found = "none"
            except CallError as error:
                found = errno.errorcode.get(error.errno, error.text)
            expect_equal(f"error of a second key for {direction}", found, "EBUSY")
        offload.check_configuration(connection)
        connection.up.move(SIZE)
        connection.down.move(SIZE)
        offload.check_no_error()


# steering entries that stay

@test("F-42/rx-entry-late", full=True)
@needs(*NEEDS)
def entry_late(env):
    """The steering entry of a connection is removed two seconds late: closing waits for that, then
    nothing is left."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        before = objects(env)
        with fault.faults(env, env.local,
                          "delay cmd=DELETE_FLOW_TABLE_ENTRY ms=2000 at=execution") as made:
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(up=False)
                offload.warm_up(connection.down)
            made.wait_hits(1)
            offload.check_closed(tx=False)
            for kind, count in before.items():
                wait_equal(f"{kind} in the device", lambda of=kind: objects(env)[of], count)
        offloaded(env, offload)


@test("F-42/rx-entry-kept", full=True, allowed=(COMMAND_FAILED, RULE_FAILED, (
    r"mlx5_core .*(del_sw|mlx5_cmd_|destroy|tir|rqt)", "what the entry leads to cannot go")))
@needs(*NEEDS, "rebind")
def entry_kept(env):
    """The steering entry is not removed, although the device says so: it refuses to destroy the TIR
    that the entry leads to, and to put another entry in its place. Closing works; the next
    connection is said to be offloaded, and software decrypts. All is well when the driver is bound
    anew."""
    env.cleanup.callback(rebind, env)
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        offloaded(env, offload)         # what the driver makes once is there
        before = objects(env)
        with fault.faults(env, env.local, "swallow cmd=DELETE_FLOW_TABLE_ENTRY count=1"):
            offload.watch.restart()
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(up=False)
                offload.warm_up(connection.down)
            offload.check_closed(tx=False)
        expect_equal("objects more in the device",
                     {kind: count - before[kind] for kind, count in objects(env).items()},
                     {"tir": 1, "flow_entry": 1})
        offload.watch.restart()
        offloaded(env, offload)
        expect_equal("rx_tls_decrypted_packets",
                     offload.watch.nic()["rx_tls_decrypted_packets"], 0)
    rebind(env)
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote), \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(up=False)
        offload.warm_up(connection.down)
