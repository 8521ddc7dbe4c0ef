# SPDX-License-Identifier: GPL-2.0-or-later
"""T-19: many contexts lose a header at once, ask at once, and are answered at once."""

import contextlib

from lib import rx, steering, tracepoints, wire
from lib.case import add, expect_equal, fail, wait_equal, wait_for
from lib.counters import Watch
from lib.ktap import note
from lib.rx import NEEDS, Flags
from lib.rx_device import Told
from lib.version import OVERHEAD, TLS

FULL = 1448 - OVERHEAD          # payload of a record of one segment, without TCP_MAXSEG


def _storm(count):
    """F-43: as many contexts as there are lose a header at once, ask at once, and are approved at
    once. All of them are decrypted again."""
    def run(env):
        with rx.receiving_ends(env) as ends, wire.rules(env) as box, \
                contextlib.ExitStack() as stack:
            env.cleanup.callback(box.ask, "reset")
            contexts = _Contexts(env, box, count, stack)
            ends.offload.check_opened(count, tx=False)
            contexts.wait_steered()
            contexts.expect_each(Flags(decrypted=1))
            contexts.restart()
            kept = [contexts.rule(text) for text in (
                "hold b>a record=1 sent=first name=lost", "drop b>a record=1 sent=again",
                "hold b>a record=2.. sent=first name=rest", "drop b>a record=2.. sent=again")]
            for _ in range(3):
                contexts.send()
            wait_equal("bytes that were sent", contexts.sent, count * 4 * (FULL + OVERHEAD))
            # all that asks comes at once, and so does what lets the software answer
            box.release("rest")
            contexts.wait_all_asked(kept[2].hits())
            box.release("lost")
            for rule in kept:
                rule.clear()
            for _ in range(3):
                contexts.receive()
            contexts.expect_all_recover()
            contexts.check_counters()
    return run


_STORM = ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
          "rx_tls_resync_res_ok", "TlsRxDeviceResync")


class _Contexts:
    """`count` connections, each with a context, and the counters of all together."""

    def __init__(self, env, box, count, stack):
        self._env, self._box, self._count = env, box, count
        self._told = Told(env.lab) if rx.can_be_asked(env) else None
        trace = None if self._told else stack.enter_context(
            tracepoints.trace(env.local, *steering.MORE_EVENTS))
        self._entries = steering.entries(env, env.local, trace)
        self._steered = self._entries()
        seed = f"{env.seed}/storm"
        there = env.local.call("many.accept", address=env.local.address(4), count=count, seed=seed,
                               version=TLS)
        self._port, self._there = there["port"], there["group"]
        self._before = self._on_wire()
        serving = env.local.begin("many.serve", group=there["group"])
        self._here = env.remote.call("many.connect", address=env.local.address(4),
                                     port=there["port"], count=count, seed=seed,
                                     version=TLS)["group"]
        expect_equal("connections", serving.result(), count)
        stack.callback(env.local.call, "many.close", group=self._there)
        stack.callback(env.remote.call, "many.close", group=self._here)
        # a record may leave in two packets where its pages end
        self._packets = box.add_raw(f"log b>a dport={self._port} len=1..")
        self._watch = Watch(env.local)

    def wait_steered(self):
        """Until all have a steering entry."""
        wait_equal("steering entries", lambda: self._entries() - self._steered, self._count)

    def restart(self):
        """Counting starts anew."""
        self._watch.restart()
        if self._told:
            self._told.restart()

    def rule(self, text):
        """A rule for all connections."""
        return self._box.add_raw(text, must_hit=False)

    def driver(self, name):
        """A counter of the driver or of the kernel's TLS."""
        return (self._watch.protocols() if name.startswith("Tls") else self._watch.nic())[name]

    def _on_wire(self):
        """Bytes to the port in all flows that the middlebox knows; a test before this one may have
        had the same port."""
        return sum((flow["b>a"]["next_seq"] - flow["b>a"]["first_seq"]) % (1 << 32)
                   for flow in self._box.ask("flows")
                   if self._port in (flow["a_port"], flow["b_port"]))

    def sent(self):
        """Bytes of all streams, as far as they have come on the wire."""
        return self._on_wire() - self._before

    def send(self):
        """A record on each."""
        self._env.remote.call("many.send", group=self._here, size=FULL)

    def receive(self):
        """A record of each."""
        expect_equal("connections with wrong bytes",
                     self._env.local.call("many.receive", group=self._there, size=FULL), [])

    def _transfer(self):
        """Send and receive a record on each. (packets, of them decrypted) by the driver's count"""
        passed, decrypted = self._packets.hits(), self.driver("rx_tls_decrypted_packets")
        self.send()
        self.receive()
        return (self._packets.hits() - passed,
                self.driver("rx_tls_decrypted_packets") - decrypted)

    def expect_each(self, flags):
        """Transfer a record on each; the flags of the packets of any."""
        before = self._told and self._told.flags()
        packets, decrypted = self._transfer()
        expect_equal("packets that were decrypted, by the driver", decrypted,
                     packets * flags.decrypted)
        if self._told:
            wait_equal("packets by flag", lambda: self._told.flags() - before, flags * packets)

    def wait_all_asked(self, came):
        """Until all have asked and were answered; `came` packets came without those that are
        lost."""
        if self._told:
            wait_equal("packets by flag", self._told.flags,
                       Flags(plain=came - self._count, resync=self._count))
            wait_equal("questions answered", lambda: self.driver("rx_tls_resync_req_end"),
                       self._count)

        def answered():
            nic = self._watch.nic()
            start, end, skip = (nic["rx_tls_resync_req_" + name]
                                for name in ("start", "end", "skip"))
            return end >= self._count and start <= end + skip

        wait_for("the questions of all are answered", answered)
        expect_equal("packets that were decrypted beyond a lost header",
                     self.driver("rx_tls_decrypted_packets"), 0)

    def expect_all_recover(self):
        """All are approved, authenticate one record, and decrypt the next; beside any NIC, do so
        before RECOVERY records have come."""
        if self._told:
            wait_equal("approvals", lambda: self._told.row("R18"), self._count)
            self.expect_each(Flags(plain=1))
            self.expect_each(Flags(decrypted=1))
            return
        wait_for("approvals of all", lambda: self.driver("rx_tls_resync_res_ok") >= self._count)
        for records in range(1, rx.RECOVERY + 1):
            packets, decrypted = self._transfer()
            if packets == decrypted:
                self._env.observe("records until all decrypt", records)
                return
        fail(f"{decrypted} of {packets} packets were decrypted after {rx.RECOVERY} records")

    def check_counters(self):
        """Each has asked, was answered and was approved: once, or, beside any NIC, once at
        least."""
        got = {name: self.driver(name) for name in _STORM}
        self._env.observe("asked", got)
        want = dict.fromkeys(_STORM, self._count)
        expect_equal("counters of driver and kernel",
                     got if self._told else {name: min(self._count, count)
                                             for name, count in got.items()}, want)
        for name in ("rx_tls_err", "TlsDecryptError",
                     *(["rx_tls_resync_req_skip"] if self._told else [])):
            expect_equal(name, self.driver(name), 0)
        note(f"rx_tls_resync_res_retry {self.driver('rx_tls_resync_res_retry')}")


add("T-19/rx-storm", _storm(200), needs=NEEDS, guard=600.0)
add("T-19/rx-storm-1200", _storm(1200), needs=NEEDS, guard=1800.0, full=True)
