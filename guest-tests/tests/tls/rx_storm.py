# SPDX-License-Identifier: GPL-2.0-or-later
"""T-19: many contexts lose a header at once, ask at once, and are answered at once."""

import contextlib

from lib import rx
from lib.case import add, expect_equal, wait_equal
from lib.counters import Watch
from lib.ktap import note
from lib.rx import NEEDS, Flags
from lib.rx_layout import OVERHEAD

FULL = 1448 - OVERHEAD          # payload of a record of one segment, without TCP_MAXSEG


def _storm(count):
    """F-43: as many contexts as there are lose a header at once, ask at once, and are approved at
    once. All of them are decrypted again."""
    def run(env):
        with rx.receiving_ends(env) as ends, contextlib.ExitStack() as stack:
            env.cleanup.callback(env.lab.client.call, "wire.reset")
            entries = env.lab.objects()["flow_entry"]
            seed = f"{env.seed}/storm"
            there = env.local.call("many.accept", address=env.local.address(4), count=count,
                                   seed=seed)
            serving = env.local.begin("many.serve", group=there["group"])
            here = env.remote.call("many.connect", address=env.local.address(4),
                                   port=there["port"], count=count, seed=seed)["group"]
            expect_equal("connections", serving.result(), count)
            port, there = there["port"], there["group"]
            stack.callback(env.local.call, "many.close", group=there)
            stack.callback(env.remote.call, "many.close", group=here)
            ends.offload.check_opened(count, tx=False)
            wait_equal("steering entries",
                       lambda: env.lab.objects()["flow_entry"] - entries, count)
            state = _Sums(env)
            ask = env.lab.client.call
            # a record may leave in two packets where its pages end
            packets = ask("wire.add", rules=[f"log b>a dport={port} len=1.."])[0]

            def expect_each(flags):
                passed, before = _hits(env, packets), state.flags()
                env.remote.call("many.send", group=here, size=FULL)
                expect_equal("connections with wrong bytes",
                             env.local.call("many.receive", group=there, size=FULL), [])
                passed = _hits(env, packets) - passed
                wait_equal("packets by flag", lambda: state.flags() - before, flags * passed)

            expect_each(Flags(decrypted=1))
            state.restart()
            rules = ask("wire.add", rules=[
                "hold b>a record=1 sent=first name=lost", "drop b>a record=1 sent=again",
                "hold b>a record=2.. sent=first name=rest", "drop b>a record=2.. sent=again"])
            for _ in range(3):
                env.remote.call("many.send", group=here, size=FULL)
            wait_equal("bytes that were sent", lambda: _sent(env, port),
                       count * 4 * (FULL + OVERHEAD))
            # all that asks comes at once, and so does what lets the software answer
            ask("wire.release", name="rest")
            came = _hits(env, rules[2])
            wait_equal("packets by flag", state.flags,
                       Flags(plain=came - count, resync=count))
            wait_equal("questions answered",
                       lambda: state.driver("rx_tls_resync_req_end"), count)
            ask("wire.release", name="lost")
            for rule in rules:
                ask("wire.clear", rule=rule)
            expect_equal("connections with wrong bytes",
                         [env.local.call("many.receive", group=there, size=FULL)
                          for _ in range(3)], [[]] * 3)
            wait_equal("approvals", lambda: state.row("R18"), count)
            expect_each(Flags(plain=1))
            expect_each(Flags(decrypted=1))
            expect_equal("counters of driver and kernel",
                         {name: state.driver(name) for name in _STORM},
                         dict.fromkeys(_STORM, count))
            for name in ("rx_tls_resync_req_skip", "rx_tls_err", "TlsDecryptError"):
                expect_equal(name, state.driver(name), 0)
            note(f"rx_tls_resync_res_retry {state.driver('rx_tls_resync_res_retry')}")
    return run


_STORM = ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
          "rx_tls_resync_res_ok", "TlsRxDeviceResync")


class _Sums:
    """Counters of all contexts together."""

    def __init__(self, env):
        self._env = env
        self._watch = Watch(env.local)
        self.restart()

    def restart(self):
        """From now on."""
        self._watch.restart()
        self._flags = Flags.of(self._env.lab.counters())
        self._rows = self._env.lab.get("tls-rows")

    def flags(self):
        """Packets by flag."""
        return Flags.of(self._env.lab.counters()) - self._flags

    def row(self, name):
        """How often it was taken."""
        return self._env.lab.get("tls-rows")[name] - self._rows[name]

    def driver(self, name):
        """A counter of the driver or of the kernel's TLS."""
        return (self._watch.protocols() if name.startswith("Tls") else self._watch.nic())[name]


def _sent(env, port):
    """Bytes of all streams to a port, as far as they have come on the wire."""
    return sum((flow["b>a"]["next_seq"] - flow["b>a"]["first_seq"]) % (1 << 32)
               for flow in env.lab.client.call("wire.flows")
               if port in (flow["a_port"], flow["b_port"]))


def _hits(env, rule):
    return next(entry["hits"] for entry in env.lab.client.call("wire.rules")
                if entry["id"] == rule)


add("T-19/rx-storm", _storm(200), needs=NEEDS, guard=600.0)
add("T-19/rx-storm-1200", _storm(1200), needs=NEEDS, guard=1800.0, full=True)
