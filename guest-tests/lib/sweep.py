# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking a driver every question that a user can, and judging the answers.

Responsible for: running questions one by one, with the lines of the kernel's log that each of them
caused; walking trees of files; what counts as a refusal that a user understands.
State: the place in the kernel's log, the answers so far.
Callers: tests/nic/sweep.py.

A question is a command line or a file. It is answered, or refused as a table in the test says,
each row with the reason. Either way the driver has logged nothing at level err: an error line
shows that it asked the device for something the device does not know.

The tables are those of the emulated device. Another NIC may know more, or less: outside the lab
what differs is observed, and only the kernel's log is judged.
"""

import errno
import os
import re
import stat

from . import dmesg
from .case import fail
from .ktap import note

READ_LIMIT = 1 << 20
# what a program says that does not know the question: an older version of it
UNKNOWN_OPTION = re.compile(r"bad command line argument|unrecognized option|unknown option|"
                            r"[Uu]nknown (command|argument|object)|is unknown, try|"
                            r"Object .* is unknown|What is ")


class Sweep:
    """Questions to one NIC. `refusals`: [(pattern of the question, pattern of what is said,
    reason)]; a row that no question met is one too many, unless the reason begins with "maybe: " or
    the NIC is not the lab's: a card may answer what the device does not.
    """

    def __init__(self, env, refusals, allowed=()):
        self.env = env
        self.host = env.local
        self._rows = [(re.compile(what), re.compile(said), why) for what, said, why in refusals]
        self._allowed = allowed         # lines of the log, as for a test
        self._met = set()
        self._log = dmesg.Kmsg()
        self._wrong = []
        self.asked = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._log.close()
        if kind is not None:
            return
        for number, (what, said, why) in enumerate(self._rows):
            if number not in self._met and not why.startswith("maybe: "):
                self._differs("never refused", f"nothing was refused as {what.pattern!r}, "
                                               f"{said.pattern!r}: {why}", what.pattern)
        note(f"{self.asked} questions")
        if self._wrong:
            fail(f"{len(self._wrong)} of {self.asked} questions:\n" + "\n".join(self._wrong))

    def wrong(self, text):
        """Something about the question before was wrong."""
        self._wrong.append(text)

    def _judge(self, question, refusal):
        """`refusal`: what was said when it was refused, None when it was answered."""
        self.asked += 1
        for line in dmesg.judge(self._log.lines(), self.env.names(), self._allowed):
            self._wrong.append(f"{question}: {line}")
        if refusal is None:
            return
        for number, (what, said, _) in enumerate(self._rows):
            if what.search(question) and said.search(refusal):
                self._met.add(number)
                return
        self._differs("refused", f"{question}: refused: {refusal.strip()[-300:]}", question)

    def _differs(self, how, text, kept):
        """Something is not as the tables have it."""
        if self.env.lab is None:
            self.env.observe(how, kept)
        else:
            self._wrong.append(text)

    def ask(self, *argv):
        """A command line; returns its output when it is answered, else None."""
        argv = [str(word) for word in argv]
        result = self.host.run(*argv, check=False)
        said = (result.err.strip() or result.out.strip()) or f"status {result.rc}"
        if result.rc != 0 and UNKNOWN_OPTION.search(said):
            note(f"{' '.join(argv)}: this {argv[0]} does not know it")
            return None
        self._judge(" ".join(argv), None if result.rc == 0 else said)
        return result.out if result.rc == 0 else None

    def ask_all(self, lines, **names):
        """Command lines, one a line, with names in braces."""
        for line in lines.strip().splitlines():
            self.ask(*line.format(**names).split())

    def read(self, path):
        """A file of this machine; returns its bytes when it can be read, else None."""
        data, refusal = b"", None
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._judge(path, errno.errorcode.get(error.errno, str(error)))
            return None
        try:
            while len(data) < READ_LIMIT and (piece := os.read(fd, 65536)):
                data += piece
        except OSError as error:
            refusal = errno.errorcode.get(error.errno, str(error))
        finally:
            os.close(fd)
        self._judge(path, refusal)
        return data if refusal is None else None

    def read_tree(self, top, leave=()):
        """All regular files below a directory whose mode has a read bit; links are not followed.
        `leave`: patterns of names and why they are left alone. Returns how many."""
        patterns = [re.compile(pattern) for pattern, _ in leave]
        count = 0
        for directory, names, files in os.walk(os.path.realpath(top)):
            names[:] = sorted(name for name in names if not any(
                pattern.fullmatch(name) for pattern in patterns))
            for name in sorted(files):
                path = os.path.join(directory, name)
                if any(pattern.fullmatch(name) for pattern in patterns):
                    continue
                try:
                    mode = os.lstat(path).st_mode
                except FileNotFoundError:
                    continue                    # an object that has gone meanwhile
                if stat.S_ISREG(mode) and mode & 0o444:
                    self.read(path)
                    count += 1
        return count
