# SPDX-License-Identifier: GPL-2.0-or-later
"""Many connections for a long time, while the wire between the ends loses and reorders packets.

One test for each loss rate. Nothing is registered unless SOAK_TIME or SOAK_VOLUME is set: a soak
takes as long as it is told to, and is never part of another run.

    SOAK_TIME=600 guest-tests/run.py --only soak

    SOAK_TIME         seconds, shared among the loss rates
    SOAK_VOLUME       bytes of payload, likewise; with both, what comes first ends it
    SOAK_LOSS         loss rates in percent, 0,0.5,1,2,3,5 if not set
    SOAK_CONNECTIONS  how many at the same time, 12 if not set

The seed is that of run.py. The figures of each rate go to the lab as the artifact
soak-RATE.json, and into the report as one line of JSON.
"""

import contextlib
import json
import os
import pathlib
import random
import sys
import threading
import time

from lib import wire
from lib.case import HANG_GUARD, add, expect, expect_equal, fail, wait_for
from lib.counters import Watch
from lib.hosts import CallError, CommandError, HostError
from lib.ktap import note
from lib.strict import Violations
from lib.tls import Connection, Offload
from lib.tracepoints import PLACES

DEFAULT_LOSS = "0,0.5,1,2,3,5"
DEFAULT_CONNECTIONS = 12
PATIENCE = 600.0            # a hang guard: nothing at all has moved for so long
PROGRESS = 60.0             # seconds between two notes
RECORDS = 4000              # most records of a connection and direction
ERRORS = (AssertionError, CallError, CommandError, HostError)
# of the driver, whose sum over both ends is kept
FIGURES = ("tx_tls_encrypted_packets", "tx_tls_encrypted_bytes", "tx_tls_ooo",
           "tx_tls_dump_packets", "tx_tls_dump_bytes", "tx_tls_skip_no_sync_data",
           "tx_tls_drop_no_sync_data", "rx_tls_decrypted_packets", "rx_tls_decrypted_bytes",
           "rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
           "rx_tls_resync_req_skip", "rx_tls_resync_res_ok", "rx_tls_resync_res_retry",
           "rx_tls_resync_res_skip", "rx_tls_err")


# ---- what the environment asks for ---------------------------------------------------


def number(name, low, high, default, kind=int):
    """A number from the environment; ValueError says what is wrong with it."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high:
        raise ValueError(f"{name}={text!r}: expected a number from {low} to {high}")
    return value


def rates():
    """The loss rates: [(text, percent)]."""
    found = []
    for text in (os.environ.get("SOAK_LOSS") or DEFAULT_LOSS).split(","):
        text = text.strip()
        try:
            percent = float(text)
        except ValueError:
            percent = -1.0
        if not 0 <= percent <= 50:
            raise ValueError(f"SOAK_LOSS: {text!r}: expected percentages from 0 to 50 with "
                             "commas between them")
        if percent not in [known for _, known in found]:
            found.append((f"{percent:g}", percent))
    return found


# ---- what is counted -----------------------------------------------------------------


class RecordCounts:
    """Received records by what the devices had done of them when the kernel looked: all packets
    decrypted, some, none. From the tracepoint tls:tls_device_decrypted, which every record of a
    receiving socket that is offloaded passes.

    The kernel counts: a tracefs instance for each kind, whose filter lets that kind pass, and
    the sum of what its buffers hold and what they have overwritten.
    """

    FILTERS = {"full": "decrypted == 1", "part": "decrypted == 0 && encrypted == 0",
               "none": "encrypted == 1"}
    EVENT = "events/tls/tls_device_decrypted"

    def __init__(self):
        self._place = next((pathlib.Path(place) for place in PLACES
                            if (pathlib.Path(place) / self.EVENT).is_dir()), None)
        self._stack = contextlib.ExitStack()
        self._roots = {}

    def __enter__(self):
        if self._place is None:
            note("records are not counted: no tracepoint tls:tls_device_decrypted here")
            return self
        for kind, text in self.FILTERS.items():
            root = self._place / "instances" / f"guest-tests-soak-{kind}"
            with contextlib.suppress(OSError):      # one that a killed run has left
                root.rmdir()
            root.mkdir()
            self._stack.callback(root.rmdir)
            (root / "buffer_size_kb").write_text("64\n", encoding="ascii")
            event = root / self.EVENT
            (event / "filter").write_text(text + "\n", encoding="ascii")
            (event / "enable").write_text("1\n", encoding="ascii")
            self._stack.callback((event / "enable").write_text, "0\n")
            self._roots[kind] = root
        return self

    def __exit__(self, *exc):
        self._stack.close()

    def counts(self):
        """{"full", "part", "none"} since the block began; None when nothing counts them."""
        if not self._roots:
            return None
        return {kind: self._count(root) for kind, root in self._roots.items()}

    @staticmethod
    def _count(root):
        total = 0
        for stats in root.glob("per_cpu/cpu*/stats"):
            for line in stats.read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(":")
                if name in ("entries", "overrun", "commit overrun", "dropped events"):
                    total += int(value)
        return total


def violations(env, found):
    """What devices with strict=on have found since, all reasons together; None if none looks."""
    watching = [device for device in map(env.device, env.hosts)
                if device is not None and device.get_or_none("strict")]
    if not watching:
        return None
    return sum(count for counts in found.since().values() for count in counts.values())


# ---- the traffic ---------------------------------------------------------------------


class SoakPlan:
    """One connection, drawn from its number: the same seed makes the same ones."""

    def __init__(self, env, name):
        draw = random.Random(name)
        self.name = name
        self.ends = env.hosts if draw.random() < 0.5 else env.hosts[::-1]
        self.family = draw.choice((4, 6))
        self.cipher = draw.choice(("aes-gcm-128", "aes-gcm-256"))
        # (bytes, lengths of the records) for each round and direction
        self.rounds = [[self._part(draw) for _ in range(2)] for _ in range(draw.randint(1, 3))]

    @staticmethod
    def _part(draw):
        kind = draw.random()
        if kind < 0.25:
            sizes = [16384]
        elif kind < 0.5:
            sizes = [draw.randint(1, 300) for _ in range(20)]
        else:
            sizes = [min(16384, int(2 ** draw.uniform(0, 14.1))) for _ in range(30)]
        size = int(2 ** draw.uniform(6, 20))
        return min(size, RECORDS // 3 * (sum(sizes) // len(sizes) + 1)), sizes

    def __str__(self):
        return (f"connection {self.name} from the {self.ends[0].name} end, IPv{self.family}, "
                f"{self.cipher}, bytes {[[size for size, _ in part] for part in self.rounds]}")


class Crew:
    """Connections one after the other in some threads, until it is enough."""

    def __init__(self, env, name, until, volume):
        self._env, self._name, self._until, self._volume = env, name, until, volume
        self._lock = threading.Lock()
        self._number = 0
        self._running = {}              # thread number: SoakPlan
        self.moved = time.monotonic()   # when something ended last
        self.connections = self.payload = self.records = 0
        self.sums = dict.fromkeys(("bytes_sent", "bytes_retrans", "data_segs_out",
                                   "total_retrans"), 0)
        self.error = None

    def enough(self):
        """No new connection is to be opened."""
        return (self.error is not None or (self._until and time.monotonic() >= self._until)
                or (self._volume and self.payload >= self._volume))

    def run(self, count):
        """Until it is enough and the last connection has ended."""
        threads = [threading.Thread(target=self._work, args=(index,), daemon=True)
                   for index in range(count)]
        for thread in threads:
            thread.start()
        said = time.monotonic()
        for thread in threads:
            while thread.is_alive():
                thread.join(1.0)
                if self.error is not None:
                    raise self.error
                now = time.monotonic()
                if now - self.moved > PATIENCE:
                    fail(f"for {PATIENCE:.0f} s no connection has moved a payload; there are "
                         + "; ".join(str(plan) for plan in list(self._running.values())))
                if now - said > PROGRESS:
                    said = now
                    note(f"{self.connections} connections, {self.payload >> 20} MiB")
        if self.error is not None:
            raise self.error

    def _work(self, index):
        while not self.enough():
            with self._lock:
                self._number += 1
                plan = SoakPlan(self._env, f"{self._name}/{self._number}")
                self._running[index] = plan
            try:
                self._one(plan)
            except ERRORS as error:
                note(f"{plan}: {error}")
                self.error = self.error or error
                return

    def _one(self, plan):
        with Connection(*plan.ends, plan.family, seed=plan.name) as connection:
            connection.enable_tls(cipher=plan.cipher)
            for parts in plan.rounds:
                ways = zip((connection.up, connection.down), parts)
                for (size, _), finish in [(part, way.begin(*part)) for way, part in ways]:
                    done = finish()
                    with self._lock:
                        self.payload += size
                        self.records += done["writes"]
                        self.moved = time.monotonic()
            infos = [connection.info(host) for host in plan.ends]
        with self._lock:
            self.connections += 1
            for info in infos:
                for name in self.sums:
                    self.sums[name] += info[name]


# ---- the test ------------------------------------------------------------------------


def disturb(box, percent, seed):
    """Rules for losing and reordering so many percent of the TCP packets, both ways."""
    if not percent:
        return []
    share = percent / 100
    texts = []
    for way in ("a>b", "b>a"):
        texts += [f"drop {way} proto=tcp p={share:g} seed={seed}",
                  f"delay {way} proto=tcp p={share:g} seed={seed + 1} packets=3 ms=40"]
    for text in texts:
        box.add_raw(text)
        note(f"wire: {text}")
    return texts


def soak(percent, seconds, volume):
    """The test of one loss rate."""
    def run(env):
        text = f"{percent:g}"
        count = number("SOAK_CONNECTIONS", 1, 200, DEFAULT_CONNECTIONS)
        seed = random.Random(f"{env.seed}/{text}").getrandbits(31)
        note(f"seed {env.seed!r}, {count} connections at once")
        with contextlib.ExitStack() as stack:
            ends = [stack.enter_context(Offload(env, host, tx=True, rx=True))
                    for host in env.hosts]
            records = stack.enter_context(RecordCounts())
            box = stack.enter_context(wire.rules(env))
            strict = Violations(env)
            watches = [Watch(host) for host in env.hosts]
            started = time.monotonic()
            texts = disturb(box, percent, seed)
            crew = Crew(env, f"{env.seed}/{text}", started + seconds if seconds else None, volume)
            crew.run(count)
            took = time.monotonic() - started
            _contexts_gone(ends, crew.connections)
            figures = _figures(env, crew, watches, records, strict)
            figures.update(loss=percent, reorder=percent, seed=env.seed, seconds=round(took, 1),
                           rules=[entry for entry in box.ask("rules")
                                  if entry["rule"] in texts])
            _keep(env, f"soak-{text}.json", figures)
            _judge(env, ends, crew, figures)
    return run


def _contexts_gone(ends, count):
    """Every context was given back; sockets may take a while to close under loss."""
    for end in ends:
        for name in ("tx_tls", "rx_tls"):
            if end.real and end.watch.nic().has(f"{name}_ctx"):
                wait_for(f"{count} times {name}_del on the {end.host.name} end",
                         lambda end=end, name=name: end.watch.nic()[f"{name}_del"]
                         >= end.watch.nic()[f"{name}_ctx"], 200)


def _figures(env, crew, watches, records, strict):
    """What the stretch came to; sums of both ends."""
    nics = [watch.nic() for watch in watches]
    stats = [watch.protocols() for watch in watches]
    sums = {name: sum(nic[name] for nic in nics) for name in FIGURES}
    wire_bytes = sum(nic["tx_vport_unicast_bytes"] for nic in nics)
    return {
        "connections": crew.connections, "payload_bytes": crew.payload,
        "records_sent": crew.records, "records": records.counts(),
        "records_from": "tracepoint tls:tls_device_decrypted, "
                        + ("both ends" if env.remote_type == "netns" else "the local end"),
        "wire_bytes": wire_bytes,
        "dump_per_wire_byte": sums["tx_tls_dump_bytes"] / wire_bytes if wire_bytes else None,
        "segments_sent": crew.sums["data_segs_out"],
        "segments_retransmitted": crew.sums["total_retrans"],
        "bytes_sent": crew.sums["bytes_sent"], "bytes_retransmitted": crew.sums["bytes_retrans"],
        "driver": sums,
        "decrypt_errors": sum(stat["TlsDecryptError"] for stat in stats),
        "device_resyncs": sum(stat["TlsRxDeviceResync"] for stat in stats),
        "opened": {name: sum(stat[name] for stat in stats)
                   for name in ("TlsTxDevice", "TlsRxDevice", "TlsTxSw", "TlsRxSw")},
        "strict_violations": violations(env, strict),
    }


def _keep(env, name, figures):
    """Into the report, and among the lab's artifacts."""
    note("figures: " + json.dumps(figures))
    if env.lab is not None:
        env.lab.client.artifact(name, json.dumps(figures, indent=1).encode() + b"\n")


def _judge(env, ends, crew, figures):
    """What must be so whatever was lost. Contents were compared for each connection."""
    shares = ""
    if figures["records"] and sum(figures["records"].values()):
        total = sum(figures["records"].values())
        shares = ", records " + ", ".join(f"{100 * value / total:.2f} % {kind}"
                                          for kind, value in figures["records"].items())
    note(f"{figures['loss']:g} % loss: {crew.connections} connections, {crew.payload >> 20} MiB, "
         f"{figures['segments_retransmitted']} of {figures['segments_sent']} segments again"
         f"{shares}")
    expect(crew.connections > 0, "no connection has ended")
    expect_equal("TlsDecryptError of both ends", figures["decrypt_errors"], 0)
    expect(not figures["strict_violations"],
           f"the devices have seen {figures['strict_violations']} violations of what they check")
    if all(end.real for end in ends):
        expect_equal("rx_tls_err of both ends", figures["driver"]["rx_tls_err"], 0)
        expect_equal("sockets by whose TLS they have, both ends", figures["opened"],
                     {"TlsTxDevice": 2 * crew.connections, "TlsRxDevice": 2 * crew.connections,
                      "TlsTxSw": 0, "TlsRxSw": 0})
        if figures["records"] and env.remote_type == "netns":
            expect_equal("records that the tracepoint has seen",
                         sum(figures["records"].values()), crew.records)
            expect(figures["records"]["full"] > 0, "no record was decrypted by a device")


def _register():
    seconds = number("SOAK_TIME", 1, 10 ** 7, 0, float)
    volume = number("SOAK_VOLUME", 1, 1 << 50, 0)
    if not seconds and not volume:
        return
    found = rates()
    for text, percent in found:
        share = seconds / len(found)
        guard = (share if seconds else 86400.0) + PATIENCE + 2 * HANG_GUARD
        add(f"soak/loss-{text}", soak(percent, share, volume // len(found)), guard=guard,
            needs=("wire", "tls-tx", "tls-rx", "remote-tls-tx", "remote-tls-rx"))


try:
    _register()
except ValueError as problem:
    print(f"run.py: {problem}", file=sys.stderr)
    sys.exit(2)
