#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mlx5-wire between two network interfaces, as it stands beside a real NIC (docs/wire.md).

The unit tests beside this file feed frames to the parts of the program and the lab runs it between
two sockets; what only a kernel can show is here: AF_PACKET, checksums left open, tags taken off,
offloads that merge or leave bursts, interfaces that go down or away.

Responsible for: the tests, TAP on stdout, and a machine of our own to run them on: as root in new
network namespaces, as anybody else in a user namespace first; where neither may be made, nothing is
run and the plan says why. State: none outside; every child dies with us.

`--rule RULE` gives a rule more to every mlx5-wire, to see the tests fail:

    tests/wire/test-wire-packet.py BUILD/tests/wire/mlx5-wire --rule 'corrupt len=1.. count=1'
"""

import argparse
import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True      # the source tree may not be ours
# pylint: disable=wrong-import-position
import packetbench as bench
from packetbench import Failure, Frame, Net, Sniffer, Wire, check, equal, pump, traffic, wait_for

GUARD = 240                 # seconds for a test: a hang guard, most take less than one
INSIDE = "MLX5_WIRE_INSIDE"
MIB = 1 << 20
SENDER = "tso off gso off tx-udp-segmentation off"
UDP_SEGMENT = 103           # <linux/udp.h>
UNTOUCHED = ("dropped", "delayed", "held", "corrupted", "truncated", "split", "ip_options", "ce",
             "copies", "spares", "pieces", "refused", "overflow")
TESTS = {}


class Skip(Exception):
    """This machine cannot run the test; the reason."""


def test(function):
    """Register a test; its name is the function's."""
    TESTS[function.__name__.replace("_", "-")] = function
    return function


class Place:
    """What a test gets: a net, a folder, wires that end with it."""

    def __init__(self, options, folder):
        self._options = options
        self._wires = []
        self._folder = folder
        self.net = Net()

    def folder(self):
        """A new empty one."""
        return tempfile.mkdtemp(dir=self._folder)

    def wire(self, *rules, **more):
        """A wire that runs and serves its control socket."""
        return self.launch(*rules, **more).ready()

    def launch(self, *rules, **more):
        """A wire that may refuse to run."""
        wire = Wire(self._options.program, self.net, self.folder(),
                    rules=[*rules, *self._options.rule], **more)
        self._wires.append(wire)
        return wire

    def close(self):
        """All of it."""
        for wire in self._wires:
            wire.close()
        self.net.close()


def records(seed, count=40, most=6000):
    """A stream of TLS 1.2 records with random lengths, and where each begins.

    Nothing is encrypted: the wire reads headers only.
    """
    rng = random.Random(seed)
    stream, starts = bytearray(), []
    for _ in range(count):
        size = rng.randrange(200, most)
        starts.append(len(stream))
        stream += struct.pack("!BHH", 23, 0x0303, size) + rng.randbytes(size)
    return bytes(stream), starts


def same(what, seen, sent):
    """Fail unless a stream has arrived as it was sent."""
    digests = [hashlib.sha256(data).hexdigest() for data in (seen, sent)]
    where = next((at for at, pair in enumerate(zip(seen, sent)) if pair[0] != pair[1]), None)
    check(digests[0] == digests[1], f"{what}: {len(seen)} of {len(sent)} bytes arrived, the first "
                                    f"that differs is {where}")


def only_hit(wire, **expected):
    """The one hit of the log, which has the EXPECTED members."""
    hits = wire.hits()
    equal("number of hits", len(hits), 1)
    for name, value in expected.items():
        equal(f"{name} of the hit", hits[0].get(name), value)
    return hits[0]


def segments(frames, hit):
    """Payloads' frames that start at the sequence number of a hit."""
    return [frame.data for frame in frames if frame.seq == hit["seq"]
            and frame.end - frame.l4 - (frame.data[frame.l4 + 12] >> 4) * 4 == hit["len"]]


def untouched(stats):
    """Fail if the wire did anything but pass frames on."""
    for way in ("a>b", "b>a"):
        equal(f"{way} frames out", stats[way]["frames_out"], stats[way]["frames_in"])
        equal(f"{way} bytes out", stats[way]["bytes_out"], stats[way]["bytes_in"])
        for name in UNTOUCHED:
            equal(f"{way} {name}", stats[way][name], 0)
    equal("hits", stats["hits"], 0)
    equal("waiting", stats["waiting"], 0)
    for side in ("side_a", "side_b"):
        equal(f"unsendable of {side}", stats[side]["unsendable"], 0)


# Streams

def passes(place, family, mib=4):
    """Random bytes both ways at once, byte for byte; every frame is counted once."""
    net, wire = place.net, place.wire()
    net.up()
    rng = random.Random(family)
    there, back = rng.randbytes(mib * MIB), rng.randbytes(mib * MIB + 1)
    client, server = net.connect(family)
    arrived = pump((client, there, server), (server, back, client))
    same("a>b", arrived[0], there)
    same("b>a", arrived[1], back)
    stats = traffic(net, wire)
    untouched(stats)
    check(stats["a>b"]["frames_in"] > mib * MIB // 1500, "more frames than full ones")
    flow, = wire.call("flows")
    equal("end a", flow["a_port"], client.getsockname()[1])
    equal("bytes of the stream a>b", flow["a>b"]["stream"], len(there))
    equal("bytes of the stream b>a", flow["b>a"]["stream"], len(back))
    equal("exit status", wire.stop(), 0)
    equal("what it said", wire.said(), "")


@test
def tcp_ipv4(place):
    """Several MiB both ways over IPv4."""
    passes(place, 4)


@test
def tcp_ipv6(place):
    """The same over IPv6."""
    if not bench.have_ipv6():
        raise Skip("this kernel has no IPv6")
    passes(place, 6)


@test
def checksums_left_open(place):
    """Each frame leaves as it came but for a checksum that its sender left to a NIC.

    veth hands the sender's promise over. A sniffer before the wire sees which checksums are open,
    one behind it that all are right, and that nothing else has changed in any frame.
    """
    net = place.net
    before = {"a": Sniffer(net, net.box, "boxa"), "b": Sniffer(net, net.box, "boxb")}
    wire = place.wire()
    after = {"a": Sniffer(net, net.b, "end"), "b": Sniffer(net, net.a, "end")}
    net.up()
    sniffers = [*before.values(), *after.values()]
    for family in (4, 6) if bench.have_ipv6() else (4,):
        client, server = net.connect(family)
        there, back = random.Random(1).randbytes(200001), random.Random(2).randbytes(70000)
        arrived = pump((client, there, server), (server, back, client), watch=sniffers)
        same("a>b", arrived[0], there)
        same("b>a", arrived[1], back)
        ends = net.datagrams(family)
        for size in (0, 1, 700, 1001):
            ends[0].send(bytes(size))
            equal("datagram at b", ends[1].recv(2000), bytes(size))
            ends[1].send(bytes(size))
            equal("datagram at a", ends[0].recv(2000), bytes(size))
    stats = traffic(net, wire, watch=sniffers)
    untouched(stats)
    for side, way in (("a", "a>b"), ("b", "b>a")):
        number = stats[way]["frames_in"]        # more may have come since
        came, left = before[side].frames[:number], after[side].frames[:number]
        equal("frames that sniffers missed", before[side].missed + after[side].missed, 0)
        still = [frame for frame in came if frame.status & bench.CSUM_OPEN]
        check([frame for frame in still if not frame.right],
              f"no checksum of end {side} was left open: the test shows nothing")
        equal(f"checksums filled, side {side}", stats[f"side_{side}"]["checksums_filled"],
              len(still))
        check(not [frame for frame in left if frame.status & bench.CSUM_OPEN
                   or frame.summed and not frame.right],
              f"a wrong checksum behind the wire, from side {side}")
        expected = [frame.filled() if frame.status & bench.CSUM_OPEN else frame.data
                    for frame in came]
        equal(f"frames from side {side} are the same behind the wire",
              [at for at, pair in enumerate(zip(expected, left)) if pair[0] != pair[1].data], [])
        equal(f"numbers of frames from side {side}", (len(came), len(left)), (number, number))


@test
def frames_of_others(place):
    """It takes frames for anybody, as a cable does, but not those that its machine sends there."""
    net, wire = place.net, place.wire("log proto=udp")
    sniffer = Sniffer(net, net.b, "end")
    net.up()
    foreign = b"\x02\x01\x02\x03\x04\x05" + tagged(net, [], 77)[6:]
    net.raw(net.a, "end").send(foreign)
    traffic(net, wire, watch=[sniffer])
    equal("frames for others behind the wire",
          [frame.data == foreign for frame in sniffer.frames if frame.data[1] == 1], [True])
    for side in ("a", "b"):
        equal(f"promiscuity of box{side}", net.box.link(f"box{side}")["promiscuity"], 1)
        net.raw(net.box, f"box{side}").send(foreign)
    ends = net.datagrams()              # when they have passed, what came before them has
    for sender, receiver in (ends, ends[::-1]):
        sender.send(b"behind")
        equal("what arrives", receiver.recv(100), b"behind")
    equal("datagrams that it has read", [(hit["dir"], hit["frame_len"]) for hit in wire.hits()],
          [("a>b", len(foreign)), ("a>b", 48), ("b>a", 48)])
    equal("exit status", wire.stop(), 0)


# Rules

@test
def drop_record(place):
    """The packet with a certain byte of a certain record is lost once, and sent again."""
    net, wire = place.net, place.wire("drop a>b record=7 byte=2")
    net.up()
    stream, starts = records(7)
    client, server = net.connect()
    arrived = pump((client, stream, server), (server, b"done", client))
    same("a>b", arrived[0], stream)
    only_hit(wire, action="drop", dir="a>b", record=7, byte=2, sent=1, type=23,
             stream=starts[7] + 2, record_len=starts[8] - starts[7])
    stats = traffic(net, wire)
    equal("dropped", stats["a>b"]["dropped"], 1)
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"] - 1)
    equal("frames back", stats["b>a"]["frames_out"], stats["b>a"]["frames_in"])
    flow, = wire.call("flows")
    check(flow["a>b"]["again_bytes"] > 0, "nothing was sent again")
    for name, value in (("records", len(starts)), ("stream", len(stream)), ("lost", 0),
                        ("hole", 0)):
        equal(f"{name} of the flow", flow["a>b"][name], value)
    rule = wire.call("rules")[0]
    equal("matches and hits of the rule", (rule["matches"], rule["hits"]), (1, 1))


@test
def hold_and_release(place):
    """Nothing comes through a hold, until the word; with another name it stays."""
    net, wire = place.net, place.wire()
    net.up()
    client, server = net.connect()
    stream, _ = records(8, count=3, most=2000)
    same("before the hold", pump((client, stream, server), more=True)[0], stream)
    wire.call("add", rules=["hold a>b stream=+0.. sent=any name=x"])
    more, _ = records(9, count=3, most=2000)
    client.send(more)

    def waiting():
        """All of the new bytes are in the hold."""
        flow, = wire.call("flows")
        return flow["a>b"]["stream"] == len(stream) + len(more) and wire.call("stats")
    stats = wait_for("frames in the hold", waiting)
    check(stats["waiting"] > 0, "no frame waits")
    equal("frames held", stats["a>b"]["held"], stats["waiting"])
    equal("released under another name", wire.call("release", name="y"), 0)
    try:
        raise Failure(f"{len(server.recv(1 << 16))} bytes came through the hold")
    except BlockingIOError:
        pass
    check(wire.call("release", name="x") >= stats["waiting"], "fewer were released than waited")
    same("after the release", bench.receive(server, len(more)), more)
    wire.call("clear")
    arrived = pump((client, stream, server), (server, more, client))
    same("after the clear", arrived[0], stream)
    same("the other way", arrived[1], more)
    stats = traffic(net, wire)
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"])
    equal("still waiting", stats["waiting"], 0)


@test
def duplicate(place):
    """Copies are frames more, the same to the last byte; the stream does not mind."""
    net, wire = place.net, place.wire("duplicate a>b record=4 byte=first copies=2")
    sniffer = Sniffer(net, net.b, "end")
    net.up()
    stream, _ = records(10)
    client, server = net.connect()
    arrived = pump((client, stream, server), (server, stream, client), watch=[sniffer])
    same("a>b", arrived[0], stream)
    same("b>a", arrived[1], stream)
    hit = only_hit(wire, action="duplicate", record=4, byte=0)
    stats = traffic(net, wire, watch=[sniffer])
    equal("copies", stats["a>b"]["copies"], 2)
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"] + 2)
    found = segments(sniffer.frames, hit)
    equal("times that the frame arrived", found.count(found[0]) if found else 0, 3)


@test
def corrupt_keep(place):
    """Without a new checksum the receiver's TCP drops the packet, and counts it."""
    net, wire = place.net, place.wire("corrupt a>b record=6 byte=100 csum=keep")
    net.up()
    stream, starts = records(11)
    client, server = net.connect()
    arrived = pump((client, stream, server), (server, b"done", client))
    same("a>b", arrived[0], stream)
    only_hit(wire, action="corrupt", record=6, byte=100, stream=starts[6] + 100, sent=1)
    stats = traffic(net, wire)
    equal("corrupted", stats["a>b"]["corrupted"], 1)
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"])
    equal("checksum errors of B's TCP", net.b.snmp("Tcp", "InCsumErrors"), 1)
    check(wire.call("flows")[0]["a>b"]["again_bytes"] > 0, "nothing was sent again")


@test
def corrupt_fix(place):
    """With a new checksum the byte arrives changed, and no other; TCP sees nothing."""
    net, wire = place.net, place.wire("corrupt a>b record=6 byte=100 xor=0x41")
    net.up()
    stream, starts = records(12)
    client, server = net.connect()
    arrived = pump((client, stream, server), (server, b"done", client))
    expected = bytearray(stream)
    expected[starts[6] + 100] ^= 0x41
    same("a>b", arrived[0], bytes(expected))
    only_hit(wire, action="corrupt", record=6, byte=100)
    equal("checksum errors of B's TCP", net.b.snmp("Tcp", "InCsumErrors"), 0)


@test
def spare(place):
    """A copy waits while the packet goes on; later it arrives, as it was."""
    net, wire = place.net, place.wire("spare a>b record=9 byte=first name=x")
    sniffer = Sniffer(net, net.b, "end")
    net.up()
    stream, _ = records(13)
    client, server = net.connect()
    same("a>b", pump((client, stream, server), watch=[sniffer], more=True)[0], stream)
    hit = only_hit(wire, action="spare", record=9, byte=0)
    stats = traffic(net, wire, watch=[sniffer])
    equal("spares, waiting", (stats["a>b"]["spares"], stats["waiting"]), (1, 1))
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"])
    found = segments(sniffer.frames, hit)
    check(found, "the packet itself did not go on")
    equal("released", wire.call("release", name="x"), 1)
    traffic(net, wire, watch=[sniffer])
    equal("times that the frame arrived", segments(sniffer.frames, hit).count(found[0]), 2)
    arrived = pump((client, stream, server), (server, stream, client), watch=[sniffer])
    same("a>b, later", arrived[0], stream)
    same("b>a", arrived[1], stream)
    stats = traffic(net, wire)
    equal("frames out", stats["a>b"]["frames_out"], stats["a>b"]["frames_in"] + 1)


# Tags

def tagged(net, tags, size):
    """A frame from A to B with TAGS, (TPID, TCI), and SIZE bytes of UDP payload."""
    udp = struct.pack("!HHHH", 1000, 2000, 8 + size, 0) + random.Random(size).randbytes(size)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     socket.inet_aton(bench.ADDRESS["a", 4]),
                     socket.inet_aton(bench.ADDRESS["b", 4]))
    head = sum(struct.unpack("!10H", ip))
    ip = ip[:10] + struct.pack("!H", 0xffff - (head % 0xffff)) + ip[12:]
    data = net.b.mac("end") + net.a.mac("end")
    data += b"".join(struct.pack("!HH", *tag) for tag in tags)
    return Frame(data + struct.pack("!H", bench.ETH_IPV4) + ip + udp).filled()


@test
def vlan_frames(place):
    """Frames keep their tags, which the kernel takes off on arrival; rules see the outer one."""
    net = place.net
    wire = place.wire("log a>b vlan=5", "drop a>b vlan=6", "log vlan=8")
    sniffer = Sniffer(net, net.b, "end")
    net.up()
    sender = net.raw(net.a, "end")
    q, ad = bench.ETH_8021Q, bench.ETH_8021AD
    sent = [tagged(net, tags, size) for size, tags in (
        (100, []), (101, [(q, 5)]), (102, [(q, 0xb005)]), (103, [(ad, 5)]), (104, [(q, 0x6000)]),
        (105, [(q, 6)]), (106, [(ad, 7), (q, 5)]), (107, [(ad, 5), (q, 8)]), (108, [(q, 4095)]),
        (1472, []), (1471, [(q, 5)]), (1472, [(q, 5)]))]
    for frame in sent:
        equal("bytes sent", sender.send(frame), len(frame))
    stats = traffic(net, wire, watch=[sniffer])
    expected = [frame for frame in sent if Frame(frame).tags[:1] != [(q, 6)]]
    seen = [frame.data for frame in sniffer.frames if frame.proto == socket.IPPROTO_UDP]
    equal("tags behind the wire", [Frame(frame).tags for frame in seen],
          [Frame(frame).tags for frame in expected])
    check(seen == expected, "a tagged frame has changed")
    equal("dropped", stats["a>b"]["dropped"], 1)
    equal("hits of the rules", [rule["hits"] for rule in wire.call("rules")][:3], [6, 1, 0])


@test
def vlan_interfaces(place):
    """TCP over VLAN interfaces, whose tags veth carries beside the frame; records are found."""
    net, wire = place.net, place.wire("drop a>b vlan=5 record=3 byte=first", "log vlan=6")
    sniffer = Sniffer(net, net.b, "end")
    net.up()
    for name, end in net.ends.items():
        try:
            end.ip("link add link end name tag5 type vlan id 5")
        except Failure as failure:
            raise Skip("no VLAN interfaces here: " + str(failure).splitlines()[0]) from None
        end.ethtool("tag5", bench.ETHTOOL_STSO, 0)
        end.ethtool("tag5", bench.ETHTOOL_SGSO, 0)
        end.ip(f"address del {bench.ADDRESS[name, 4]}/24 dev end",
               f"address add {bench.ADDRESS[name, 4]}/24 dev tag5", "link set dev tag5 up")
        wait_for("tag5 to be up", lambda s=end: s.flags("tag5") & bench.IFF_RUNNING)
    stream, starts = records(14)
    client, server = net.connect()
    arrived = pump((client, stream, server), (server, stream, client), watch=[sniffer])
    same("a>b", arrived[0], stream)
    same("b>a", arrived[1], stream)
    only_hit(wire, record=3, byte=0, stream=starts[3])
    equal("dropped", traffic(net, wire, watch=[sniffer])["a>b"]["dropped"], 1)
    frames = [frame for frame in sniffer.frames if frame.proto == socket.IPPROTO_TCP]
    check(frames and all(frame.tags == [(bench.ETH_8021Q, 5)] for frame in frames),
          "TCP without its tag at end B")
    check(all(frame.right for frame in frames), "a wrong checksum behind a tag")


# What is refused

@test
def refuses_interfaces(place):
    """An interface that will not do ends it before it begins, with what to do."""
    net = place.net

    def refuses(words, a="boxa", b="boxb"):
        wire = place.launch(sides=(f"packet:{a}", f"packet:{b}"))
        equal(f"exit status for {a}, {b}", wire.ended(), 2)
        for word in words:
            check(word in wire.said(), f"{word!r} is not in {wire.said()!r}")
        check(not os.path.exists(f"{wire.folder}/ctl"), "a control socket was made, or left")

    for side in ("a", "b"):
        box = f"box{side}"
        refuses([f"side {side.upper()}", "packet:nosuch", "no such interface"], **{side: "nosuch"})
        refuses(["packet:lo", "not an Ethernet interface"], **{side: "lo"})
        refuses(["packet:a-name-that-is-too-long", "no such interface"],
                **{side: "a-name-that-is-too-long"})
        net.box.ethtool(box, bench.ETHTOOL_SGRO, 1)
        refuses([f"side {side.upper()}", "GRO", f"ethtool -K {box} gro off"])
        net.box.ethtool(box, bench.ETHTOOL_SGRO, 0)
        net.box.ip(f"link set dev {box} down")
        refuses([box, "down", f"ip link set {box} up"])
        net.box.ip(f"link set dev {box} up")
    equal("exit status of one that is not refused", place.wire().stop(), 0)


def ends_with(wire, *words):
    """It ends by itself with status 1, says these words and leaves its files."""
    equal("exit status", wire.ended(), 1)
    for word in words:
        check(word in wire.said(), f"{word!r} is not in {wire.said()!r}")
    stats = json.loads(wire.text("stats"))
    equal("lines of the log", len(wire.text("hits").splitlines()), stats["hits"])
    check(not os.path.exists(f"{wire.folder}/ctl"), "the control socket was left")
    return stats


def burst(place, family, backwards):
    """A wire, which must end by what TCP leaves for a NIC to cut."""
    wire = place.wire("log flags=syn")
    client, server = place.net.connect(family)
    (server if backwards else client).send(bytes(60000))
    side = "B" if backwards else "A"
    stats = ends_with(wire, f"side {side}", f"box{side.lower()}", "burst", SENDER)
    check(stats["hits"] >= 2, f"{stats['hits']} hits, and two SYNs at least have passed")
    bench.abort(client, server)


@test
def refuses_bursts(place):
    """A burst that the sender's stack left for a NIC ends it with the command for the sender.

    Let through it would be a packet that is larger than the wire's, or, if it fits into the MTU,
    one packet where the receiver of a real wire sees several.
    """
    net = place.net
    net.up(offload=True)
    for family in (4, 6) if bench.have_ipv6() else (4,):
        for backwards in (False, True):
            burst(place, family, backwards)
    wire = place.wire("log flags=syn")
    sender, _ = net.datagrams()
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1000)
    sender.send(bytes(5000))
    ends_with(wire, "side A", "boxa", "burst", SENDER)


@test
def refuses_small_bursts(place):
    """The same for a burst of small segments, which is not larger than the MTU."""
    net = place.net
    sniffer = Sniffer(net, net.box, "boxa")
    net.up(offload=True)
    wire = place.wire("log flags=syn")
    client, _ = net.connect(4, TCP_MAXSEG=300)
    client.send(bytes(1000))

    def seen():
        """The first frame with payload."""
        frames = [frame for frame in sniffer.read() if frame.seq and len(frame.data) > 100]
        return frames[:1]
    frame = wait_for("the burst", seen)[0]
    # on a loaded machine the pacing rate is low, and a burst has two segments
    check(len(frame.data) > 300, f"{len(frame.data)} bytes are no burst: the test shows nothing")
    if not frame.status & bench.GSO_TCP:
        raise Skip("this kernel does not tell bursts from packets (TP_STATUS_GSO_TCP)")
    ends_with(wire, "side A", "boxa", "burst", SENDER)


@test
def frames_too_large_to_send(place):
    """A frame that the other interface cannot take is counted, and said once."""
    net = place.net
    net.a.ip("link set dev end mtu 4000")
    net.box.ip("link set dev boxa mtu 4000")
    wire = place.wire()
    net.up()
    ends = net.datagrams()
    for _ in range(3):
        ends[0].send(bytes(2000))
    ends[0].send(b"small")
    equal("what arrives", ends[1].recv(4000), b"small")
    equal("unsendable", traffic(net, wire)["side_b"]["unsendable"], 3)
    equal("exit status", wire.stop(), 0)
    equal("lines said", len(wire.said().splitlines()), 1)
    check("boxb does not take a frame of 2042 bytes (MTU 1500)" in wire.said(), wire.said())


@test
def mtu_that_changes(place):
    """Frames of an MTU that has grown pass, and are no burst."""
    net, wire = place.net, place.wire()
    net.up()
    ends = net.datagrams()

    def set_mtu(mtu):
        for ip, name in ((net.a.ip, "end"), (net.box.ip, "boxa"), (net.box.ip, "boxb"),
                         (net.b.ip, "end")):
            ip(f"link set dev {name} mtu {mtu}")

    for mtu in (4000, 8000):
        set_mtu(mtu)
        data = random.Random(mtu).randbytes(mtu - 28)
        ends[0].send(data)
        same("what arrives", ends[1].recv(9000), data)
    set_mtu(1500)
    ends[0].send(b"small")
    equal("what arrives", ends[1].recv(9000), b"small")
    stats = traffic(net, wire)
    equal("unsendable", [stats[side]["unsendable"] for side in ("side_a", "side_b")], [0, 0])
    equal("exit status", wire.stop(), 0)


@test
def full_queue(place):
    """Frames that an interface has no room for wait and are tried again: none is lost.

    The sender is not TCP, so it does not slow down. The last queue is the kernel's at the other
    side; what does not fit into that (an ordinary user may not enlarge it) is counted there.
    """
    net, wire = place.net, place.wire()
    sniffer = Sniffer(net, net.b, "end")
    try:
        net.box.run("tc", "qdisc", "add", "dev", "boxb", "root", "tbf", "rate", "80mbit", "burst",
                    "10kb", "limit", "20kb")
    except (Failure, OSError) as error:
        raise Skip("no slow interface here: " + str(error).splitlines()[0]) from None
    net.up()
    sender = net.raw(net.a, "end")
    sent = [tagged(net, [], 400 + number) for number in range(1000)]
    for frame in sent:
        sender.send(frame)
        sniffer.read()
    stats = traffic(net, wire, watch=[sniffer])
    untouched(stats)
    dropped = json.loads(net.box.run("tc", "-j", "-s", "qdisc", "show", "dev", "boxb"))
    check(dropped[0]["drops"] > 0, "the queue was never full: the test shows nothing")
    seen = [frame.data for frame in sniffer.frames if frame.proto == socket.IPPROTO_UDP]
    lost = stats["side_a"]["lost_by_kernel"] + sniffer.missed
    equal("frames seen and lost", len(seen) + lost, len(sent))
    order = iter(sent)
    check(all(frame in order for frame in seen), "frames have changed, or their order")


# Interfaces that go

@test
def interface_down_and_up(place):
    """It goes on while an interface is down, and passes frames again when it is up."""
    net, wire = place.net, place.wire()
    net.up()
    client, server = net.connect()
    stream, _ = records(15)
    same("before", pump((client, stream, server), more=True)[0], stream)
    ends = net.datagrams()
    for side, end, other in (("a", 0, 1), ("b", 1, 0)):
        net.box.ip(f"link set dev box{side} down")
        ends[other].send(b"lost")
        wait_for("a frame that cannot be sent",
                 lambda s=side: wire.call("stats")[f"side_{s}"]["unsendable"] > 0)
        net.box.ip(f"link set dev box{side} up")
        net.wait_up()
        ends[end].send(b"found")
        equal("what arrives", ends[other].recv(100), b"found")
        same("after", pump((client, stream, server), (server, stream, client), more=True)[1],
             stream)
    equal("exit status", wire.stop(), 0)
    equal("lines said", len(wire.said().splitlines()), 2)
    check("boxa does not take" in wire.said() and "boxb does not take" in wire.said(), wire.said())


@test
def interface_deleted(place):
    """Without its interface it ends, whichever side that was, and leaves its files."""
    net = place.net
    net.up()
    for side in ("a", "b"):
        wire = place.wire("log flags=syn")
        client, server = net.connect()
        same("before", pump((client, bytes(5000), server))[0], bytes(5000))
        net.box.ip(f"link del dev box{side}")
        stats = ends_with(wire, f"side {side.upper()}", f"box{side}")
        check(stats["hits"] >= 2, f"{stats['hits']} hits, and two SYNs at least have passed")
        net.link(side)
        net.up(side)


@test
def interface_replaced(place):
    """Another interface of the same name is not the one that it was given."""
    net = place.net         # no end is up: where nothing is written, only reading can tell
    for replace in (False, True):
        wire = place.wire()
        wire.process.send_signal(signal.SIGSTOP)
        net.box.ip("link del dev boxa")
        if replace:
            net.link("a")
        wire.process.send_signal(signal.SIGCONT)
        ends_with(wire, "side A", "boxa")
        if not replace:
            net.link("a")


@test
def one_processor(place):
    """It stays on one processor: from another one, frames would leave by another queue of the NIC,
    and could overtake those before them."""
    place.net.up()
    allowed = os.sched_getaffinity(place.wire().process.pid)
    equal("processors it may run on", len(allowed), 1)


# The end

@test
def ends_by_signal(place):
    """A signal ends it with status 0; what waits goes out, log and counters are written."""
    net = place.net
    net.up()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        wire = place.wire("hold a>b stream=1000.. sent=any name=x")
        client, server = net.connect()
        pump((client, bytes(1000), server), more=True)
        client.send(b"held")
        wait_for("the hold", lambda w=wire: w.call("stats")["waiting"])
        hits = wire.hits()
        equal("exit status", wire.stop(number), 0)
        logged = [json.loads(line) for line in wire.text("hits").splitlines()]
        equal("log", logged[:len(hits)], hits)
        written = json.loads(wire.text("stats"))
        equal("flows, hits, waiting", [written[name] for name in ("flows", "hits", "waiting")],
              [1, len(logged), 0])
        equal("held", written["a>b"]["held"], len(logged))
        equal("frames out", written["a>b"]["frames_out"], written["a>b"]["frames_in"])
        equal("what it said", wire.said(), "")
        check(not os.path.exists(f"{wire.folder}/ctl"), "the control socket was left")
        equal("what was held", bench.receive(server, 4), b"held")
        bench.abort(client, server)


# TAP

def run_one(name, options, folder):
    """Run a test; returns the end of its line, "" when it passed."""
    def hangs(*_):
        raise Failure(f"the test hangs: {GUARD} s")
    signal.signal(signal.SIGALRM, hangs)
    place = None
    signal.alarm(GUARD)
    try:
        place = Place(options, folder)
        TESTS[name](place)
        return ""
    except Skip as reason:
        return f" # SKIP {reason}"
    except Exception as error:      # pylint: disable=broad-exception-caught
        lines = traceback.format_exc().splitlines()
        for line in lines:
            print(f"# {line}")
        return f" - {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    finally:
        signal.alarm(0)
        if place:
            place.close()


@contextlib.contextmanager
def folder_of_our_own():
    """A temporary folder, which a shell removes as soon as we are gone, however that happens."""
    folder = tempfile.mkdtemp(prefix="mlx5-wire-")
    with subprocess.Popen(["sh", "-c", 'read -r _; rm -rf "$1"', "sh", folder],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          start_new_session=True):
        yield folder


def run_all(options):
    """All tests that were asked for; the exit status."""
    def end(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    names = options.tests or list(TESTS)
    failed = False
    print(f"1..{len(names)}", flush=True)
    with folder_of_our_own() as folder:
        for number, name in enumerate(names, 1):
            started = time.monotonic()
            rest = run_one(name, options, folder)
            bad = rest.startswith(" -")
            failed |= bad
            print(f"# took {time.monotonic() - started:.2f} s")
            print(f"{'not ' if bad else ''}ok {number} {name}{rest}", flush=True)
    return int(failed)


def way_in():
    """(command that makes a machine of our own, why there is none)."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    for tool in ("ip", "unshare"):
        if not shutil.which(tool):
            return None, f"{tool} is not installed"
    reasons = []
    for way in (["unshare", "--net", "--mount"],
                ["unshare", "--user", "--map-root-user", "--net", "--mount"]):
        done = subprocess.run([*way, "ip", "link", "add", "name", "end", "type", "veth", "peer",
                               "name", "box"], capture_output=True, text=True, check=False,
                              timeout=GUARD)
        if done.returncode == 0:
            return way, ""
        reasons.append(" ".join(way) + ": " + (done.stderr.strip().splitlines() or ["failed"])[-1])
    return None, "no network namespaces with veth: " + "; ".join(reasons)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="mlx5-wire")
    parser.add_argument("tests", nargs="*", metavar="TEST", help="tests to run (default: all)")
    parser.add_argument("-l", action="store_true", help="list the tests, as GLib's programs do")
    parser.add_argument("--rule", action="append", default=[], help="a rule for every wire")
    options = parser.parse_args()
    for name in options.tests:
        if name not in TESTS:
            parser.error(f"there is no test {name!r}; there are {', '.join(TESTS)}")
    if os.environ.pop(INSIDE, None):
        return run_all(options)
    way, reason = way_in()
    if options.l:       # without a way in there is one result, for the whole program
        print("".join(f"/{name}\n" for name in TESTS if way), end="")
        return 0 if way else 1
    if not way:
        print(f"1..0 # SKIP {reason}")
        return 0
    sys.stdout.flush()
    os.execvpe(way[0], [*way, sys.executable, "-B", os.path.abspath(__file__), *sys.argv[1:]],
               {**os.environ, INSIDE: "1"})
    return 1


if __name__ == "__main__":
    sys.exit(main())
