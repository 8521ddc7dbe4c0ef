# SPDX-License-Identifier: GPL-2.0-or-later
"""A receiving session that is looked at from beside the device: by the wire, the driver's counters,
and the bytes that come.

Responsible for: a session of rx.py that asks no device of ours, and the register of experiments
(questions.toml): what each answers, and what that means.
State: none beyond the session's.
Callers: tests/tls/questions.py.
"""

import contextlib
import functools
import pathlib
import tomllib

from . import rx, tls, version, wire
from .case import add, expect_equal, wait_for
from .counters import Watch
from .ktap import note
from .rx_layout import whole_segments

TABLE = pathlib.Path(__file__).resolve().parent.parent / "questions.toml"
ANSWER = "answer"           # the observation that `lab parity` compares with the guess
NEEDS = ("tls-rx", "wire", "local-tool:openssl")


@functools.cache
def questions():
    """{test: {asks, guess, knob, answers}}: see questions.toml."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


class Experiment:
    """One question, and how it is answered: `look(env)` returns the answer."""

    def __init__(self, name, look, allowed=()):
        self.name, self.look = name, look
        self.allowed = allowed          # kernel lines, as a test has them
        self.entry = questions()[name]

    def run(self, env):
        """The test: look, and say what that means. Where the device is the emulated one, it must be
        what it was told to be; the experiment itself does not know what that is."""
        answer = self.look(env)
        env.observe(ANSWER, answer)
        means = self.entry.get("answers", {}).get(answer, "")
        note(f"{self.entry['asks']}: {answer}{': ' + means if means else ''}")
        if env.lab is not None:
            knob = self.entry.get("knob")
            expect_equal(f"the answer, and {knob or 'what the device does'}", answer,
                         str(env.lab.get(knob)) if knob else self.entry["guess"])


EXPERIMENTS = {}


def experiment(name, **options):
    """Decorator: the function is the experiment that decides the question `name`."""
    def register(look):
        EXPERIMENTS[name] = Experiment(name, look, options.get("allowed", ()))
        add(name, EXPERIMENTS[name].run, needs=getattr(look, "needs", ()), **options)
        return look
    return register


class Asking(rx.RxSession):
    """A session that knows of the device what the driver and the stack tell."""

    def __init__(self, env, connection, keys, box, offload):
        self.env, self.connection = env, connection
        self._seen, self._segments = Watch(env.local), 0
        super().__init__(env, connection, keys, box, offload, None)
        self.restart_counting()

    def restart_counting(self):
        """Everything below is counted from here on."""
        self._seen.restart()
        self._segments = self._stack_segments()

    def driver(self, name):
        """How far a counter of the driver has moved."""
        return self._seen.nic()[name]

    def _stack_segments(self):
        return self.connection.info(self.env.local)["data_segs_in"]

    def arrived(self, count):
        """Until so many packets with payload have come to the stack: the device has seen them, and
        the driver has counted them."""
        wait_for(f"{count} packets", lambda: self._stack_segments() - self._segments >= count)
        expect_equal("packets with payload", self._stack_segments() - self._segments, count)

    def asked(self):
        """How often the device has asked for resync."""
        return self.driver("rx_tls_resync_req_pkt")

    def asked_about_a_place(self):
        """How many of its questions were about a place that it has found in the stream. Each is
        answered before."""
        def answered():
            about, nothing = (self.driver(f"rx_tls_resync_req_{name}") for name in ("end", "skip"))
            return (about,) if about + nothing >= self.asked() else None

        return wait_for("the driver has looked where the device is", answered)[0]

    def decrypted(self):
        """Packets that it has decrypted."""
        return self.driver("rx_tls_decrypted_packets")

    def errors(self):
        """Packets with a wrong tag."""
        return self.driver("rx_tls_err")

    def send_with_lost_header(self):
        """A header is lost, the device has asked, was told, and everything was read."""
        lost = self.lose(0)
        sent = self.send(whole_segments(4, 3))
        self.arrived(11)
        self.wait_driver("rx_tls_resync_req_end")
        lost.release()
        sent.finish()
        self.wait_driver("rx_tls_resync_res_ok")

    def warm_up(self):
        """Until the device decrypts: steering follows the connection in the background."""
        before = self.decrypted()
        for _ in range(tls.WARM_UP):
            self.send([1000]).finish()
            if self.decrypted() > before:
                break
        else:
            expect_equal("packets decrypted while the connection is new", 0, 1)
        self.restart_counting()


class Asker:
    """Both ends, set up for such sessions. Made by asking()."""

    def __init__(self, env, offload):
        self.env, self.offload = env, offload
        self._sessions = 0

    @contextlib.contextmanager
    def session(self, *, family=4, warm=True, plain=0, before_tls=None):
        """An Asking. warm: the device decrypts already; plain: bytes that are sent before TLS;
        before_tls(connection, box): called before them."""
        env = self.env
        self._sessions += 1
        keys = rx.Keys()
        with contextlib.ExitStack() as stack:
            box = stack.enter_context(wire.rules(env))
            connection = stack.enter_context(tls.Connection(
                env.remote, env.local, family, seed=env.seed, options=rx.OPTIONS))
            if before_tls:
                before_tls(connection, box)
            if plain:
                connection.up.move(plain)
            made = connection.enable_tls(
                version.TLS, keys.cipher, down=False,
                change=keys.change(f"{env.seed}/asking/{self._sessions}"))["up"]
            session = Asking(env, connection, made, box, self.offload)
            self.offload.check_configuration(connection, tx=False)
            if warm:
                session.warm_up()
            yield session


    @contextlib.contextmanager
    def untouched(self, **how):
        """An Asking on which no record was sent, and whose steering entry is there all the same:
        the driver makes them one after the other, and has made that of a later connection."""
        with self.session(warm=False, **how) as session, self.session():
            session.restart_counting()
            yield session


@contextlib.contextmanager
def asking(env):
    """What all sessions of an experiment share: an Asker."""
    with rx.receiving_ends(env) as ends:
        yield Asker(env, ends.offload)
