# SPDX-License-Identifier: GPL-2.0-or-later
"""One lost segment, in each direction and at chosen places of a record.

Contract tests T-06, T-07, T-13. Records are whole numbers of segments, so that the number of the
lost segment says which part of a record was lost. What must hold in any case: every byte arrives,
no record fails to decrypt, and the device finds back into the stream.
"""

import contextlib

from lib import loss
from lib.case import add, expect, expect_between, expect_equal, fail, wait_equal
from lib.counters import Watch
from lib.ktap import note
from lib.tls import Connection, Offload
from lib.version import OVERHEAD

RECORDS = 38            # of SEGMENTS each; fewer than twice the number of the lost segment
SEGMENTS = 4            # of a record
AT_RECORD = 20          # the lost segment is in this one
ATTEMPTS = 5
COUNTERS = r"^(tx_tls_(ooo|dump|skip|drop|encrypted)|rx_tls_(decrypted|resync|err))"


def _number(part):
    """Which segment to lose: part 0 of record AT_RECORD has its header, 3 its tag."""
    return SEGMENTS * AT_RECORD + part + 1


class _Shifted(Exception):
    """TCP cut the stream elsewhere than at full segments, or sent some of them again that were not
    lost, which the filter has counted too: another part of a record may have been lost."""


def _move(connection, segments=SEGMENTS, records=RECORDS):
    """Records of exactly `segments` segments each; returns (segment size, tcp_info of sender), when
    all is acknowledged and nothing can be sent again."""
    mss = loss.segment_size(connection, connection.up)
    payload = segments * mss - OVERHEAD
    before = connection.info(connection.client)
    connection.up.move(records * payload, sizes=[payload])
    wait_equal("segments that are not acknowledged",
               lambda: connection.info(connection.client)["unacked"], 0)
    info = connection.info(connection.client)
    sent = _sent_once(info) - _sent_once(before)
    if sent != segments * records:
        raise _Shifted(f"{records} records of {segments} segments each went in {sent} segments")
    again = info["total_retrans"] - before["total_retrans"]
    if again > 1:
        raise _Shifted(f"{again} segments were sent again, one at most was lost")
    return mss, info


def _sent_once(info):
    return info["data_segs_out"] - info["total_retrans"]


def _aligned(run):
    """The test, repeated on a new connection when TCP cut the stream elsewhere (a window that was
    nearly full does that) or sent something again that was only late: such a run says nothing about
    the part of a record that was meant."""
    def attempts(env):
        for left in reversed(range(ATTEMPTS)):
            try:
                return run(env)
            except _Shifted as shifted:
                if not left:
                    fail(str(shifted))
                note(f"{shifted}; once more")
        return None
    return attempts


@contextlib.contextmanager
def _connected(env, sender, family, *, tx, rx):
    """Offload set at both ends, and a connection on which `sender` is the client."""
    receiver = env.other(sender)
    plans = {sender: {"tx": tx, "rx": False}, receiver: {"tx": False, "rx": rx}}
    with loss.single_segments(sender, receiver), Offload(env, sender, **plans[sender]) as out, \
            Offload(env, receiver, **plans[receiver]) as into, \
            Connection(sender, receiver, family, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        out.check_configuration(connection, rx=False)
        into.check_configuration(connection, tx=False)
        yield connection, out, into


def _show(what, watch):
    moved = watch.nic().moved(COUNTERS)
    note(f"{what}: " + (" ".join(f"{name}={value}" for name, value in moved.items()) or "-"))


def _sender(part, at, family):
    """The device sends; a segment is lost after it ("ingress" of the peer) or before ("egress")."""
    def run(env):
        with _connected(env, env.local, family, tx=True, rx=False) as (connection, out, into):
            out.watch.restart()
            with loss.lose(connection, connection.up, _number(part), at) as lost:
                mss, info = _move(connection)
                lost.check_one()
            into.check_no_error()
            _show("sender", out.watch)
            expect(info["total_retrans"] >= 1, "nothing was retransmitted")
            if out.real:
                _check_sender(out.watch.nic(), info, mss, part, at)
    return run


def _check_sender(nic, info, mss, part, at):
    """The driver noticed, and replayed what of the record lies before the segment."""
    again = info["total_retrans"]
    # back to the lost segment and forward again; a segment that never reached the device makes a
    # jump ahead before that. A loss at the end of the flight spares the last jump.
    most = (3 if at == "egress" else 2) * again
    expect_between("tx_tls_ooo", nic["tx_tls_ooo"], 1, most)
    expect_equal("tx_tls_drop_no_sync_data", nic["tx_tls_drop_no_sync_data"], 0)
    expect_equal("tx_tls_skip_no_sync_data", nic["tx_tls_skip_no_sync_data"], 0)
    # every replay ends at a segment's start, so it is a whole number of segments
    expect_equal("tx_tls_dump_bytes in excess of whole segments", nic["tx_tls_dump_bytes"] % mss,
                 0)
    low, high = part * mss, nic["tx_tls_ooo"] * (SEGMENTS - 1) * mss
    expect_between("tx_tls_dump_bytes", nic["tx_tls_dump_bytes"], low, high)
    if part:
        expect(nic["tx_tls_dump_packets"] >= 1, "tx_tls_dump_packets did not move")
    expect_between("tx_tls_encrypted_bytes", nic["tx_tls_encrypted_bytes"],
                   info["bytes_sent"] - info["bytes_retrans"] - (mss if at == "egress" else 0),
                   info["bytes_sent"])


_PARTS = {"header": 0, "middle": 2, "tag": 3}
# One of each kind by default: T-06 and T-13 lose at every place of a record, and know each packet
for _name, _part in _PARTS.items():
    add(f"tls-loss/send-{_name}", _aligned(_sender(_part, "ingress", 4)),
        needs=("tls-tx", "tool:tc"), smoke=_name == "middle", full=_name != "middle")
    add(f"tls-loss/send-{_name}-before-device", _aligned(_sender(_part, "egress", 4)),
        needs=("tls-tx", "tool:tc"), full=_name != "tag")
add("tls-loss/send-middle-v6", _aligned(_sender(2, "ingress", 6)), needs=("tls-tx", "tool:tc"),
    full=True)


def _boundary(env):
    """Every segment is one record: nothing has to be replayed, so nothing is dumped (T-07)."""
    with _connected(env, env.local, 4, tx=True, rx=False) as (connection, out, into):
        out.watch.restart()
        with loss.lose(connection, connection.up, 80, "ingress") as lost:
            _, info = _move(connection, segments=1, records=150)
            lost.check_one()
        into.check_no_error()
        _show("sender", out.watch)
        expect(info["total_retrans"] >= 1, "nothing was retransmitted")
        if out.real:
            nic = out.watch.nic()
            expect_between("tx_tls_ooo", nic["tx_tls_ooo"], 1, 2 * info["total_retrans"])
            for name in ("tx_tls_dump_packets", "tx_tls_dump_bytes", "tx_tls_drop_no_sync_data",
                         "tx_tls_skip_no_sync_data"):
                expect_equal(name, nic[name], 0)


add("tls-loss/send-boundary", _aligned(_boundary), needs=("tls-tx", "tool:tc"))


def _receiver(part, family):
    """The peer sends in software; the device never sees one segment the first time."""
    def run(env):
        with _connected(env, env.remote, family, tx=False, rx=True) as (connection, out, into):
            into.warm_up(connection.up)
            before = connection.info(env.local)
            into.watch.restart()
            with loss.lose(connection, connection.up, _number(part), "egress") as lost:
                _, info = _move(connection)
                lost.check_one()
            _show("receiver", into.watch)
            expect(info["total_retrans"] >= 1, "nothing was retransmitted")
            came = connection.info(env.local)["data_segs_in"] - before["data_segs_in"]
            if into.real:
                _check_receiver(into, part, came, info["total_retrans"], connection)
            into.check_no_error()
            assert out
    return run


def _check_receiver(into, part, came, again, connection):
    """Only the loss of a header makes the device lose its place."""
    nic = into.watch.nic()
    resyncs = 1 if part == 0 else 0
    expect_equal("rx_tls_resync_req_pkt", nic["rx_tls_resync_req_pkt"], resyncs)
    expect(nic["rx_tls_decrypted_packets"] > 0, "no packet was decrypted")
    if not resyncs:
        # what follows in the same record, and what came again, is passed on as it is
        expect_between("packets that were not decrypted",
                       came - nic["rx_tls_decrypted_packets"], 1, SEGMENTS + 2 * again)
        return
    # the device finds back: later records are decrypted again
    into.warm_up(connection.up)
    nic, stat = into.watch.nic(), into.watch.protocols()
    _show("receiver, later", into.watch)
    for name in ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
                 "rx_tls_resync_res_ok"):
        expect_equal(name, nic[name], 1)
    expect_equal("rx_tls_resync_req_skip", nic["rx_tls_resync_req_skip"], 0)
    expect_equal("TlsRxDeviceResync", stat["TlsRxDeviceResync"], 1)


for _name, _part in _PARTS.items():
    add(f"tls-loss/receive-{_name}", _aligned(_receiver(_part, 4)), needs=("tls-rx", "tool:tc"),
        smoke=_name == "header", full=_name != "header")
add("tls-loss/receive-header-v6", _aligned(_receiver(0, 6)), needs=("tls-rx", "tool:tc"),
    full=True)


def _after_device(env):
    """A segment is lost after the receiving device has decrypted it: what comes again is old news
    for the device, which passes it on as it is and keeps its place."""
    with _connected(env, env.remote, 4, tx=False, rx=True) as (connection, _, into):
        into.warm_up(connection.up)
        into.watch.restart()
        with loss.lose(connection, connection.up, _number(0), "ingress") as lost:
            _, info = _move(connection)
            lost.check_one()
        _show("receiver", into.watch)
        expect(info["total_retrans"] >= 1, "nothing was retransmitted")
        if into.real:
            nic = into.watch.nic()
            expect_equal("rx_tls_resync_req_pkt", nic["rx_tls_resync_req_pkt"], 0)
            expect(nic["rx_tls_decrypted_packets"] > 0, "no packet was decrypted")
        into.check_no_error()


add("tls-loss/receive-after-device", _aligned(_after_device), needs=("tls-rx", "tool:tc"))


def _both_devices(part):
    """One loss between two devices: one replays, the other skips or finds back."""
    def run(env):
        with _connected(env, env.local, 4, tx=True, rx=True) as (connection, out, into):
            into.warm_up(connection.up)
            for offload in (out, into):
                offload.watch.restart()
            with loss.lose(connection, connection.up, _number(part), "egress") as lost:
                _, info = _move(connection)
                lost.check_one()
            into.warm_up(connection.up)
            _show("sender", out.watch)
            _show("receiver", into.watch)
            expect(info["total_retrans"] >= 1, "nothing was retransmitted")
            if out.real:
                expect(out.watch.nic()["tx_tls_ooo"] >= 1, "tx_tls_ooo did not move")
                expect_equal("rx_tls_resync_req_pkt",
                             into.watch.nic()["rx_tls_resync_req_pkt"], 0 if part else 1)
            into.check_no_error()
    return run


for _name, _part in _PARTS.items():
    add(f"tls-loss/device-to-device-{_name}", _aligned(_both_devices(_part)),
        needs=("tls-tx", "remote-tls-rx", "tool:tc"), full=_name != "header")


def _steady(way):
    """Every 40th full-size segment is lost, 4 MiB long; the device still works at the end."""
    def run(env):
        sender = env.local if way == "send" else env.remote
        with _connected(env, sender, 4, tx=way == "send", rx=way == "receive") as (
                connection, out, into):
            if way == "receive":
                into.warm_up(connection.up)
            watch = Watch(env.local)
            with loss.lose(connection, connection.up, 40, "egress") as lost:
                connection.up.move(4 << 20)
                seen, gone = lost.counts()
            note(f"{gone} of {seen} segments lost")
            expect(gone >= 20, f"only {gone} of {seen} segments were lost")
            _show(way, watch)
            if way == "receive":
                note(f"{into.warm_up(connection.up)} records until the device decrypts again")
            elif out.real:
                expect(watch.nic()["tx_tls_ooo"] >= gone // 2,
                       f"tx_tls_ooo moved by {watch.nic()['tx_tls_ooo']} for {gone} losses")
            into.check_no_error()
    return run


for _way in ("send", "receive"):
    add(f"tls-loss/{_way}-steady", _steady(_way), guard=600.0, full=True,
        needs=("tls-tx" if _way == "send" else "tls-rx", "tool:tc"))
