# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's hand in the guest: runs commands for scripts/lab over virtio-serial.

Responsible for: the port `lab.agent` (frames.py), the processes started through
it, and passing the kernel's log on as it is written.
State: the open sessions, each one process with its pipes or its terminal.
Callers: /init starts it once, through lab-agent; it ends only with the machine.

Only modules that are cheap to import under emulation are used: start-up time of
this program is part of every boot.
"""

import os
import select
import struct
import time

import frames as f

PORT_NAME = "lab.agent"
BOOT_FIFO = "/run/lab/boot"
KMSG_LIMIT = 256 * 1024     # bytes of kernel log queued for a lab that does not read


class Session:
    """One command: its process and the three ends we hold of its streams."""

    def __init__(self, ident, argv, env, cwd, tty):
        self.ident = ident
        self.pid = 0
        self.status = None          # wait status, once reaped
        self.stdin = -1
        self.out = {}               # fd -> stream
        self.credit = {f.STDOUT: f.WINDOW, f.STDERR: f.WINDOW}
        self.pending = bytearray()  # stdin not yet taken by the process
        self.stdin_eof = False
        self.tty = tty
        self._start(argv, env, cwd)

    def _start(self, argv, env, cwd):
        if self.tty:
            master, slave = os.openpty()
            set_size(slave, *self.tty)
            ends, child = (master,), (slave, slave, slave)
            self.stdin = master
            self.out = {master: f.STDOUT}
        else:
            inp, out, err = os.pipe(), os.pipe(), os.pipe()
            ends, child = (inp[1], out[0], err[0]), (inp[0], out[1], err[1])
            self.stdin = inp[1]
            self.out = {out[0]: f.STDOUT, err[0]: f.STDERR}
        pid = os.fork()
        if pid == 0:
            run_child(child, argv, env, cwd, bool(self.tty))
        for fd in set(child):
            os.close(fd)
        for fd in ends:
            os.set_blocking(fd, False)
        self.pid = pid

    def close_stdin(self):
        if self.stdin < 0:
            return
        if self.tty:
            self.pending += b"\x04"     # what a person types to say the same
        else:
            os.close(self.stdin)
            self.stdin = -1

    def signal(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def close(self):
        for fd in {self.stdin, *self.out} - {-1}:
            os.close(fd)
        self.stdin = -1
        self.out = {}


def set_size(fd, rows, cols):
    """TIOCSWINSZ, without importing termios and its tables for one number."""
    import fcntl  # pylint: disable=import-outside-toplevel
    fcntl.ioctl(fd, 0x5414, struct.pack("<HHHH", rows, cols, 0, 0))


def run_child(fds, argv, env, cwd, tty):
    """In the child: becomes the command, or says on its stderr why not."""
    try:
        os.setsid()
        for number in range(3):
            os.dup2(fds[number], number)
        if tty:
            import fcntl  # pylint: disable=import-outside-toplevel
            fcntl.ioctl(0, 0x540E, 0)       # TIOCSCTTY
        # Python ignores SIGPIPE and SIGXFSZ; a command expects the default
        import _signal  # pylint: disable=import-outside-toplevel
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
        _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)
    except FileNotFoundError as error:
        code, text = 127, "%s: %s" % (argv[0], error.strerror)
    except OSError as error:
        code, text = 126, "%s: %s" % (argv[0], error.strerror)
    except BaseException as error:      # pylint: disable=broad-except
        code, text = 126, "%s: %r" % (argv[0], error)
    os.write(2, ("lab: " + text + "\n").encode())
    os._exit(code)


class Agent:
    """The loop over the port, the kernel log, the boot fifo and the sessions."""

    def __init__(self, port):
        self.port = os.open(port, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.out = bytearray()
        self.decoder = f.Decoder()
        self.sessions = {}
        self.ready_fd = -1
        self.ready_text = b""
        self.kmsg = -1
        self.wake, wake = os.pipe()
        for fd in (self.wake, wake):
            os.set_blocking(fd, False)
        # a signal makes poll() return: the handler itself has nothing to do
        import _signal  # pylint: disable=import-outside-toplevel
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def send(self, kind, session=0, stream=0, payload=b""):
        self.out += f.frame(kind, session, stream, payload)

    def hello(self):
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        self.out += f.MAGIC
        uptime = "%.2f" % time.clock_gettime(time.CLOCK_BOOTTIME)
        self.send(f.HELLO, payload=f.pack_words([f.VERSION, boot, uptime]))

    def open_side_channels(self):
        try:
            self.kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self.kmsg = -1
        self.ready_fd = os.open(BOOT_FIFO, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # our own write end, so that the fifo has no end of file before init has written
        self.ready_keep = os.open(BOOT_FIFO, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    # what comes from the lab

    def take(self, kind, stream, ident, payload):
        if kind == f.EXEC:
            self.start(ident, payload)
            return
        if kind == f.PING:
            self.send(f.PONG, ident, stream, payload)
            return
        if kind == f.SYSRQ:
            with open("/proc/sysrq-trigger", "wb", buffering=0) as trigger:
                for letter in payload:
                    trigger.write(bytes((letter,)))
            return
        session = self.sessions.get(ident)
        if session is None:
            return      # it ended while this was under way
        if kind == f.DATA:
            session.pending += payload
        elif kind == f.EOF:
            session.stdin_eof = True
        elif kind == f.CREDIT:
            session.credit[stream] += struct.unpack("<I", payload)[0]
        elif kind == f.SIGNAL:
            session.signal(struct.unpack("<i", payload)[0])
        elif kind == f.WINSIZE and session.tty:
            set_size(session.stdin, *struct.unpack("<HH", payload))

    def start(self, ident, payload):
        try:
            self.sessions[ident] = Session(ident, *f.unpack_exec(payload))
        except Exception as error:      # pylint: disable=broad-except
            self.send(f.DATA, ident, f.STDERR, ("lab: cannot start: %s\n" % error).encode())
            self.send(f.EXIT, ident, payload=struct.pack("<i", 126))

    # what goes to the lab

    def read_kmsg(self):
        while len(self.out) < KMSG_LIMIT:
            try:
                self.send(f.KMSG, payload=os.read(self.kmsg, 8192))
            except BrokenPipeError:
                continue        # records were overwritten before we came; go on after them
            except OSError:
                return

    def read_ready(self):
        try:
            self.ready_text += os.read(self.ready_fd, 4096)
        except BlockingIOError:
            return
        if b"\0" not in self.ready_text:
            return
        status, _, text = self.ready_text.rstrip(b"\0\n").decode(errors="replace").partition("\n")
        self.send(f.READY, payload=f.pack_words([status or 1, text]))
        os.close(self.ready_fd)
        os.close(self.ready_keep)
        self.ready_fd = -1

    def pump_output(self, session, fd):
        """Pass on what the command wrote. Returns False when nothing was there."""
        stream = session.out[fd]
        size = min(f.CHUNK, session.credit[stream])
        if size <= 0:
            return False
        try:
            data = os.read(fd, size)
        except BlockingIOError:
            return False
        except OSError:         # a terminal whose last user has gone reads as EIO
            data = b""
        if data:
            session.credit[stream] -= len(data)
            self.send(f.DATA, session.ident, stream, data)
            return True
        del session.out[fd]
        if fd == session.stdin:
            session.stdin = -1
        os.close(fd)
        self.send(f.EOF, session.ident, stream)
        return False

    def pump_stdin(self, session):
        if session.stdin < 0:
            if session.pending:         # nobody reads it any more: it is dealt with
                self.return_credit(session, len(session.pending))
                session.pending.clear()
            return
        if session.pending:
            try:
                count = os.write(session.stdin, session.pending)
            except BlockingIOError:
                count = 0
            except OSError:         # the command reads no more: the rest is dealt with
                count = len(session.pending)
                if not session.tty:
                    session.close_stdin()
            del session.pending[:count]
            if count:
                self.return_credit(session, count)
        if session.stdin_eof and not session.pending:
            session.stdin_eof = False
            session.close_stdin()

    def return_credit(self, session, count):
        self.send(f.CREDIT, session.ident, f.STDIN, struct.pack("<I", count))

    def reap(self):
        """Collect every child that ended; ours and what they left to us."""
        try:
            os.read(self.wake, 512)
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for session in self.sessions.values():
                if session.pid == pid:
                    session.status = status

    def finish(self, session):
        """The command has ended: deliver what is left in its pipes, then its status.

        A background process may keep the pipes open for ever; it is not waited for.
        Returns False while the lab's credit does not allow the rest yet.
        """
        for fd in list(session.out):
            while fd in session.out and self.pump_output(session, fd):
                if len(self.out) > f.WINDOW:
                    return False
            if fd in session.out and session.credit[session.out[fd]] <= 0:
                return False
        status = session.status
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.send(f.EXIT, session.ident, payload=struct.pack("<i", code))
        session.close()
        del self.sessions[session.ident]
        return True

    def flush(self):
        while self.out:
            try:
                count = os.write(self.port, memoryview(self.out)[:f.CHUNK])
            except BlockingIOError:
                return
            del self.out[:count]

    def interest(self):
        """What to wait for. Everything that would only be buffered is left alone."""
        wanted = {self.port: select.POLLIN | (select.POLLOUT if self.out else 0),
                  self.wake: select.POLLIN}
        room = len(self.out) < f.WINDOW
        if self.ready_fd >= 0:
            wanted[self.ready_fd] = select.POLLIN
        if self.kmsg >= 0 and room:
            wanted[self.kmsg] = select.POLLIN
        for session in self.sessions.values():
            if session.stdin >= 0 and session.pending:
                wanted[session.stdin] = select.POLLOUT
            for fd, stream in session.out.items():
                if room and session.credit[stream] > 0:
                    wanted[fd] = wanted.get(fd, 0) | select.POLLIN
        return wanted

    def step(self):
        poll = select.poll()
        for fd, events in self.interest().items():
            poll.register(fd, events)
        events = dict(poll.poll())
        if self.wake in events:
            self.reap()
        if self.kmsg in events:
            self.read_kmsg()
        if self.ready_fd >= 0 and self.ready_fd in events:
            self.read_ready()
        if events.get(self.port, 0) & (select.POLLIN | select.POLLHUP):
            try:
                data = os.read(self.port, 65536)
            except BlockingIOError:
                data = b""
            if not data and events[self.port] & select.POLLHUP:
                time.sleep(0.1)     # the lab has gone; the machine goes with it
            for kind, stream, ident, payload in self.decoder.feed(data):
                self.take(kind, stream, ident, payload)
        for session in list(self.sessions.values()):
            for fd in list(session.out):
                if fd in events and len(self.out) < f.WINDOW:
                    self.pump_output(session, fd)
            if session.pending or session.stdin_eof:
                self.pump_stdin(session)
            if session.status is not None and len(self.out) < f.WINDOW:
                self.finish(session)
        self.flush()


def find_port():
    """The port's node; init has loaded the driver before, so it is there or never will."""
    base = "/sys/class/virtio-ports"
    for entry in os.listdir(base):
        with open("%s/%s/name" % (base, entry), encoding="ascii") as file:
            if file.read().strip() == PORT_NAME:
                return "/dev/" + entry
    raise SystemExit("lab-agent: no virtio-serial port named " + PORT_NAME)


def main():
    agent = Agent(find_port())
    agent.hello()
    agent.flush()
    agent.open_side_channels()
    while True:
        agent.step()

