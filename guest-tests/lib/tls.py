# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP connections between the ends, optionally with kernel TLS.

Responsible for: opening a connection, transferring checked payloads, TLS with given keys or by
OpenSSL's handshake, and checking whether the kernel offloaded it.
State: a Connection owns its sockets; a Direction knows its position in the payload.
Callers: tests.

Data encrypted by the device is verified by the kernel's software TLS, or OpenSSL, at the other end;
data that the device decrypts was encrypted by one of them.
"""

import contextlib
import re

from agent import ktls

from .case import expect, fail, wait_equal, wait_for
from .counters import Watch
from .ktap import note
from .version import TLS

RECORD = 16384                  # maximum payload bytes of a record
WARM_UP = 300                   # records
OVERHEAD = ktls.OVERHEAD


class Direction:
    """One direction of a connection; payloads continue where the last one ended."""

    def __init__(self, name, sender, sender_socket, receiver, receiver_socket, seed, ports):
        self.name = name
        self.ports = ports              # (of the sender, of the receiver)
        self.sender, self.sender_socket = sender, sender_socket
        self.receiver, self.receiver_socket = receiver, receiver_socket
        self.seed = f"{seed}/{name}"
        self.offset = 0

    def begin(self, size, sizes=None):
        """Start a transfer of `size` bytes; returns a function that waits and checks."""
        where = {"seed": self.seed, "size": size, "offset": self.offset}
        receiving = self.receiver.begin("tcp.receive", number=self.receiver_socket, **where)
        sending = self.sender.begin("tcp.send", number=self.sender_socket, sizes=sizes, **where)
        self.offset += size

        def finish():
            got = receiving.result()
            # if the receiver stopped early, the sender is still waiting
            if got.get("error"):
                fail(f"{self.name}: {got['bytes']} of {size} bytes came, then {got['error']}"
                     + _first_wrong(got, self))
            sent = sending.result()
            expect(got["mismatch"] is None, f"{self.name}: wrong bytes{_first_wrong(got, self)}")
            expect(got["sha256"] == sent["sha256"], f"{self.name}: SHA-256 differs")
            return sent

        return finish

    def move(self, size, sizes=None):
        """Transfer `size` bytes and check them; returns {bytes, sha256, writes}."""
        return self.begin(size, sizes)()


def _first_wrong(got, direction):
    if got["mismatch"] is None:
        return ""
    return (f": the first one is byte {got['mismatch']} of the payload {direction.seed!r} "
            f"(record {got['mismatch'] // RECORD} if all are full)")


class Connection:
    """A TCP connection from `client` to `server` (Hosts)."""

    def __init__(self, client, server, family=4, *, options=None, mapped=False, seed="payload",
                 initial=None):
        """initial: sequence numbers of the first bytes from client and server, instead of the
        kernel's choice; the connection then starts without a handshake."""
        self.client, self.server = client, server
        self.family = family
        if initial is None:
            self._open(options, mapped)
        else:
            self._put_together(*initial, options or {})
        ports = self.client_port, self.server_port
        self.up = Direction("client to server", client, self.client_socket, server,
                            self.server_socket, seed, ports)
        self.down = Direction("server to client", server, self.server_socket, client,
                              self.client_socket, seed, ports[::-1])

    def _open(self, options, mapped):
        client, server = self.client, self.server
        address = server.address(self.family)
        listener = server.call("tcp.listen", address=address, options=options, dual=mapped)
        self.server_port = listener["port"]
        try:
            accepting = server.begin("tcp.accept", listener=listener["socket"])
            opened = client.call("tcp.connect", address=address, port=self.server_port,
                                 options=options, mapped=mapped)
            self.client_socket, self.client_port = opened["socket"], opened["port"]
            self.server_socket = accepting.result()["socket"]
        finally:
            server.call("tcp.close", number=listener["socket"])

    def _put_together(self, client_seq, server_seq, options):
        sides = ((self.client, client_seq, server_seq), (self.server, server_seq, client_seq))
        options = dict(options)
        mss = options.pop("TCP_MAXSEG", self.client.nic.mtu - (40 if self.family == 4 else 60))
        opened = [host.call("tcp.repair_socket", address=host.address(self.family), mss=mss,
                            send_seq=mine, receive_seq=theirs) for host, mine, theirs in sides]
        self.client_socket, self.server_socket = (end["socket"] for end in opened)
        self.client_port, self.server_port = (end["port"] for end in opened)
        # the passive side must exist first
        for (host, _, theirs), end, peer, other in zip(sides[::-1], opened[::-1], opened,
                                                       (self.client, self.server)):
            host.call("tcp.repair_connect", number=end["socket"], receive_seq=theirs,
                      address=other.address(self.family), port=peer["port"])
            host.call("tcp.set_option", number=end["socket"], options=options)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close(abort=exc[0] is not None)

    def close(self, abort=False):
        """Close both ends."""
        for host, number in ((self.client, self.client_socket), (self.server, self.server_socket)):
            host.call("tcp.close", number=number, abort=abort)

    def ends(self):
        """Return ((host, socket), ...), client first."""
        return ((self.client, self.client_socket), (self.server, self.server_socket))

    def socket_of(self, host):
        """Return the number of this connection's socket at `host`."""
        return self.client_socket if host is self.client else self.server_socket

    def from_host(self, host):
        """Return the direction in which `host` sends."""
        return self.up if host is self.client else self.down

    def info(self, host):
        """Return struct tcp_info at `host`."""
        return host.call("tcp.info", number=self.socket_of(host))

    def enable_tls(self, version=TLS, cipher="aes-gcm-128", *, up=True, down=True,
                   plain_receiver=False, rec_seq=0, change=None):
        """Enable kernel TLS with new keys, in one or both directions.

        The receiving socket of a direction gets its key before the sending one, so no record can
        arrive before the key. plain_receiver: the receivers read raw records. change: members of
        the keys with fixed values.
        """
        keys = {way: dict(ktls.new_keys(version, cipher, rec_seq), **(change or {}))
                for way, wanted in (("up", up), ("down", down)) if wanted}
        plans = ((self.server, self.server_socket, "down", "up"),
                 (self.client, self.client_socket, "up", "down"))
        for host, number, _, receives in plans:
            rx = None if plain_receiver else keys.get(receives)
            host.call("tcp.tls", number=number, rx=rx)
        for host, number, sends, _ in plans:
            if sends in keys:
                host.call("tcp.tls_add", number=number, direction="tx", keys=keys[sends])
        return keys

    def handshake(self, version, ciphers, cert, key, ktls_at=("client", "server")):
        """Run OpenSSL's handshake, with kernel TLS at the named sides; returns the cipher."""
        waiting = self.server.begin("tcp.handshake", number=self.server_socket, side="server",
                                    version=version, ciphers=ciphers, cert=cert, key=key,
                                    use_ktls="server" in ktls_at)
        done = self.client.call("tcp.handshake", number=self.client_socket, side="client",
                                version=version, ciphers=ciphers,
                                use_ktls="client" in ktls_at)
        waiting.result()
        return done["cipher"][0]

    def configuration(self, host):
        """Return {"tx": hw|sw|none, "rx": ...} as shown by `ss -i`."""
        here, there = ((self.client_port, self.server_port) if host is self.client
                       else (self.server_port, self.client_port))
        return configuration(host, here, there)


def configuration(host, here=None, there=None):
    """Return {"tx": ..., "rx": ...} of the connection between these ports at `host`; None: any
    port, if there is only one such connection."""
    found = [value for ports, value in configurations(host).items()
             if (here or ports[0], there or ports[1]) == ports]
    expect(len(found) == 1, f"ss shows {len(found)} connections from port {here or 'any'} to "
                            f"{there or 'any'} on the {host.name} end")
    return found[0]


def configurations(host):
    """Return {(port here, port there): {"tx": ..., "rx": ...}} of all connections at `host`."""
    found = {}
    for line in host.out("ss", "-O", "-t", "-n", "-i", "-H", "state", "established").splitlines():
        # queue lengths and both ends precede the details
        ports = tuple(int(end.rsplit(":", 1)[1]) for end in line.split()[2:4])
        modes = dict(re.findall(r"\b([tr]x)conf: (\S+)", line))
        found[ports] = {way: modes.get(way, "none") for way in ("tx", "rx")}
    return found


class Offload:
    """Expectations on the device at one end, and whether they can be asserted at all.

    With --software-tls, no feature is switched and nothing about the device is asserted: such a run
    only exercises the tests.
    """

    def __init__(self, env, host, tx=False, rx=False):
        self.env, self.host = env, host
        self.tx, self.rx = tx, rx
        self.real = not env.software_tls
        self.watch = None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        nic = self.host.nic
        if self.real:
            self._stack.enter_context(nic.with_features(tls_hw_tx_offload=self.tx,
                                                        tls_hw_rx_offload=self.rx))
        self.watch = Watch(self.host)
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def expected(self, version=TLS):
        """Return the expected configuration() of a connection with TLS in both directions: the
        device's, where its feature is on and the kernel gives it that version."""
        return {way: "hw" if wanted and self.real and offloads(self.env, self.host, way, version)
                else "sw" for way, wanted in (("tx", self.tx), ("rx", self.rx))}

    def check_configuration(self, connection, tx=True, rx=True):
        """Check that the kernel chose the device for the directions with keys."""
        want = self.expected()
        want = {"tx": want["tx"] if tx else "none", "rx": want["rx"] if rx else "none"}
        got = connection.configuration(self.host)
        expect(got == want, f"TLS on the {self.host.name} end is {got}, expected {want}")

    def check_configurations(self, connections, tx=True, rx=True, want=None):
        """The same for many connections; `want`: instead of expected()."""
        want = want or self.expected()
        want = {"tx": want["tx"] if tx else "none", "rx": want["rx"] if rx else "none"}
        found = configurations(self.host)
        got = [found.get(connection.from_host(self.host).ports) for connection in connections]
        expect(all(each == want for each in got),
               f"TLS on the {self.host.name} end is {got}, expected {want} for each")

    def check_opened(self, count=1, tx=True, rx=True):
        """Check that tls_stat and the driver counted `count` opened connections."""
        stat = self.watch.protocols()
        where = {True: "Device", False: "Sw"}
        for direction, wanted, device in (("Tx", tx, self.tx and self.real),
                                          ("Rx", rx, self.rx and self.real)):
            if wanted:
                name = f"Tls{direction}{where[device]}"
                expect(stat[name] == count, f"{name} on the {self.host.name} end moved by "
                                            f"{stat[name]}, expected {count}")
        if self.real:
            nic = self.watch.nic()
            for name, wanted in (("tx_tls_ctx", tx and self.tx), ("rx_tls_ctx", rx and self.rx)):
                if nic.has(name):
                    expect(nic[name] == (count if wanted else 0),
                           f"{name} moved by {nic[name]}, expected {count if wanted else 0}")

    def check_no_error(self):
        """Check that no record failed to decrypt, and the device flagged none."""
        stat = self.watch.protocols()
        expect(stat["TlsDecryptError"] == 0,
               f"TlsDecryptError on the {self.host.name} end moved by {stat['TlsDecryptError']}")
        if self.real:
            nic = self.watch.nic()
            expect(nic["rx_tls_err"] == 0, f"rx_tls_err moved by {nic['rx_tls_err']}")

    def check_closed(self, count=1, tx=True, rx=True):
        """Wait until all `count` contexts are destroyed, soon after the sockets are closed."""
        if not self.real:
            return
        for name, wanted in (("tx_tls_del", tx and self.tx), ("rx_tls_del", rx and self.rx)):
            if self.watch.nic().has(name):
                wait_equal(f"{name} after the connections are closed",
                           lambda counter=name: self.watch.nic()[counter], count if wanted else 0)

    def warm_up(self, direction):
        """Send records until the device decrypts: steering is set up asynchronously.

        Returns the number of records needed.
        """
        if not self.real:
            direction.move(1000)
            return 1
        before = Watch(self.host)
        for count in range(1, WARM_UP + 1):
            direction.move(1000)
            if before.nic()["rx_tls_decrypted_packets"]:
                return count
        return fail(f"no packet was decrypted by the device in {WARM_UP} records; "
                    f"moved: {before.nic().moved('tls')}")


def as_able(env, host, tx=False, rx=False):
    """An Offload of those directions that the NIC at an end has: for the peer in tests of the local
    NIC, whose peer may be a veth, or a NIC without TLS. A direction that it has is asserted."""
    return Offload(env, host, tx=tx and host.nic.can("tls-hw-tx-offload"),
                   rx=rx and host.nic.can("tls-hw-rx-offload"))


_offloaded = {}         # {(arrangement, host, direction, version): bool}


def offloads(env, host, direction, version):
    """Does the kernel at an end give sessions of this TLS version to its NIC, in this direction?

    It is asked once, by a session. Of 1.2 it is not asked: what does not offload that is wrong.
    """
    if version == "1.2":
        return True
    key = env.arrangement, host, direction, version
    if key not in _offloaded:
        features = {f"tls_hw_{way}_offload": way == direction for way in ("tx", "rx")
                    if host.nic.can(f"tls-hw-{way}-offload")}
        with host.nic.with_features(**features), \
                Connection(host, env.other(host), seed=env.seed) as connection:
            connection.enable_tls(version)
            _offloaded[key] = connection.configuration(host)[direction] == "hw"
    return _offloaded[key]


def learn(env, version):
    """Ask what offloads() is asked of this version now: later it would be in a test's counts."""
    for host in env.hosts:
        for direction in ("tx", "rx"):
            if not env.software_tls and host.nic.can(f"tls-hw-{direction}-offload"):
                offloads(env, host, direction, version)


def on_wire(size, writes, version=TLS):
    """Return the bytes in the stream for `size` bytes of payload in `writes` records."""
    return size + writes * OVERHEAD[version]


def check_tx_counters(offload, info, payload_bytes, records, version=TLS):
    """Compare tx_tls_encrypted_* with the bytes sent by the stack since the connection began.

    info  struct tcp_info of the sender, of a connection whose whole stream is TLS
    """
    wire = on_wire(payload_bytes, records, version)
    sent = info["bytes_sent"] - info["bytes_retrans"]
    expect(sent == wire, f"the stack sent {sent} bytes in the stream for {records} records with "
                         f"{payload_bytes} bytes, expected {wire}")
    if not offload.real:
        return
    nic = wait_for("the counters of the device",
                   lambda: _counted(offload, "tx_tls_encrypted_bytes", info["bytes_sent"]), 20)
    # the driver drops retransmissions of data acknowledged meanwhile
    low, high = sent, info["bytes_sent"]
    got = nic["tx_tls_encrypted_bytes"]
    expect(low <= got <= high, f"tx_tls_encrypted_bytes moved by {got}, expected {low} to {high}")
    got, high = nic["tx_tls_encrypted_packets"], info["data_segs_out"]
    expect(got <= high and (info["bytes_retrans"] or got == high),
           f"tx_tls_encrypted_packets moved by {got}; {high} data segments were sent")
    if not info["bytes_retrans"]:
        for name in ("tx_tls_ooo", "tx_tls_dump_packets", "tx_tls_dump_bytes",
                     "tx_tls_skip_no_sync_data", "tx_tls_drop_no_sync_data",
                     "tx_tls_drop_bypass_req"):
            expect(nic[name] == 0, f"{name} moved by {nic[name]} although nothing was sent again")
    else:
        note(f"{info['bytes_retrans']} bytes were retransmitted")


def _counted(offload, name, want):
    nic = offload.watch.nic()
    return nic if nic[name] >= min(want, 1) else None


@contextlib.contextmanager
def certificate(host):
    """A self-signed certificate at an end; yields the paths of certificate and key."""
    with host.directory() as place:
        paths = f"{place}/cert.pem", f"{place}/key.pem"
        host.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:P-256", "-nodes", "-days", "3650", "-subj", "/CN=guest-tests",
                 "-out", paths[0], "-keyout", paths[1])
        yield paths
