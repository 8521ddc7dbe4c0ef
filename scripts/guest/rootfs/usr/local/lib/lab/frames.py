# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's framing: the one definition of the bytes between lab and guest.

Responsible for: frame types, header layout, limits and the incremental
decoder of the virtio-serial port `lab.agent`.
State: only what a Decoder has buffered.
Callers: lab-agent in the guest, labkit/agent.py on the host (which loads this
very file, so the two ends cannot drift apart).

A frame is an 8 byte little-endian header and a payload:

    u8  type      one of the constants below
    u8  stream    STDIN, STDOUT, STDERR or 0
    u16 session   who it is for; 0 is the agent itself
    u32 length    of the payload, at most MAX_PAYLOAD

Flow control is by credit: a sender of DATA may have at most WINDOW bytes of
one stream in flight; the receiver returns CREDIT as it gets rid of them. So
neither side ever buffers more than WINDOW per stream, however slow the reader.

The guest may be reset at any moment, in the middle of a frame. Its first bytes
after a start are MAGIC and a HELLO frame; a decoder told to `resync()` throws
away everything up to MAGIC.
"""

import struct

HEADER = struct.Struct("<BBHI")
MAGIC = b"\x00lab-agent\xff\x01\r\n\x1a\n"
MAX_PAYLOAD = 64 * 1024
CHUNK = 32 * 1024           # what a sender puts into one DATA frame at most
WINDOW = 256 * 1024         # bytes of one stream that may be in flight
VERSION = 1

# guest -> lab
HELLO = 1       # words: version, boot id, uptime: the agent lives
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
# both ways
DATA = 32       # bytes of a stream
EOF = 33        # no more bytes of a stream
CREDIT = 34     # u32 bytes the receiver has got rid of

STDIN, STDOUT, STDERR = 0, 1, 2


class ProtocolError(Exception):
    """The peer sent something that is no frame; the stream cannot go on."""


def frame(kind, session=0, stream=0, payload=b""):
    """One frame as bytes. `payload` must not be longer than MAX_PAYLOAD."""
    if len(payload) > MAX_PAYLOAD:
        raise ValueError("frame payload of %d bytes" % len(payload))
    return HEADER.pack(kind, stream, session, len(payload)) + payload


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
                       *("%s=%s" % pair for pair in env.items())])


def unpack_exec(payload):
    """(argv, env, cwd, tty) as given to pack_exec()."""
    words = unpack_words(payload)
    cwd, rows, columns, count = words[0], int(words[1]), int(words[2]), int(words[3])
    env = dict(word.split("=", 1) for word in words[4 + count:])
    return words[4:4 + count], env, cwd, ((rows, columns) if rows else None)


class Decoder:
    """Cuts a byte stream into frames; holds less than one frame and one read."""

    def __init__(self, wait_for_magic=False):
        self._buffer = bytearray()
        self._hunting = wait_for_magic

    def resync(self):
        """Forget everything and skip to the next MAGIC."""
        self._buffer.clear()
        self._hunting = True

    def feed(self, data):
        """Add received bytes; return a list of (kind, stream, session, payload)."""
        buffer = self._buffer
        buffer += data
        frames = []
        if self._hunting:
            at = buffer.find(MAGIC)
            if at < 0:
                del buffer[:max(0, len(buffer) - len(MAGIC) + 1)]
                return frames
            del buffer[:at + len(MAGIC)]
            self._hunting = False
        at = 0
        while len(buffer) - at >= HEADER.size:
            kind, stream, session, length = HEADER.unpack_from(buffer, at)
            if length > MAX_PAYLOAD:
                raise ProtocolError("frame of type %d claims %d bytes, at most %d are allowed"
                                    % (kind, length, MAX_PAYLOAD))
            end = at + HEADER.size + length
            if len(buffer) < end:
                break
            frames.append((kind, stream, session, bytes(buffer[at + HEADER.size:end])))
            at = end
        del buffer[:at]
        return frames
