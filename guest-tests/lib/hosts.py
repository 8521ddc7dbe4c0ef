# SPDX-License-Identifier: GPL-2.0-or-later
"""The two ends of the link, and access to them.

Responsible for: starting an agent at an end (here, in a network namespace, on another machine over
ssh), and calling it.
State: one agent process per Host, the outstanding calls.
Callers: env.py creates two Hosts; the tests use `env.local` and `env.remote`, which are alike.
"""

import collections
import contextlib
import json
import os
import pathlib
import queue
import shlex
import subprocess
import sys
import threading

from agent import MODULES

SOURCES = pathlib.Path(__file__).resolve().parent.parent
SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60")
START_LIMIT = 120.0
CALL_LIMIT = 7200.0     # hang guard in seconds; the test's own is shorter

# reads the modules' sources from standard input, loads them and runs the agent
BOOT = ("import sys,json,types\n"
        "b=sys.stdin.buffer\n"
        "for n,s in json.loads(b.read(int(b.readline()))):\n"
        " m=types.ModuleType(n); sys.modules[n]=m\n"
        " if '.' in n: setattr(sys.modules['agent'],n.split('.')[1],m)\n"
        " else: m.__path__=[]\n"
        " exec(compile(s,n,'exec'),m.__dict__)\n"
        "sys.modules['agent.loop'].main()\n")

Completed = collections.namedtuple("Completed", "rc out err")


class HostError(Exception):
    """The end cannot be reached, or its agent has died."""


class CallError(Exception):
    """An operation at an end failed. `kind` is the name of the exception there, `errno` its
    number."""

    def __init__(self, host, op, error):
        super().__init__(f"{op} on the {host} end: {error['kind']}: {error['text']} "
                         f"({error['where']})")
        self.kind = error["kind"]
        self.errno = error["errno"]
        self.text = error["text"]


class CommandError(Exception):
    """A program failed; the text has its command line and output."""

    def __init__(self, host, argv, result):
        said = (result.err.strip() or result.out.strip())[-2000:]
        status = "did not end in time" if result.rc is None else f"ended with status {result.rc}"
        super().__init__(f"on the {host} end `{shlex.join(argv)}` {status}: {said}")
        self.result = result


def bundle():
    """Return the agent's modules, in the format read by BOOT."""
    sources = []
    for name in MODULES:
        path = SOURCES.joinpath(*name.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        sources.append([name, path.read_text(encoding="utf-8")])
    data = json.dumps(sources).encode()
    return b"%d\n" % len(data) + data


class Pending:
    """The result of a concurrent call."""

    def __init__(self, host, op):
        self._host = host
        self._op = op
        self._queue = queue.Queue()

    def put(self, message):
        """For the Host: store the message received."""
        self._queue.put(message)

    def result(self, timeout=CALL_LIMIT):
        """Wait for it; raises CallError, or HostError if the agent has died."""
        try:
            message = self._queue.get(timeout=timeout)
        except queue.Empty:
            raise HostError(f"{self._op} on the {self._host} end has not ended after "
                            f"{timeout:.0f} s") from None
        if message is None:
            raise HostError(f"the agent on the {self._host} end died during {self._op}")
        if "error" in message:
            raise CallError(self._host, self._op, message["error"])
        return message["result"]


class Host:
    """One end. `prefix` precedes commands that run there."""

    def __init__(self, name, prefix=(), shell=False):
        self.name = name
        self._prefix = list(prefix)
        self._shell = shell             # the last word of the prefix passes a command to a shell
        self._process = None
        self._pending = {}
        self._next = 1
        self._lock = threading.Lock()
        self._errors = b""
        self.agent_pid = None           # process id in that end's kernel

    # life

    def start(self):
        """Start the agent; raises HostError with its last output on failure."""
        python = "python3" if self._shell else sys.executable
        argv = [python, "-B", "-u", "-c", BOOT]
        argv = self._prefix + ([shlex.join(argv)] if self._shell else argv)
        self._errors = b""
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, start_new_session=True)
        hello = Pending(self.name, "start")
        # a separate dictionary for each agent: the reader of a killed one may notice late
        self._pending = {0: hello}
        threading.Thread(target=self._read, args=(self._process, self._pending),
                         daemon=True).start()
        threading.Thread(target=self._read_errors, args=(self._process,), daemon=True).start()
        try:
            self._process.stdin.write(bundle())
            self._process.stdin.flush()
            self.agent_pid = hello.result(START_LIMIT)["pid"]
        except (OSError, HostError) as error:
            self.kill()
            said = self._errors.decode(errors="replace").strip()
            raise HostError(f"no agent on the {self.name} end (`{' '.join(self._prefix)} python3 "
                            f"…`): {said or error}") from None

    def kill(self):
        """End the agent at once; its children die with it."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        with contextlib.suppress(OSError):
            os.killpg(process.pid, 9)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)             # one of its threads may hang in the kernel

    def restart(self):
        """Start a new agent: everything open in the old one is closed."""
        self.kill()
        self.start()

    @property
    def pid(self):
        """Return the id of the process started here."""
        return self._process.pid if self._process else None

    def _read(self, process, waiting):
        with process.stdout:
            for line in process.stdout:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue            # not from the agent: a login banner on the way
                if not isinstance(message, dict):
                    continue
                with self._lock:
                    pending = waiting.pop(message.get("id"), None)
                if pending:
                    pending.put(message)
        with self._lock:
            left = list(waiting.values())
            waiting.clear()
        for pending in left:
            pending.put(None)

    def _read_errors(self, process):
        with process.stderr:
            for line in process.stderr:
                self._errors = (self._errors + line)[-4000:]

    # calls

    def begin(self, op, **args):
        """Start an operation; returns a Pending."""
        if self._process is None:
            raise HostError(f"there is no agent on the {self.name} end")
        pending = Pending(self.name, op)
        try:
            with self._lock:
                ident, self._next = self._next, self._next + 1
                self._pending[ident] = pending
                self._process.stdin.write(json.dumps(
                    {"id": ident, "op": op, "args": args}).encode() + b"\n")
                self._process.stdin.flush()
        except OSError:
            raise HostError(f"the agent on the {self.name} end has died: "
                            f"{self._errors.decode(errors='replace')}") from None
        return pending

    def call(self, op, **args):
        """Run an operation and return its result."""
        return self.begin(op, **args).result()

    def run(self, *argv, check=True, timeout=120.0, data=None, env=None):
        """Run a program at this end; raises CommandError if it fails, unless check is False.
        `data`: its standard input, text or bytes."""
        argv = [str(word) for word in argv]
        data = {"hexdata": data.hex()} if isinstance(data, bytes) else {"data": data}
        result = Completed(**self.begin("procs.run", argv=argv, timeout=timeout, env=env,
                                        **data).result(timeout + 30))
        if check and result.rc != 0:
            raise CommandError(self.name, argv, result)
        return result

    def out(self, *argv, **more):
        """Return the standard output of a program."""
        return self.run(*argv, **more).out

    def has(self, program):
        """Return whether the program is installed."""
        return self.call("procs.which", name=program) is not None

    def read(self, path):
        """Return the text of a file, without the final newline."""
        return self.call("procs.read", path=str(path)).rstrip("\n")

    def write(self, path, text):
        """Write text into a file."""
        self.call("procs.write", path=str(path), text=str(text))

    def listdir(self, path):
        """Return the names in a directory."""
        return self.call("procs.listdir", path=str(path))

    @contextlib.contextmanager
    def directory(self):
        """A temporary directory there."""
        path = self.call("procs.make_directory")
        try:
            yield path
        finally:
            self.call("procs.remove_directory", path=path)

    @contextlib.contextmanager
    def program(self, *argv, env=None):
        """A program that runs for the block; yields its number."""
        number = self.call("procs.spawn", argv=[str(word) for word in argv], env=env)
        try:
            yield number
        finally:
            self.call("procs.stop", number=number)


def local():
    """This machine, this namespace."""
    return Host("local")


def remote(kind, args):
    """The peer described by REMOTE_TYPE and REMOTE_ARGS."""
    if kind == "netns":
        return Host("remote", ["ip", "netns", "exec", args])
    if kind == "ssh":
        return Host("remote", [*SSH, *shlex.split(args)], shell=True)
    raise HostError(f"REMOTE_TYPE={kind!r}: expected netns or ssh")
