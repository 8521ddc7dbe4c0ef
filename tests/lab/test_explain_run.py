# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab run --explain` with a guest: connections that were broken on purpose.

Responsible for: that the first five lines of the report name cause and fix of each, and that what
is said of a loss is what the device counted. test_explain.py has the sentences without a guest.
State: none; all connections are made in one guest.
"""

import contextlib
import io
import json
import pathlib
from collections.abc import Iterator

from labkit import cli, explain, flows
from labkit.make import products
from labkit.run import session, watch
from labkit.run.guest import Guest
from labkit.run.spec import Spec

from .judge import check, same
from .registry import full_only
from .rig import LabRig

PARTS = products.PARTS
LIMIT = 300.0           # hang guard of a connection
HEAD = 5                # lines of the report that must suffice
TLS12 = "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256"
CHACHA = "-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305"

# A file from s_server on mlx0 to s_client on mlx1: BYTES OPTIONS…. With STALLS=1 no byte of it
# arrives: it ends when the kernel says that it drops the connection's packets.
CONNECTION = r"""
set -e
cd "$(mktemp -d)"
head -c "$1" /dev/urandom >file
shift
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout key -out cert \
    -subj /CN=lab 2>/dev/null
openssl s_server -accept 10.0.0.1:4433 -cert cert -key key -WWW -naccept 1 "$@" >server.log 2>&1 &
server=$!
until grep -q ACCEPT server.log; do kill -0 $server; sleep 0.05; done
[ -z "$STALLS" ] || tc qdisc add dev mlx0 root netem delay 10ms
mkfifo request
ip netns exec peer openssl s_client -connect 10.0.0.1:4433 -quiet "$@" <request >got 2>client.log &
client=$!
exec 3>request
printf 'GET /file HTTP/1.0\r\n\r\n' >&3
if [ -n "$STALLS" ]; then
    until dmesg | grep -q 'unencrypted skb with no associated socket'; do
        kill -0 $client
        sleep 0.1
    done
    kill $client $server
    tc qdisc del dev mlx0 root
else
    wait $client || { cat client.log server.log >&2; exit 1; }
    tail -c "$(stat -c %s file)" got | cmp - file
fi
exec 3>&-
wait
"""


@contextlib.contextmanager
def _booted(rig: LabRig) -> Iterator[Guest]:
    """A guest with a middlebox between its NICs."""
    rundir = rig.context.rundir.file("lab-explain")
    with session.artifacts("lab", rundir, quiet=True) as folder, \
            session.booted(rig.context.products(), Spec.from_args(
                rig.context.args, topology="pair", wire=[]), folder, need_network=True) as guest:
        yield guest


def _connect(guest: Guest, name: str, options: str, size: int = 200000, stalls: str = ""
             ) -> tuple[flows.Observed, str]:
    """A connection that is observed; returns what was seen, and the report."""
    with watch.watched(guest, f"explain-{name}.json"):
        status, out, err = guest.output(["sh", "-c", CONNECTION, "sh", str(size), *options.split()],
                                        env={"STALLS": stalls}, timeout=LIMIT)
    same(status, 0, f"{name}: the connection's status; {out}{err}")
    seen = watch.load(pathlib.Path(guest.rundir.path), f"explain-{name}.json")
    return seen, explain.as_text(seen)


def _names(name: str, text: str, *words: str) -> None:
    head = "\n".join(text.splitlines()[:HEAD])
    for word in ("1 TLS connection", *words):
        check(word in head, f"{name}: {word!r} is not in the first lines of\n{text}")


def _features(guest: Guest, way: str, value: str) -> None:
    status, _, err = guest.output(["lab-net", "feature", f"tls-hw-{way}-offload={value}"])
    same(status, 0, f"lab-net feature; {err}")


@full_only
def test_explain_command(rig: LabRig) -> None:
    """`lab run --explain` says it on stderr after the command, whose streams and exit status are
    its own, and `lab explain` says it again of the artifacts, in both forms."""
    process = rig.start(["sh", "-c", CONNECTION + "echo done; exit 3", "sh", "200000",
                         *f"-ktls {TLS12}".split()], "--explain")
    status, out, err = rig.finish(process)
    same((status, out), (3, b"done\n"), f"status and output; {err}")
    said = err[err.index("1 TLS connection"):]
    _names("command", said, "tls-hw-rx-offload was off")
    for options in ((), ("--json",)):
        again = io.StringIO()
        with contextlib.redirect_stdout(again):
            same(cli.main(["explain", *options, str(process.folder)]), 0, "lab explain")
        text = again.getvalue()
        check(text in said if not options else json.loads(text)["causes"][0]["ends"] ==
              ["mlx1", "mlx0"], f"{text} of {said}")


@full_only
def test_explain_run(rig: LabRig) -> None:
    """Five connections broken in five ways, one that nobody gave to the kernel, one that loses a
    header on the wire, and one with nothing wrong: each is told from its first five lines."""
    with _booted(rig) as guest:
        _, text = _connect(guest, "feature", f"-ktls {TLS12}")
        _names("feature", text, "cause: mlx1, mlx0: tls-hw-rx-offload was off",
               "--feature tls-hw-rx-offload=on")
        _features(guest, "rx", "on")
        _, text = _connect(guest, "cipher", f"-ktls {CHACHA}")
        _names("cipher", text, "the cipher is ChaCha20-Poly1305", "-cipher ECDHE")
        _, text = _connect(guest, "version", "-ktls -tls1_3")
        _names("version", text, "the connection is TLS 1.3", "-tls1_2")
        _, text = _connect(guest, "program", TLS12)
        _names("program", text, "kTLS switch is off", "-ktls")
        guest.actions.fault_add("nic1", "fail cmd=CREATE_TIR status=0x8 syndrome=0x1234 count=1")
        _, text = _connect(guest, "fault", f"-ktls {TLS12}")
        _names("fault", text, "cause: mlx1: no TIR for it: the device refused CREATE_TIR",
               "fault rule 'fail cmd=CREATE_TIR", "fault.clear")
        _loss(guest)
        _nothing(guest)
        _, text = _connect(guest, "netem", f"-ktls {TLS12}", stalls="1")
        _names("netem", text, "cause: mlx0: the kernel drops its packets unsent", "netem",
               "--wire 'delay a>b ms=10'")


def _loss(guest: Guest) -> None:
    """A record header is lost on the wire: sync is lost there, asked for, approved, and regained;
    packets and bytes are those that the device counted."""
    wire = guest.machine.wire
    check(wire is not None, "the guest has no middlebox")
    before = guest.actions.nic_get("nic1", "counters")
    guest.actions.wire_add("drop a>b record=90 byte=2")
    seen, text = _connect(guest, "loss", f"-ktls {TLS12}", size=4 << 20)
    guest.actions.wire_clear()
    after = guest.actions.nic_get("nic1", "counters")
    _names("loss", text, "offloaded in both directions", "sync was lost 1 time")
    context = next(one.contexts["rx"] for of in seen.connections for one in of.ends
                   if one.contexts["rx"].dev == "nic1")
    for line in ("a record header is missing before it (R9)", "asked for a resync",
                 "decrypting again from byte"):
        check(line in text, f"{line!r} is not in\n{text}")
    counted = {name: after[name] - before[name] for name in
               ("tls_rx_decrypted", "tls_rx_not_decrypted", "tls_rx_resync", "tls_rx_error")}
    same(context.decrypted, counted["tls_rx_decrypted"], "packets that were decrypted")
    same(context.packets - context.decrypted, sum(counted.values()) - counted["tls_rx_decrypted"],
         "packets that were not")
    loss, = [loss for loss in context.losses if not loss.late]
    check(loss.back is not None and loss.approvals and loss.packets, str(loss))


def _nothing(guest: Guest) -> None:
    """Nothing is said to be wrong, and every record is accounted for."""
    seen, text = _connect(guest, "nothing", f"-ktls {TLS12}")
    _names("nothing", text, "offloaded in both directions at each end in the guest")
    check("cause:" not in text and "sync lost" not in text, text)
    for of in seen.connections:
        for one in of.ends:
            same(sorted(one.contexts), ["rx", "tx"], f"contexts of {one.local}")
