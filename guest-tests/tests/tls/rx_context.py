# SPDX-License-Identifier: GPL-2.0-or-later
"""T-10 to T-12, T-22 to T-28, T-35: how a context of a device that decrypts begins and ends, and
what it must not depend on: cipher, IP version, tags, sequence and record numbers, nonces, types."""

import contextlib
import functools

from agent import ktls
from lib import fault, rx, steering, wire
from lib.case import Skip, add, expect_equal, needs, test, wait_equal, wait_for
from lib.rx import NEEDS, Flags, Keys, Start, asked
from lib.rx_layout import SEGMENT, Burst, whole_segments
from lib.tls import Connection, Offload

VLAN = 100


# contexts

@test("T-10/rx-open", smoke=True)
@needs("tls-rx")
def opening(env):
    """One receiving socket: one context of the driver, one in tls_stat, one TIR and one steering
    entry of the device. A second socket doubles that."""
    with Offload(env, env.local, rx=True) as offload, Offload(env, env.remote), \
            contextlib.ExitStack() as stack:
        before = env.lab and env.lab.objects()
        for count in (1, 2):
            connection = stack.enter_context(Connection(env.remote, env.local, seed=env.seed))
            connection.enable_tls(down=False)
            offload.check_configuration(connection, tx=False)
            offload.check_opened(count, tx=False)
            stat = offload.watch.protocols()
            expect_equal("TlsRxDevice, TlsCurrRxDevice, TlsRxSw, TlsCurrRxSw",
                         [stat[name] for name in ("TlsRxDevice", "TlsCurrRxDevice", "TlsRxSw",
                                                  "TlsCurrRxSw")], [count, count, 0, 0])
            for kind in ("tir", "flow_entry") if env.lab else ():
                wait_equal(f"{kind} in the device",
                           lambda kind=kind: env.lab.objects()[kind] - before[kind], count)


@test("T-11/rx-close", smoke=True)
@needs(*NEEDS)
def closing(env):
    """A socket is closed: by FIN, by a reset, with data that nobody has read, while the device
    searches. Its context goes, with all that the device had for it."""
    with rx.receiving_ends(env) as ends:
        before = env.lab and env.lab.objects()
        for how in ("fin", "reset", "unread", "searching"):
            with ends.session(truth=False) as session:
                if how == "unread":
                    session.send_unread(whole_segments(4, 4))
                    session.wait_packets(16)
                elif how == "searching":
                    session.lose(0)
                    session.send_unread(whole_segments(4))
                    session.wait_packets(3)
                session.connection.close(abort=how == "reset")
                wait_for(f"TlsCurrRxDevice after {how}",
                         lambda: ends.offload.watch.protocols()["TlsCurrRxDevice"] == 0)
                wait_equal(f"rx_tls_del after {how}",
                           lambda: ends.offload.watch.nic()["rx_tls_del"], 1)
            after = env.lab and env.lab.objects()
            for kind in ("tir", "flow_entry", "rqt") if env.lab else ():
                expect_equal(f"{kind} in the device after {how}", after[kind], before[kind])


# in order

@test("T-12/rx-in-order", smoke=True)
@needs(*NEEDS)
def in_order(env):
    """Nothing is lost: every packet is decrypted, from the very first byte; the driver counts them
    and their frames' bytes; the kernel gets all records decrypted."""
    for family, head in ((4, 14 + 20 + 32), (6, 14 + 40 + 32)):
        with rx.session(env, family=family, start=rx.UNTOUCHED) as session:
            seen = session.box.watch(session.connection.up)
            for sizes in ([1], [1000], whole_segments(1, 3), whole_segments(11, 8), [16384] * 4,
                          [100] * 100, [0x4000, 1, 2, 3, 16383]):
                session.send(sizes).finish()
            packets = seen.hits()
            session.wait_packets(packets)
            payload = session.position()
            session.check(Flags(decrypted=packets), rows={"R3": 1},
                          counters={"rx_tls_decrypted_bytes": payload + packets * head})
            totals = session.truth.check()
            expect_equal("records, by class", totals, {"decrypted": session.count})


# ciphers, protocols, tags

def _in_order_then_lost(**how):
    """In order from the first byte, then a lost header, then in order again."""
    def run(env):
        with rx.session(env, start=rx.UNTOUCHED, **how) as session:
            session.expect_flags("the first records", whole_segments(4, 3), Flags(decrypted=12))
            session.restart_counting()
            session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 8)
    return run


add("T-22/rx-aes-256", _in_order_then_lost(keys=Keys(cipher="aes-gcm-256")), needs=NEEDS,
    smoke=True)
add("T-23/rx-ipv6", _in_order_then_lost(family=6), needs=NEEDS, smoke=True)
add("T-23/rx-ipv6-aes-256", _in_order_then_lost(family=6, keys=Keys(cipher="aes-gcm-256")),
    needs=NEEDS, full=True)
add("T-23/rx-v4-mapped", _in_order_then_lost(connect=functools.partial(Connection, mapped=True)),
    needs=NEEDS)


@contextlib.contextmanager
def _tagged(env, family):
    """What the peer sends by TCP gets a VLAN tag behind its stack, which is taken off before our
    stack: Linux offloads no TLS through a VLAN interface, so both ends know of none."""
    ethertype = {4: "ip", 6: "ipv6"}[family]
    with contextlib.ExitStack() as stack:
        stack.enter_context(env.local.nic.with_vlan(VLAN, []))      # opens the device's filter
        for host in env.hosts:
            host.run("tc", "qdisc", "add", "dev", host.nic.name, "clsact")
            stack.callback(host.run, "tc", "qdisc", "del", "dev", host.nic.name, "clsact")
        env.remote.run("tc", "filter", "add", "dev", env.remote.nic.name, "egress", "protocol",
                       ethertype, "flower", "ip_proto", "tcp", "action", "vlan", "push", "id", VLAN)
        env.local.run("tc", "filter", "add", "dev", env.local.nic.name, "ingress", "protocol",
                      "802.1q", "flower", "vlan_id", VLAN, "action", "vlan", "pop")
        yield


def _vlan(strip, family):
    def run(env):
        nic = env.local.nic
        on, fixed = nic.features().get("rx-vlan-offload", (False, True))
        if on != strip and fixed:
            raise Skip(f"rx-vlan-offload of {nic.name} cannot be changed")
        with nic.with_features(rx_vlan_offload=strip), _tagged(env, family), \
                rx.session(env, family=family, start=rx.UNTOUCHED) as session:
            tagged = session.rule(f"log vlan={VLAN} len=1..")
            session.expect_flags("the first records", whole_segments(4, 3), Flags(decrypted=12))
            tagged.check_hits(12)
            session.restart_counting()
            session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 8)
    return run


for _strip in (True, False):
    for _family in (4, 6):
        add(f"T-24/rx-vlan-{'stripped' if _strip else 'in-band'}-v{_family}",
            _vlan(_strip, _family), needs=(*NEEDS, "tool:tc"), full=_strip == (_family == 6))


@test("T-24/rx-vlan-interface")
@needs("tls-rx")
def vlan_interface(env):
    """A socket of a VLAN interface: Linux looks for the feature at that interface, which has not
    got it, so TLS is in software."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(Offload(env, env.remote))
        offload = stack.enter_context(Offload(env, env.local, rx=True))
        for last, host in enumerate(env.hosts, 1):
            stack.enter_context(host.nic.with_vlan(VLAN, [f"10.77.0.{last}/24"]))
            stack.callback(setattr, host, "address", host.address)
            host.address = {4: f"10.77.0.{last}"}.get
        connection = stack.enter_context(Connection(env.remote, env.local, seed=env.seed))
        connection.enable_tls(down=False)
        connection.up.move(100_000)
        if offload.real:
            expect_equal("TLS at the local end", connection.configuration(env.local)["rx"], "sw")
            expect_equal("TlsRxSw", offload.watch.protocols()["TlsRxSw"], 1)


# numbers

@test("T-25/rx-sequence-wrap", smoke=True)
@needs(*NEEDS)
def sequence_wrap(env):
    """TCP's sequence numbers pass 2^32 inside a record, at its header, and just at its end; then
    a header is lost around there."""
    with rx.receiving_ends(env) as ends:
        for before in (5 * SEGMENT + 700, 4 * SEGMENT + 3, 4 * SEGMENT, 3):
            connect = functools.partial(Connection, initial=((1 << 32) - before, 1000))
            with ends.session(start=rx.UNTOUCHED, connect=connect) as session:
                session.transfer(whole_segments(4, 3))
                session.check(Flags(decrypted=12), rows={"R3": 1})
        for lost in (4, 8):
            before = 6 * SEGMENT + 10
            connect = functools.partial(Connection, initial=((1 << 32) - before, 1000))
            with ends.session(start=rx.UNTOUCHED, connect=connect) as session:
                sent = session.send_with_loss(whole_segments(4, 5), lost)
                session.check(Flags(plain=19 - lost - 1, decrypted=lost, resync=1),
                              counters=asked(), rows={"R3": 1, "R9": 1, "R12": 1, "R13": 3})
                sent.repair()
                session.expect_recovery()


@test("T-26/rx-record-numbers")
@needs(*NEEDS)
def record_numbers(env):
    """Sessions that begin with large record numbers; the number is carried over where it must be,
    in the device's count, in the approval, and behind it."""
    with rx.receiving_ends(env) as ends:
        for number in ((1 << 32) - 3, (1 << 64) - 40):
            with ends.session(keys=Keys(rec_seq=number)) as session:
                session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 8)
                session.expect_approved(number + 1 + 3)


@test("T-27/rx-nonces")
@needs(*NEEDS)
def nonces(env):
    """The explicit nonce is not the record number: chosen at random, and all ones so that it
    carries. Only the nonce on the wire counts for the cipher, only the number for the tag."""
    with rx.receiving_ends(env) as ends:
        for nonce in ("0123456789abcdef", "fffffffffffffffd"):
            with ends.session(keys=Keys(iv=nonce, rec_seq=77)) as session:
                session.expect_header_loss_repaired(Burst(whole_segments(4, 6)), 8)


@test("T-28/rx-control-records", smoke=True)
@needs(*NEEDS)
def control_records(env):
    """Alerts, handshake messages and ChangeCipherSpec between data: all are decrypted, and
    followed when a header is lost."""
    kinds = [(21, "0100"), (22, "00000000"), (20, "01"), (21, "0164"), (22, "14" * 3000)]
    with rx.session(env) as session:
        way = session.connection.up
        packets = 0
        for kind, data in kinds:
            session.transfer(whole_segments(2))
            env.remote.call("tcp.tls_send_record", number=way.sender_socket, kind=kind, data=data)
            got = env.local.call("tcp.tls_receive_record", number=way.receiver_socket)
            expect_equal("control record", (got["kind"], got["data"]), (kind, data))
            packets += 2 + Burst([len(data) // 2]).segments
            session.count += 1
        session.wait_packets(packets)
        session.check(Flags(decrypted=packets), rows={})
        session.expect_logged("type", [23] + [each for kind, _ in kinds for each in (23, kind)])


@test("T-28/rx-control-record-found")
@needs(*NEEDS)
def control_found(env):
    """The header that the search finds is an alert's."""
    with rx.session(env) as session:
        way = session.connection.up
        lost = session.lose(0)
        sent = session.send(whole_segments(2))
        env.remote.call("tcp.tls_send_record", number=way.sender_socket, kind=21, data="0100")
        session.wait_packets(2)
        session.wait_answers()
        session.check(Flags(plain=1, resync=1), counters=asked(),
                      rows={"R9": 1, "R13": 1, "R12": 1})
        lost.release()
        sent.finish()
        got = env.local.call("tcp.tls_receive_record", number=way.receiver_socket)
        expect_equal("control record", (got["kind"], got["data"]), (21, "0100"))
        session.expect_recovery()


# the start

@test("T-35/rx-late-data")
@needs(*NEEDS)
def late_data(env):
    """The first record does not come first: the device, which has not begun, searches in what is
    beyond the anchor (R4), and is told like after any loss. What comes late is old."""
    with rx.session(env, start=rx.UNTOUCHED) as session:
        sent = session.send_with_loss(whole_segments(4, 4), 0)
        session.check(Flags(plain=14, resync=1), counters=asked(),
                      rows={"R4": 1, "R13": 3, "R12": 1, "R14": 2, "R6": 0})
        sent.repair()
        session.expect_recovery()


@test("T-35/rx-late-entry", smoke=True)
@needs(*NEEDS, "fault")
def late_entry(env):
    """The steering entry is made after data has come: what came before passed by the device's
    context, which begins in the middle of the stream (R4)."""
    with rx.receiving_ends(env) as ends, \
            fault.faults(env, env.local, "hold cmd=SET_FLOW_TABLE_ENTRY name=entry at=execution") \
            as held, ends.session(start=Start(in_sync=False, steered=False)) as session:
        held.wait_waiting(1)
        session.send(whole_segments(4, 3)).finish()
        session.expect_passed_by(12)
        with env.lab.new_steering_entry():
            expect_equal("commands let go", held.release("entry"), 1)
        session.transfer(whole_segments(4, 3))
        session.wait_answers()
        session.expect_recovery_in_time()
        session.check(None, resyncs=1,
                      rows={"R4": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-35/rx-begins-with-unread-data")
@needs(*NEEDS)
def unread_data(env):
    """F-36: records lie in the receive queue when the key is set: the anchor is the first of them,
    they are decrypted in software, and the device sees only what comes later (R4)."""
    with rx.session(env, start=Start(in_sync=False, unread=whole_segments(4, 3))) as session:
        session.expect_passed_by(12)
        session.transfer(whole_segments(4, 2))
        session.wait_answers()
        session.expect_recovery_in_time()
        session.check(None, resyncs=1,
                      rows={"R4": 1, "R12": 1, "R18": 1, "R20": 1, "R21": 1})


@test("T-35/rx-plain-data-again")
@needs(*NEEDS)
def plain_again(env):
    """What came before TLS comes once more when the context is there: it lies before the anchor
    and is of no interest (R2). The first record is decrypted all the same."""
    with rx.session(env, start=Start(in_sync=False, plain=700, plain_again=True)) as session:
        records = session.withhold_from(0)
        sent = session.send(whole_segments(4, 2))
        session.wait_packets(1)
        session.check(Flags(plain=1), rows={"R2": 1})
        records.release(8)
        sent.finish()
        session.wait_packets(9)
        session.check(Flags(plain=1, decrypted=8), rows={"R2": 1, "R3": 1})


@test("T-35/rx-begins-in-a-packet")
@needs(*NEEDS)
def begins_in_packet(env):
    """The last plain bytes come again together with the first record, in one packet. It is passed
    on as it is, the record is followed from the anchor in its middle (R3), and the next packet is
    decrypted. It is sent once: the end is cut off, and the whole packet comes later."""
    plain, record = 100, 1000
    with contextlib.ExitStack() as stack:
        ends = stack.enter_context(rx.receiving_ends(env))
        box = stack.enter_context(wire.rules(env))
        connection = stack.enter_context(Connection(env.remote, env.local, seed=env.seed,
                                                    options=rx.OPTIONS))
        way, (host, sender) = connection.up, connection.ends()[0]
        box.add(way, f"spare stream={plain} name=whole")
        box.add(way, f"truncate stream={plain}")
        again = box.add(way, f"drop stream={plain} sent=again", must_hit=False)
        host.call("tcp.set_option", number=sender, options={"TCP_CORK": 1})
        host.call("tcp.send", number=sender, seed=way.seed, size=plain)
        keys = ktls.new_keys()
        host.call("tcp.tls", number=sender, tx=keys)
        host.call("tcp.send", number=sender, seed=way.seed, size=record, offset=plain)
        host.call("tcp.set_option", number=sender, options={"TCP_CORK": 0})
        where = {"number": connection.server_socket, "seed": way.seed}
        got = env.local.call("tcp.receive", size=plain, **where)
        expect_equal("plain bytes", (got["bytes"], got["mismatch"]), (plain, None))
        with steering.new_entries(env, env.local):
            env.local.call("tcp.tls", number=connection.server_socket, rx=keys)
        session = rx.RxSession(env, connection, keys, box, ends.offload, None)
        expect_equal("packets released", box.release("whole"), 1)
        session.read_unread(rx.Unread(way.seed, size=record, offset=plain)).finish()
        again.clear()
        way.offset = plain + record
        session.expect_in_sync_soon()
        session.expect_flags("the next record", whole_segments(3), Flags(decrypted=3))
        # a NIC that begins inside a packet may begin by asking
        session.check(Flags(plain=1, decrypted=6), rows={"R3": 1, "R6": 0}, certain=False,
                      resyncs=0, fewer=1)


@test("T-11/rx-same-ports-again", smoke=True)
@needs(*NEEDS)
def same_ports(env):
    """F-38: the same addresses and ports, again and again, with new keys: nothing of the context
    before is left, in whatever state it was when its socket was closed."""
    ports = {}

    class Again(Connection):
        """A connection between the same two ports as the one before."""

        def _open(self, options, mapped):
            address = self.server.address(self.family)
            listener = self.server.call("tcp.listen", address=address, options=options,
                                        port=ports.get("server", 0))
            self.server_port = ports["server"] = listener["port"]
            try:
                accepting = self.server.begin("tcp.accept", listener=listener["socket"])
                opened = self.client.call("tcp.connect", address=address, port=self.server_port,
                                          source_port=ports.get("client", 0), options=options)
                self.client_socket = opened["socket"]
                self.client_port = ports["client"] = opened["port"]
                self.server_socket = accepting.result()["socket"]
            finally:
                self.server.call("tcp.close", number=listener["socket"])

    with rx.receiving_ends(env) as ends:
        for state in ("in sync", "searching", "asked", "authenticating"):
            with ends.session(connect=Again, truth=False) as session:
                session.expect_flags("the first records", whole_segments(4, 2), Flags(decrypted=8))
                if state != "in sync":
                    burst = Burst(whole_segments(4, 1 if state == "searching" else 3))
                    lost = session.lose(0)
                    session.restart_counting()
                    sent = session.send(burst)
                    session.wait_packets(burst.segments - 1)
                    if state != "searching":
                        session.wait_answers()
                    if state == "authenticating":
                        lost.release()
                        sent.finish()
                        session.wait_approved()
                for host, number in session.connection.ends():
                    host.call("tcp.close", number=number, abort=True)
                wait_equal("rx_tls_del", lambda: ends.offload.watch.nic()["rx_tls_del"], 1)
