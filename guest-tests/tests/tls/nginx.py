# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx with kernel TLS and sendfile, fetched by curl and by a client with kernel TLS."""

import contextlib

from lib.case import add, expect, expect_equal
from lib.ktap import note
from lib.tls import Offload, certificate, configuration

PORT = 8443
SIZE = (2 << 20) + 777
CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
NEEDS = ("ssl-ktls", "tool:openssl")

CONFIGURATION = """
daemon off;
master_process off;
pid {place}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    sendfile on;
    client_body_temp_path {place}/t1; proxy_temp_path {place}/t2; fastcgi_temp_path {place}/t3;
    uwsgi_temp_path {place}/t4; scgi_temp_path {place}/t5;
    server {{
        listen {address}:{port} ssl;
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2;
        ssl_ciphers {cipher};
        ssl_conf_command Options KTLS;
        root {place};
    }}
}}
"""


@contextlib.contextmanager
def _nginx(host, seed, family=4):
    """nginx at an end with a file called "payload"; yields its address and the file's hash."""
    address = host.address(family)
    shown = f"[{address}]" if family == 6 else address
    with certificate(host) as (cert, key), host.directory() as place:
        digest = host.call("procs.payload_file", path=f"{place}/payload", seed=seed, size=SIZE)
        host.write(f"{place}/nginx.conf", CONFIGURATION.format(
            place=place, address=shown, port=PORT, cert=cert, key=key, cipher=CIPHER))
        with host.program("nginx", "-p", place, "-c", f"{place}/nginx.conf", "-e",
                          "stderr") as number:
            host.call("procs.listening", port=PORT, pid_number=number)
            yield shown, digest


def _curl(family):
    """nginx here sends by the device, curl there is an ordinary client."""
    def run(env):
        with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote), \
                _nginx(env.local, env.seed, family) as (address, digest), \
                env.remote.directory() as place:
            for turn in range(2):
                env.remote.run("curl", "-k", "-s", "-S", "-g", "--fail", "--noproxy", "*", "-o",
                               f"{place}/got", f"https://{address}:{PORT}/payload", timeout=200)
                got = env.remote.call("procs.file_digest", path=f"{place}/got")
                expect_equal(f"bytes of fetch {turn + 1}", got["bytes"], SIZE)
                expect_equal(f"SHA-256 of fetch {turn + 1}", got["sha256"], digest)
            stat = offload.watch.protocols()
            name = "TlsTxDevice" if offload.real else "TlsTxSw"
            expect_equal(name, stat[name], 2)
            if offload.real:
                moved = offload.watch.nic()["tx_tls_encrypted_bytes"]
                expect(moved >= 2 * SIZE, f"tx_tls_encrypted_bytes moved by {moved} for two "
                                          f"fetches of {SIZE} bytes")
    return run


for _family in (4, 6):
    add(f"tls-nginx/curl-v{_family}", _curl(_family), smoke=_family == 4,
        needs=("local-tool:nginx", "remote-tool:curl", "tool:openssl", "tls-tx:1.2"))


def _fetch(env, client, server, address, digest, seed, expected):
    opened = client.call("tcp.connect", address=address.strip("[]"), port=PORT)
    number = opened["socket"]
    client.call("tcp.handshake", number=number, side="client", version="1.2", ciphers=CIPHER)
    for _ in range(2):
        # one after the other: OpenSSL does not read and write one session at once
        client.call("tcp.send_text", number=number,
                    text=f"GET /payload HTTP/1.1\r\nHost: {address}\r\n\r\n")
        got = client.call("tcp.http_body", number=number, seed=seed, size=SIZE)
        expect(got["head"].startswith("HTTP/1.1 200 "), f"the server says: {got['head']}")
        expect_equal("first wrong byte", got["mismatch"], None)
        expect_equal("bytes", got["bytes"], SIZE)
        expect_equal("SHA-256", got["sha256"], digest)
    for host, got, want in ((client, configuration(client, there=PORT), expected[0]),
                            (server, configuration(server, here=PORT), expected[1])):
        expect(got == want, f"TLS on the {host.name} end is {got}, expected {want}")
    client.call("tcp.close", number=number)
    assert env


def _client(nginx_at, devices):
    """A client with kernel TLS for both directions."""
    def run(env):
        server = getattr(env, nginx_at)
        client = env.other(server)
        with Offload(env, env.local, tx=True, rx=True) as here, \
                Offload(env, env.remote, tx=devices == 2, rx=devices == 2) as there, \
                _nginx(server, env.seed) as (address, digest):
            offloads = {env.local: here, env.remote: there}
            _fetch(env, client, server, address, digest, env.seed,
                   (offloads[client].expected("1.2"), offloads[server].expected("1.2")))
            for offload in (here, there):
                offload.check_no_error()
                if not offload.real:
                    continue
                nic = offload.watch.nic()
                note(" ".join(f"{name}={value}" for name, value in nic.moved(
                    r"^[rt]x_tls_").items()))
                if offload.host is server and offload.tx:
                    expect(nic["tx_tls_encrypted_bytes"] >= 2 * SIZE,
                           f"tx_tls_encrypted_bytes moved by {nic['tx_tls_encrypted_bytes']}")
                if offload.host is client and offload.rx:
                    expect(nic["rx_tls_decrypted_bytes"] >= SIZE // 2,
                           f"rx_tls_decrypted_bytes moved by {nic['rx_tls_decrypted_bytes']}")
    return run


add("tls-nginx/receive", _client("remote", 1),
    needs=(*NEEDS, "remote-tool:nginx", "tls-tx:1.2", "tls-rx:1.2"))
add("tls-nginx/device-to-device", _client("local", 2),
    needs=(*NEEDS, "local-tool:nginx", "tls-tx:1.2", "tls-rx:1.2", "remote-tls-tx:1.2",
           "remote-tls-rx:1.2"))
