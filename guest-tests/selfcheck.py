#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the tests notice? Checks of the framework itself, on any machine, without root or a NIC.

Responsible for: showing that what is wrong is reported as wrong: payloads, kernel lines, hangs,
things left behind, a peer's lies. State: none. Callers: people and CI: guest-tests/selfcheck.py
"""

import contextlib
import importlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import tomllib
import types
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import bug                                                      # noqa: E402
import checks_of_the_wire                                       # noqa: E402
import tests                                                    # noqa: E402
from agent import control, ktls, payload, rawnet, tcp                    # noqa: E402
from lib import (asking, bench_state, case, counters, dmesg, hosts, ktap, loss,     # noqa: E402
                 needs, records, runner, strict, tracepoints, txpath, wire)
from lib.env import Env, EnvironmentProblem, kernel_version    # noqa: E402

# for unittest.main()
Captured = checks_of_the_wire.Captured
Records = checks_of_the_wire.Records


class Payloads(unittest.TestCase):
    """A wrong byte is found where it is."""

    def test_random_access(self):
        """Pieces read anywhere are those of the whole."""
        whole = payload.Source("x").read(0, 200_000)
        source = payload.Source("x")
        for offset, size in ((0, 1), (65535, 2), (65536, 65536), (131071, 40_000), (5, 3)):
            self.assertEqual(source.read(offset, size), whole[offset:offset + size])

    def test_seeds_and_blocks_differ(self):
        """A block in the wrong place is not taken for the right one."""
        self.assertNotEqual(payload.block("x", 0), payload.block("x", 1))
        self.assertNotEqual(payload.block("x", 0), payload.block("y", 0))

    def test_mismatch(self):
        """The offset of the first wrong byte is told, across blocks and offsets."""
        for at in (0, 65535, 65536, 99_999):
            data = bytearray(payload.Source("x").read(7, 100_000))
            data[at] ^= 1
            checker = payload.Checker("x", 7)
            for start in range(0, len(data), 1448):
                checker.take(data[start:start + 1448])
            self.assertEqual(checker.result()["mismatch"], 7 + at)
            self.assertEqual(checker.count, 100_000)


class Frames(unittest.TestCase):
    """Crafted packets have right checksums, unless asked otherwise."""

    def test_checksum_vector(self):
        """The example of RFC 1071."""
        self.assertEqual(rawnet.checksum(bytes.fromhex("0001f203f4f5f6f7")), 0x220d)

    def test_udp_frame(self):
        """Summed over with its checksum the datagram gives zero; a wrong one does not."""
        ends = ("02:00:00:00:00:01", "10.0.0.1"), ("02:00:00:00:00:02", "10.0.0.2")
        for wrong in (0, 1, 0x8000):
            raw = bytes.fromhex(rawnet.udp_frame(*ends, (1, 2), b"abc", wrong))
            ip, udp = raw[14:34], raw[34:34 + 11]
            self.assertEqual(rawnet.checksum(ip), 0)
            pseudo = ip[12:20] + bytes((0, 17, 0, 11))
            self.assertEqual(rawnet.checksum(pseudo + udp) == 0, wrong == 0)


class Keys(unittest.TestCase):
    """The structures of the uapi have their sizes."""

    def test_sizes(self):
        """struct tls12_crypto_info_aes_gcm_128 and _256."""
        self.assertEqual(len(ktls.crypto_info(ktls.new_keys())), 40)
        self.assertEqual(len(ktls.crypto_info(ktls.new_keys(cipher="aes-gcm-256"))), 56)

    def test_wrong_key_size(self):
        """Said before the kernel sees it."""
        with self.assertRaisesRegex(ValueError, "key of aes-gcm-128: 32 bytes, expected 16"):
            ktls.crypto_info(dict(ktls.new_keys(), key="00" * 32))


class KernelLog(unittest.TestCase):
    """Lines that fail a test, and lines that do not."""

    def test_judge(self):
        """By content whoever wrote it; by level only when it is about the NIC."""
        names = ["mlx5", "mlx0", "0000:01:00.0"]
        for level, text, wrong in (
                (6, "mlx5_core 0000:01:00.0: firmware version: 22.39.1", False),
                (4, "mlx5_core 0000:01:00.0: something to be warned of", False),
                (3, "mlx5_core 0000:01:00.0: CREATE_TIS failed", True),
                (3, "usb 1-1: device not accepting address", False),
                (4, "WARNING: CPU: 0 PID: 1 at net/tls/tls_device.c:1 x", True),
                (4, "mlx0: hw csum failure", True),
                (0, "BUG: unable to handle page fault", True),
                (6, "NETDEV WATCHDOG: CPU: 0: mlx0: transmit queue 0 timed out 5000 ms", True),
                (4, "INFO: task kworker/0:1 blocked for more than 120 seconds.", True)):
            with self.subTest(text):
                self.assertEqual(bool(dmesg.judge([(level, text)], names)), wrong)

    def test_allowed(self):
        """Only what the pattern names is let through."""
        lines = [(3, "mlx5_core: health compromised"), (3, "mlx5_core: other")]
        self.assertEqual(dmesg.judge(lines, ["mlx5"], (("health compromised", "reset"),)),
                         ["[err] mlx5_core: other"])


class Counting(unittest.TestCase):
    """Differences and the filter's proof."""

    def test_delta(self):
        """Missing counters read as 0 and say that they are missing."""
        delta = counters.Delta({"a": 3}, {"a": 5, "b": 1})
        self.assertEqual((delta["a"], delta["b"], delta["c"]), (2, 1, 0))
        self.assertFalse(delta.has("c"))

    def test_check_one(self):
        """Neither none nor two."""
        for lost in (0, 1, 2):
            proof = loss.Lost(None, "x", "egress")
            proof.counts = lambda value=lost: (100, value)
            if lost == 1:
                proof.check_one()
            else:
                with self.assertRaises(case.Failure):
                    proof.check_one()


class FakeEnv:
    """As much of an Env as Runner needs."""

    def __init__(self):
        self.hosts = ()
        self.software_tls = False
        self.cleanup = contextlib.ExitStack()
        self.left = []
        self.restored = 0
        self.observed = {"of": ["the test before"]}
        self.arrangement = None

    def device(self, _host):
        """No lab."""
        return None

    def arrange(self, _words):
        """No bench of its own."""

    def names(self):
        """No NIC, so no line is about one."""
        return []

    def changed(self):
        """What the test says it has left."""
        return self.left

    def restore(self):
        """Counted."""
        self.restored += 1
        self.left = []


class Ends(unittest.TestCase):
    """An end whose agent is replaced."""

    def test_restart(self):
        """The old agent's reader may notice its end late: the new agent is not taken for dead."""
        replaced, noticed = threading.Event(), threading.Event()

        class Late:
            """The output of an agent, with an end that comes when the next agent is there."""

            def __init__(self, stream):
                self._stream = stream

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self._stream.close()

            def __iter__(self):
                yield from self._stream
                replaced.wait(30)

        class Watched(hosts.Host):
            """The first reader is late, and the second one waits until it is through."""

            readers = 0

            def _read(self, process, *more):
                self.readers += 1
                if self.readers == 1:
                    super()._read(types.SimpleNamespace(stdout=Late(process.stdout)), *more)
                    noticed.set()
                else:
                    replaced.set()
                    noticed.wait(30)
                    super()._read(process, *more)

        host = Watched("local")
        host.start()
        try:
            host.restart()
            self.assertTrue(noticed.is_set())
            self.assertEqual(host.read("/proc/self/comm").strip()[:6], "python")
        finally:
            host.kill()


class Running(unittest.TestCase):
    """What the runner makes of tests that fail, hang, skip, or leave things behind."""

    def run_one(self, function, guard=30.0, needed=(), violates=(), ends=()):
        """(report, text) of one test."""
        self.env = FakeEnv()        # pylint: disable=attribute-defined-outside-init
        self.env.hosts = ends
        report, out = ktap.KtapStream(), io.StringIO()
        one = case.Case("group/one", function, needed, guard, violates=violates)
        log = types.SimpleNamespace(lines=lambda: [], close=lambda: None)
        before = dmesg.Kmsg, dmesg.mark
        dmesg.Kmsg, dmesg.mark = (lambda: log), (lambda text: None)
        try:
            with contextlib.redirect_stdout(out):
                report.begin(1)
                status = runner.Runner(report, self.env).run([one])
        finally:
            dmesg.Kmsg, dmesg.mark = before
        self.assertEqual(status, 1 if report.failed else 0)
        return report, out.getvalue()

    def test_pass(self):
        """The plain case."""
        report, text = self.run_one(lambda env: None)
        self.assertEqual((report.passed, report.failed), (1, 0))
        self.assertIn("1..1\n", text)
        self.assertIn("\nok 1 group/one\n", text)

    def test_observed(self):
        """What a test has seen is in the report, value by value, and the next test begins with
        none."""
        env = Env.__new__(Env)
        env.observed = {}

        def look(fake):
            self.assertEqual(fake.observed, {})
            env.observe("packets", 3)
            env.observe("packets", {"asked": [1, None]})

        _, text = self.run_one(look)
        self.assertIn("# observed packets: 3\n", text)
        self.assertIn('# observed packets: {"asked": [1, null]}\n', text)
        self.assertEqual(env.observed, {"packets": [3, {"asked": [1, None]}]})

    def test_failure(self):
        """Values are in the diagnostics, control characters are not."""
        report, text = self.run_one(lambda env: case.expect_equal("x\x1b", 1, 2))
        self.assertEqual(report.failed, 1)
        self.assertIn("x?: 1, expected 2", text)
        self.assertIn("\nnot ok 1 group/one\n", text)

    def test_broken_test(self):
        """A bug of the test is a failure, not a crash of the run."""
        report, text = self.run_one(lambda env: {}["nothing"])
        self.assertEqual(report.failed, 1)
        self.assertIn("KeyError", text)

    def test_hang(self):
        """The guard strikes although the test would swallow exceptions."""
        def hang(_env):
            try:
                threading.Event().wait(60)
            except Exception:       # pylint: disable=broad-except
                pass

        report, text = self.run_one(hang, guard=0.2)
        self.assertEqual(report.failed, 1)
        self.assertIn("hung: no end after", text)

    def test_bench_hangs(self):
        """A bench that does not come up is told with the time that it had and where it hangs."""
        def peer_start():
            threading.Event().wait(60)

        text = runner.opened(types.SimpleNamespace(open=peer_start), limit=0.2)
        self.assertIn("did not come up within 0.2 s, it was in ", text)
        self.assertIn("peer_start (selfcheck.py:", text)
        self.assertEqual(runner.opened(types.SimpleNamespace(open=lambda: None)), "")

    def test_unusable_machine(self):
        """After a test that cannot be cleaned up the others fail, or are left to a fresh
        machine."""
        def stuck(env):
            env.cleanup.callback(lambda: 1 // 0)

        def run():
            report, out = ktap.KtapStream(), io.StringIO()
            cases = [case.Case(f"group/{name}", stuck, (), 30.0) for name in ("one", "two")]
            self.env = FakeEnv()    # pylint: disable=attribute-defined-outside-init
            log = types.SimpleNamespace(lines=lambda: [], close=lambda: None)
            with unittest.mock.patch.object(dmesg, "Kmsg", lambda: log), \
                    unittest.mock.patch.object(dmesg, "mark", lambda text: None), \
                    contextlib.redirect_stdout(out):
                report.begin(len(cases))
                status = runner.Runner(report, self.env).run(cases)
            return status, report.failed, out.getvalue()

        with unittest.mock.patch.dict(os.environ, {"FRESH_MACHINE": ""}):
            status, failed, text = run()
        self.assertEqual((status, failed), (runner.EXIT_FAILED, 2))
        self.assertIn("# not run: the bench could not be restored after group/one", text)
        with unittest.mock.patch.dict(os.environ, {"FRESH_MACHINE": "1"}):
            status, failed, text = run()
        self.assertEqual((status, failed), (runner.EXIT_UNUSABLE, 1))
        self.assertIn("# this machine is of no use any more: the bench could not be", text)
        self.assertNotIn("group/two", text)

    def test_violation(self):
        """What a device with strict=on finds fails the test, unless it is meant."""
        counts = {"tx_plaintext": 4, "rx_flag": 0, "total": 4}
        device = types.SimpleNamespace(ident="nic7", get_or_none=lambda name: dict(counts)
                                       if name == "strict-violations" else None)

        def bring_about(_env):
            counts.update(rx_flag=2, total=6)

        # pylint: disable=protected-access
        before = FakeEnv.device
        FakeEnv.device = lambda *_: device
        hosts_before, runner.Runner._watches = runner.Runner._watches, lambda _: []
        fresh, runner.Runner._fresh = runner.Runner._fresh, staticmethod(lambda _: None)
        try:
            for violates, failed in (((), 1), (("rx_flag",), 0), (("tx_plaintext",), 1)):
                counts.update(rx_flag=0, total=4)
                report, text = self.run_one(bring_about, violates=violates, ends=("end",))
                self.assertEqual(report.failed, failed)
                self.assertEqual("nic7 with strict=on found: rx_flag (2);" in text, bool(failed))
            report, _ = self.run_one(lambda env: None, ends=("end",))
            self.assertEqual(report.failed, 0)
        finally:
            FakeEnv.device, runner.Runner._watches = before, hosts_before
            runner.Runner._fresh = fresh

    def test_violations_of_a_new_device(self):
        """Plugged in anew it counts from 0; unplugged it does not count."""
        answers = [{"rx_flag": 5, "total": 5}, {"rx_flag": 1, "total": 1}, None]
        device = types.SimpleNamespace(ident="nic0", get_or_none=lambda _: answers.pop(0))
        env = types.SimpleNamespace(hosts=("end",), device=lambda _: device)
        watch = strict.Violations(env)
        self.assertEqual(watch.since(), {"nic0": {"rx_flag": 1}})
        self.assertEqual(watch.since(), {})

    def test_left_behind(self):
        """A test that changes the bench has failed, and the bench is restored."""
        def leave(env):
            env.left = ["MTU is 9000, was 1500"]

        report, text = self.run_one(leave)
        self.assertEqual((report.failed, self.env.restored), (1, 1))
        self.assertIn("left something changed: MTU is 9000", text)

    def test_clean_up_runs(self):
        """Also after a failure."""
        done = []

        def fail(env):
            env.cleanup.callback(done.append, 1)
            case.fail("as expected")

        self.run_one(fail)
        self.assertEqual(done, [1])

    def test_skip(self):
        """With its reason; a wrong need is the test's fault."""
        def skip(_env):
            raise case.Skip("no such thing")

        report, text = self.run_one(skip)
        self.assertEqual(report.skipped, 1)
        self.assertIn("ok 1 group/one # SKIP no such thing", text)
        with self.assertRaisesRegex(ValueError, "no such need"):
            needs.missing(self.env, ("unheard-of",))

    def test_kernel(self):
        """Versions are compared as numbers, and a comparison that means nothing is refused."""
        self.assertEqual(kernel_version("6.12.107-mlx5-ktls"), (6, 12))
        self.assertEqual(kernel_version("7.3.4+deb13-amd64"), (7, 3))
        with self.assertRaisesRegex(EnvironmentProblem, "custom"):
            kernel_version("custom")
        bench = types.SimpleNamespace(kernel=(6, 12), arrangement=None)
        for what, met in ((">=6.2", True), (">=6.12", True), (">=6.13", False), (">=7.0", False),
                          ("<6.12", False), ("<6.13", True), ("<7.0", True), ("<6.3", False)):
            self.assertEqual(needs.missing(bench, (f"kernel:{what}",)) is None, met, what)
        for what in ("", "6.12", "=6.12", ">=6"):
            with self.assertRaisesRegex(ValueError, "kernel:"):
                needs.missing(bench, (f"kernel:{what}",))

    def test_choice(self):
        """Whole names, parts, groups."""
        for pattern, wanted in (("tls-tx", True), ("tls-*", True), ("aes128-v4", True),
                                ("tls-tx/aes128-v4", True), ("tls-rx", False), ("aes128", False)):
            self.assertEqual(runner.selected("tls-tx/aes128-v4", [pattern]), wanted, pattern)


class Agents(unittest.TestCase):
    """An agent here, over the same path that reaches a namespace or another machine."""

    def setUp(self):
        self.host = hosts.local()
        self.host.start()
        self.addCleanup(self.host.kill)

    def test_run(self):
        """Output, status, and a failure that names the command."""
        self.assertEqual(self.host.out("echo", "a b"), "a b\n")
        with self.assertRaisesRegex(hosts.CommandError, "`false` ended with status 1"):
            self.host.run("false")

    def test_transfer(self):
        """Right bytes are right; a payload of another seed is wrong from its first byte."""
        for seed, mismatch in (("one", None), ("two", 0)):
            listener = self.host.call("tcp.listen", address="127.0.0.1")
            accepting = self.host.begin("tcp.accept", listener=listener["socket"])
            client = self.host.call("tcp.connect", address="127.0.0.1", port=listener["port"])
            server = accepting.result()["socket"]
            reading = self.host.begin("tcp.receive", number=server, seed="one", size=300_000)
            self.host.call("tcp.send", number=client["socket"], seed=seed, size=300_000,
                           sizes=[1, 1000, 16384])
            got = reading.result()
            self.assertEqual((got["bytes"], got["mismatch"]), (300_000, mismatch))
            info = self.host.call("tcp.info", number=client["socket"])
            self.assertEqual(info["bytes_sent"] - info["bytes_retrans"], 300_000)

    def test_early_end(self):
        """A stream that ends too soon is not complete."""
        listener = self.host.call("tcp.listen", address="127.0.0.1")
        accepting = self.host.begin("tcp.accept", listener=listener["socket"])
        client = self.host.call("tcp.connect", address="127.0.0.1", port=listener["port"])
        server = accepting.result()["socket"]
        self.host.call("tcp.send", number=client["socket"], seed="x", size=10)
        self.host.call("tcp.close", number=client["socket"])
        got = self.host.call("tcp.receive", number=server, seed="x", size=11)
        self.assertEqual((got["bytes"], got["error"]), (10, "EOF"))

    def test_kept_program(self):
        """It lives beyond the call that started it, and ends when told."""
        with self.host.program("cat") as number:
            self.host.call("procs.feed", number=number, seed="x", size=70_000)
            got = self.host.call("procs.expect", number=number, seed="x", size=70_000)
            self.assertIsNone(got["mismatch"])
            self.assertIsNone(self.host.call("procs.status", number=number)["rc"])

    def test_death(self):
        """A dead agent is an error at once, not a wait."""
        pending = self.host.begin("procs.run", argv=["sleep", "60"])
        self.host.kill()
        with self.assertRaises(hosts.HostError):
            pending.result(10)

    def test_unknown_operation(self):
        """Refused by name."""
        with self.assertRaisesRegex(hosts.CallError, "no operation"):
            self.host.call("tcp._sock", number=1)


class Registry(unittest.TestCase):
    """All tests load, and their needs exist."""

    def test_load(self):
        """Names are unique and have a group; needs are known words."""
        tests.load()
        self.assertGreater(len(case.REGISTRY), 200)
        for one in case.REGISTRY:
            self.assertRegex(one.name, r"^([QTF]-[0-9]{2}|[a-z0-9-]+)/[A-Za-z0-9_.-]+$")
            for word in one.needs:
                self.assertIn(word.partition(":")[0], needs.TABLE, one.name)
        self.assertTrue(tcp.INFO_U32)

    def test_bugs(self):
        """Each bug of the table has a module with its needs, known words too."""
        names = tomllib.loads(bug.TABLE.read_text(encoding="utf-8"))
        self.assertGreater(len(names), 5)
        for name in names:
            module = importlib.import_module(f"bugs.{name.replace('-', '_')}")
            self.assertTrue(callable(module.run), name)
            for word in module.NEEDS:
                self.assertIn(word.partition(":")[0], needs.TABLE, name)


class SendPath(unittest.TestCase):
    """The model of the driver's out-of-order path, on cases worked out by hand."""

    @staticmethod
    def _segment(stream, length, again=False):
        return wire.Segment(1000 + stream, length, stream, again, 0)

    def _layout(self, start=0, first=0):
        layout = txpath.Layout(start, first)
        layout.add([71, 171, 71])       # 100, 200, 100 bytes
        return layout

    def test_in_order(self):
        """Nothing is replayed; a record ends in the segment with its last byte."""
        found = txpath.account([self._segment(0, 99), self._segment(99, 1),
                                self._segment(100, 300)], self._layout(first=5))
        self.assertEqual((found.packets, found.bytes, found.ooo, found.dump_bytes),
                         (3, 400, 0, 0))
        self.assertEqual(found.log, [(5, "sent"), (6, "sent"), (7, "sent")])

    def test_one_loss(self):
        """Back to the segment, and forward again: two resyncs, each replays its record's head."""
        found = txpath.account([self._segment(0, 150), self._segment(150, 100),
                                self._segment(250, 100), self._segment(150, 100, True),
                                self._segment(350, 50)], self._layout())
        self.assertEqual(found.resyncs, [(1, 50), (2, 50)])
        self.assertEqual((found.ooo, found.dump_bytes, found.dump_runs), (2, 100, 2))
        self.assertEqual(found.log, [(0, "sent"), (1, "sent"), (2, "sent-and-dumped")])

    def test_boundary_and_wrap(self):
        """A resync at a record's first byte replays nothing; numbers wrap."""
        found = txpath.account([self._segment(0, 400), self._segment(100, 300, True)],
                               self._layout(first=(1 << 64) - 1))
        self.assertEqual(found.resyncs, [(0, 0)])
        self.assertEqual((found.dump_bytes, found.dump_runs), (0, 0))
        self.assertEqual([number for number, _ in found.log], [(1 << 64) - 1, 0, 1, 0, 1])

    def test_before_tls(self):
        """What is from before TLS is skipped and changes no expectation."""
        found = txpath.account([self._segment(50, 100), self._segment(0, 50, True),
                                self._segment(150, 300)], self._layout(start=50))
        self.assertEqual((found.skipped, found.ooo, found.packets, found.resyncs), (1, 1, 2, []))
        with self.assertRaises(case.Failure):
            txpath.account([self._segment(40, 20)], self._layout(start=50))

    def test_plan(self):
        """Boundaries are where they are wanted, and no record is shorter than its overhead."""
        for mss in (200, 1448):
            wanted = [(size, at) for size in (0, 5, 100, 1419, 16384)
                      for at in (0, *txpath.edges(size))]
            plan = txpath.TxPlan(mss)
            for size, at in wanted:
                plan.cut(size, at, apart=mss)
            plan.finish(100)
            layout = txpath.Layout()
            layout.add(plan.sizes)
            self.assertTrue(all(0 <= size <= txpath.MAX for size in plan.sizes))
            self.assertEqual((layout.end, layout.end % mss), (plan.position, 0))
            for (size, at), (_, _, stream) in zip(wanted, plan.cuts):
                index, begin = layout.at(stream)
                self.assertEqual((stream % mss, stream - begin), (0, at))
                self.assertEqual(layout.end_of(index) - begin, size + txpath.EXTRA)


class Version(unittest.TestCase):
    """The sessions' TLS version is the run's, and a wrong one is named."""

    @staticmethod
    def _run(version, *argv):
        return subprocess.run([sys.executable, "-B", *argv], capture_output=True, text=True,
                              check=False, env=os.environ | {"TLS_VERSION": version},
                              cwd=pathlib.Path(__file__).parent)

    def test_wrong(self):
        """It is refused before anything is run."""
        done = self._run("1.1", "run.py", "--list")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr,
                         "run.py: TLS_VERSION='1.1': expected one of 1.2, 1.3\n")

    def test_sizes(self):
        """A record of 1.3 has 22 bytes beside its payload, and the models go by that."""
        done = self._run("1.3", "-c", "from lib import rx_craft, rx_layout, txpath, version\n"
                         "print(version.NONCE, txpath.EXTRA, rx_craft.CIPHERTEXT, "
                         "rx_layout.Burst([100, 7]).lengths)")
        self.assertEqual((done.stdout, done.stderr), ("0 22 5 [122, 29]\n", ""))
        done = self._run("1.3", "selfcheck.py", "SendPath.test_plan")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_asked(self):
        """A test of another version is skipped with the reason."""
        self.assertEqual(needs.missing(FakeEnv(), ("tls:1.3",)),
                         "this is about TLS 1.3; TLS_VERSION is 1.2")
        self.assertIsNone(needs.missing(FakeEnv(), ("tls:1.2",)))
        self.assertTrue(needs.asserts_offload(("tls-tx:1.3",)))
        self.assertFalse(needs.asserts_offload(("tls:1.3", "ktls")))


class Observers(unittest.TestCase):
    """What the device, the kernel and the wire tell is read right."""

    LINE = ('{"dev":"nic0","dir":"%s","%s":14,"record":7,"tcp_sn":679610940,"len":45,"type":22,'
            '"mode":"decrypt","end":"tag-ok","verdict":"decrypted","before":"START",'
            '"after":"OFFLOAD"}')

    def test_records(self):
        """Both directions, with and without a number."""
        for way, ident in (("rx", "tirn"), ("tx", "tisn")):
            record = records.parse(self.LINE % (way, ident))
            self.assertEqual((record.dir, record.context, record.record, record.after),
                             (way, 14, 7, "OFFLOAD"))
        unknown = records.parse((self.LINE % ("tx", "tisn")).replace('"record":7,', ""))
        self.assertIsNone(unknown.record)

    def test_verdicts(self):
        """The first difference is told, a missing entry too."""
        record = records.parse(self.LINE % ("rx", "tirn"))
        records.expect_verdicts("x", [record], [(7, "decrypted")])
        for want in ([], [(8, "decrypted")], [(7, "sent")], [(7, "decrypted")] * 2):
            with self.assertRaises(case.Failure):
                records.expect_verdicts("x", [record], want)

    def test_tracepoints(self):
        """Lines of tracefs, with and without a known thread group."""
        text = ("# tracer: nop\n"
                "         python3-220     (    212) [001] ...1.    74.571: "
                "tls_device_offload_set: sk=000000001b5c0ee2 direction=0 tcp_seq=5 "
                "rec_no=18446744073709551615 ret=0\n"
                "          <idle>-0       (-------) [000] b.s2.    75.0: "
                "tls_device_decrypted: sk=000000001b5c0ee2 tcp_seq=9 rec_no=1 len=45 "
                "encrypted=0 decrypted=1\n")
        first, second = tracepoints.parse(text)
        self.assertEqual((first.name, first.tgid, first.direction, first.rec_no),
                         ("tls_device_offload_set", 212, 0, (1 << 64) - 1))
        self.assertEqual((second.tgid, second.sk, second.decrypted), (None, first.sk, 1))
        with self.assertRaises(AttributeError):
            second.nonsense         # pylint: disable=pointless-statement

    def test_rule_that_never_hits(self):
        """A rule that was meant to hit and did not fails its block, and is removed all the same."""
        asked = []

        class Lab:
            """Of a wire that sees nothing."""
            client = types.SimpleNamespace()

            @staticmethod
            def can(_):
                """It has a wire."""
                return True

        def call(action, **args):
            asked.append(action)
            return {"wire.log": {"next": 3, "first": 3, "hits": [], "more": False},
                    "wire.add": [9], "wire.rules": [{"id": 9, "hits": 0}],
                    "wire.clear": None}[action] if args is not None else None

        Lab.client.call = call
        local = object()
        env = types.SimpleNamespace(lab=Lab, local=local)
        way = types.SimpleNamespace(sender=local, ports=(1, 2))
        with self.assertRaisesRegex(case.Failure, "never applied"):
            with wire.rules(env) as box:
                box.add(way, "drop record=7")
        self.assertEqual(asked[-1], "wire.clear")
        with wire.rules(env) as box:
            box.add(way, "drop record=7", must_hit=False)

    def test_wire_by_socket(self):
        """Outside the lab the wire is asked over the socket that WIRE_CONTROL names; what it
        refuses is a failure with its words."""
        answers = {"log": {"ok": True, "result": {"next": 0, "first": 0, "hits": [],
                                                  "more": False}},
                   "rules": {"ok": True, "result": [{"id": 1, "hits": 1}]},
                   "clear": {"ok": True, "result": None},
                   "add": {"ok": True, "result": [1]},
                   "flows": {"ok": False, "error": "no such thing"}}

        class Here:
            """An end whose agent is this process."""
            name = "local"

            @staticmethod
            def call(op, **args):
                """As Host.call()."""
                try:
                    return getattr(control, op.removeprefix("control."))(**args)
                except ValueError as error:
                    raise hosts.CallError("local", op, {"kind": "ValueError", "errno": None,
                                                        "text": str(error), "where": ""}) \
                        from None

        def serve(listener):
            while True:
                with listener.accept()[0] as peer:
                    request = json.loads(peer.makefile().readline())
                    peer.sendall(json.dumps(answers[request["cmd"]]).encode() + b"\n")

        with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX) as listener:
            path = f"{place}/wire"
            self.assertIn("No such file", control.available(path))
            listener.bind(path)
            listener.listen()
            threading.Thread(target=serve, args=(listener,), daemon=True).start()
            here = Here()
            env = types.SimpleNamespace(lab=None, no_lab="none", local=here, remote=None,
                                        bench=None)
            with unittest.mock.patch.dict("os.environ", {wire.VARIABLE: path}):
                self.assertIsNone(wire.missing(env))
                with wire.rules(env) as box:
                    way = types.SimpleNamespace(sender=here, ports=(1, 2))
                    box.add(way, "drop record=7").check_hits(1)
                    with self.assertRaisesRegex(case.Failure, "no such thing"):
                        box.flow(way)
            with unittest.mock.patch.dict("os.environ", {wire.VARIABLE: f"{place}/other"}):
                self.assertIn("no middlebox", wire.missing(env))

    def test_full_only(self):
        """A long test runs in a full run, or when it is named."""
        entry = case.Case("x/long", None, full=True)
        case.REGISTRY.append(entry)
        try:
            self.assertNotIn(entry, runner.choose(["x"]))
            self.assertIn(entry, runner.choose(["x"], full=True))
            self.assertIn(entry, runner.choose(["x/long"]))
        finally:
            case.REGISTRY.remove(entry)


class Questions(unittest.TestCase):
    """Experiments about open questions."""

    def test_answers(self):
        """What an experiment answers is kept; beside any NIC it is taken as it is, of the emulated
        device it must be what that was told to be."""
        name = "Q-05/rx-bad-tag"
        for told, answer, good in ((None, "search", True), ("search", "search", True),
                                   ("continue", "search", False)):
            seen = {}
            env = types.SimpleNamespace(
                observe=seen.__setitem__,
                lab=told and types.SimpleNamespace(get={"bad-tag-action": told}.get))
            experiment = asking.Experiment(name, lambda _, said=answer: said)
            with contextlib.nullcontext() if good else self.assertRaises(case.Failure):
                experiment.run(env)
            self.assertEqual(seen, {asking.ANSWER: answer})


# what programs print of a NIC with all that there is
SHOWN = {
    "ethtool -l n0": "Channel parameters for n0:\nPre-set maximums:\nRX:\t\tn/a\nCombined:\t63\n"
                     "Current hardware settings:\nRX:\t\tn/a\nCombined:\t2\n",
    "ethtool -g n0": "Ring parameters for n0:\nPre-set maximums:\nRX:\t\t8192\nRX Mini:\t64\n"
                     "Current hardware settings:\nRX:\t\t1024\nRX Mini:\tn/a\nTX:\t\t512\n",
    "ethtool -c n0": "Coalesce parameters for n0:\nAdaptive RX: on  TX: off\n"
                     "sample-interval:\tn/a\n\nrx-usecs:\t8\nrx-frames:\t128\n"
                     "CQE mode RX: on  TX: off\n",
    "ethtool -x n0": "RX flow hash indirection table for n0 with 2 RX ring(s):\n"
                     "    0:      0     1     0     1\nRSS hash key:\n0a:0b:0c\n"
                     "RSS hash function:\n    toeplitz: on\n    xor: off\n",
    "ethtool -n n0 rx-flow-hash tcp4": "TCP over IPV4 flows use these fields …:\nIP SA\nIP DA\n"
                                       "L4 bytes 0 & 1 [TCP/UDP src port]\n",
    "ethtool --show-priv-flags n0": "Private flags for n0:\nrx_cqe_moder       : on\n",
    "ethtool n0": "Settings for n0:\n\tSpeed: 25000Mb/s\n\tAuto-negotiation: off\n"
                  "\tSupports Wake-on: g\n\tWake-on: d\n",
    "ethtool -n n0": "2 RX rings available\nTotal 1 rules\n\nFilter: 1023\n",
    "ethtool -k n0": "Features for n0:\nrx-checksumming: on\n\ttx-checksum-sctp: off [fixed]\n"
                     "large-receive-offload: off\n",
    "ip -d -j link show dev n0": json.dumps([{"mtu": 1500, "address": "02:00:00:00:00:01",
                                              "flags": ["UP", "PROMISC"]}]),
    "tc -j qdisc show dev n0": '[{"kind": "mq", "root": true}, {"kind": "clsact"}]',
    "devlink -j dev param show pci/0000:01:00.0": json.dumps({"param": {"pci/0000:01:00.0": [
        {"name": "enable_roce", "values": [{"cmode": "driverinit", "value": True}]}]}}),
}


class FakePort:
    """An interface of which only what programs print is known; `ran` has what was asked else."""

    name, pci = "n0", "0000:01:00.0"

    def __init__(self, shown):
        self.shown, self.ran = shown, []

    def in_namespace(self, _space, *argv, check=True):
        """The program's output, if it is known."""
        line = " ".join(map(str, argv))
        if check:
            self.ran.append(line)
        return hosts.Completed(0 if check or line in self.shown else 1, self.shown.get(line, ""),
                               "")


class Settings(unittest.TestCase):
    """What a NIC was set to is read, and the commands that bring it back are right."""

    def test_read(self):
        """Current values, not maxima; nothing of what is fixed or not there."""
        found = bench_state.read(FakePort(SHOWN))
        self.assertEqual({name: values for name, values in found.items() if values}, {
            "channels": {"combined": "2"}, "rings": {"rx": "1024", "tx": "512"},
            "private flags": {"rx_cqe_moder": "on"},
            "features": {"rx-checksumming": "on", "large-receive-offload": "off"},
            "coalescing": {"adaptive-rx": "on", "adaptive-tx": "off", "rx-usecs": "8",
                           "rx-frames": "128", "cqe-mode-rx": "on", "cqe-mode-tx": "off"},
            "RSS": {"table": [0, 1, 0, 1], "hkey": "0a:0b:0c", "hfunc": "toeplitz"},
            "hashing": {"tcp4": "sdf"}, "rules": {"1023": "present"},
            "mode": {"autoneg": "off", "speed": "25000", "wol": "d"},
            "queueing": {"root": "mq", "clsact": "clsact"},
            "devlink": {"enable_roce driverinit": "true"},
            "link": {"mtu": 1500, "address": "02:00:00:00:00:01", "up": True, "promisc": True,
                     "allmulti": False}})

    def test_bring_back(self):
        """Each setting that differs has its command; what cannot be mended is told."""
        before = bench_state.read(FakePort(SHOWN))
        now = dict(SHOWN)
        for name, old, new in (
                ("ethtool -l n0", "Combined:\t2", "Combined:\t1"), ("ethtool -g n0", "512", "256"),
                ("ethtool -c n0", "Adaptive RX: on", "Adaptive RX: off"),
                ("ethtool -x n0", "0     1     0     1", "0     0     0     0"),
                ("ethtool -k n0", "rx-checksumming: on", "rx-checksumming: off"),
                ("ethtool -n n0", "Filter: 1023", "Filter: 1023\nFilter: 7"),
                ("ip -d -j link show dev n0", '["UP", "PROMISC"]', "[]")):
            self.assertIn(old, now[name])
            now[name] = now[name].replace(old, new)
        port = FakePort(now)
        left = bench_state.bring_back(port, before)
        self.assertEqual(port.ran[:len(port.ran) // 2], [
            "ethtool -L n0 combined 2", "ethtool -G n0 tx 512", "ethtool -K n0 rx-checksumming on",
            "ethtool -C n0 adaptive-rx on", "ethtool -X n0 default", "ethtool -N n0 delete 7",
            "ip link set dev n0 promisc on", "ip link set dev n0 up"])
        self.assertEqual(len(left), 8)
        self.assertIn("n0: channels: combined is '1', was '2'", left)
        self.assertEqual(bench_state.bring_back(FakePort(SHOWN), before), [])


if __name__ == "__main__":
    unittest.main()
