# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's framing: the one definition of the bytes between lab and guest.

Responsible for: frame types, header layout, limits, and a Link at each end of the
virtio-serial port `lab.agent`, which outlives what happens to the port.
State: in a Link, what was sent and may have to be sent again, and what has been
received of the next frame.
Callers: labagent.py in the guest, labkit/run/guest.py on the host (which loads this
very file, so the two ends cannot drift apart).

A frame is a 12 byte little-endian header and a payload:

    u8  type      one of the constants below
    u8  stream    STDIN, STDOUT, STDERR or 0
    u16 session   who it is for; 0 is the agent itself
    u32 length    of the payload, at most MAX_PAYLOAD
    u32 check     CRC-32 of the frame's place in the stream, the header so far, the payload

Flow control is by credit: a sender of DATA may have at most WINDOW bytes of
one stream in flight; the receiver returns CREDIT as it gets rid of them. So
neither side ever buffers more than WINDOW per stream, however slow the reader.

The port loses bytes, any of them and either way, whenever the device is reset: when
the guest is suspended, when another kernel is started in it, when its driver is
unbound. So each end keeps what it has sent until an ACK comes. The lab learns of
each reset, asks with RESUME, and is answered with HELLO; each of the two says how far
its sender has received the other's stream, and from there it is sent again.
HELLO without a question is the first thing an agent says. These two are greetings:
they follow a MAGIC, stand outside of the streams, and may come in the middle of a frame.
A frame that is not the next one of its stream has a wrong check and is not delivered.
"""

import struct

from binascii import crc32

HEADER = struct.Struct("<BBHI")
CHECK = struct.Struct("<I")
PLACE = struct.Struct("<Q")
OVERHEAD = HEADER.size + CHECK.size
MAGIC = b"\x00lab-agent\xff\x02\r\n\x1a\n"
MAX_PAYLOAD = 64 * 1024
MAX_GREETING = 1024
CHUNK = 32 * 1024           # what a sender puts into one DATA frame at most
WINDOW = 256 * 1024         # bytes of one stream that may be in flight
ACK_EVERY = 32 * 1024       # bytes received after which the sender may forget them,
ACK_FRAMES = 32             # or frames
# What the guest may have on its way to the lab, in bytes and in writes. It fits into the socket
# behind the port (SOCKET, as the kernel counts, with its overhead for each write), so QEMU takes
# all of it at once and the port's queue never fills: were it full when the device is reset, Linux
# (6.12) would go on believing that it is, for ever.
IN_FLIGHT = 6 * CHUNK
WRITES = 96
SOCKET = 425984
VERSION = 2
OUTSIDE = (1 << 64) - 1     # the place of a greeting, for its check

# guest -> lab
HELLO = 1       # greeting, words: version, instance, boot id, uptime, question, bytes received
READY = 2       # words: status, text: init has finished, `lab-net up` said so
EXIT = 3        # i32 status: >= 0 exit code, < 0 minus the signal
KMSG = 4        # one raw record of /dev/kmsg
PONG = 5        # the payload of the PING
# lab -> guest
EXEC = 16       # words, see pack_exec()
SIGNAL = 17     # i32 signal, to the session's process group
PING = 18       # any payload
WINSIZE = 19    # u16 rows, u16 cols
SYSRQ = 20      # letters to write to /proc/sysrq-trigger
RESUME = 21     # greeting, words: question, instance that is meant, bytes received of it
TAKE_BACK = 22  # no payload: DATA and EOF of STDIN come back with what nobody has read of it
# both ways
DATA = 32       # bytes of a stream
EOF = 33        # no more bytes of a stream
CREDIT = 34     # u32 bytes the receiver has got rid of
ACK = 35        # u64 bytes received since the stream began; a Link keeps it to itself

GREETINGS = (HELLO, RESUME)
STDIN, STDOUT, STDERR = 0, 1, 2


def frame(kind, session=0, stream=0, payload=b"", place=0):
    """One frame as bytes, the first of them being number `place` of its stream. `payload` must
    not be longer than MAX_PAYLOAD."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"frame payload of {len(payload)} bytes")
    head = HEADER.pack(kind, stream, session, len(payload))
    return head + CHECK.pack(_check(head, payload, place)) + payload


def _check(head, payload, place):
    return crc32(payload, crc32(PLACE.pack(place) + head))


def pack_words(words):
    """Strings as bytes: each ends with a NUL. The guest imports no json for them: that
    import costs more under emulation than all else the agent does at its start."""
    encoded = [str(word).encode("utf-8", "surrogateescape") for word in words]
    if any(b"\0" in word for word in encoded):
        raise ValueError("a NUL byte in a word")
    return b"".join(word + b"\0" for word in encoded)


def unpack_words(payload):
    """The inverse of pack_words()."""
    return [word.decode("utf-8", "surrogateescape") for word in payload.split(b"\0")[:-1]]


def pack_exec(argv, env, cwd, tty=None):
    """Payload of EXEC. `env` is a dict, `tty` None or (rows, columns)."""
    rows, columns = tty or (0, 0)
    return pack_words([cwd, rows, columns, len(argv), *argv,
                       *(f"{name}={value}" for name, value in env.items())])


def unpack_exec(payload):
    """(argv, env, cwd, tty) as given to pack_exec()."""
    words = unpack_words(payload)
    cwd, rows, columns, count = words[0], int(words[1]), int(words[2]), int(words[3])
    env = dict(word.split("=", 1) for word in words[4 + count:])
    return words[4:4 + count], env, cwd, ((rows, columns) if rows else None)


class Link:
    """One end of the port: frames in, frames out, each delivered once and in order."""

    def __init__(self, bounded=False):
        """bounded: have no more than IN_FLIGHT and WRITES on the way."""
        self._bounded = bounded
        self._ends = []                 # places where writes that were not acknowledged end
        self._greeting = bytearray()    # goes before everything else
        self._kept = bytearray()        # frames sent and not acknowledged, then those to be sent
        self._first = 0                 # place of the first byte of them
        self._next = 0                  # which of them is to be written next
        self._resumed = False           # the other end is known to be there
        self._buffer = bytearray()
        self._searched = 0              # bytes of it that begin no greeting
        self._deaf = True               # nothing but a greeting is taken
        self._acked = 0
        self._frames = 0                # received since the last ACK
        self.lost = False               # what came was no frame; the owner may ask for it again
        self.received = 0               # place that the next frame must have

    # what goes out

    def send(self, kind, session=0, stream=0, payload=b""):
        """Queue a frame."""
        self._kept += frame(kind, session, stream, payload, self._first + len(self._kept))

    def greet(self, kind, words):
        """Queue a greeting."""
        self._greeting += MAGIC + frame(kind, payload=pack_words(words), place=OUTSIDE)

    @property
    def unsent(self):
        """Bytes of frames that wait to be written."""
        return len(self._kept) - self._next

    @property
    def kept(self):
        """Bytes of frames that were not acknowledged, written or not."""
        return len(self._kept)

    def output(self, limit=CHUNK):
        """Up to `limit` bytes that may be written now; tell wrote() how many were."""
        if self._greeting:
            return bytes(self._greeting[:limit])
        if not self._resumed:
            return b""
        if self._bounded:
            if len(self._ends) >= WRITES:
                return b""
            limit = min(limit, IN_FLIGHT - self._next)
        return bytes(self._kept[self._next:self._next + limit])

    def wrote(self, count):
        """The first `count` bytes of output() are written."""
        if self._greeting:
            del self._greeting[:count]
        else:
            self._next += count
            if self._bounded:
                self._ends.append(self._first + self._next)

    # the other end

    def suspend(self):
        """Send and take nothing but greetings, until resume()."""
        self._resumed, self._deaf, self.lost = False, True, False

    def resume(self, place):
        """The other end has received so many bytes; go on from there. Returns False when that
        cannot be: it speaks of another stream."""
        if not self._first <= place <= self._first + len(self._kept):
            return False
        del self._kept[:place - self._first]
        self._first, self._next = place, 0
        self._ends.clear()
        self._resumed, self._deaf, self.lost = True, False, False
        return True

    def renew(self):
        """There is another one at the other end: both streams begin anew."""
        self._kept.clear()
        self._ends.clear()
        self._first = self._next = self._acked = self.received = 0
        self.suspend()

    # what comes in

    def feed(self, data):
        """Add received bytes; gives the frames that they complete, as (kind, stream, session,
        payload). A greeting is dealt with by its taker before the next frame is looked at."""
        buffer = self._buffer
        buffer += data
        while True:
            taken = None if self._deaf else self._frame()
            if taken is None:
                taken = self._find_greeting()
            if taken is None:
                return
            if taken[0] == ACK:
                self._acknowledged(PLACE.unpack(taken[3])[0])
            else:
                yield taken

    def _frame(self):
        """The frame at the head of the buffer; None when it is not complete, or wrong."""
        buffer = self._buffer
        if len(buffer) < OVERHEAD:
            return None
        kind, stream, session, length = HEADER.unpack_from(buffer)
        if length > MAX_PAYLOAD or kind in GREETINGS:
            self._deaf = self.lost = True
            return None
        end = OVERHEAD + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[OVERHEAD:end])
        if CHECK.unpack_from(buffer, HEADER.size)[0] != \
                _check(buffer[:HEADER.size], payload, self.received):
            self._deaf = self.lost = True
            return None
        self._drop(end)
        self.received += end
        self._frames += 1
        if self.received - self._acked >= ACK_EVERY or self._frames >= ACK_FRAMES:
            self._acked, self._frames = self.received, 0
            self.send(ACK, payload=PLACE.pack(self.received))
        return kind, stream, session, payload

    def _find_greeting(self):
        """The first whole greeting in the buffer, anywhere; what is before it is lost."""
        buffer, at, keep = self._buffer, self._searched, None
        while True:
            at = buffer.find(MAGIC, at)
            if at < 0:
                break
            begin = at + len(MAGIC)
            if len(buffer) >= begin + OVERHEAD:
                kind, stream, session, length = HEADER.unpack_from(buffer, begin)
                end = begin + OVERHEAD + length
                if kind in GREETINGS and length <= MAX_GREETING:
                    payload = bytes(buffer[begin + OVERHEAD:end])
                    if len(payload) < length:
                        keep = at if keep is None else keep
                    elif CHECK.unpack_from(buffer, begin + HEADER.size)[0] == \
                            _check(buffer[begin:begin + HEADER.size], payload, OUTSIDE):
                        self._drop(end)
                        self._deaf = True       # until its taker knows where to go on
                        return kind, stream, session, payload
            elif keep is None:
                keep = at
            at += 1
        # what may yet become one: a whole MAGIC, or the end of the buffer
        if keep is None:
            keep = max(0, len(buffer) - len(MAGIC) + 1)
        if self._deaf:
            del buffer[:keep]
            keep = 0
        self._searched = keep
        return None

    def _drop(self, count):
        del self._buffer[:count]
        self._searched = 0

    def _acknowledged(self, place):
        count = place - self._first
        if 0 < count <= self._next:
            del self._kept[:count]
            self._first, self._next = place, self._next - count
            while self._ends and self._ends[0] <= place:
                del self._ends[0]
