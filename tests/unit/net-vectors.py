#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Record the packets in net-vectors.h from the Linux network stack.

The stack is the second opinion of test-parse, test-csum and test-segment: its own
sockets wrote the headers and checksums of the captured frames, and its software GSO
cut the segments.  Needs root (a network namespace with a veth pair, all offloads
off) and a kernel of 6.2 or later for UDP segmentation; run it only to renew the
file:

    sudo unshare -n tests/unit/net-vectors.py > tests/unit/net-vectors.h

Owns nothing outside its namespaces.
"""
import array
import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
SIOCETHTOOL = 0x8946
# ETHTOOL_SRXCSUM, STXCSUM, SSG, STSO, SGSO, SGRO
OFFLOADS = (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C)
SOL_PACKET, PACKET_AUXDATA, PACKET_VNET_HDR = 263, 8, 15
TP_STATUS_VLAN_VALID = 0x10
GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_ECN = 1, 4, 5, 0x80
MAC_A, MAC_B = bytes.fromhex("021122334455"), bytes.fromhex("026677889900")


def ip(*args):
    """Run ip."""
    subprocess.run(["ip", *args], check=True)


def offloads_off(dev):
    """Have the stack make every frame by itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for cmd in OFFLOADS:
            value = array.array("B", struct.pack("II", cmd, 0))
            req = struct.pack("16sP", dev.encode(), value.buffer_info()[0])
            fcntl.ioctl(sock, SIOCETHTOOL, req)


def packet_socket(dev):
    """A socket that sees all frames of an interface."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sock.bind((dev, ETH_P_ALL))
    sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    return sock


def read_frame(sock):
    """One frame; a tag that the stack has taken out is put back."""
    frame, control, _, _ = sock.recvmsg(65536, 256)
    for level, kind, data in control:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                frame = frame[:12] + struct.pack(">HH", tpid, tci) + frame[12:]
    return frame


def receive(sock, want, seconds=5.0):
    """Frames until `want(frame)` has been true for the last one."""
    frames = []
    while select.select([sock], [], [], seconds)[0]:
        frame = read_frame(sock)
        verdict = want(frame)
        if verdict is not None:
            frames.append(frame)
        if verdict:
            return frames
    sys.exit("net-vectors: the expected packet did not come")


def show(name, data, comment):
    """Print bytes as an array of C."""
    print(f"\n/* {comment} */\nstatic const uint8_t {name}[{len(data)}] = {{")
    for at in range(0, len(data), 12):
        print("    " + " ".join(f"0x{b:02x}," for b in data[at:at + 12]))
    print("};")


def word_sum(data):
    """The Internet checksum's sum of 16-bit words, folded."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def payload_bytes(n):
    """Bytes that repeat nowhere near."""
    return bytes((i * 7 + (i >> 8) * 13 + 1) & 0xFF for i in range(n))


class Burst:
    """One packet to be segmented: headers, payload, and how."""

    def __init__(self, name, ver, proto, vlan, mss, size, options=b""):
        self.name, self.mss, self.payload = name, mss, payload_bytes(size)
        eth = MAC_B + MAC_A + (struct.pack(">HH", 0x8100, 0x6123) if vlan else b"")
        eth += struct.pack(">H", 0x0800 if ver == 4 else 0x86DD)
        tcp = proto == 6
        hlen = 20 + len(options) if tcp else 8
        l4_len = hlen + size
        src, dst = (
            (socket.inet_aton("192.0.2.7"), socket.inet_aton("198.51.100.9")) if ver == 4
            else (socket.inet_pton(socket.AF_INET6, "2001:db8::7"),
                  socket.inet_pton(socket.AF_INET6, "2001:db8:1::9")))
        pseudo = word_sum(src + dst + struct.pack(">II", proto, l4_len))
        if tcp:
            # CWR, ACK, PSH, FIN; the sequence number wraps within the burst
            l4 = struct.pack(">HHIIHHHH", 40000, 443, 0xFFFFFF00, 0x01020304,
                             (hlen // 4) << 12 | 0x099, 0x2000, pseudo, 0) + options
        else:
            l4 = struct.pack(">HHHH", 40001, 443, l4_len, pseudo)
        if ver == 4:
            hdr = struct.pack(">BBHHHBBH", 0x45, 2, 20 + l4_len, 0xFFFE, 0x4000, 64,
                              proto, 0) + src + dst
            l3 = hdr[:10] + struct.pack(">H", word_sum(hdr) ^ 0xFFFF) + hdr[12:]
        else:
            l3 = struct.pack(">IHBB", 0x60212345, l4_len, proto, 64) + src + dst
        self.hdr = eth + l3 + l4
        gso = (GSO_TCPV4 if ver == 4 else GSO_TCPV6) | GSO_ECN if tcp else GSO_UDP_L4
        self.vnet = struct.pack("=BBHHHH", 1, gso, len(self.hdr), mss,
                                len(eth + l3), 16 if tcp else 6)

    def record(self, tx, rx):
        """Send the burst, and print what came and how the kernel cut it."""
        left = len(self.payload)

        def want(frame):
            nonlocal left
            if frame[6:12] != MAC_A:
                return None
            left -= len(frame) - len(self.hdr)
            return left == 0

        tx.send(self.vnet + self.hdr + self.payload)
        frames = receive(rx, want)
        show(f"{self.name}_hdr", self.hdr,
             f"{self.name}: headers as given to the stack, mss {self.mss}, "
             f"{len(self.payload)} bytes of payload")
        for i, frame in enumerate(frames):
            show(f"{self.name}_{i}", frame, f"{self.name}: segment {i}")
        return len(frames)


def record_bursts():
    """All bursts, on one pair of interfaces."""
    tx, rx = packet_socket("va"), packet_socket("vb")
    tx.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    stamps = bytes.fromhex("0101080a0000123400005678")
    bursts = [
        Burst("gso_tcp4", 4, 6, False, 100, 350, stamps),
        Burst("gso_tcp6", 6, 6, False, 99, 297, stamps),
        Burst("gso_udp4", 4, 17, False, 80, 201),
        Burst("gso_udp6", 6, 17, False, 77, 200),
        Burst("gso_vlan", 4, 6, True, 64, 130),
    ]
    counts = [burst.record(tx, rx) for burst in bursts]
    print("\ntypedef struct GsoFrame {\n    const uint8_t *data;\n    size_t len;\n"
          "} GsoFrame;\n\ntypedef struct GsoVector {\n    const char *name;\n"
          "    const uint8_t *hdr;\n    size_t hdr_len;\n    uint32_t payload_len;\n"
          "    uint32_t mss;\n    size_t n_frames;\n    GsoFrame frame[8];\n"
          "} GsoVector;\n\nstatic const GsoVector gso_vectors[] = {")
    for burst, count in zip(bursts, counts):
        print(f"    {{ \"{burst.name}\", {burst.name}_hdr, sizeof({burst.name}_hdr), "
              f"{len(burst.payload)}, {burst.mss}, {count}, {{")
        for i in range(count):
            print(f"        {{ {burst.name}_{i}, sizeof({burst.name}_{i}) }},")
        print("    } },")
    print("};")


def peer(ready, go):
    """The other end: answers TCP and UDP on port 4433."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        sys.exit("net-vectors: unshare failed")
    os.write(ready, b"x")
    os.read(go, 1)
    ip("addr", "add", "192.0.2.2/24", "dev", "vb")
    ip("addr", "add", "2001:db8::2/64", "dev", "vb", "nodad")
    ip("link", "set", "vb", "up")
    offloads_off("vb")
    listener = socket.create_server(("::", 4433), family=socket.AF_INET6,
                                    dualstack_ipv6=True)
    os.write(ready, b"x")
    while True:
        conn, _ = listener.accept()
        conn.sendall(conn.recv(100).upper())
        conn.recv(1)
        conn.close()


def tcp_with(flags, min_payload, src_port):
    """A filter for the first TCP packet of `flags` and payload, v4 or v6."""
    def want(frame):
        kind = frame[12:14]
        if kind == b"\x08\x00" and frame[23] == 6:
            l4, end = 34, 14 + int.from_bytes(frame[16:18], "big")
        elif kind == b"\x86\xdd" and frame[20] == 6:
            l4, end = 54, 54 + int.from_bytes(frame[18:20], "big")
        else:
            return None
        payload = end - l4 - (frame[l4 + 12] >> 4) * 4
        port = int.from_bytes(frame[l4:l4 + 2], "big")
        hit = (frame[l4 + 13] & flags == flags and payload >= min_payload and
               (port == 4433) == src_port)
        return True if hit else None
    return want


def record_sockets():
    """Packets that TCP and UDP sockets make."""
    ready_r, ready_w = os.pipe()
    go_r, go_w = os.pipe()
    pid = os.fork()
    if not pid:
        peer(ready_w, go_r)
        os._exit(0)         # pylint: disable=protected-access
    try:
        os.read(ready_r, 1)
        ip("link", "set", "vb", "netns", str(pid))
        ip("addr", "add", "192.0.2.1/24", "dev", "va")
        ip("addr", "add", "2001:db8::1/64", "dev", "va", "nodad")
        os.write(go_w, b"x")
        os.read(ready_r, 1)
        tap = packet_socket("va")

        for name, addr in (("v4", "192.0.2.2"), ("v6", "2001:db8::2")):
            family = socket.AF_INET if name == "v4" else socket.AF_INET6
            with socket.create_connection((addr, 4433), timeout=10) as conn:
                show(f"tcp_{name}_syn", receive(tap, tcp_with(0x02, 0, False))[-1],
                     f"TCP over IP{name}: SYN to port 4433")
                conn.sendall(b"the quick brown fox jumps over it")
                conn.recv(100)
                show(f"tcp_{name}_data", receive(tap, tcp_with(0x18, 33, True))[-1],
                     f"TCP over IP{name}: 33 bytes from port 4433")
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.bind(("", 5001))
                sock.sendto(payload_bytes(45), (addr, 4434))
                at = 23 if name == "v4" else 20
                show(f"udp_{name}", receive(tap, lambda f, at=at: True if f[at] == 17
                                            else None)[-1],
                     f"UDP over IP{name}: 45 bytes, port 5001 to 4434")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            # UDP without checksum: SO_NO_CHECK
            sock.setsockopt(socket.SOL_SOCKET, 11, 1)
            sock.sendto(b"no checksum", ("192.0.2.2", 4434))
        show("udp_v4_nocsum", receive(
            tap, lambda f: True if f[23] == 17 and f[40:42] == b"\0\0" else None)[-1],
             "UDP over IPv4 without checksum")
        ip("link", "set", "va", "mtu", "124")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("", 5002))
            # IP_MTU_DISCOVER = IP_PMTUDISC_DONT: fragment
            sock.setsockopt(socket.IPPROTO_IP, 10, 0)
            sock.sendto(payload_bytes(200), ("192.0.2.2", 4434))
        frags = receive(tap, lambda f: None if f[23] != 17 else not f[20] & 0x20)
        for i, frame in enumerate(frags):
            show(f"udp_v4_frag_{i}", frame,
                 f"UDP over IPv4, 200 bytes, port 5002 to 4434: fragment {i} of "
                 f"{len(frags)}")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def main():
    """Print the vectors; the interfaces are gone afterwards."""
    if os.geteuid():
        sys.exit("net-vectors: needs root, see the top of this file")
    if subprocess.run(["ip", "-br", "link", "show", "up"], check=True,
                      capture_output=True).stdout.strip():
        sys.exit("net-vectors: an interface is up here; run me under unshare -n")
    ip("link", "add", "name", "va", "type", "veth", "peer", "name", "vb")
    for dev in ("va", "vb"):
        offloads_off(dev)
    print("/* SPDX-License-Identifier: GPL-2.0-or-later */\n/*\n"
          " * Packets recorded from the Linux network stack by net-vectors.py: made, "
          "summed\n * and segmented by it, with all offloads off. Not to be edited.\n"
          " * Test data; owns nothing, included by the tests that use it.\n */\n"
          "#ifndef TESTS_UNIT_NET_VECTORS_H\n#define TESTS_UNIT_NET_VECTORS_H\n\n"
          "#include <stddef.h>\n#include <stdint.h>")
    ip("link", "set", "va", "up")
    rx = packet_socket("va")
    ip("link", "set", "vb", "up")
    # Hop-by-hop options: the stack reports its IPv6 groups when the link comes up.
    mld = receive(rx, lambda f: True if f[12:14] == b"\x86\xdd" and f[20] == 0 else None)
    show("mld_v6", mld[-1], "MLDv2 report: IPv6, hop-by-hop options, ICMPv6")
    rx.close()
    record_bursts()
    record_sockets()
    print("\n#endif")


if __name__ == "__main__":
    main()
