# SPDX-License-Identifier: GPL-2.0-or-later
"""Long steps with visible progress: one line for each, a ticker meanwhile, and a full log.

State: the log files in the cache's logs/, the one ticker line on the terminal, and every process
started here with its process group: when a step ends, for whatever reason, none of its processes is
left running. All output goes to stderr; stdout belongs to the user's command.
"""

import contextlib
import errno
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, BinaryIO, TextIO

from . import paths
from .errors import BuildError, LabError, SpaceError, printable

TAIL_LINES = 20
Folder = str | pathlib.Path | None         # where a program runs; None for here
TICK_TTY = 0.25             # seconds between updates of the ticker on a terminal
TICK_PLAIN = 30.0           # seconds between progress lines elsewhere (a CI log)
QUIET = 2.0                 # seconds that a usually idle step may take unmentioned
TERM_GRACE = 5.0            # seconds between SIGTERM and SIGKILL
DISK_FULL = 16 << 20        # with less free space, in bytes, a failed step is explained by that


def duration(seconds: float) -> str:
    """65.2 -> '1m05s', 3.21 -> '3.2s'."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


# ---- progress from a tool's output: line -> text, or None

class Ninja:
    """Reads ninja's "[n/m] text"."""

    _LINE = re.compile(r"^\[(\d+)/(\d+)\]")

    def __call__(self, line: str) -> str | None:
        m = self._LINE.match(line)
        return f"{m[1]} of {m[2]}" if m else None


class Kbuild:
    """Counts files compiled by kbuild. EXPECTED is their number in an earlier build, or None."""

    _LINE = re.compile(r"^  (?:CC|AS|HOSTCC)\b")

    def __init__(self, expected: int | None = None) -> None:
        self.count = 0
        self.expected = expected

    def __call__(self, line: str) -> str | None:
        if not self._LINE.match(line):
            return None
        self.count += 1
        of = f" of about {max(self.expected, self.count)}" if self.expected else ""
        return f"{self.count}{of} files"


class AptFetch:
    """Counts apt-get's "Get:n ..." lines."""

    _LINE = re.compile(r"^Get:(\d+) \S+ (.*)")

    def __call__(self, line: str) -> str | None:
        m = self._LINE.match(line)
        return f"file {m[1]}" if m else None


class Ticker:
    """The status line at the bottom of a terminal; without a terminal, occasional lines."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.quiet = False      # `--quiet`: no progress
        self.tty = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False
        self._next = 0.0

    def say(self, text: str) -> None:
        """Print a permanent line."""
        self.clear()
        print(text, file=self.stream, flush=True)

    def begin(self) -> None:
        """Start a new step: without a terminal its first progress line comes after a while."""
        self._next = time.monotonic() + (0 if self.tty else TICK_PLAIN)

    def show(self, text: str) -> None:
        """Show a line that the next one replaces; rate-limited, may be called at any time."""
        now = time.monotonic()
        if self.quiet or now < self._next:
            return
        self._next = now + (TICK_TTY if self.tty else TICK_PLAIN)
        if self.tty:
            width = max(20, _columns(self.stream) - 1)
            self.stream.write("\r\x1b[K" + text[:width])
            self._shown = True
        else:
            self.stream.write(text + "\n")
        self.stream.flush()

    def clear(self) -> None:
        """Remove the ticker line."""
        if self._shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self._shown = False


def _columns(stream: TextIO) -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns
    return 80


ticker = Ticker()


class Step:
    """One long step: `with Step("build QEMU", log="qemu-build") as step: step.run([...])`.

    On exit, its line with the elapsed time is printed. Commands append to one log file, which is
    named in the error if one of them fails. The log of the previous run of the same step is
    replaced. A QUIET step, usually with nothing to do, is mentioned only if it takes a while.
    """

    def __init__(self, name: str, log: str, quiet: bool = False) -> None:
        self.name = name
        self.quiet = quiet
        self.log = paths.cache_dir("logs") / f"{log}.log"
        self._state = ""
        self._start = 0.0

    def __enter__(self) -> "Step":
        self._start = time.monotonic()
        try:
            self.log.write_bytes(b"")
        except OSError as e:
            raise _os_error(e, self.log) from e
        ticker.begin()
        self.quiet = self.quiet or ticker.quiet
        if not self.quiet:
            self._announce()
        return self

    def _announce(self) -> None:
        self.quiet = False
        if ticker.tty:
            self.tick()
        else:
            ticker.say(f"lab: {self.name} ...")

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 traceback: TracebackType | None) -> None:
        took = duration(time.monotonic() - self._start)
        if kind is None:
            if not self.quiet:
                ticker.say(f"lab: {self.name}: done in {took}")
        elif issubclass(kind, KeyboardInterrupt):
            ticker.say(f"lab: {self.name}: interrupted after {took}")
        else:
            ticker.say(f"lab: {self.name}: FAILED after {took}")
        if isinstance(value, OSError) and value.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _os_error(value, self.log) from value

    def tick(self, state: str | None = None) -> None:
        """Show the progress of the step."""
        if state is not None:
            self._state = state
        if self.quiet:
            if ticker.quiet or time.monotonic() - self._start < QUIET:
                return
            self._announce()
        took = duration(time.monotonic() - self._start)
        ticker.show(f"lab: {self.name}: {self._state + ', ' if self._state else ''}{took}")

    def note(self, text: str) -> None:
        """Write a line to the log only."""
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"# {text}\n")

    def run(self, argv: Sequence[object], *, cwd: Folder = None, env: dict[str, str] | None = None,
            progress: Callable[[str], str | None] | None = None, what: str | None = None,
            hint: str | None = None) -> None:
        """Run a command to its end, with its output (both streams) in the log.

        ENV is added to the environment. PROGRESS maps a line of output to the ticker's text.
        Raises BuildError with the last lines when the command fails; WHAT names it there.
        """
        words = [str(a) for a in argv]
        self.note(f"{time.strftime('%F %T')} in {cwd or os.getcwd()}: {' '.join(words)}")
        with open(self.log, "ab", buffering=0) as log:
            status, tail = self._watch(words, cwd, env, log, progress)
        if status != 0:
            raise self._failure(what or os.path.basename(words[0]), status, tail, hint)

    def _watch(self, argv: list[str], cwd: Folder, env: dict[str, str] | None, log: BinaryIO,
               progress: Callable[[str], str | None] | None) -> tuple[int, list[str]]:
        tail: list[str] = []
        rest = b""
        with child(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT) as proc:
            assert proc.stdout is not None
            with selectors.DefaultSelector() as selector:
                selector.register(proc.stdout, selectors.EVENT_READ)
                while True:
                    if selector.select(TICK_TTY):
                        chunk = os.read(proc.stdout.fileno(), 65536)
                        if not chunk:
                            break
                        log.write(chunk)
                        *lines, rest = (rest + chunk).split(b"\n")
                        for raw in lines:
                            line = raw.decode(errors="replace").rstrip()
                            tail.append(line)
                            state = progress(line) if progress else None
                            if state:
                                self._state = state
                        del tail[:-TAIL_LINES]
                    elif proc.poll() is not None and not selector.select(0):
                        # it has ended, its output has been read, and any other holder of the pipe
                        # is silent
                        break
                    self.tick()
            if rest:
                tail.append(rest.decode(errors="replace"))
            return proc.wait(), tail[-TAIL_LINES:]

    def _failure(self, what: str, status: int, tail: list[str], hint: str | None) -> LabError:
        full = paths.free_bytes(self.log) < DISK_FULL \
            or any("No space left on device" in line for line in tail)
        if full:
            return SpaceError(f"{self.name}: the disk is full "
                              f"({paths.human(paths.free_bytes(self.log))} free in "
                              f"{self.log.parent})\nfull log: {self.log}",
                              hint="free some space, or point XDG_CACHE_HOME at a larger disk")
        how = f"exit status {status}" if status > 0 else \
            f"killed by {signal.Signals(-status).name}"
        return BuildError(f"{self.name}: {what} failed ({how})", hint=hint, log=self.log,
                          tail=tail)


def _os_error(error: OSError, path: pathlib.Path) -> LabError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpaceError(f"no space left in {error.filename or path}",
                          hint="free some space, or point XDG_CACHE_HOME at a larger disk")
    return LabError(f"cannot write {error.filename or path}: {error.strerror}")


@contextlib.contextmanager
def child(argv: Sequence[object], *, cwd: Folder = None, env: dict[str, str] | None = None,
          **kwargs: Any) -> Iterator[subprocess.Popen]:
    """A process in its own session; its whole process group ends with the block.

    A missing program is a LabError.
    """
    full = dict(os.environ, LC_ALL="C.UTF-8")
    full.update(env or {})
    try:
        proc = subprocess.Popen([str(a) for a in argv], cwd=cwd, env=full,
                                start_new_session=True, **kwargs)
    except FileNotFoundError as e:
        raise LabError(f"cannot run {argv[0]}: "
                       f"{'no such program' if e.filename == str(argv[0]) else e}",
                       hint="`lab doctor` says which package has it") from e
    except OSError as e:
        raise LabError(f"cannot run {argv[0]}: {e.strerror}") from e
    try:
        yield proc
    finally:
        end_group(proc)
        for stream in (proc.stdin, proc.stdout, proc.stderr):
            if stream:
                stream.close()


def end_group(proc: subprocess.Popen) -> None:
    """End PROC and the rest of its group: SIGTERM, then SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(proc.pid, number)
        except ProcessLookupError:
            break
        except PermissionError:     # the group's last process is a zombie, or no longer ours
            break
        limit = time.monotonic() + TERM_GRACE
        while time.monotonic() < limit and _group_alive(proc):
            time.sleep(0.02)
        if not _group_alive(proc):
            break
    with contextlib.suppress(subprocess.TimeoutExpired):
        proc.wait(TERM_GRACE)


def _group_alive(proc: subprocess.Popen) -> bool:
    proc.poll()
    try:
        os.killpg(proc.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def capture(argv: Sequence[object], *, cwd: Folder = None, env: dict[str, str] | None = None,
            check: bool = True, timeout: float | None = None) -> subprocess.CompletedProcess:
    """Run a short command and return its output as text; CHECK raises LabError on failure."""
    with child(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
               stderr=subprocess.PIPE, text=True, errors="replace") as proc:
        try:
            out, err = proc.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{argv[0]} gave no answer within {timeout:.0f} s: "
                           f"{' '.join(map(str, argv))}") from None
        status = proc.returncode
    if check and status != 0:
        last = "\n".join(err.strip().splitlines()[-5:])
        raise LabError(f"{' '.join(map(str, argv))} failed (exit status {status})\n{last}".rstrip())
    return subprocess.CompletedProcess([str(a) for a in argv], status, out, err)


def say(text: str) -> None:
    """Print a line that is not a step."""
    ticker.say(f"lab: {printable(text)}")


def inform(text: str) -> None:
    """Print a line unless --quiet."""
    if not ticker.quiet:
        say(text)


def hint(text: str) -> None:
    """Print a hint, as below an error."""
    say(f"hint: {text}")


def jobs() -> int:
    """Return the number of parallel compilers: $LAB_JOBS, or the CPUs of this process."""
    asked = os.environ.get("LAB_JOBS", "")
    if asked:
        if not asked.isdigit() or int(asked) < 1:
            raise LabError(f"LAB_JOBS={asked!r}: expected a number of jobs, 1 or more")
        return int(asked)
    return len(os.sched_getaffinity(0))
