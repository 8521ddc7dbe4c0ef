# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent's loop: requests in, results out.

Responsible for: one line of JSON per request on standard input, one per answer on standard
output, each request in a thread of its own.
State: none beyond what the called modules keep.
Callers: started by lib/hosts.py, through whatever leads to the machine; ends with its input.

    {"id": 7, "op": "tcp.send", "args": {...}}
    {"id": 7, "result": ...}   or   {"id": 7, "error": {"kind", "text", "errno", "where"}}
"""

import json
import os
import sys
import threading
import traceback

from agent import control, ethtool, icmp, ktls, many, payload, pcap, procs, rawnet, tcp

MODULES = {"procs": procs, "tcp": tcp, "ktls": ktls, "rawnet": rawnet, "payload": payload,
           "icmp": icmp, "control": control, "many": many, "ethtool": ethtool, "pcap": pcap}


def _reset():
    """Forget what the last test left behind."""
    many.close_all()
    tcp.close_all()
    rawnet.close_all()
    procs.stop_all()


def _function(name):
    module, _, function = name.partition(".")
    if name == "reset":
        return _reset
    found = getattr(MODULES.get(module), function, None)
    if not callable(found) or function.startswith("_"):
        raise ValueError(f"no operation {name!r}")
    return found


# where an ssh server may not look for programs, and they are
PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin")


class Loop:
    """The conversation."""

    def __init__(self):
        self._lock = threading.Lock()
        # children must not write into the conversation
        self._out = os.dup(1)
        os.set_inheritable(self._out, False)
        os.dup2(2, 1)

    def _answer(self, message):
        data = json.dumps(message).encode() + b"\n"
        with self._lock:
            view = memoryview(data)
            while view:
                view = view[os.write(self._out, view):]

    def _serve(self, request):
        ident = request.get("id")
        try:
            result = _function(request["op"])(**request.get("args", {}))
            self._answer({"id": ident, "result": result})
        except Exception as error:      # pylint: disable=broad-except
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._answer({"id": ident, "error": {
                "kind": type(error).__name__, "text": str(error),
                "errno": getattr(error, "errno", None),
                "where": f"{where.filename}:{where.lineno} {where.name}"}})

    def run(self):
        """Until the input ends."""
        self._answer({"id": 0, "result": {"pid": os.getpid(), "python": sys.version.split()[0]}})
        for line in sys.stdin.buffer:
            request = json.loads(line)
            threading.Thread(target=self._serve, args=(request,), daemon=True).start()


def main():
    """The whole life of the agent."""
    known = os.environ.get("PATH", os.defpath).split(":")
    os.environ["PATH"] = ":".join(known + [place for place in PLACES if place not in known])
    try:
        Loop().run()
    finally:
        _reset()
        # threads may hang in calls that nothing ends
        os._exit(0)     # pylint: disable=protected-access
