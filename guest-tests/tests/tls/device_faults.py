# SPDX-License-Identifier: GPL-2.0-or-later
"""F-02, F-03, F-07 to F-10, F-12, F-13, F-31: what the driver makes of a device that fails.

Each fault is made by a rule in the device (docs/faults.md). What must hold, F-08 apart: data
arrives as it was sent or not at all, nothing is left behind, and when the fault is over the next
connection is offloaded again.
"""

import contextlib

from lib import fault, traffic, txpath
from lib.case import (Failure, add, expect, expect_equal, fail, needs, test, wait_equal,
                      wait_for)
from lib.counters import Watch
from lib.driver import rebind
from lib.tls import Connection, Offload

NEEDS = ("fault", "tls-tx", "tls-rx", "driver:mlx5_core")
SIZE = 1 << 20
KINDS = ("tir", "flow_entry")       # of objects that live and die with a connection

COMMAND_FAILED = (r"mlx5_cmd_out_err:.*failed, status", "the command that the test lets fail")
RULE_FAILED = (r"mlx5_add_flow_rules\(\) failed", "the steering entry that the test lets fail")
QUEUE_FAILED = (r"Error cqe on cqn|ERR CQE on SQ: 0x",
                "the queue that the test lets fail, and its recovery")


@test("fault/rules", smoke=True)
@needs("fault", "remote-fault")
def rules(env):
    """Rules come and go; one that cannot be read says why and changes nothing; each end has its
    own."""
    for host in env.hosts:
        with fault.faults(env, host, "log cmd=QUERY_VPORT_COUNTER", "hold wqe=GET_PSV name=x",
                          must_hit=False) as made:
            before = [entry["rule"] for entry in made.list()]
            expect_equal("rules", before, ["log cmd=QUERY_VPORT_COUNTER",
                                           "hold wqe=GET_PSV name=x"])
            for text, words in (("drop wqe=SEND", "expected an action ("),
                                ("log wqe=SENT", "got 'wqe=SENT'"),
                                ("log cmd=any nth=0x", "got 'nth=0x'")):
                try:
                    made.add("log cmd=any", text)
                except Exception as error:      # pylint: disable=broad-exception-caught
                    expect(words in str(error), f"rule {text!r} is refused with {error}")
                else:
                    fail(f"rule {text!r} is taken")
            expect_equal("rules", [entry["rule"] for entry in made.list()], before)
            # the driver reads its counters for ethtool
            Watch(host)
            made.wait_hits(1)
            expect_equal("released", made.release(), 0)
            expect_equal("rules of the other end",
                         fault.Faults(env, env.other(host)).list(), [])
        expect_equal("rules", fault.Faults(env, host).list(), [])


# ---- nothing to be had


def objects(env):
    """How many objects of those KINDS are in the device."""
    return {kind: env.lab.objects()[kind] for kind in KINDS}


def offloaded(env, offload):
    """A connection like any other."""
    with Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls()
        offload.check_configuration(connection)
        connection.up.move(SIZE)
        connection.down.move(SIZE)
    offload.check_no_error()


def _refused(rule, tx, rx, fresh=False, spoilt=False):
    """The driver cannot make a context: the connection is one of software, and the next is not.

    fresh: the driver must have nothing in store. spoilt: what it has in store afterwards is of no
    use, see F-08.
    """
    def run(env):
        with contextlib.ExitStack() as stack:
            if fresh:
                rebind(env)
            offload = stack.enter_context(Offload(env, env.local, tx=tx, rx=rx))
            stack.enter_context(Offload(env, env.remote))
            before = objects(env)
            with fault.faults(env, env.local, rule) as made, \
                    Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls()
                expect(made.hits() >= 1, f"the device was not asked for what {rule!r} refuses")
                expect_equal("the connection", connection.configuration(env.local),
                             {"tx": "sw", "rx": "sw"})
                connection.up.move(SIZE)
                connection.down.move(SIZE)
                stat, nic = offload.watch.protocols(), offload.watch.nic()
                expect_equal("TlsTxSw, TlsRxSw, TlsTxDevice, TlsRxDevice, TlsDecryptError",
                             [stat[name] for name in ("TlsTxSw", "TlsRxSw", "TlsTxDevice",
                                                      "TlsRxDevice", "TlsDecryptError")],
                             [1, 1, 0, 0, 0])
                expect_equal("tx_tls_ctx, rx_tls_ctx", [nic["tx_tls_ctx"], nic["rx_tls_ctx"]],
                             [0, 0])
            expect_equal("objects in the device", objects(env), before)
            if spoilt:
                rebind(env)
                offload.watch.restart()
            offloaded(env, offload)
            for kind, count in before.items():
                wait_equal(f"{kind} in the device", lambda of=kind: objects(env)[of], count)
    run.__doc__ = _refused.__doc__.partition("\n\n")[0]
    return run


add("F-07/tx-no-tis", _refused("fail cmd=CREATE_TIS status=0x8 syndrome=0x1234", True, False,
                               fresh=True, spoilt=True),
    needs=(*NEEDS, "rebind"), allowed=(COMMAND_FAILED,), guard=600.0)
add("F-09/tx-no-key", _refused("fail cmd=CREATE_GENERAL_OBJECT status=0x8", True, False,
                               fresh=True),
    needs=(*NEEDS, "rebind"), allowed=(COMMAND_FAILED,), guard=600.0)
add("F-09/rx-no-key", _refused("fail cmd=CREATE_GENERAL_OBJECT status=0x8", False, True,
                               fresh=True),
    needs=(*NEEDS, "rebind"), allowed=(COMMAND_FAILED,), guard=600.0)
add("F-12/rx-no-tir", _refused("fail cmd=CREATE_TIR status=0x8 syndrome=0x1234", False, True),
    needs=NEEDS, allowed=(COMMAND_FAILED,), smoke=True)


@test("F-08/tx-bulk-fails", guard=600.0, allowed=(COMMAND_FAILED,))
@needs(*NEEDS, "rebind", "kernel:>=6.3")
def bulk_fails(env):
    """Contexts that the driver makes in store fail after it has looked for failures: a known bug of
    these kernels gives later connections the number 0 in their place. Parameters are set for TIS
    0, which is none, and nothing is encrypted. (Linux 6.1 looks later, and makes no such
    connection.)"""
    rebind(env)
    env.cleanup.callback(rebind, env)
    with Offload(env, env.local, tx=True), Offload(env, env.remote):
        with fault.faults(env, env.local, "delay cmd=CREATE_TIS ms=2000 at=execution",
                          "fail cmd=CREATE_TIS status=0x8") as made:
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(down=False)
                expect_equal("the first connection", connection.configuration(env.local)["tx"],
                             "sw")
            # one for the connection, and sixteen; when the next is asked for they are in store
            made.wait_hits(18, index=1)
            wrong = made.add("log wqe=UMR_STATIC tisn=0")
            device = env.lab.counters()
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(down=False, plain_receiver=True)
                expect_equal("the second connection", connection.configuration(env.local)["tx"],
                             "hw")
                connection.up.begin(100)
                wrong.wait_hits(1)
                connection.close(abort=True)
            expect_equal("packets encrypted", env.lab.counters()["tls_tx_packets"],
                         device["tls_tx_packets"])


@test("F-10/tx-key-not-changed", allowed=(COMMAND_FAILED,))
@needs(*NEEDS)
def key_not_changed(env):
    """A key of the store cannot be given its value: software, and the next connection takes
    another."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote):
        offloaded(env, offload)
        offload.watch.restart()
        with fault.faults(env, env.local, "fail cmd=MODIFY_GENERAL_OBJECT status=0x9 count=1") \
                as made, Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            expect(made.hits() == 1, "no key was changed: the driver has no store of them")
            expect_equal("the connection", connection.configuration(env.local)["tx"], "sw")
            connection.up.move(SIZE)
        offloaded(env, offload)


@test("F-13/rx-no-steering", allowed=(COMMAND_FAILED, RULE_FAILED), smoke=True)
@needs(*NEEDS)
def no_steering(env):
    """The steering entry is refused: the socket is said to be offloaded and no packet of it
    is; closing it copes with there being none."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote):
        before = objects(env)
        with fault.faults(env, env.local, "fail cmd=SET_FLOW_TABLE_ENTRY status=0x4") as made, \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(up=False)
            made.wait_hits(1)
            offload.check_configuration(connection, tx=False)
            connection.down.move(SIZE)
            expect_equal("rx_tls_decrypted_packets",
                         offload.watch.nic()["rx_tls_decrypted_packets"], 0)
            offload.check_no_error()
        offload.check_closed(tx=False)
        for kind, count in before.items():
            wait_equal(f"{kind} in the device", lambda of=kind: objects(env)[of], count)
        offloaded(env, offload)


# ---- lost on the way


@test("F-02/tx-packet-lost", smoke=True)
@needs(*NEEDS)
def packet_lost(env):
    """Packets are lost in the device before they are encrypted: the next one is not what the
    context expects and is dropped, until the driver has made good for it. The peer sees a loss."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as there:
        device = env.lab.counters()
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            connection.up.move(SIZE)
            # one after the other: what is lost behind a lost one needs no repetition of its own
            for nth in (2, 20, 40):
                with fault.faults(env, env.local, f"swallow wqe=SEND tisn=1.. nth={nth}") as lost:
                    connection.up.move(4 * SIZE)
                    lost.wait_hits(1)
            offload.check_configuration(connection, rx=False)
        there.check_no_error()
        now = env.lab.counters()
        expect(now["tls_tx_seq_mismatch"] > device["tls_tx_seq_mismatch"],
               "no packet had the wrong sequence number behind the lost ones")
        expect(offload.watch.nic()["tx_tls_ooo"] >= 3, "tx_tls_ooo has not moved three times")


def _dropped(env):
    """Packets that the device has dropped: no parameters, or those of another time."""
    counters = env.lab.counters()
    return counters["tls_tx_no_ctx"] + counters["tls_tx_seq_mismatch"]


@test("F-03/tx-progress-lost")
@needs(*NEEDS)
def progress_lost(env):
    """A SET_PSV for sending is lost: packets are dropped until the driver sends the next."""
    with Offload(env, env.local, tx=True), Offload(env, env.remote) as there, \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        dropped = _dropped(env)
        with fault.faults(env, env.local, "swallow wqe=SET_PSV dir=tx count=1"):
            connection.up.move(SIZE)
        expect(_dropped(env) > dropped, "no packet was dropped for want of parameters")
        there.check_no_error()


def _static_lost(rule, errors):
    """The static parameters of a new context are lost. The driver takes them for known and sets
    only the rest again, each time that TCP repeats the first record: no packet leaves. Whatever
    else the queue carries is as before."""
    def run(env):
        rebind(env)             # a context that never had any
        with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as there:
            device, dropped = env.lab.counters(), _dropped(env)
            with Connection(env.local, env.remote, seed=env.seed) as connection:
                connection.enable_tls(down=False)
                with fault.faults(env, env.local, rule, "log wqe=SET_PSV dir=tx") as lost, \
                        traffic.unstick_qdiscs(env):
                    connection.up.begin(SIZE)
                    lost.wait_hits(1)
                    lost.wait_hits(3, index=1)
                    wait_for("packets that the device drops", lambda: _dropped(env) >= dropped + 3)
                expect_equal("packets encrypted", env.lab.counters()["tls_tx_packets"],
                             device["tls_tx_packets"])
                connection.close(abort=True)
            there.check_no_error()
            expect_equal("tx_recover", offload.watch.nic()["tx_recover"], errors)
            offloaded(env, offload)
    run.__doc__ = _static_lost.__doc__
    return run


add("F-03/tx-static-lost", _static_lost("swallow wqe=UMR_STATIC dir=tx count=1", 0),
    needs=(*NEEDS, "rebind"), guard=600.0)
add("F-31/tx-static-error", _static_lost("error wqe=UMR_STATIC dir=tx count=1", 1),
    needs=(*NEEDS, "rebind"), guard=600.0, allowed=(QUEUE_FAILED,))


@test("F-03/tx-static-lost-used-context")
@needs(*NEEDS)
def static_lost_used(env):
    """The same with a context that another connection has used before: the device encrypts with
    that one's key, which the peer cannot read. Nothing is sent in clear."""
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as there:
        # the context that was given back last is the next to be taken, unless new ones come
        for count in (1, 2):
            offloaded(env, offload)
            offload.check_closed(count, rx=False)
            txpath.store_filled(env.local)
        there.watch.restart()
        with fault.faults(env, env.local, "swallow wqe=UMR_STATIC dir=tx count=1"), \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            try:
                connection.up.move(SIZE)
            except Failure as error:
                expect("EBADMSG" in str(error), str(error))
            else:
                fail("the peer has read what was encrypted with another key")
        expect_equal("TlsDecryptError at the peer", there.watch.protocols()["TlsDecryptError"], 1)


def _queue_error(rule):
    """A send queue stops with an error: the driver resets it, and the connection goes on."""
    def run(env):
        with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as there, \
                Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            # a packet that TCP sends while the queue is stopped is left in the qdisc
            with traffic.unstick_qdiscs(env):
                with fault.faults(env, env.local, rule) as made:
                    connection.up.move(SIZE)
                    made.wait_hits(1)
                connection.up.move(SIZE)
            offload.check_configuration(connection, rx=False)
            there.check_no_error()
            nic = offload.watch.nic()
            expect_equal("tx_recover", nic["tx_recover"], 1)
            expect(nic["tx_cqe_err"] >= 1, "tx_cqe_err has not moved")
    run.__doc__ = _queue_error.__doc__
    return run


add("F-31/tx-packet-error", _queue_error("error wqe=SEND tisn=1.. nth=5 count=1"), needs=NEEDS,
    allowed=(QUEUE_FAILED,))
add("F-31/tx-progress-error", _queue_error("error wqe=SET_PSV dir=tx count=1"), needs=NEEDS,
    allowed=(QUEUE_FAILED,))
