#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does run.py leave a machine as it found it? Its bench between the two ends of a cable.

Responsible for: setting benches up and taking them down, runs that end well, are interrupted or are
killed, and comparing the machine before and after. TAP on stdout.
State: none outside. The cable is a veth pair in namespaces of our own (as root, or in a user
namespace), or with --iface and --peer-iface two interfaces of this machine.
Callers: `meson test`; the suite `local` of scripts/lab, with two NICs.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
from lib import bench, bench_journal, preflight                     # noqa: E402
from lib.case import expect, expect_equal, wait_equal, wait_for     # noqa: E402
from lib.net import ping                                            # noqa: E402

INSIDE = "BENCHCHECK_INSIDE"
GUARD = 300.0               # a hang guard
INTERRUPTIONS = 10
MARK = f"BENCHCHECK={os.getpid()}"       # in the environment of all that we start
TESTS = {}
# a veth bench in a namespace of ours; a bench of the machine
MADE = ("nicA", "nicB")


class Skip(Exception):
    """The test does not fit these interfaces; the reason."""


def test(function):
    """Register a test; its name is the function's."""
    TESTS[function.__name__.replace("_", "-")] = function
    return function


class Place:
    """What a test gets: the two interfaces, the middlebox's program, a seed."""

    def __init__(self, options):
        self.ports = options.ports
        # meson names it from the build directory, where a peer by ssh is not
        self.program = str(pathlib.Path(options.program).resolve()) if options.program else "auto"
        self.random = random.Random(options.seed)
        self.patience = options.patience

    def plan(self, **more):
        """Of a bench with these interfaces."""
        return bench.Plan(*self.ports, **{"wire": self.program, **more})

    @contextlib.contextmanager
    def bench(self, **more):
        """A bench for a block; it must leave everything as it was."""
        made = bench.Bench(self.plan(**more))
        left = None
        try:
            made.open()
            yield made
        finally:
            left = made.close()
        expect_equal("what is not as it was", left, [])

    def argv(self, *more):
        """A command line of run.py with this bench."""
        return [sys.executable, "-B", str(HERE / "run.py"), "--iface", self.ports[0],
                "--peer-iface", self.ports[1], "--wire", self.program, *more]

    def run(self, *more):
        """Run it to its end: (status, what it printed)."""
        return self._run(self.argv(*more))

    def run_plain(self, *more):
        """The same, without the options about the bench."""
        return self._run([sys.executable, "-B", str(HERE / "run.py"), *more])

    @staticmethod
    def _run(argv):
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=GUARD, check=False)
        return done.returncode, done.stdout + done.stderr


def out(*argv):
    """What a program prints, whether it fails or not."""
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=GUARD, check=False).stdout


def ours():
    """Command lines of processes that a run of ours has started, in whatever namespace."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if MARK.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return sorted(line for line in found if "benchcheck" not in line)


def machine(place):
    """{what: text} of everything that a run could have changed, by other programs than it uses."""
    links = json.loads(out("ip", "-d", "-j", "link"))
    for link in links:
        link.pop("promiscuity", None)       # a packet socket that closes takes its time
    addresses = json.loads(out("ip", "-j", "addr"))
    for link in addresses:
        for entry in link.get("addr_info", ()):
            for name in ("valid_life_time", "preferred_life_time", "tentative"):
                entry.pop(name, None)
    found = {"links": json.dumps(sorted(links, key=lambda link: link["ifname"]), indent=0),
             "addresses": json.dumps(sorted(addresses, key=lambda link: link["ifname"]), indent=0),
             "namespaces": out("ip", "netns"), "rules": out("ip", "rule"),
             # of an address that has just come, the kernel's own route comes later
             "routes": "\n".join(line for line in out("ip", "route", "show", "table",
                                                      "all").splitlines() if "fe80:" not in line),
             "qdiscs": "\n".join(sorted(out("tc", "qdisc").splitlines())),
             "journals": "\n".join(map(str, bench_journal.all_paths())),
             "programs": "\n".join(ours())}
    for port in place.ports:
        for option in ("-k", "-g", "-l", "-c", "-a", "-x", "-n", "--show-priv-flags"):
            found[f"ethtool {option} {port}"] = out("ethtool", option, port)
        for family in ("ipv4", "ipv6"):
            folder = pathlib.Path(f"/proc/sys/net/{family}/conf/{port}")
            found[f"{family} {port}"] = out("sh", "-c", f"grep -H . {folder}/* 2>/dev/null")
        for at in ("ingress", "egress"):
            found[f"tc {at} {port}"] = out("tc", "filter", "show", "dev", port, at)
    # an index is another one after an interface has moved; so is the kernel's own route's place
    return {what: re.sub(r'"(ifindex|link_index)": \d+', "", text) for what, text in found.items()}


def same(before, place):
    """The machine is as it was; a link that comes up has some seconds for that."""
    def different():
        now = machine(place)
        return {what: (text, now.get(what)) for what, text in before.items()
                if sorted(text.splitlines()) != sorted((now.get(what) or "").splitlines())}

    end = time.monotonic() + 60
    while (moved := different()) and time.monotonic() < end:
        time.sleep(0.2)
    for what, (old, new) in moved.items():
        lost = [line for line in old.splitlines() if line not in new.splitlines()]
        come = [line for line in new.splitlines() if line not in old.splitlines()]
        print(f"# {what}: was {lost}\n# {what}: is {come}")
    expect(not moved, f"changed by the run: {', '.join(moved)}")


def room(made, address):
    """The middlebox passes longer frames where it is told to make room for them."""
    # pylint: disable-next=protected-access
    ends = (made.near, "", made.near.name), (made.far, made._space, made.peer_name)

    def answered():
        return ping(made.here, address, size=8000, count=1, fragment=False, wait=1)

    for mtu in (9000, 1500):
        for port, space, name in ends:
            port.batch(space, f"link set dev {name} mtu {mtu}")
        if mtu == 1500:
            return
        expect_equal("long echoes without room for them", answered(), 0)
        with made.room_for(mtu):
            wait_for("long echoes come through", answered, 30)
        expect_equal("long echoes afterwards", answered(), 0)


@test
def both_arrangements(place):
    """The ends reach each other by the cable alone and through the middlebox, which sees every
    frame then; and the machine is the same afterwards."""
    before = machine(place)
    with place.bench() as made:
        addresses = [made.plan.addresses(version)[1] for version in (4, 6)]

        def reach():
            for address in addresses:
                wait_for(f"{address} answers",
                         lambda a=address: ping(made.here, a, count=1, wait=2), 60)

        reach()
        expect(made.control is None, "a middlebox where none was asked for")
        expect(made.wire(True), f"no middlebox: {made.no_wire}")
        reach()
        remote, path = made.control
        expect_equal("on the remote end", remote, False)
        stats = made.machine.call("control.ask", path=path, request={"cmd": "stats"})
        for way in ("a>b", "b>a"):
            expect(stats[way]["frames_out"] >= 2, f"{way}: {stats[way]}")
        expect(not made.wire(True), "what is there is not put in again")
        room(made, addresses[0])
        made.machine.call("control.ask", path=path, request={
            "cmd": "add", "rules": ["drop a>b proto=icmp"]})
        expect_equal("echoes that come through a rule that drops them",
                     ping(made.here, addresses[0], count=1, wait=1), 0)
        expect(made.wire(False), "it is taken out")
        expect_equal("middlebox", (made.control, made.peer_name), (None, place.ports[1]))
        reach()
    same(before, place)


@test
def a_middlebox_that_dies(place):
    """It is noticed, and the bench set up anew."""
    with place.bench() as made:
        expect(made.wire(True), made.no_wire)
        # that one, and no other of this machine
        pids = made.here.out("ip", "netns", "pids", bench.WIRE).split()
        expect_equal("processes in the middlebox's namespace", len(pids), 1)
        made.here.run("kill", "-9", *pids)
        wait_for("it is noticed", made.problem)
        expect("ended with status" in made.problem(), made.problem())
        made.set_up()
        expect_equal("afterwards", made.problem(), "")
        wait_for("the peer answers",
                 lambda: ping(made.here, made.plan.addresses(4)[1], count=1, wait=2), 60)


@test
def settings(place):
    """Whatever a test has left changed is brought back: features, MTU, queueing, addresses,
    routes, sysctls, upper interfaces."""
    near, far = place.ports
    changes = (f"ethtool -K {near} gro off", f"ethtool -K {far} tso off",
               f"ip link set {far} mtu 1400",
               f"ip link set {near} txqlen 77", f"tc qdisc add dev {near} clsact",
               f"ip addr add 198.51.100.1/24 dev {near}",
               f"ip route add 203.0.113.0/24 via 198.51.100.9 dev {near}",
               f"sh -c 'echo 7 >/proc/sys/net/ipv4/conf/{near}/arp_notify'",
               f"ip link set {near} promisc on")
    before = machine(place)
    with place.bench() as made:
        made.here.run("ip", "link", "add", "link", near, "name", "upper9", "type", "vlan", "id", 9,
                      check=False)      # not every kernel has them
        for change in changes:
            space = ("ip", "netns", "exec", bench.PEER) if f" {far} " in change else ()
            made.here.run(*space, "sh", "-c", change)
    same(before, place)


@test
def what_cannot_be_restored(place):
    """It is said, and the journal stays."""
    made = bench.Bench(place.plan())
    made.open()
    # what a person who sits at the machine does meanwhile
    wrong = dict(made.near.before, link={**made.near.before["link"], "mtu": 10})
    right, made.near.before = made.near.before, wrong
    left = made.close()
    expect(any("mtu" in line for line in left), f"what is not as it was: {left}")
    path = bench_journal.path_of(place.ports[0])
    expect(path.exists(), "the journal is gone")
    status, said = place.run("--only", "ping/v4")
    expect(status != 0 and "another run" in said, said)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "pid": 1, "birth": 0}), encoding="utf-8")
    status, said = place.run("--only", "ping/v4")
    expect(status != 0 and "--restore" in said, said)
    expect_equal("what the journal has", content["near"]["before"], right)
    status, said = place.run("--restore")
    expect_equal("status of --restore", (status, path.exists()), (0, False))


@test
def interrupted(place):
    """Interrupted or killed at random moments, a run leaves the machine as it was, in the second
    case after --restore."""
    before = machine(place)
    kinds = [signal.SIGINT, signal.SIGTERM] + [signal.SIGKILL] * 3
    for number in range(INTERRUPTIONS):
        kind = kinds[number % len(kinds)]
        _interrupt(place, kind)
        if kind == signal.SIGKILL:
            status, said = place.run("--restore")
            expect_equal("status of --restore: " + said, status, 0)
        same(before, place)
    status, said = place.run("--only", "ping/v4")
    expect_equal("a run after that: " + said, status, 0)


def _interrupt(place, kind):
    """Start a run and end it by a signal, some time after it has begun to change things."""
    journal = bench_journal.path_of(place.ports[0])
    argv = place.argv("--only", "ping", "--only", "tcp", "--only", "T-0*", "--only", "queues")
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True) as process:
        wait_for("the run begins", lambda: journal.exists() or process.poll() is not None, GUARD)
        pause = place.random.uniform(0, place.patience)
        time.sleep(pause)       # the moment is what is tried out, not waited for
        process.send_signal(kind)
        said, _ = process.communicate(timeout=GUARD)
    print(f"# {kind.name} after {pause:.2f} s; status {process.returncode}; last line: "
          + (said.strip().splitlines() or ["none"])[-1])
    if kind == signal.SIGKILL:
        expect_equal("status", process.returncode, -kind)
    else:
        expect(process.returncode in (0, 1, 130), f"status {process.returncode}: {said}")


@test
def one_run_at_a_time(place):
    """A second run is refused, and does no harm to the first."""
    with place.bench():
        status, said = place.run("--only", "ping/v4")
        expect(status != 0 and "another run (process" in said, said)
        status, said = place.run("--restore")
        expect(status == 1 and "another run (process" in said, said)


# what stands in for ssh: a command line of another machine, which is a process with namespaces of
# its own here
STAND_IN = """#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
[ "$1" = root@far ] || {{ echo "$1: no such host" >&2; exit 255; }}
shift
exec nsenter -t {pid} -n -m sh -c "$*"
"""


@contextlib.contextmanager
def another_machine():
    """A machine that is reached by ssh, with the far end of a cable; yields how programs are run
    there, and the interfaces here and there."""
    near, far = "nicC", "nicD"
    script = ("mount -t tmpfs run /run && mount -t sysfs sys /sys && ip link set lo up && echo up "
              "&& exec sleep infinity")
    with subprocess.Popen(["unshare", "--net", "--mount", "sh", "-c", script], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process, \
            tempfile.TemporaryDirectory() as folder:
        try:
            process.stdout.readline()
            subprocess.run(["ip", "link", "add", near, "type", "veth", "peer", "name", far],
                           check=True)
            subprocess.run(["ip", "link", "set", far, "netns", str(process.pid)], check=True)
            path = pathlib.Path(folder, "ssh")
            path.write_text(STAND_IN.format(pid=process.pid), encoding="utf-8")
            path.chmod(0o700)
            here = os.environ["PATH"]
            os.environ["PATH"] = f"{folder}:{here}"
            yield (lambda *argv: out("nsenter", "-t", str(process.pid), "-n", "-m", *argv),
                   near, far)
        finally:
            os.environ["PATH"] = here
            process.kill()
            subprocess.run(["ip", "link", "del", near], check=False)


@test
def peer_by_ssh(place):
    """The peer's stack is another machine's: the middlebox goes in and out there, and both
    machines are the same afterwards, also after a run that was killed."""
    if place.ports != MADE:
        raise Skip("the interfaces are those of one machine")
    with another_machine() as (there, near, far):
        for change in (("link", "set", far, "up", "mtu", "1400"),
                       ("addr", "add", "198.51.100.1/24", "dev", far)):
            there("ip", *change)
        subprocess.run(["ip", "link", "set", near, "up"], check=True)

        def look():
            return {"near": out("ip", "-br", "addr", "show", "dev", near),
                    "far": there("ip", "-br", "addr", "show", "dev", far),
                    "links": there("ip", "-br", "link"), "spaces": there("ls", "/run/netns"),
                    "files": there("find", "/run/mlx5-ktls", "-mindepth", "1"),
                    "features": there("ethtool", "-k", far)}

        wait_for("both ends are up", lambda: "tentative" not in there("ip", "addr") + out("ip", "a")
                 and there("cat", f"/sys/class/net/{far}/carrier").strip() == "1")
        before = look()
        plan = bench.Plan(near, far, peer_ssh="root@far", wire=place.program)
        lines = []
        preflight.report(plan, lines.append)
        version = re.findall(r"^ok +python3 +(\S+)$", "\n".join(lines), re.MULTILINE)
        expect_equal("Pythons, here and there", len(version), 2)
        made = bench.Bench(plan)
        try:
            made.open()
            for wired in (False, True, False):
                made.wire(wired)
                expect_equal(f"{made.no_wire or 'middlebox'}", made.wired, wired)
                wait_for("the peer answers",
                         lambda: ping(made.here, plan.addresses(4)[1], count=1, wait=2), 60)
            left = []
            made.wire(True)
            # as if it had died: nothing is taken down, and the journal is nobody's
            for host in (made.here, made.machine):
                host.kill()
            path = bench_journal.path_of(near)
            content = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps({**content, "birth": 0}), encoding="utf-8")
            made = None
            expect(look() != before, "the bench is not set up")
            status, said = place.run_plain("--restore")
            expect_equal("status of --restore: " + said, status, 0)
        finally:
            if made:
                left = made.close()
        expect_equal("what is not as it was", left, [])
        wait_equal("the two machines", look, before)


@test
def an_interface_in_use(place):
    """An interface that the machine needs is not taken, and nothing is changed."""
    near, far = place.ports
    for make, unmake, word in (
            (f"ip route add default via 203.0.113.1 dev {near} onlink",
             f"ip route del default dev {near}", "default route"),
            (f"ip link add br9 type bridge; ip link set {far} master br9", "ip link del br9",
             "belongs to br9")):
        subprocess.run(["sh", "-c", make], check=True)
        try:
            before = machine(place)
            status, said = place.run("--only", "ping/v4")
            expect(status != 0 and word in said, said)
            same(before, place)
        finally:
            subprocess.run(["sh", "-c", unmake], check=True)


@test
def preflight_changes_nothing(place):
    """It says what is there, and leaves everything alone."""
    before = machine(place)
    lines = []
    preflight.report(place.plan(), lines.append)
    text = "\n".join(lines)
    for what in ("privileges", "kernel option", f"interface {place.ports[0]}",
                 f"cable of {place.ports[1]}", "TLS offload", "middlebox"):
        expect(what in text, f"nothing of {what}: {text}")
    lines.clear()
    expect(not preflight.report(place.plan(peer_ssh="nobody@host.invalid"), lines.append),
           "a peer that is nowhere is no peer")
    expect("MISSING  ssh" in "\n".join(lines) or not shutil.which("ssh"), "\n".join(lines))
    same(before, place)


def run_all(options):
    """Run the tests; returns the exit status."""
    os.environ.update([MARK.split("=")])
    place = Place(options)
    names = options.tests or list(TESTS)
    failed = False
    print(f"1..{len(names)}\n# seed {options.seed}", flush=True)
    for number, name in enumerate(names, 1):
        try:
            TESTS[name](place)
            print(f"ok {number} {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} {name} # SKIP {reason}", flush=True)
        except Exception as error:      # pylint: disable=broad-except
            failed = True
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            text = " ".join(str(error).split())
            print(f"not ok {number} {name} - {text}", flush=True)
    return int(failed)


def cable():
    """The veth pair, and file systems in which nothing of ours stays."""
    for words in ("mount --make-rprivate /", "mount -t tmpfs run /run", "mount -t sysfs sys /sys",
                  "mkdir -p /run/netns", "ip link set lo up",
                  f"ip link add {MADE[0]} type veth peer name {MADE[1]}",
                  *(f"ip link set {name} up" for name in MADE)):
        subprocess.run(words.split(), check=True)


def way_in():
    """(command that makes a machine of our own, why there is none)."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    for tool in ("ip", "tc", "ethtool", "unshare"):
        if not shutil.which(tool):
            return None, f"{tool} is not installed"
    way = ["unshare", "--net", "--mount"]
    done = subprocess.run([*way, "ip", "link", "add", "name", "a", "type", "veth", "peer", "name",
                           "b"], capture_output=True, text=True, check=False, timeout=GUARD)
    if done.returncode == 0:
        return way, ""
    return None, "no network namespaces with veth: " + done.stderr.strip()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", metavar="TEST", help="tests to run (default: all)")
    parser.add_argument("-l", action="store_true", help="list the tests, as GLib's programs do")
    parser.add_argument("--program", help="mlx5-wire")
    parser.add_argument("--iface", help="use this interface of this machine,")
    parser.add_argument("--peer-iface", help="and what is cabled to it")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--patience", type=float, default=1.5, metavar="S",
                        help="a run is interrupted within so many seconds")
    options = parser.parse_args()
    for name in options.tests:
        if name not in TESTS:
            parser.error(f"there is no test {name!r}; there are {', '.join(TESTS)}")
    options.ports = (options.iface, options.peer_iface)
    if options.iface:
        return run_all(options)
    if os.environ.pop(INSIDE, None):
        cable()
        options.ports = MADE
        return run_all(options)
    way, reason = way_in()
    if options.l:
        print("".join(f"/{name}\n" for name in TESTS if way), end="")
        return 0 if way else 1
    if not way:
        print(f"1..0 # SKIP {reason}")
        return 0
    sys.stdout.flush()
    os.execvpe(way[0], [*way, sys.executable, "-B", os.path.abspath(__file__), *sys.argv[1:]],
               {**os.environ, INSIDE: "1"})
    return 1


if __name__ == "__main__":
    sys.exit(main())
