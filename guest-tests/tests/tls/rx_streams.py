# SPDX-License-Identifier: GPL-2.0-or-later
"""T-20, T-29 to T-34: streams of every shape through a device that decrypts, and what changes under
them. Nothing is lost: every packet must be decrypted, however records and segments are cut."""

import contextlib

from lib import loss, rx, steering, traffic, wire
from lib.case import add, expect, expect_equal, fail, needs, test, wait_equal, wait_for
from lib.counters import Watch
from lib.quiet import quiet_senders
from lib.rx import NEEDS, Flags
from lib.rx_layout import Burst, whole_segments
from lib.tls import Connection, Offload
from lib.version import HEADER, NONCE, OVERHEAD, TAG

# bytes of a record before which a packet begins: in header, nonce, payload, tag
CUTS = [*range(1, HEADER + NONCE + 2), -TAG - 1, *range(-TAG, 0)]
SIZES = {"tiny": list(range(1, 65)), "segment": list(range(1350, 1501, 6)),
         "largest": [16383, 16384, 16382]}


def _cut(cuts, sizes, family=4):
    """Every record is cut before the same byte; its two packets are decrypted like any others."""
    def run(env):
        with rx.session(env, family=family) as session:
            for cut in cuts:
                rule = session.rule(f"split byte={cut}")
                session.expect_decrypted(f"records that are cut at {cut}", sizes)
                rule.clear()
            session.check(Flags(decrypted=session.flags().decrypted), rows={})
            expect_equal("records, by class", session.truth.check(), {"decrypted": session.count})
    return run


add("T-20/rx-cut-tiny", _cut(CUTS, SIZES["tiny"]), needs=NEEDS)
add("T-20/rx-cut-segment", _cut(CUTS[::3], SIZES["segment"]), needs=NEEDS)
add("T-20/rx-cut-largest", _cut(CUTS[1::4], SIZES["largest"], family=6), needs=NEEDS)
add("T-20/rx-cut-segment-full", _cut(CUTS, list(range(1350, 1501))), needs=NEEDS, full=True,
    guard=1200.0)
add("T-20/rx-cut-largest-full", _cut(CUTS, SIZES["largest"]), needs=NEEDS, full=True,
    guard=1200.0)


@test("T-20/rx-pieces", smoke=True)
@needs(*NEEDS)
def pieces(env):
    """Packets of 1, 2, 3, 5, 7 and 100 bytes: a header, a nonce, a tag in many of them."""
    with rx.session(env) as session:
        for size, records in ((1, [3, 40]), (2, [1, 30, 50]), (3, [1, 2, 3, 100]), (5, [500]),
                              (7, [1, 900]), (100, [16384, 1, 1371])):
            rule = session.rule(f"split size={size}")
            session.expect_decrypted(f"packets of {size} bytes", records)
            rule.clear()
        session.check(Flags(decrypted=session.flags().decrypted), rows={})


@test("T-30/rx-open-records")
@needs(*NEEDS)
def open_records(env):
    """The peer writes with MSG_MORE: records of several writes, and packets that end inside one."""
    with rx.session(env) as session:
        way = session.connection.up
        parts = [[100, True], [200, True], [300, False], [1, True], [16383, True], [5, False],
                 [1371, False], [700, True], [700, False]]
        size = sum(part[0] for part in parts)
        receiving = env.local.begin("tcp.receive", number=way.receiver_socket, seed=way.seed,
                                    size=size, offset=way.offset)
        packets = session.packets_passed()
        env.remote.call("tcp.send_parts", number=way.sender_socket, seed=way.seed,
                        offset=way.offset, parts=parts)
        got = receiving.result()
        expect_equal("bytes, wrong byte", (got["bytes"], got["mismatch"]), (size, None))
        session.wait_packets(session.packets_passed() - packets)
        session.check(Flags(decrypted=session.packets_passed() - packets), rows={})
        session.expect_logged("length", [OVERHEAD + size for size in (
            1000, 600, 16384, 5, 1371, 1400)])


# two devices

@contextlib.contextmanager
def _pair(env, family=4):
    """A connection with both directions encrypted by one device and decrypted by the other."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet_senders(env))
        stack.enter_context(loss.single_segments(*env.hosts))
        offloads = [stack.enter_context(Offload(env, host, tx=True, rx=True))
                    for host in env.hosts]
        connection = stack.enter_context(Connection(env.remote, env.local, family, seed=env.seed,
                                                    options=rx.OPTIONS))
        with steering.new_entries(env, *env.hosts):
            connection.enable_tls()
            for offload in offloads:
                offload.check_configuration(connection)
        yield connection, offloads


@test("T-34/rx-both-directions", smoke=True)
@needs(*NEEDS, "tls-tx", "remote-tls-tx", "remote-tls-rx")
def both_directions(env):
    """Both directions of a connection between two devices: what one has encrypted, the other has
    decrypted, packet by packet, and nothing was asked."""
    for family in (4, 6):
        with _pair(env, family) as (connection, offloads):
            for finish in [way.begin(1 << 20) for way in (connection.up, connection.down)]:
                finish()
            sums = [offload.watch.nic() for offload in offloads]
            for here, there in ((0, 1), (1, 0)):
                sent = sums[here]["tx_tls_encrypted_packets"]
                expect_equal("segments that TCP has sent", sent, connection.info(
                    offloads[here].host)["data_segs_out"])
                expect_equal("rx_tls_decrypted_packets at the other end",
                             sums[there]["rx_tls_decrypted_packets"], sent)
                for name in rx.DRIVER:
                    expect_equal(name, sums[there][name], 0)
            for offload in offloads:
                offload.check_no_error()


def _bytes(box, way):
    """How far the stream has come on the wire."""
    flow = box.flow(way)
    return (flow["next_seq"] - flow["first_seq"]) % (1 << 32)


@test("T-34/rx-both-directions-lost")
@needs(*NEEDS, "tls-tx", "remote-tls-tx", "remote-tls-rx")
def both_lost(env):
    """The same with a header lost in each direction: both devices ask once and find back."""
    with _pair(env) as (connection, offloads), wire.rules(env) as box:
        ways = (connection.up, connection.down)
        rows = _approved(env, offloads)
        lost = [box.add(way, "hold record=2 byte=0 sent=first name=lost") for way in ways]
        for way in ways:
            box.add(way, "drop record=2 byte=0 sent=again", must_hit=False)
        finish = [way.begin(sum(whole_segments(4, 6)), whole_segments(4)) for way in ways]
        for offload in offloads:
            wait_for("the device's question is answered",
                     lambda offload=offload: offload.watch.nic()["rx_tls_resync_req_end"])
        for rule in lost:
            rule.wait_hits(1)
        # the last packets that can come meanwhile have come
        for way in ways:
            wait_equal("bytes that have passed", lambda way=way: _bytes(box, way),
                       Burst(whole_segments(4, 6)).total)
        box.release("lost")
        for each in finish:
            each()
        for way in ways:
            way.move(sum(whole_segments(1)), whole_segments(1))
        wait_for("the approvals", lambda: all(
            now > before for now, before in zip(_approved(env, offloads), rows)))
        for way, offload in zip(ways, offloads):
            _until_decrypted(env, way, offload)
        sums = [Watch(host) for host in env.hosts]
        for way in ways:
            way.move(sum(whole_segments(3, 2)), whole_segments(3))
        for watch, offload in zip(sums, offloads):
            expect_equal("rx_tls_decrypted_packets afterwards",
                         watch.nic()["rx_tls_decrypted_packets"], 6)
            nic, stat = offload.watch.nic(), offload.watch.protocols()
            got = {name: nic["rx_tls_resync_" + name] for name in (
                "req_pkt", "req_start", "req_end", "req_skip", "res_ok")}
            got["TlsRxDeviceResync"] = stat["TlsRxDeviceResync"]
            env.observe("asked", got)
            # any NIC may ask more often, and in vain
            expect_equal("how often it asked, and was answered",
                         got if rx.can_be_asked(env)
                         else dict({name: min(count, 1) for name, count in got.items()},
                                   req_skip=0),
                         dict(dict.fromkeys(got, 1), req_skip=0))
            offload.check_no_error()


def _approved(env, offloads):
    """How often each device has taken an approval, or, if it cannot be asked, how often the driver
    has posted one."""
    if rx.can_be_asked(env):
        return [env.device(offload.host).get("tls-rows")["R18"] for offload in offloads]
    return [offload.watch.nic()["rx_tls_resync_res_ok"] for offload in offloads]


def _until_decrypted(env, way, offload):
    """Records of one segment until the device has decrypted one: the emulated one authenticates the
    first."""
    for count in range(1, rx.RECOVERY):
        before = offload.watch.nic()["rx_tls_decrypted_packets"]
        way.move(sum(whole_segments(1)), whole_segments(1))
        if offload.watch.nic()["rx_tls_decrypted_packets"] > before:
            break
        expect(count == 1 or not rx.can_be_asked(env), "more than one record was not decrypted")
    else:
        fail(f"none of {rx.RECOVERY} records was decrypted")
    env.observe("records until decrypted", count)


@test("T-29/rx-sendfile")
@needs(*NEEDS, "remote-tls-tx")
def sendfile(env):
    """The peer's device encrypts a file of sendfile, zero copy or not; ours decrypts it."""
    size = 500_000
    for zerocopy in (False, True):
        with contextlib.ExitStack() as stack:
            stack.enter_context(quiet_senders(env))
            stack.enter_context(loss.single_segments(*env.hosts))
            receiver = stack.enter_context(Offload(env, env.local, rx=True))
            stack.enter_context(Offload(env, env.remote, tx=True))
            connection = stack.enter_context(Connection(env.remote, env.local, seed=env.seed,
                                                        options=rx.OPTIONS))
            with steering.new_entries(env, env.local):
                connection.enable_tls(down=False)
            if zerocopy:
                env.remote.call("tcp.tls_zerocopy", number=connection.client_socket)
            place = stack.enter_context(env.remote.directory())
            env.remote.call("procs.payload_file", path=f"{place}/file", seed="file", size=size)
            receiving = env.local.begin("tcp.receive", number=connection.server_socket,
                                        seed="file", size=size)
            env.remote.call("tcp.send_file", number=connection.client_socket,
                            path=f"{place}/file")
            got = receiving.result()
            expect_equal("bytes, wrong byte", (got["bytes"], got["mismatch"]), (size, None))
            came = connection.info(env.local)["data_segs_in"]
            nic = receiver.watch.nic()
            expect_equal("rx_tls_decrypted_packets", nic["rx_tls_decrypted_packets"], came)
            for name in rx.DRIVER:
                expect_equal(name, nic[name], 0)
            receiver.check_no_error()


# changes under a live session

@test("T-31/rx-features", smoke=True)
@needs(*NEEDS)
def features(env):
    """tls-hw-rx-offload is switched off under a live session: nothing of it reaches the device's
    context any more, for good, since the driver takes its steering tables away; the session goes
    on in software. A session that is opened afterwards is decrypted. Other features change nothing.
    """
    with rx.receiving_ends(env) as ends:
        with ends.session(truth=False) as session:
            nic = env.local.nic
            for name in ("rx_vlan_offload", "receive_hashing", "scatter_gather"):
                with nic.with_features(**{name: not nic.feature(name.replace("_", "-"))}):
                    session.expect_decrypted(f"records while {name} is changed",
                                             whole_segments(4, 4))
                session.expect_decrypted(f"records after {name} was changed", whole_segments(4, 4))
            session.restart_counting()
            with nic.with_features(tls_hw_rx_offload=False):
                session.send(whole_segments(4, 4)).finish()
            session.send(whole_segments(4, 4)).finish()
            session.check(Flags(), rows={}, beside=32)
            expect_equal("TLS at the local end", session.connection.configuration(env.local)["rx"],
                         "hw")
        with ends.session() as session:
            session.expect_decrypted("records of a new session", whole_segments(4, 4))


@test("T-32/rx-mtu")
@needs(*NEEDS)
def mtu(env):
    """The MTU changes under a live session: the queues are opened anew, and the context is where
    it was."""
    with rx.session(env) as session:
        for value in (9000, 1280, 1500):
            with traffic.both_mtu(env, value), traffic.unstick_qdiscs(env):
                session.expect_decrypted(f"records with an MTU of {value}", whole_segments(4, 4))
            with traffic.unstick_qdiscs(env):
                session.expect_decrypted("records with the old MTU", whole_segments(4, 4))
        session.check(Flags(decrypted=session.flags().decrypted), rows={})


@test("T-33/rx-rings")
@needs(*NEEDS)
def rings(env):
    """Likewise with other rings, and with more channels and fewer under a session that was opened
    with one."""
    with env.local.nic.with_channels() as channels, env.local.nic.with_rings() as change:
        most = env.local.nic.channels()[1]
        channels(1)
        env.local.nic.wait_ready()
        with rx.session(env) as session:
            for size in (128, 2048):
                change(size, size)
                with traffic.unstick_qdiscs(env):
                    session.expect_decrypted(f"records with rings of {size}", whole_segments(4, 4))
            for count in (most, 1):
                channels(count)
                with traffic.unstick_qdiscs(env):
                    session.expect_decrypted(f"records with {count} channels", whole_segments(4, 4))
            session.check(Flags(decrypted=session.flags().decrypted), rows={})
