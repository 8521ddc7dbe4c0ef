# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs at this end: run to the end, or kept running beside the test.

Responsible for: starting, feeding, reading and ending child processes.
State: the table of running ones; all of them end with the agent.
Callers: loop.py, one call per thread.

Programs such as `openssl s_server` end when their standard input does, so a kept program has a
pipe there that stays open until it is stopped.
"""

import ctypes
import itertools
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from agent import payload

PR_SET_PDEATHSIG = 1
POLL = 0.02             # between looks at a file that another program writes
GRACE = 3.0             # between SIGTERM and SIGKILL

_libc = ctypes.CDLL(None, use_errno=True)
_table = {}
_numbers = itertools.count(1)


def _in_child():
    """The child dies with the agent, also when the agent is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def which(name):
    """Full path of a program, or None."""
    return shutil.which(name)


def run(argv, data=None, hexdata=None, timeout=120.0, env=None):
    """Run a program; returns {rc, out, err}; rc is None when it did not end in time. It reads
    `data` (text) or `hexdata` (bytes)."""
    data = data.encode() if data is not None else hexdata and bytes.fromhex(hexdata)
    # pylint: disable-next=subprocess-popen-preexec-fn
    with subprocess.Popen(argv, stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_in_child,
                          start_new_session=True, env=_env(env)) as process:
        try:
            out, err = process.communicate(data, timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            _kill(process)
            out, err = process.communicate()
            status = None
    return {"rc": status, "out": out.decode(errors="replace"), "err": err.decode(errors="replace")}


def _env(more):
    return dict(os.environ, **more) if more else None


def _kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Kept:
    """A program that runs beside the test."""

    def __init__(self, argv, env):
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, preexec_fn=_in_child, env=_env(env),
                                        start_new_session=True)
        self.lock = threading.Lock()

    def error_text(self):
        """What it has written to its standard error so far."""
        self.errors.flush()
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), min(size, 65536), max(0, size - 65536)
                        ).decode(errors="replace")


_orders = queue.Queue()


def _spawner():
    """Starts kept programs: a child dies with the thread that made it (PR_SET_PDEATHSIG), and the
    thread of a request ends before its child does."""
    while True:
        argv, env, answer = _orders.get()
        try:
            answer.put(Kept(argv, env))
        except Exception as error:      # pylint: disable=broad-except
            answer.put(error)


def spawn(argv, env=None):
    """Start a program; returns its number."""
    if not any(thread.name == "spawner" for thread in threading.enumerate()):
        threading.Thread(target=_spawner, name="spawner", daemon=True).start()
    answer = queue.Queue()
    _orders.put((argv, env, answer))
    kept = answer.get()
    if isinstance(kept, Exception):
        raise kept
    number = next(_numbers)
    _table[number] = kept
    return number


def _kept(number):
    try:
        return _table[number]
    except KeyError:
        raise ValueError(f"no kept program {number}") from None


def feed(number, seed, size, offset=0):
    """Write a part of a payload to its standard input, which stays open."""
    kept, source, end = _kept(number), payload.Source(seed), offset + size
    while offset < end:
        piece = source.read(offset, min(16384, end - offset))
        kept.process.stdin.write(piece)
        offset += len(piece)
    kept.process.stdin.flush()


def expect(number, seed, size, offset=0):
    """Read `size` bytes of its standard output and compare them with a payload."""
    kept, checker = _kept(number), payload.Checker(seed, offset)
    while checker.count < size:
        piece = os.read(kept.process.stdout.fileno(), min(65536, size - checker.count))
        if not piece:
            raise ValueError(f"the program ended after {checker.count} of {size} bytes: "
                             f"{kept.error_text()[-2000:]}")
        checker.take(piece)
    return checker.result()


def status(number):
    """{rc, err}; rc is None while it runs."""
    kept = _kept(number)
    return {"rc": kept.process.poll(), "err": kept.error_text()}


def stop(number):
    """End it; returns {rc, out, err} with what nobody has read of its output."""
    kept = _table.pop(number, None)
    if kept is None:
        return {"rc": None, "out": "", "err": ""}
    process = kept.process
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
    _kill(process)
    try:
        process.stdin.close()
    except OSError:
        pass
    out = process.stdout.read()
    process.wait()
    process.stdout.close()
    text = kept.error_text()
    kept.errors.close()
    return {"rc": process.returncode, "out": out.decode(errors="replace"), "err": text}


def finish(number, timeout=120.0):
    """Wait until it ends by itself; returns {rc, out, err}; rc None when it did not."""
    kept = _kept(number)
    end = time.monotonic() + timeout
    chunks = []

    def read():
        while True:
            piece = os.read(kept.process.stdout.fileno(), 65536)
            if not piece:
                return
            chunks.append(piece)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(max(0.0, end - time.monotonic()))
    try:
        code = kept.process.wait(max(0.1, end - time.monotonic()))
    except subprocess.TimeoutExpired:
        code = None
    if code is not None:
        reader.join(1.0)
    return {"rc": code, "out": b"".join(chunks).decode(errors="replace"),
            "err": kept.error_text()}


def listening(port, pid_number=None, timeout=60.0, udp=False):
    """Wait until something at this end listens on `port`, while program `pid_number` lives."""
    # sockets of this network namespace; state 0A is LISTEN, 07 an unconnected UDP socket
    wanted = "07" if udp else "0A"
    tables = ("/proc/net/udp", "/proc/net/udp6") if udp else ("/proc/net/tcp", "/proc/net/tcp6")
    end = time.monotonic() + timeout
    while True:
        for table in tables:
            try:
                with open(table, encoding="ascii") as file:
                    rows = [line.split() for line in file.readlines()[1:]]
            except FileNotFoundError:
                continue
            if any(row[3] == wanted and int(row[1].rsplit(":", 1)[1], 16) == port for row in rows):
                return
        if pid_number is not None:
            state = status(pid_number)
            if state["rc"] is not None:
                raise ValueError(f"the server ended with status {state['rc']} before it listened: "
                                 f"{state['err'][-2000:]}")
        if time.monotonic() > end:
            raise TimeoutError(f"nothing listens on port {port} after {timeout:.0f} s")
        time.sleep(POLL)


def stop_all():
    """End whatever still runs."""
    for number in list(_table):
        kept = _table.pop(number)
        _kill(kept.process)


# files

def read(path, binary=False):
    """Text of a file of this end (hex of its bytes with `binary`)."""
    with open(path, "rb") as file:
        data = file.read()
    return data.hex() if binary else data.decode(errors="replace")


def read_many(paths):
    """{path: text or None} of several files in one call."""
    result = {}
    for path in paths:
        try:
            result[path] = read(path)
        except OSError:
            result[path] = None
    return result


def write_many(texts):
    """Write {path: text} into files."""
    for path, text in texts.items():
        write(path, text)


def write(path, text):
    """Write text in one write(2), as sysfs wants it."""
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o600)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def listdir(path):
    """Names in a directory, sorted; empty when there is none."""
    try:
        return sorted(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        return []


def readlink(path):
    """Where a link leads, resolved, or None."""
    return os.path.realpath(path) if os.path.lexists(path) else None


def mkdir(path):
    """Make a directory whose name matters: one of tracefs or configfs."""
    os.mkdir(path)


def rmdir(path):
    """Remove such a directory."""
    os.rmdir(path)


def make_directory():
    """A new temporary directory of this end."""
    return tempfile.mkdtemp(prefix="guest-tests-")


def remove_directory(path):
    """Remove such a directory and what is in it."""
    if "guest-tests-" not in os.path.basename(path):
        raise ValueError(f"{path!r} is no directory of ours")
    shutil.rmtree(path, ignore_errors=True)


def payload_file(path, seed, size):
    """Write a payload into a file; returns its SHA-256."""
    return payload.write_file(path, seed, size)


def file_digest(path):
    """{bytes, sha256} of a file."""
    import hashlib      # pylint: disable=import-outside-toplevel
    total, count = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(65536):
            total.update(piece)
            count += len(piece)
    return {"bytes": count, "sha256": total.hexdigest()}
