# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask the lab for an action, from inside the guest.

Responsible for: the guest's end of the virtio-serial port `lab.channel`.
State: none between calls; during a call the open port and the lock file that
keeps several processes apart.
Callers: tests and tools in the guest. Python 3 standard library only.

    import labclient
    try:
        lab = labclient.connect()
    except labclient.Absent as reason:
        ...skip the test: this machine has no lab beside it...
    lab.link("nic0", up=False)
    lab.call("nic.get", nic="nic0", property="objects")

docs/lab.md lists the actions. On the wire everything is a line of text, so that a
process killed in the middle of a request costs that request only:

    {"id": "…", "action": "…", "args": {…}, "blob": N}     a request, and then
    +ID BASE64                                             its N bytes, if any
    {"id": "…", "ok": true, "result": …, "blob": N}        the answer, with bytes likewise
    {"id": "…", "ok": false, "error": "…"}

Bytes are lost when the guest is suspended or the port's driver unbound. So whoever has waited
for a while asks for the answer once more, and is given it, or is asked for the request:

    {"id": "…", "again": true}                             both ways
"""

import binascii
import errno
import fcntl
import json
import os
import select
import time

PORT_NAME = "lab.channel"
LOCK_PATH = "/run/lab-channel.lock"
CHUNK = 24 * 1024       # bytes of a blob in one line, before base64
PATIENCE = 5.0          # seconds of silence until the answer is asked for again, then doubled
AWAY = 0.1              # seconds between two looks at a port that the lab is not connected to
GONE = (errno.ENODEV, errno.ENXIO, errno.EPIPE, errno.EIO)


class Absent(Exception):
    """There is no lab channel on this machine: a test that needs it is skipped."""


class ActionError(Exception):
    """The lab refused or failed the action; the text says why."""


class ChannelError(Exception):
    """The lab did not answer, or not in the protocol."""


def find_port():
    """The device node of the lab's port, or None."""
    base = "/sys/class/virtio-ports"
    try:
        entries = sorted(os.listdir(base))
    except OSError:
        return None
    for entry in entries:
        try:
            with open(os.path.join(base, entry, "name"), encoding="utf-8") as name:
                if name.read().strip() == PORT_NAME:
                    return "/dev/" + entry
        except OSError:
            continue
    return None


def available():
    """True when this machine has a lab beside it."""
    return find_port() is not None


def connect():
    """A Channel to the lab; raises Absent where there is none."""
    if find_port() is None:
        raise Absent(f"no virtio-serial port named {PORT_NAME}: not running under scripts/lab")
    return Channel()


class Channel:
    """The lab's actions. Each call opens the port, asks, waits and closes it, so that any
    number of processes can use it in turn."""

    def __init__(self):
        self._count = 0

    def call(self, action, *, blob=None, timeout=120.0, **args):
        """Ask for `action` with `args`; return its result.

        blob     bytes, or the path of a file, sent after the request
        timeout  seconds until ChannelError; a hang guard, not a measure
        Raises ActionError with the lab's own sentence when it says no.
        """
        return self._transact(action, args, blob, timeout)[0]

    def call_blob(self, action, *, timeout=120.0, **args):
        """As call(), for actions that answer with bytes: returns (result, bytes)."""
        return self._transact(action, args, None, timeout)

    # the actions, as methods

    def info(self):
        """What the lab is: {topology, nics: {id: {...}}, netdevs, actions}."""
        return self.call("lab.info")

    def link(self, nic, up):
        """Set the link of `nic` (nic0, nic1) as QMP set_link does."""
        return self.call("nic.link", nic=nic, up=bool(up))

    def unplug(self, nic, timeout=90.0):
        """device_del, and wait until the guest has let go of the device."""
        return self.call("nic.unplug", nic=nic, timeout=timeout + 30.0, wait=timeout)

    def plug(self, nic, port=None):
        """device_add with the properties that the NIC was started with, into its own port or
        another one of info()["ports"]."""
        return self.call("nic.plug", nic=nic, port=port)

    def get(self, nic, prop):
        """The value of one QOM property of the device."""
        return self.call("nic.get", nic=nic, property=prop)

    def properties(self, nic):
        """Names and types of the device's QOM properties."""
        return self.call("nic.list", nic=nic)

    def capture_start(self, name, netdev="net0"):
        """Write what passes `netdev` to artifacts/NAME.pcap, whole frames."""
        return self.call("capture.start", name=name, netdev=netdev)

    def capture_stop(self, name):
        """End the capture; returns {path, bytes, packets, wire_bytes}."""
        return self.call("capture.stop", name=name)

    def capture_contains(self, name, payload, window=16, timeout=600.0):
        """Does any `window`-byte run of `payload` (bytes or a path) occur in the capture?

        Returns {found, payload_offset, capture_offset, packets, payload_bytes}.
        """
        return self.call("capture.contains", blob=payload, timeout=timeout, name=name,
                         window=window)

    def capture_fetch(self, name, path):
        """Copy a stopped capture into the guest's file `path`; returns its size."""
        offset = 0
        with open(path, "wb") as out:
            while True:
                _, data = self.call_blob("capture.read", name=name, offset=offset)
                if not data:
                    return offset
                out.write(data)
                offset += len(data)

    def artifact(self, name, blob):
        """Keep bytes or a file of the guest in the run's artifacts."""
        return self.call("artifact.put", name=name, blob=blob)

    # the machine

    def image(self, part, path):
        """Copy what this machine was booted from, "kernel" or "initrd", into a file."""
        offset, size = 0, 1
        with open(path, "wb") as out:
            while offset < size:
                about, data = self.call_blob("machine.image", part=part, offset=offset)
                out.write(data)
                offset, size = offset + len(data), about["size"]
        return size

    def next(self, argv):
        """What `lab run` runs when this machine has booted again (kexec, machine.reset)."""
        return self.call("lab.next", argv=list(argv))

    # the wire

    def _transact(self, action, args, blob, timeout):
        deadline = time.monotonic() + timeout
        self._count += 1
        ident = f"{os.getpid()}.{self._count}.{os.urandom(4).hex()}"
        with _Exclusive(deadline):
            port = _Port(deadline)
            try:
                tag = b"+" + ident.encode() + b" "

                def ask():
                    size, chunks = _blob(blob)
                    request = {"id": ident, "action": action, "args": args, "blob": size}
                    # the leading newline ends what a killed predecessor may have begun
                    port.send(b"\n" + json.dumps(request).encode() + b"\n")
                    for chunk in chunks:
                        port.send(tag + binascii.b2a_base64(chunk))

                ask()
                return port.answer(ident, tag, ask)
            finally:
                port.close()


def _blob(blob):
    """Size and chunks of what follows a request."""
    if blob is None:
        return 0, ()
    if isinstance(blob, (bytes, bytearray, memoryview)):
        view = memoryview(blob).cast("B")
        return len(view), (view[i:i + CHUNK] for i in range(0, len(view), CHUNK))
    size = os.stat(blob).st_size

    def read():
        left = size
        with open(blob, "rb") as source:
            while left:
                chunk = source.read(min(CHUNK, left))
                if not chunk:
                    raise ChannelError(f"{blob} became shorter while it was sent")
                left -= len(chunk)
                yield chunk

    return size, read()


class _Exclusive:
    """Only one process talks at a time: the port opens for one only."""

    def __init__(self, deadline):
        self._deadline = deadline
        self._fd = -1

    def __enter__(self):
        try:
            self._fd = os.open(LOCK_PATH, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return self         # another root, without /run: the port itself opens only once
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                if time.monotonic() > self._deadline:
                    os.close(self._fd)
                    raise ChannelError("another process holds the lab channel") from None
                time.sleep(0.05)

    def __exit__(self, *exc):
        if self._fd >= 0:
            os.close(self._fd)


class _Port:
    """The open port: non-blocking, every wait bounded by the deadline; opened again if its
    driver was unbound meanwhile."""

    def __init__(self, deadline):
        self._deadline = deadline
        self._fd = -1
        self._buffer = bytearray()
        self._open()

    def _open(self):
        while True:
            try:
                self._fd = os.open(find_port() or "", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
                return
            except OSError as error:
                # someone else has it, or it is away for a moment
                if error.errno not in (errno.EBUSY, errno.ENOENT, *GONE):
                    raise
                self._check()
                time.sleep(AWAY)

    def _failed(self, error):
        """Open it again after an error that says it has gone."""
        if error.errno not in GONE:
            raise error
        self.close()
        self._buffer.clear()
        self._check()
        time.sleep(AWAY)
        self._open()

    def close(self):
        """Let go of the port."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _check(self):
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise ChannelError("the lab did not answer in time")
        return left

    def _wait(self, events, seconds):
        """Wait until something happens, so many seconds at most."""
        poll = select.poll()
        poll.register(self._fd, events)
        for _, happened in poll.poll(min(seconds, self._check()) * 1000):
            if happened & select.POLLHUP:
                # the device was reset, and the lab is not connected again yet
                time.sleep(AWAY)

    def send(self, data):
        """Write all of it, whatever happens to the port meanwhile."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._fd, view):]
            except BlockingIOError:
                self._wait(select.POLLOUT, PATIENCE)
            except OSError as error:
                self._failed(error)

    def _line(self, seconds):
        """The next line; None when nothing has come for so long."""
        end = time.monotonic() + seconds
        while True:
            at = self._buffer.find(b"\n")
            if at >= 0:
                line = bytes(self._buffer[:at])
                del self._buffer[:at + 1]
                return line
            left = end - time.monotonic()
            if left <= 0:
                return None
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                self._wait(select.POLLIN, left)
                continue
            except OSError as error:
                self._failed(error)
                return None
            if data:
                end = time.monotonic() + seconds
            else:
                self._wait(select.POLLIN, left)
            self._buffer += data

    def answer(self, ident, tag, ask):
        """The answer to `ident`; what was meant for someone who gave up is skipped. `ask` sends
        the request, should it have been lost."""
        reply, data, size, patience = None, bytearray(), 0, PATIENCE
        while reply is None or len(data) < size:
            line = self._line(patience)
            if line is None:
                patience *= 2
                self.send(b"\n" + json.dumps({"id": ident, "again": True}).encode() + b"\n")
                continue
            if line.startswith(b"+"):
                if line.startswith(tag) and reply is not None:
                    try:
                        data += binascii.a2b_base64(line[len(tag):], strict_mode=True)
                    except binascii.Error:
                        pass            # a part of a line: bytes will be missing
                continue
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if not isinstance(message, dict) or message.get("id") != ident:
                continue
            if message.get("again"):
                reply = None
                ask()
                continue
            reply, size = message, int(message.get("blob") or 0)
            data.clear()
        if not reply.get("ok"):
            raise ActionError(str(reply.get("error", "no reason given")))
        return reply.get("result"), bytes(data)
