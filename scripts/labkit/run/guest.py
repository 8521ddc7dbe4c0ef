# SPDX-License-Identifier: GPL-2.0-or-later
"""A booted guest: commands in it, their streams, its kernel log, its requests.

Responsible for: the lab's end of the virtio-serial ports, the event loop of a run, time limits,
reconnecting to the agent after the guest slept or its port was reset, and detecting that the guest
has died, hangs, or has rebooted.
State: the running commands, the Link to the agent, dmesg.txt. No other module uses the ports.

One thread, one loop: everything a guest sends is either passed on or limited by credit, so memory
use is bounded whatever runs in it.
"""

import contextlib
import os
import select
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from .. import steps
from ..errors import EXIT_TIMEOUT, LabError
from .actions import Actions
from .channel import Channel
from .frames import guest as f
from .hints import Hints
from .machine import AGENT_PORT, Machine
from .rundir import RunDir

RESET_TIMEOUT = 120.0
PING_AFTER = 10.0           # seconds of silence after which the agent is pinged
TAKE_BACK_TIMEOUT = 60.0    # seconds for the agent to return unread stdin
TURN = 1.0                  # maximum seconds of one wait for the guest
TERM_GRACE = 3.0            # seconds between SIGTERM and SIGKILL of a command
PIPE_SAFE = 4096            # a writable pipe accepts this much without blocking
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
ESCAPE, ESCAPES = 0x1d, 3   # Ctrl-] three times ends the machine of an interactive shell

Size = tuple[int, int]      # rows and columns of a terminal
Target = int | Callable[[bytes], object]    # where a stream goes: a descriptor, or a function

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root", "USER": "root", "LOGNAME": "root", "SHELL": "/bin/sh", "LANG": "C.UTF-8",
    "PYTHONPATH": "/usr/local/lib/lab", "PYTHONDONTWRITEBYTECODE": "1",
}
# named as in kselftest's NetDrvEpEnv
PAIR_ENVIRONMENT = {
    "NETIF": "mlx0", "LOCAL_V4": "10.0.0.1", "REMOTE_V4": "10.0.0.2", "LOCAL_V6": "fd00::1",
    "REMOTE_V6": "fd00::2", "REMOTE_TYPE": "netns", "REMOTE_ARGS": "peer",
}


class GuestDied(LabError):
    """The guest or QEMU is gone, or did not come up."""


class CommandLost(GuestDied):
    """The guest is alive, but has rebooted since the command started."""


class CommandTimeout(LabError):
    """A command exceeded its time limit."""

    exit_status = EXIT_TIMEOUT


class OutputGone(Exception):
    """The reader of our output has closed it, as `head` does."""


class Sink:
    """The destination of a guest's stream: a descriptor of ours, or a function."""

    def __init__(self, target: Target) -> None:
        self.call: Callable[[bytes], object] | None = target if callable(target) else None
        self.fd = target if isinstance(target, int) else -1
        self.pending = bytearray()
        self.polled = False
        if not self.call:
            try:
                self.polled = not stat.S_ISREG(os.fstat(self.fd).st_mode)
            except OSError:             # started with the descriptor closed
                self.call = lambda _data: None
                self.fd = -1

    def take(self, data: bytes) -> int:
        """Accept bytes; returns how many have been processed already."""
        if self.call:
            self.call(data)
            return len(data)
        self.pending += data
        return self.push()

    def push(self) -> int:
        """Write as much as possible without blocking; returns how much."""
        done = 0
        while self.pending:
            if self.polled:
                poll = select.poll()
                poll.register(self.fd, select.POLLOUT)
                if not poll.poll(0):
                    break
            try:
                count = os.write(self.fd, memoryview(self.pending)[:PIPE_SAFE if self.polled
                                                                   else None])
            except BlockingIOError:
                break
            except BrokenPipeError:
                raise OutputGone() from None
            except OSError as error:
                raise LabError(f"cannot write the command's output: {error.strerror}") from error
            del self.pending[:count]
            done += count
        return done


class Command:
    """A command in the guest and the state of its streams."""

    def __init__(self, ident: int, stdin: int | bytes | None, sinks: dict[int, Sink],
                 tty: Size | None, ahead: bytes = b"") -> None:
        self.ident = ident
        self.ahead = memoryview(ahead)  # bytes of stdin before those of the descriptor
        self.held = False               # it gets no more stdin
        self.back = bytearray()         # stdin returned by the agent,
        self.back_whole = False         # and whether that was all
        # a descriptor, bytes not yet sent, or None
        self.stdin = memoryview(stdin) if isinstance(stdin, (bytes, bytearray)) else stdin
        self.sinks = sinks              # stream -> Sink
        self.owed = {f.STDOUT: 0, f.STDERR: 0}
        self.credit = f.WINDOW
        self.eof_sent = False
        self.tty = tty
        self.escapes = 0
        self.status: int | None = None
        self.lost: str | None = None    # why its outcome is unknown
        self.last_output = time.monotonic()

    @property
    def finished(self) -> bool:
        """Return whether it has ended and all its output was passed on."""
        return self.status is not None and not any(s.pending for s in self.sinks.values())


class Guest:
    """The guest of a Machine. Call boot() first, then run() any number of times."""

    def __init__(self, machine: Machine, rundir: RunDir) -> None:
        self.machine = machine
        self.rundir = rundir
        self.hang_timeout = machine.spec.hang_timeout
        self.actions = Actions(machine, rundir)
        self.actions.on_reset = self._want_reset
        self.actions.on_next = self._hold_stdin
        self.unread = b""           # unread stdin of the lost command
        self.hints = Hints()
        self.booted_in = 0.0        # seconds, once it has booted
        self._channel = Channel(self.actions)
        self._link = f.Link()
        self._question = 0          # number of the last RESUME
        # of the agent, and of the kernel that it runs on
        self._instance: str | None = None
        self._boot: str | None = None
        self._past: set[str] = set()  # earlier agents
        self._silence = 0.0         # seconds without an answer while running
        self._next_ping = PING_AFTER
        self._asleep = False        # its log says that it is suspending
        self._closed = False        # the guest has closed the agent's port
        self._commands: dict[int, Command] = {}
        self._ident = 0
        self._hello: list[str] | None = None
        self._ready: list[str] | None = None
        self._reset_wanted = self._was_reset = False
        # pylint: disable-next=consider-using-with      # until close()
        self._dmesg = open(rundir.file("dmesg.txt"), "ab")

    def close(self) -> None:
        """Close dmesg.txt."""
        self._dmesg.close()

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # boot

    def boot(self, progress: str | None = "booting the guest") -> str:
        """Wait until the guest is ready; returns "" or the complaint of `lab-net up`.

        Raises GuestDied with the end of the console if that takes too long.
        """
        timeout = self.machine.spec.boot_timeout
        start = time.monotonic()
        limit = start + timeout
        steps.ticker.begin()
        while self._ready is None:
            now = time.monotonic()
            if now > limit:
                where = "the kernel does not start its userland" if self._hello is None else \
                    "its init does not finish"
                raise self._died(f"the guest is not ready after {timeout:.0f} s: {where}")
            if progress:
                steps.ticker.show(f"lab: {progress}: {now - start:.0f}s")
            self._pump(min(limit, now + 0.25))
        self.booted_in = time.monotonic() - start
        steps.ticker.clear()
        if self._was_reset:
            self.machine.qmp("set-action", reboot="shutdown")
            self._was_reset = False
        status, text = self._ready
        return "" if status == "0" else text or "lab-net failed without a word"

    def reset(self) -> None:
        """Reset the machine; call boot() afterwards. Running commands are lost."""
        self._reset_wanted = False
        machine = self.machine
        machine.forget_events()
        # until the guest is up again, since the BIOS itself resets once more
        machine.qmp("set-action", reboot="reset")
        self._was_reset = True
        machine.qmp("system_reset")
        if machine.wait_event("RESET", RESET_TIMEOUT) is None:
            raise LabError(f"QEMU did not reset the machine within {RESET_TIMEOUT:.0f} s")
        self._forget_agent("the machine was reset while it ran")

    def _want_reset(self) -> None:
        self._reset_wanted = True

    # the agent

    def _forget_agent(self, reason: str) -> None:
        """The current agent is gone, and its commands with it."""
        if self._instance is not None:
            self._past.add(self._instance)
        self._instance = self._boot = self._hello = self._ready = None
        self._asleep = False
        self._link.renew()
        self._channel.reset()
        for command in self._commands.values():
            command.lost = reason

    def _resume(self) -> None:
        """Exchange positions with the agent. Data lost when its port was reset is then sent again,
        in both directions."""
        if self._instance is None:
            return          # it will say HELLO
        self._question += 1
        self._link.suspend()
        self._link.greet(f.RESUME, [self._question, self._instance, self._link.received])

    def _greeted(self, payload: bytes) -> None:
        """Handle HELLO: the agent has started, or answers a RESUME."""
        words = f.unpack_words(payload)
        if words[0] != str(f.VERSION):
            raise LabError(f"the guest's agent speaks version {words[0]} of the protocol, "
                           f"this lab {f.VERSION}", "`lab build` makes the guest again")
        _, instance, boot, _, question, received = words
        if instance in self._past:
            return
        if instance != self._instance:
            if self._instance is not None:
                self._forget_agent("another kernel was started while it ran (kexec)"
                                   if boot != self._boot else
                                   "the lab's agent was started anew while it ran")
            self._instance, self._boot, self._hello = instance, boot, words
            self._resume()
        elif int(question) == self._question and not self._link.resume(int(received)):
            raise LabError("the guest's agent has lost its place in the protocol "
                           f"({received} bytes received)")

    def _heed(self, name: str, data: dict[str, Any]) -> None:
        """Handle a QEMU event."""
        if name == "VSERPORT_CHANGE" and data.get("id") == AGENT_PORT:
            self._closed = not data.get("open")
            self._resume()
        elif name == "RESUME":
            self._answered()

    def _answered(self) -> None:
        self._silence, self._next_ping = 0.0, PING_AFTER

    def _watch(self, waited: float) -> None:
        """The guest ran without output for another `waited` seconds. Pings it and, without an
        answer, asks for its position again."""
        if self.machine.events.stopped or self._ready is None:
            return
        self._silence += waited
        if self._silence < self._next_ping:
            return
        if self._silence >= self.hang_timeout:
            raise self._died(self._hang())
        if self._next_ping == PING_AFTER:
            self._link.send(f.PING)
        else:
            self._resume()
        self._next_ping = min(2 * self._next_ping, self.hang_timeout)

    def _hang(self) -> str:
        """Return a sentence: it does not answer, with what is known about it."""
        text = f"the guest has not answered for {self._silence:.0f} s"
        if not self.machine.answers():
            return f"{text}: QEMU itself hangs (process {self.machine.pid})"
        if self._asleep:
            return f"{text}: it is suspended, and nothing has woken it"
        if self._closed:
            return (f"{text}: its driver has let go of the lab's port, so it is suspended, or "
                    "another kernel does not come up")
        return f"{text}, though its CPUs run: its kernel hangs, or starves the lab's agent"

    # commands

    def environment(self) -> dict[str, str]:
        """Return the environment of a command."""
        env = dict(ENVIRONMENT, TERM=os.environ.get("TERM", "dumb"))
        if self.machine.spec.topology == "pair":
            env.update(PAIR_ENVIRONMENT)
        else:
            env["NETIF"] = "mlx0"
        return env

    def run(self, argv: Sequence[str], *, stdin: int | bytes | None = None, stdout: Target = 1,
            stderr: Target = 2, env: dict[str, str] | None = None, cwd: str | None = None,
            tty: Size | None = None, timeout: float | None = None, silence: float | None = None,
            window: Callable[[], Size | None] | None = None, ahead: bytes = b"") -> int:
        """Run `argv` in the guest and wait for it; returns its status as a shell would give it.

        stdin    a descriptor to read, bytes, or None for empty
        ahead    bytes of stdin before those of the descriptor
        stdout, stderr  a descriptor, or a function called with bytes
        tty      (rows, columns) to give it a terminal; stderr is then part of stdout
        timeout  seconds for the command; silence: seconds without any output
        window   a function returning (rows, columns), called when the terminal's size changed
        Raises CommandTimeout, GuestDied, OutputGone.
        """
        request = f.pack_exec(argv, dict(self.environment(), **(env or {})), cwd or "/root", tty)
        if len(request) > f.MAX_PAYLOAD:
            raise LabError(f"the command and its environment have {len(request)} bytes; "
                           f"at most {f.MAX_PAYLOAD} can be passed to the guest",
                           "pass long data on stdin or in a --share directory")
        self._ident = self._ident % 0xffff + 1
        command = Command(self._ident, stdin, {f.STDOUT: Sink(stdout), f.STDERR: Sink(stderr)}, tty,
                          ahead)
        self._commands[command.ident] = command
        self._send(f.EXEC, command, payload=request)
        start = time.monotonic()
        size = tty
        try:
            while not command.finished:
                now = time.monotonic()
                if command.lost:
                    self.unread = bytes(command.back) + bytes(command.ahead)
                    raise CommandLost(f"{argv[0]}: {command.lost}")
                if timeout is not None and now - start > timeout:
                    raise self._timed_out(command, argv, f"{timeout:g} s are over")
                if silence is not None and now - command.last_output > silence:
                    raise self._timed_out(command, argv, f"silent for {silence:g} s")
                limits = [] if timeout is None else [start + timeout]
                if silence is not None:
                    limits.append(command.last_output + silence)
                if window:
                    limits.append(now + 0.5)
                    if (now_size := window()) and now_size != size:
                        size = now_size
                        self._send(f.WINSIZE, command, payload=struct.pack("<HH", *size))
                self._pump(min(limits) + 0.001 if limits else None)
        finally:
            del self._commands[command.ident]
        status = command.status or 0
        return status if status >= 0 else 128 - status

    def output(self, argv: Sequence[str], **kwargs: Any) -> tuple[int, str, str]:
        """Run a short command; returns (status, stdout, stderr) as text."""
        out, err = bytearray(), bytearray()
        status = self.run(argv, stdout=out.extend, stderr=err.extend, **kwargs)
        return status, out.decode(errors="replace"), err.decode(errors="replace")

    def _timed_out(self, command: Command, argv: Sequence[str], why: str) -> CommandTimeout:
        """End the command and collect its output; returns the exception."""
        with contextlib.suppress(LabError, OutputGone):
            # log blocked tasks and backtraces in the kernel's log, to show why
            self._send(f.SYSRQ, payload=b"wl")
            for number, grace in ((signal.SIGTERM, TERM_GRACE), (signal.SIGKILL, TERM_GRACE)):
                self._send(f.SIGNAL, command, payload=struct.pack("<i", number))
                limit = time.monotonic() + grace
                while not command.finished and time.monotonic() < limit:
                    self._pump(limit)
                if command.finished:
                    break
        gone = ""
        if command.status is None:
            gone = "; it did not even react to SIGKILL" if self.machine.answers() else \
                f"; QEMU itself hangs (process {self.machine.pid}), its monitor does not answer"
        return CommandTimeout(f"{argv[0]}: {why}{gone}",
                              f"blocked tasks of the guest are listed in {self._dmesg.name}")

    # the loop

    def _send(self, kind: int, command: Command | None = None, stream: int = 0,
              payload: bytes = b"") -> None:
        self._link.send(kind, command.ident if command else 0, stream, payload)

    def _died(self, sentence: str) -> GuestDied:
        tail = self.machine.console_tail()
        text = sentence
        if tail:
            text += "\nlast lines of its console:\n" + "\n".join("  | " + line for line in tail)
        return GuestDied(text, f"all of it: {self.machine.console}")

    def _interest(self) -> dict[int, int]:
        agent, channel = self.machine.agent, self.machine.channel
        wanted = {agent.fileno(): select.POLLIN | (select.POLLOUT if self._link.output(1) else 0),
                  self.machine.events.fileno(): select.POLLIN,
                  channel.fileno(): select.POLLIN | (select.POLLOUT if self._channel.out else 0),
                  self.machine.pidfd: select.POLLIN}
        if self.machine.wire is not None and self.machine.wire.pidfd >= 0:
            wanted[self.machine.wire.pidfd] = select.POLLIN
        for command in self._commands.values():
            if isinstance(command.stdin, int) and not command.eof_sent and command.credit > 0 \
                    and not command.ahead and not command.held:
                wanted[command.stdin] = wanted.get(command.stdin, 0) | select.POLLIN
            for sink in command.sinks.values():
                if sink.pending:
                    wanted[sink.fd] = wanted.get(sink.fd, 0) | select.POLLOUT
        return wanted

    def _pump(self, limit: float | None) -> None:
        """Run one iteration: wait for an event or until `limit`, and handle it."""
        if self._reset_wanted:
            self.reset()
        for command in list(self._commands.values()):
            self._feed_bytes(command)
        poll = select.poll()
        for fd, wanted in self._interest().items():
            poll.register(fd, wanted)
        begun = time.monotonic()
        turn = TURN if limit is None else min(TURN, max(0.0, limit - begun))
        events = dict(poll.poll(turn * 1000))
        agent, channel = self.machine.agent, self.machine.channel
        if self.machine.events.fileno() in events:
            for name, data in self.machine.events.take():
                self._heed(name, data)
        if events.get(agent.fileno(), 0) & (select.POLLIN | select.POLLHUP):
            self._receive()
        else:
            # at most one turn: our own delays are not the guest's fault
            self._watch(min(turn, time.monotonic() - begun))
        if events.get(channel.fileno(), 0) & select.POLLIN:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                self._channel.feed(channel.recv(65536))
        for command in list(self._commands.values()):
            self._feed_fd(command, events)
            self._push(command)
        self._flush_link(agent)
        self._flush(channel, self._channel.out)
        if self.machine.pidfd in events:
            self._last_words()
        wire = self.machine.wire
        if wire is not None and wire.pidfd in events and (problem := wire.look()):
            raise self._died(problem)

    def _receive(self) -> bool:
        """Process bytes from the agent. Returns False at the end of the stream."""
        try:
            data = self.machine.agent.recv(1 << 18)
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        if not data:
            return False
        self._answered()
        for kind, stream, ident, payload in self._link.feed(data):
            self._take(kind, stream, ident, payload)
        if self._link.lost:
            self._resume()
        return True

    def _last_words(self) -> None:
        """QEMU has ended: process its remaining output, including finished commands."""
        while True:
            ready = select.poll()
            ready.register(self.machine.agent.fileno(), select.POLLIN)
            if not ready.poll(0) or not self._receive():
                break
        for command in self._commands.values():
            self._push(command)
        if self._commands and all(c.finished for c in self._commands.values()):
            return
        raise self._died(self.machine.epitaph())

    def _flush_link(self, end: socket.socket) -> None:
        while data := self._link.output(65536):
            try:
                self._link.wrote(end.send(data))
            except BlockingIOError:
                return
            except OSError:
                return          # the end of QEMU is noticed elsewhere

    def _flush(self, end: socket.socket, out: bytearray) -> None:
        while out:
            try:
                count = end.send(memoryview(out)[:65536])
            except BlockingIOError:
                return
            except OSError:
                out.clear()     # the end of QEMU is noticed elsewhere
                return
            del out[:count]

    def _take(self, kind: int, stream: int, ident: int, payload: bytes) -> None:
        if kind == f.HELLO:
            self._greeted(payload)
            return
        if kind == f.READY:
            self._ready = f.unpack_words(payload)
            return
        if kind == f.KMSG:
            line = kernel_line(payload)
            self._dmesg.write(line)
            self._dmesg.flush()
            self.hints.heed(line)
            if b"] PM: suspend " in line:
                self._asleep = b"] PM: suspend entry" in line
            return
        command = self._commands.get(ident)
        if command is None:
            return
        if kind == f.DATA:
            if stream == f.STDIN:       # at most what was sent, limited to a pipe's capacity
                if command.held and len(command.back) + len(payload) <= 2 * f.WINDOW:
                    command.back += payload
                return
            command.last_output = time.monotonic()
            self._owe(command, stream, command.sinks[stream].take(payload))
        elif kind == f.EOF and stream == f.STDIN:
            command.back_whole = True
        elif kind == f.CREDIT:
            command.credit += struct.unpack("<I", payload)[0]
        elif kind == f.EXIT:
            command.status = struct.unpack("<i", payload)[0]

    def _owe(self, command: Command, stream: int, count: int) -> None:
        """Return credit in batches: a frame for every write would double the traffic."""
        command.owed[stream] += count
        if command.owed[stream] >= f.WINDOW // 4 or not command.sinks[stream].pending:
            if command.owed[stream]:
                self._send(f.CREDIT, command, stream, struct.pack("<I", command.owed[stream]))
                command.owed[stream] = 0

    def _push(self, command: Command) -> None:
        for stream, sink in command.sinks.items():
            if sink.pending:
                self._owe(command, stream, sink.push())

    def _hold_stdin(self) -> None:
        """Stop the commands' stdin and take back the unread part."""
        waiting = [c for c in self._commands.values() if not c.held]
        for command in waiting:
            command.held = True
            self._send(f.TAKE_BACK, command)
        limit = time.monotonic() + TAKE_BACK_TIMEOUT
        while time.monotonic() < limit and not all(c.back_whole or c.lost or c.status is not None
                                                   for c in waiting):
            self._flush_link(self.machine.agent)
            poll = select.poll()
            for fd, wanted in self._interest().items():
                if fd in (self.machine.agent.fileno(), self.machine.events.fileno(),
                          self.machine.pidfd):
                    poll.register(fd, wanted)
            events = dict(poll.poll(TURN * 1000))
            if self.machine.events.fileno() in events:
                for name, data in self.machine.events.take():
                    self._heed(name, data)
            if self.machine.agent.fileno() in events:
                self._receive()
            if self.machine.pidfd in events:
                return          # the loop will notice

    def _feed_bytes(self, command: Command) -> None:
        if command.held:
            return
        while command.ahead and command.credit > 0:
            data = bytes(command.ahead[:min(f.CHUNK, command.credit)])
            command.ahead = command.ahead[len(data):]
            command.credit -= len(data)
            self._send(f.DATA, command, f.STDIN, data)
        if command.ahead or isinstance(command.stdin, int):
            return
        while not command.eof_sent and (command.credit > 0 or not command.stdin):
            if not command.stdin:
                self._send(f.EOF, command, f.STDIN)
                command.eof_sent = True
                return
            data = bytes(command.stdin[:min(f.CHUNK, command.credit)])
            command.stdin = command.stdin[len(data):]
            command.credit -= len(data)
            self._send(f.DATA, command, f.STDIN, data)

    def _feed_fd(self, command: Command, events: dict[int, int]) -> None:
        if not isinstance(command.stdin, int) or not events.get(command.stdin) \
                or command.eof_sent or command.credit <= 0 or command.held or command.ahead:
            return
        try:
            data = os.read(command.stdin, min(f.CHUNK, command.credit))
        except BlockingIOError:
            return
        except OSError:         # closed, or a terminal we are not in front of
            data = b""
        if not data:
            self._send(f.EOF, command, f.STDIN)
            command.eof_sent = True
            return
        if command.tty:
            for byte in data:
                command.escapes = command.escapes + 1 if byte == ESCAPE else 0
                if command.escapes == ESCAPES:
                    raise LabError("ended by Ctrl-] Ctrl-] Ctrl-]")
        command.credit -= len(data)
        self._send(f.DATA, command, f.STDIN, data)


def kernel_line(record: bytes) -> bytes:
    """Format a record of /dev/kmsg like `dmesg -x`, without the facility."""
    head, _, text = record.partition(b";")
    try:
        priority, _, microseconds = head.split(b",")[:3]
        seconds = int(microseconds) / 1e6
        level = LEVELS[int(priority) & 7]
    except ValueError:
        return record.rstrip(b"\n") + b"\n"
    line = text.split(b"\n", 1)[0]      # dictionary lines follow
    return b"%-6s: [%12.6f] %s\n" % (level.encode(), seconds, line)
