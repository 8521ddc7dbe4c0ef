# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's hand in the guest: runs commands for scripts/lab over virtio-serial.

Responsible for: the port `lab.agent` (frames.py), the processes started through
it, and passing the kernel's log on as it is written.
State: the open sessions, each one process with its pipes or its terminal; the Link,
which outlives what happens to the port.
Callers: /init starts it once, through lab-agent; it ends only with the machine.

What it needs later is opened at the start: a command may take away the root directory,
/proc or /dev. Only modules that are cheap to import under emulation are used: start-up
time of this program is part of every boot.
"""

import errno
import fcntl
import os
import select
import struct
import time

import frames as f

PORT_NAME = "lab.agent"
BOOT_FIFO = "/run/lab/boot"
KMSG_LIMIT = 256 * 1024     # bytes of kernel log queued for a lab that does not read
KEPT_LIMIT = 4 * f.WINDOW   # bytes that the lab has not acknowledged, beyond which nothing is added
AWAY = 0.1                  # seconds between two looks at a port that nobody is connected to


class Session:
    """One command: its process and the three ends we hold of its streams."""

    def __init__(self, ident, argv, env, cwd, tty):
        self.ident = ident
        self.pid = 0
        self.status = None          # wait status, once reaped
        self.stdin = -1
        self.inlet = -1             # O_PATH: the pipe of stdin, without being one of its ends
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
            try:
                self.inlet = os.open(f"/proc/self/fd/{inp[0]}", os.O_PATH | os.O_CLOEXEC)
            except OSError:
                pass        # no /proc here any more
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
        """Let the command see the end of its stdin."""
        if self.stdin < 0:
            return
        if self.tty:
            self.pending += b"\x04"     # what a person types to say the same
        else:
            os.close(self.stdin)
            self.stdin = -1

    def take_unread(self):
        """What of stdin the command has not read, taken away from it."""
        data = bytearray()
        if self.inlet >= 0:
            try:
                fd = os.open(f"/proc/self/fd/{self.inlet}", os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                fd = -1
            if fd >= 0:
                try:
                    while part := os.read(fd, 65536):
                        data += part
                except BlockingIOError:
                    pass
                os.close(fd)
        data += self.pending
        self.pending.clear()
        return data

    def signal(self, number):
        """Send a signal to the command and what it started."""
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def close(self):
        """Let go of all streams."""
        for fd in {self.stdin, self.inlet, *self.out} - {-1}:
            os.close(fd)
        self.stdin = self.inlet = -1
        self.out = {}


def set_size(fd, rows, cols):
    """TIOCSWINSZ, without importing termios and its tables for one number."""
    fcntl.ioctl(fd, 0x5414, struct.pack("<HHHH", rows, cols, 0, 0))


def spare(score):
    """How soon the kernel ends this process when memory runs out: 0 as any other, -1000 never."""
    try:
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(b"%d" % score)
    except OSError:
        pass        # no /proc here any more


def run_child(fds, argv, env, cwd, tty):
    """In the child: becomes the command, or says on its stderr why not."""
    code, text = 126, ""
    try:
        os.setsid()
        for number in range(3):
            os.dup2(fds[number], number)
        if tty:
            fcntl.ioctl(0, 0x540E, 0)       # TIOCSCTTY
        spare(0)
        # Python ignores SIGPIPE and SIGXFSZ; a command expects the default
        import _signal  # pylint: disable=import-outside-toplevel
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
        _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)
        os.chdir(cwd)
        os.execvpe(argv[0], argv, env)
    except FileNotFoundError as error:
        code, text = 127, f"{argv[0]}: {error.strerror}"
    except OSError as error:
        text = f"{argv[0]}: {error.strerror}"
    except BaseException as error:      # pylint: disable=broad-except
        text = f"{argv[0]}: {error!r}"
    os.write(2, f"lab: {text}\n".encode())
    os._exit(code)      # pylint: disable=protected-access


class Agent:
    """The loop over the port, the kernel log, the boot fifo and the sessions."""

    def __init__(self, port):
        self.port = open_port(port)
        self.link = f.Link(bounded=True)
        self.sessions = {}
        self.ready_fd = self.ready_keep = -1
        self.ready_text = b""
        self.kmsg = -1
        self.sysrq = open_sysrq()
        self.boot = read_line("/proc/sys/kernel/random/boot_id")
        self.instance = read_line("/proc/sys/kernel/random/uuid")
        self.wake, wake = os.pipe()
        for fd in (self.wake, wake):
            os.set_blocking(fd, False)
        # a signal makes poll() return: the handler itself has nothing to do
        import _signal  # pylint: disable=import-outside-toplevel
        _signal.signal(_signal.SIGCHLD, lambda *_: None)
        _signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def send(self, kind, session=0, stream=0, payload=b""):
        """A frame for the lab, sent when the port takes it."""
        self.link.send(kind, session, stream, payload)

    def hello(self, question=0):
        """Say who we are, and how much of the lab's stream has come."""
        uptime = f"{time.clock_gettime(time.CLOCK_BOOTTIME):.2f}"
        self.link.greet(f.HELLO, [f.VERSION, self.instance, self.boot, uptime, question,
                                  self.link.received])

    def resume(self, payload):
        """The lab asks how far we are, and says how far it is."""
        question, instance, place = f.unpack_words(payload)
        # an agent before us may be meant; what is said of its stream is not about ours
        if instance == self.instance:
            self.link.resume(int(place))
        self.hello(question)

    def open_side_channels(self):
        """The kernel's log, and the fifo by which init says that it is done."""
        try:
            self.kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            self.kmsg = -1
        self.ready_fd = os.open(BOOT_FIFO, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # our own write end, so that the fifo has no end of file before init has written
        self.ready_keep = os.open(BOOT_FIFO, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    # what comes from the lab

    def take(self, kind, stream, ident, payload):
        """A frame from the lab."""
        if kind == f.RESUME:
            self.resume(payload)
            return
        if kind == f.EXEC:
            self.start(ident, payload)
            return
        if kind == f.PING:
            self.send(f.PONG, ident, stream, payload)
            return
        if kind == f.SYSRQ:
            if self.sysrq >= 0:
                for letter in payload:
                    os.write(self.sysrq, bytes((letter,)))
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
        elif kind == f.TAKE_BACK:
            data = session.take_unread()
            for at in range(0, len(data), f.CHUNK):
                self.send(f.DATA, ident, f.STDIN, bytes(data[at:at + f.CHUNK]))
            self.send(f.EOF, ident, f.STDIN)
        elif kind == f.WINSIZE and session.tty:
            set_size(session.stdin, *struct.unpack("<HH", payload))

    def start(self, ident, payload):
        """Start the command of an EXEC."""
        try:
            self.sessions[ident] = Session(ident, *f.unpack_exec(payload))
        except Exception as error:      # pylint: disable=broad-except
            self.send(f.DATA, ident, f.STDERR, f"lab: cannot start: {error}\n".encode())
            self.send(f.EXIT, ident, payload=struct.pack("<i", 126))

    # what goes to the lab

    def read_kmsg(self):
        """Pass on what the kernel has logged."""
        while self.link.unsent < KMSG_LIMIT:
            try:
                self.send(f.KMSG, payload=os.read(self.kmsg, 8192))
            except BrokenPipeError:
                continue        # records were overwritten before we came; go on after them
            except OSError:
                return

    def read_ready(self):
        """Pass on what init said at its end."""
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
        """Hand the command what came for its stdin."""
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
        """So many bytes of stdin have been dealt with."""
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
                if not self.room():
                    return False
            if fd in session.out and session.credit[session.out[fd]] <= 0:
                return False
        status = session.status
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self.send(f.EXIT, session.ident, payload=struct.pack("<i", code))
        session.close()
        del self.sessions[session.ident]
        return True

    def room(self):
        """Whether more may be queued for the lab."""
        return self.link.unsent < f.WINDOW and self.link.kept < KEPT_LIMIT

    def flush(self):
        """Write to the port as much as it takes."""
        while data := self.link.output():
            try:
                count = os.write(self.port, data)
            except BlockingIOError:
                return
            except OSError as error:
                self.port_failed(error)
                return
            self.link.wrote(count)

    def receive(self, events):
        """Take what has come from the lab."""
        try:
            data = os.read(self.port, 65536)
        except BlockingIOError:
            data = b""
        except OSError as error:
            self.port_failed(error)
            return
        if not data and events & select.POLLHUP:
            # the device was reset and the lab is not connected again yet; nothing tells when
            time.sleep(AWAY)
        for kind, stream, ident, payload in self.link.feed(data):
            self.take(kind, stream, ident, payload)

    def port_failed(self, error):
        """The port does not work. If it has gone, its driver was unbound: wait for another one,
        and have the lab ask how far we are."""
        time.sleep(AWAY)
        if error.errno in (errno.ENODEV, errno.ENXIO, errno.EPIPE, errno.EIO):
            os.close(self.port)
            self.link.suspend()
            self.port = open_port()

    def interest(self):
        """What to wait for. Everything that would only be buffered is left alone."""
        wanted = {self.port: select.POLLIN | (select.POLLOUT if self.link.output(1) else 0),
                  self.wake: select.POLLIN}
        room = self.room()
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
        """Wait until something happens, and deal with it."""
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
        if events.get(self.port, 0) & (select.POLLIN | select.POLLHUP | select.POLLERR):
            self.receive(events[self.port])
        for session in list(self.sessions.values()):
            for fd in list(session.out):
                if fd in events and self.room():
                    self.pump_output(session, fd)
            if session.pending or session.stdin_eof:
                self.pump_stdin(session)
            if session.status is not None and self.room():
                self.finish(session)
        self.flush()


def read_line(path):
    """The first line of a file."""
    with open(path, encoding="ascii") as file:
        return file.readline().strip()


def open_sysrq():
    """Where letters for the kernel go, -1 without."""
    try:
        return os.open("/proc/sysrq-trigger", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return -1       # a kernel without


def find_port():
    """The port's node, or None."""
    base = "/sys/class/virtio-ports"
    try:
        for entry in os.listdir(base):
            if read_line(f"{base}/{entry}/name") == PORT_NAME:
                return "/dev/" + entry
    except OSError:
        pass        # one that goes while we look
    return None


def open_port(path=None):
    """Open the port: `path`, or the one that there will be."""
    while True:
        node = path or find_port()
        try:
            if node:
                return os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if path:
                raise SystemExit(f"lab-agent: {node}: {error.strerror}") from None
        time.sleep(AWAY)


def main():
    """Serves the lab as long as the machine runs."""
    # init has loaded the driver before: the port is there or never will be
    port = find_port()
    if port is None:
        raise SystemExit("lab-agent: no virtio-serial port named " + PORT_NAME)
    spare(-1000)
    agent = Agent(port)
    agent.hello()
    agent.flush()
    agent.open_side_channels()
    while True:
        agent.step()
