# SPDX-License-Identifier: GPL-2.0-or-later
"""A bench for mlx5-wire between two interfaces: end A <-> box <-> end B, each a network namespace.

Responsible for: the namespaces and veth pairs, what ethtool would set, the program in the box and
its control socket, sniffers, and moving bytes both ways without ever blocking.
State: namespaces live as long as descriptors and processes in them, so nothing stays behind and
nothing has a name outside: /run/netns and the host's interfaces are not touched. One thread, since
setns() moves a thread: whatever is made inside `with namespace:` belongs there for good.
Callers: test-wire-packet.py.
"""

import array
import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PATIENCE = 60.0             # a hang guard: what is waited for comes within milliseconds

SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCETHTOOL = 0x8913, 0x8927, 0x8946
IFF_UP, IFF_RUNNING = 0x1, 0x40
ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x1f, 0x24, 0x2c
ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 6, 8, 23
SO_RCVBUFFORCE = 33
AUXDATA = struct.Struct("=IIIHHHH")     # tpacket_auxdata: status, len, snaplen, mac, net, tci, tpid
CSUM_OPEN, VLAN_VALID, TPID_VALID, GSO_TCP = 1 << 3, 1 << 4, 1 << 6, 1 << 8
ETH_8021Q, ETH_8021AD, ETH_IPV4, ETH_IPV6 = 0x8100, 0x88a8, 0x0800, 0x86dd

# Bytes in flight must fit into what an ordinary user may queue at the box, or TCP has losses to
# repair that no rule asked for.
WINDOW = 64 << 10

ADDRESS = {("a", 4): "10.77.0.1", ("b", 4): "10.77.0.2",
           ("a", 6): "fd77::1", ("b", 6): "fd77::2"}
MAC = {"a": "02:00:00:00:00:0a", "b": "02:00:00:00:00:0b"}    # a new end is no new neighbour
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}

_libc = ctypes.CDLL(None, use_errno=True)


class Failure(AssertionError):
    """A test has seen what should not be."""


def check(holds, what):
    """Fail, saying WHAT was expected and seen, unless it HOLDS."""
    if not holds:
        raise Failure(what)


def equal(what, seen, expected):
    """Fail unless SEEN is what was EXPECTED."""
    check(seen == expected, f"{what}: {seen!r} instead of {expected!r}")


def wait_for(what, probe):
    """Ask PROBE until it says something true, which is returned.

    It may return a string instead, which says what is still missing.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = probe()
        if answer and not isinstance(answer, str):
            return answer
        check(time.monotonic() < deadline,
              f"waited in vain for {what}: {answer or 'no sign of it'}")
        time.sleep(0.002)


def _system(name, *args):
    if getattr(_libc, name)(*args) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def _die_with_parent():
    _system("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Namespace:
    """A new network namespace; `with` it, the thread is in there."""

    def __init__(self):
        self._back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _system("unshare", CLONE_NEWNET)
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        _system("setns", self._back, CLONE_NEWNET)

    def __enter__(self):
        _system("setns", self.fd, CLONE_NEWNET)
        return self

    def __exit__(self, *_):
        _system("setns", self._back, CLONE_NEWNET)

    def close(self):
        """Let go of it."""
        os.close(self.fd)
        os.close(self._back)

    def run(self, *argv, text="", fds=()):
        """Run a program in here, with TEXT as its input; what it printed."""
        with self:
            done = subprocess.run(argv, input=text, text=True, capture_output=True, check=False,
                                  timeout=PATIENCE, pass_fds=fds, preexec_fn=_die_with_parent)
        check(done.returncode == 0, f"{' '.join(argv)}: {text}: {done.stderr.strip()}")
        return done.stdout

    def ip(self, *lines, others=()):
        """Commands of ip(8). OTHERS: namespaces that they name as /proc/self/fd/N."""
        self.run("ip", "-batch", "-", text="\n".join(lines),
                 fds=[other.fd for other in others])

    def link(self, ifname):
        """All that ip(8) knows of an interface."""
        return json.loads(self.run("ip", "-j", "-d", "-s", "link", "show", "dev", ifname))[0]

    def counters(self, ifname):
        """The kernel's (received, transmitted) packets of an interface."""
        stats = self.link(ifname)["stats64"]
        return stats["rx"]["packets"], stats["tx"]["packets"]

    def ioctl(self, request, ifname, argument):
        """The answer, 24 bytes, of an interface ioctl."""
        with self, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            block = struct.pack("=16s24s", ifname.encode(), argument)
            return fcntl.ioctl(sock, request, block)[16:]

    def flags(self, ifname):
        """IFF_* of an interface."""
        return struct.unpack_from("=H", self.ioctl(SIOCGIFFLAGS, ifname, b""))[0]

    def mac(self, ifname):
        """Its address."""
        return self.ioctl(SIOCGIFHWADDR, ifname, b"")[2:8]

    def ethtool(self, ifname, command, value):
        """What `ethtool -K` does, without the program."""
        block = array.array("I", [command, value])
        self.ioctl(SIOCETHTOOL, ifname, struct.pack("P", block.buffer_info()[0]))

    def snmp(self, group, name):
        """A counter of /proc/net/snmp, such as Tcp, InCsumErrors."""
        with self, open("/proc/net/snmp", encoding="ascii") as file:
            rows = [line.split() for line in file if line.startswith(group + ":")]
        return int(rows[1][rows[0].index(name)])


class Net:
    """The ends "a" and "b" (interface `end`) and the box (`boxa`, `boxb`), which is up at once.

    The ends come up with up(), so that whoever looks before it sees every frame.
    """

    def __init__(self):
        self.a, self.box, self.b = Namespace(), Namespace(), Namespace()
        self.ends = {"a": self.a, "b": self.b}
        self._sockets = contextlib.ExitStack()
        for name in self.ends:
            self.link(name)

    def link(self, name):
        """Make the veth pair of an end. Nothing in the box talks by itself."""
        end = self.ends[name]
        self.box.ip(f"link add name box{name} type veth peer name end address {MAC[name]} "
                    f"netns /proc/self/fd/{end.fd}",
                    *([f"link set dev box{name} addrgenmode none"] if have_ipv6() else []),
                    f"link set dev box{name} up", others=[end])

    def up(self, *names, offload=False):
        """Bring the ends up. OFFLOAD: leave bursts for the "NIC", as a veth does by default."""
        names = names or tuple(self.ends)
        for name in names:
            end = self.ends[name]
            if not offload:
                end.ethtool("end", ETHTOOL_STSO, 0)
                end.ethtool("end", ETHTOOL_SGSO, 0)
            end.ip(*(["link set dev end addrgenmode none"] if have_ipv6() else []),
                   "link set dev end up")
        self.wait_up()
        # an IPv6 address speaks of itself at once: the other end must be there to hear it
        for name in names:
            self.ends[name].ip(f"address add {ADDRESS[name, 4]}/24 dev end",
                               *([f"address add {ADDRESS[name, 6]}/64 dev end nodad"]
                                 if have_ipv6() else []))

    def wait_up(self):
        """Wait until every interface is up and has its carrier."""
        want = IFF_UP | IFF_RUNNING
        for space, ifname in ((self.box, "boxa"), (self.box, "boxb"), (self.a, "end"),
                              (self.b, "end")):
            wait_for(f"{ifname} to be up", lambda s=space, i=ifname: s.flags(i) & want == want)

    def keep(self, sock):
        """Have a socket closed at the end."""
        return self._sockets.enter_context(sock)

    def connect(self, family=4, **options):
        """A TCP connection from A to B, as (A's socket, B's), neither of which blocks.

        OPTIONS: of TCP, by name, at A's side.
        """
        with self.b:
            listener = self.keep(socket.socket(FAMILY[family], socket.SOCK_STREAM))
        with self.a:
            sock = self.keep(socket.socket(FAMILY[family], socket.SOCK_STREAM))
        for end in (listener, sock):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
            end.settimeout(PATIENCE)
        listener.bind((ADDRESS["b", family], 0))
        listener.listen(1)
        for name, value in options.items():
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        sock.connect((ADDRESS["b", family], listener.getsockname()[1]))
        peer = self.keep(listener.accept()[0])
        for end in (sock, peer):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.setblocking(False)
        return sock, peer

    def datagrams(self, family=4):
        """UDP sockets of both ends, connected to each other."""
        socks = []
        for name, end in self.ends.items():
            with end:
                socks.append(self.keep(socket.socket(FAMILY[family], socket.SOCK_DGRAM)))
            socks[-1].bind((ADDRESS[name, family], 0))
            socks[-1].settimeout(PATIENCE)
        socks[0].connect(socks[1].getsockname())
        socks[1].connect(socks[0].getsockname())
        return socks

    def raw(self, space, ifname):
        """A socket that sends whole frames."""
        with space:
            sock = self.keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        sock.bind((ifname, 0))
        return sock

    def close(self):
        """Everything goes."""
        self._sockets.close()
        for space in (self.a, self.box, self.b):
            space.close()


def have_ipv6():
    """Whether this kernel has IPv6."""
    return os.path.exists("/proc/net/if_inet6")


class Wire:
    """mlx5-wire in the box. Its files are in FOLDER: ctl, hits, stats, said."""

    def __init__(self, program, net, folder, *, rules=(), sides=("packet:boxa", "packet:boxb")):
        self.folder = folder
        self._buffer = b""
        self._control = None
        argv = [program, "--a", sides[0], "--b", sides[1], "--control", f"{folder}/ctl",
                "--log", f"{folder}/hits", "--stats", f"{folder}/stats"]
        for rule in rules:
            argv += ["--rule", rule]
        with net.box, open(f"{folder}/said", "wb") as said:
            # pylint: disable-next=consider-using-with,subprocess-popen-preexec-fn
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=said,
                                            stderr=said, preexec_fn=_die_with_parent)

    def ready(self):
        """Wait until it serves its control socket; it has bound its sides by then."""
        self._control = wait_for("the control socket", self._connect)
        return self

    def _connect(self):
        check(self.process.poll() is None,
              f"mlx5-wire ended with status {self.process.returncode}: {self.said()}")
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(f"{self.folder}/ctl")
        except OSError as error:
            sock.close()
            return str(error)
        sock.settimeout(PATIENCE)
        return sock

    def call(self, cmd, **args):
        """The result of a command."""
        self._control.sendall(json.dumps({"cmd": cmd, **args}).encode() + b"\n")
        while b"\n" not in self._buffer:
            data = self._control.recv(1 << 16)
            check(data, f"mlx5-wire ended before it answered {cmd!r}: {self.said()}")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        check(answer["ok"], f"{cmd} {args}: {answer.get('error')}")
        return answer["result"]

    def hits(self):
        """The log so far; a test makes fewer hits than one answer has."""
        return self.call("log")["hits"]

    def said(self):
        """What it has printed."""
        return self.text("said").strip()

    def text(self, name):
        """One of its files."""
        with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()

    def ended(self):
        """Wait for its end; the exit status."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"mlx5-wire goes on; it said {self.said()!r}") from None

    def stop(self, number=signal.SIGTERM):
        """End it by a signal; the exit status."""
        self.process.send_signal(number)
        return self.ended()

    def close(self):
        """Whatever it does, it goes."""
        if self._control:
            self._control.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def traffic(net, wire, watch=()):
    """Wait until everybody has counted the same frames; the program's stats.

    What end A has sent is what the wire has read, what the wire has written is what end B has
    received, and the other way round. A frame may be on its way when we look, so we look again.
    WATCH: sniffers, which must have seen all frames as well.
    """
    def agree():
        for sniffer in watch:
            sniffer.read()
        stats = wire.call("stats")
        kernel = {name: end.counters("end") for name, end in net.ends.items()}
        for way, src, dst in (("a>b", "a", "b"), ("b>a", "b", "a")):
            read = stats[way]["frames_in"] + stats[f"side_{src}"]["lost_by_kernel"]
            written = stats[way]["frames_out"] - stats[f"side_{dst}"]["unsendable"]
            if read != kernel[src][1] or written != kernel[dst][0]:
                return (f"{way}: end {src} sent {kernel[src][1]} frames, the wire read {read} and "
                        f"wrote {written}, end {dst} received {kernel[dst][0]}")
        return next(filter(None, (sniffer.behind() for sniffer in watch)), stats)
    return wait_for("counters that agree", agree)


def pump(*ways, watch=(), more=False):
    """Move bytes; returns what arrived for each way, a (from, bytes, to) of sockets.

    Each way ends with a FIN and the receiver's end of file, or with MORE when as many bytes have
    arrived. WATCH: sniffers that are read meanwhile.
    """
    left = [memoryview(data) for _, data, _ in ways]
    got = [bytearray() for _ in ways]
    done = [more and not data for data in left]
    closed = [more for _ in ways]
    deadline = time.monotonic() + PATIENCE
    while not all(done):
        readers = [way[2] for way, end in zip(ways, done) if not end]
        writers = [way[0] for way, data, end in zip(ways, left, closed) if data or not end]
        check(time.monotonic() < deadline,
              f"a stream stands still: {[len(data) for data in got]} bytes of "
              f"{[len(way[1]) for way in ways]} have arrived")
        readable, writable, _ = select.select([*readers, *watch], writers, [], 1.0)
        for sniffer in watch:
            sniffer.read()
        for number, (src, data, dst) in enumerate(ways):
            moved = False
            if src in writable and left[number]:
                left[number] = left[number][src.send(left[number][:WINDOW]):]
                moved = True
            if src in writable and not left[number] and not closed[number]:
                src.shutdown(socket.SHUT_WR)
                closed[number] = True
            if dst in readable and not done[number]:
                piece = dst.recv(1 << 18)
                got[number] += piece
                check(piece or not more, "a connection was closed too early")
                done[number] = len(got[number]) >= len(data) if more else not piece
                moved = True
            if moved:
                deadline = time.monotonic() + PATIENCE
    return [bytes(data) for data in got]


def receive(sock, size):
    """SIZE bytes that have been sent already."""
    data = b""
    while len(data) < size:
        check(select.select([sock], [], [], PATIENCE)[0],
              f"a stream stands still: {len(data)} of {size} bytes have arrived")
        piece = sock.recv(size - len(data))
        check(piece, "a connection was closed too early")
        data += piece
    return data


def abort(*socks):
    """End connections at once, without a word that would have to be sent again."""
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


class Frame:
    """A frame with its tags in place, and what the kernel said of it."""

    def __init__(self, data, status=0):
        self.data = data
        self.status = status
        self.tags = []
        at = 12
        while data[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
            self.tags.append(struct.unpack_from("!HH", data, at))
            at += 4
        kind = struct.unpack_from("!H", data, at)[0]
        self.l4 = self.end = self.proto = None
        if kind == ETH_IPV4:
            self.l4, self.proto = at + 2 + (data[at + 2] & 15) * 4, data[at + 11]
            self.end = at + 2 + struct.unpack_from("!H", data, at + 4)[0]
            self._pseudo = data[at + 14:at + 22]
        elif kind == ETH_IPV6:
            self.l4, self.proto = at + 42, data[at + 8]
            self.end = self.l4 + struct.unpack_from("!H", data, at + 6)[0]
            self._pseudo = data[at + 10:at + 42]

    @property
    def summed(self):
        """Whether it is TCP or UDP, which have a checksum that may be left open."""
        return self.proto in (socket.IPPROTO_TCP, socket.IPPROTO_UDP)

    def _sum(self, body):
        # adding 16-bit words with end-around carry is arithmetic modulo 0xffff
        data = self._pseudo + struct.pack("!II", len(body), self.proto) + body
        return int.from_bytes(data + bytes(len(data) % 2), "big") % 0xffff

    @property
    def right(self):
        """Whether its TCP or UDP checksum is right."""
        return self._sum(self.data[self.l4:self.end]) == 0

    def filled(self):
        """Its bytes, with the right checksum."""
        at = self.l4 + (16 if self.proto == socket.IPPROTO_TCP else 6)
        data = self.data[:at] + bytes(2) + self.data[at + 2:]
        value = (0xffff - self._sum(data[self.l4:self.end])) % 0xffff
        if self.proto == socket.IPPROTO_UDP:
            value = value or 0xffff
        return data[:at] + struct.pack("!H", value) + data[at + 2:]

    @property
    def seq(self):
        """Sequence number of a TCP segment, None of anything else."""
        if self.proto != socket.IPPROTO_TCP:
            return None
        return struct.unpack_from("!I", self.data, self.l4 + 4)[0]


class Sniffer:
    """All frames that arrive at an interface, which is not up yet, in their order."""

    def __init__(self, net, space, ifname):
        self._where = space, ifname
        self.missed = 0                 # frames that the kernel had no room for
        with space:
            self._sock = net.keep(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        for option in (PACKET_AUXDATA, PACKET_IGNORE_OUTGOING):
            self._sock.setsockopt(SOL_PACKET, option, 1)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        except PermissionError:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        self._sock.bind((ifname, ETH_P_ALL))
        self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)   # "down": it will be up
        self._sock.setblocking(False)
        self.frames = []

    def fileno(self):
        """For select()."""
        return self._sock.fileno()

    def read(self):
        """Take what is there; all frames so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, aux, _, _ = self._sock.recvmsg(1 << 17, 256)
                status = tci = tpid = 0
                for level, kind, block in aux:
                    if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                        status, *_, tci, tpid = AUXDATA.unpack_from(block)
                if status & VLAN_VALID:
                    tpid = tpid if status & TPID_VALID else ETH_8021Q
                    data = data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
                self.frames.append(Frame(data, status))
        return self.frames

    def behind(self):
        """What has not been seen yet of the frames that the interface counts, "" if nothing.

        It counts a frame before it hands it over.
        """
        space, ifname = self._where
        counted = space.counters(ifname)[0]
        seen = len(self.read())
        # asking sets it to 0
        self.missed += struct.unpack("II", self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS,
                                                                 8))[1]
        return "" if seen + self.missed >= counted else \
            f"{ifname} received {counted} frames, the sniffer saw {seen} and missed {self.missed}"
