# SPDX-License-Identifier: GPL-2.0-or-later
"""Striding receive queues: a packet takes as many strides of a large buffer as it needs.

The driver makes them by itself where the device has them. Their buffers are mapped by WQEs on
another queue, and what is left at the end of a buffer is given back.
"""

from lib import fault, traffic
from lib.case import Skip, expect, expect_between, expect_equal, needs, test, wait_equal
from lib.counters import Watch
from lib.driver import replug

FLAG = "rx_striding_rq"
PORT = 5300
SIZE = 1 << 20

# at this MTU packets have more than one stride in all drivers; a buffer is of 256 KiB, a stride of
# 256 bytes
MTU = 9000
DATAGRAM = MTU - 28
STRIDES = 1 << 10
OF_EACH = -(-(MTU + 14) // 256)
IN_EACH = STRIDES // OF_EACH            # packets that a buffer takes

REFUSED = (rf"Enable private flag '{FLAG}' failed err -95",
           "the driver's own refusal, at level err")
QUEUE_FAILED = (r"Error cqe on cqn|ERR CQE on (RQ|ICOSQ|SQ): 0x|Error on rqn|Error on cqe",
                "the queue that the test lets fail, and its recovery")
WARNED = (r"WARNING: .*mlx5e_poll_ico_cq|Call Trace:|Bad OP in ICOSQ CQE",
          "what the driver always does when that queue fails, before it recovers it")


def _needs_striding(env):
    if not env.local.nic.private_flags().get(FLAG):
        raise Skip(f"{FLAG} of {env.local.nic.name} is off")


def _carries(env):
    """Data passes in both directions, in the clear and with TLS."""
    traffic.both_ways(env, 4, SIZE)
    if env.software_tls or not env.local.nic.can("tls-hw-rx-offload"):
        return
    with traffic.session_both_ways(env, SIZE):
        pass


@test("striding/default", smoke=True)
@needs("lab:striding-rq", "driver:mlx5_core")
def default(env):
    """The driver uses striding queues without being asked, if the device has them."""
    expect_equal(f"private flag {FLAG}", env.local.nic.private_flags()[FLAG],
                 env.lab.get("striding-rq"))
    _carries(env)


@test("striding/switched-off", guard=900.0, allowed=(REFUSED,))
@needs("lab:striding-rq", "driver:mlx5_core", "rebind")
def switched_off(env):
    """A device with striding-rq=off: the driver makes cyclic queues and cannot be made to do
    otherwise."""
    replug(env, striding_rq="off")
    nic = env.local.nic
    expect_equal(f"private flag {FLAG}", nic.private_flags()[FLAG], False)
    result = env.local.run("ethtool", "--set-priv-flags", nic.name, FLAG, "on", check=False)
    expect(result.rc != 0, f"{FLAG} can be switched on although the device has no such queues")
    _carries(env)


def _received(env, count):
    """Datagrams of DATAGRAM bytes of one flow come to us; returns what moved meanwhile."""
    watch = Watch(env.local)
    sink = env.local.call("tcp.udp_sink", address=env.local.address(4), port=PORT)["socket"]
    env.remote.call("tcp.udp_burst", address=env.local.address(4), port=PORT, source_ports=[PORT],
                    count=count, size=DATAGRAM)
    came = env.local.call("tcp.udp_count", number=sink, expected=count)
    env.local.call("tcp.close", number=sink)
    expect_equal("datagrams", sum(came.values()), count)
    return watch.nic()


@test("striding/filler")
@needs("driver:mlx5_core")
def filler(env):
    """What a packet cannot use of a buffer is given back, once in each."""
    _needs_striding(env)
    with traffic.both_mtu(env, MTU):
        buffers = 8
        nic = _received(env, buffers * IN_EACH)
        # where in a buffer the first one comes is open, and others may come between
        expect_between("rx_mpwqe_filler_cqes", nic["rx_mpwqe_filler_cqes"], buffers - 1,
                       buffers + 1)
        expect_between("rx_mpwqe_filler_strides per CQE",
                       nic["rx_mpwqe_filler_strides"] / nic["rx_mpwqe_filler_cqes"], 1,
                       STRIDES - IN_EACH * OF_EACH)
        for name in ("rx_oversize_pkts_sw_drop", "rx_wqe_err", "rx_out_of_buffer",
                     "rx_buff_alloc_err"):
            expect_equal(name, nic[name], 0)


@test("striding/filler-none")
@needs("driver:mlx5_core")
def no_filler(env):
    """A cyclic queue gives nothing back."""
    _needs_striding(env)
    with env.local.nic.with_private_flag(FLAG, False), traffic.both_mtu(env, MTU):
        nic = _received(env, IN_EACH)
        expect_equal("rx_mpwqe_filler_cqes", nic["rx_mpwqe_filler_cqes"], 0)


@test("striding/switched-under-tls")
@needs("tls-tx", "tls-rx", "driver:mlx5_core")
def switched(env):
    """The kind of the queues changes under an offloaded session, and their number and size with
    it."""
    _needs_striding(env)
    nic = env.local.nic
    with traffic.session_both_ways(env, SIZE) as (_, exchange), nic.with_rings() as change:
        for _ in range(2):
            with nic.with_private_flag(FLAG, False):
                exchange()
            exchange()
        for size in (512, 4096):
            change(size, 1024)
            exchange()


def _recovers(env, rule):
    """A receive queue stops with an error under an offloaded session: the driver resets it and
    counts that, and the session goes on."""
    with traffic.session_both_ways(env, SIZE) as (_, exchange):
        watch = Watch(env.local)
        with traffic.unstick_qdiscs(env), fault.faults(env, env.local, rule) as made:
            exchange()
            made.wait_hits(1)
        wait_equal("rx_recover", lambda: watch.nic()["rx_recover"], 1)
        exchange()


@test("striding/recovery", allowed=(QUEUE_FAILED,))
@needs("fault", "tls-tx", "tls-rx", "driver:mlx5_core")
def recovery(env):
    """An error CQE for a packet in the middle of a buffer."""
    _needs_striding(env)
    _recovers(env, "error packet nth=100 count=1")


@test("striding/recovery-cyclic", allowed=(QUEUE_FAILED,))
@needs("fault", "tls-tx", "tls-rx", "driver:mlx5_core")
def recovery_cyclic(env):
    """The same on a cyclic queue."""
    _needs_striding(env)
    with env.local.nic.with_private_flag(FLAG, False):
        _recovers(env, "error packet nth=100 count=1")


@test("striding/recovery-of-mapping", allowed=(QUEUE_FAILED, WARNED))
@needs("fault", "tls-tx", "tls-rx", "driver:mlx5_core")
def recovery_mapping(env):
    """A WQE that maps a buffer fails: its queue and the receive queue are reset together."""
    _needs_striding(env)
    _recovers(env, "error wqe=UMR_KEY nth=2 count=1")
