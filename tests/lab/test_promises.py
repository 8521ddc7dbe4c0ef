# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the lab's own promises; the suite `lab` of `lab test`.

Responsible for: exit statuses, streams, limits, the channel, resets, and that nothing is left
running, whatever the end. What happens to a guest while a command runs is in test_adventures.py,
what needs no guest in test_parts.py and test_building.py.
State: none; the guest that many tests share is rig.py's, booted when the first of them asks.
"""

import contextlib
import hashlib
import os
import pathlib
import random
import signal
import socket
import tempfile
import time
from collections.abc import Callable

from labkit.make import products
from labkit.run.guest import CommandTimeout, Guest

from .judge import check, same
from .registry import full_only
from .rig import LIMIT, PING, LabRig, nothing_left, processes_of, processes_with, wait_for

SOON = (3, 30, 300)     # seconds until a command is ended, that is to have begun by then
PARTS = products.PARTS
MEBI = 1 << 20


# in one shared guest


def test_exit_status(rig: LabRig) -> None:
    """0 to 255, signals, and what cannot be started."""
    guest = rig.guest()
    for status in (0, 1, 7, 255):
        same(guest.output(["sh", "-c", f"exit {status}"])[0], status, f"exit {status}")
    same(guest.output(["sh", "-c", "kill -9 $$"])[0], 137, "killed by SIGKILL")
    same(guest.output(["sh", "-c", "kill -11 $$"])[0], 139, "killed by SIGSEGV")
    status, _, err = guest.output(["/no/such/program"])
    same(status, 127, "a program that does not exist")
    check("/no/such/program" in err, f"stderr does not name the program: {err!r}")
    same(guest.output(["/etc"])[0], 126, "a directory as program")


def test_streams(rig: LabRig) -> None:
    """stdout and stderr apart, stdin to its end, arguments and environment untouched."""
    guest = rig.guest()
    same(guest.output(["sh", "-c", "echo out; echo err >&2"]), (0, "out\n", "err\n"), "streams")
    same(guest.output(["cat"], stdin=b"abc")[1], "abc", "stdin")
    same(guest.output(["cat"])[1], "", "empty stdin")
    odd = ["a b", "", "*", "ü", "$HOME", "'\"\\"]
    same(guest.output(["printf", "%s\\n", *odd])[1], "".join(word + "\n" for word in odd),
         "arguments")
    same(guest.output(["sh", "-c", "echo $NETIF $REMOTE_V6 $X"], env={"X": "y z"})[1],
         "mlx0 fd00::2 y z\n", "environment")
    same(guest.output(["sh", "-c", "head -c 1 >/dev/null; echo done"], stdin=b"x" * MEBI)[1],
         "done\n", "stdin that is not read")
    same(guest.output(["sh", "-c", "sleep 1000 & echo left"])[1], "left\n",
         "a background process that keeps stdout open")


def test_binary_round_trip(rig: LabRig) -> None:
    """32 MiB of random bytes through stdin and stdout at once."""
    data = random.Random(32).randbytes(32 * MEBI)
    digest, count = hashlib.sha256(), 0

    def take(chunk: bytes) -> None:
        nonlocal count
        digest.update(chunk)
        count += len(chunk)

    same(rig.guest().run(["cat"], stdin=data, stdout=take), 0, "cat")
    same(count, len(data), "bytes")
    same(digest.hexdigest(), hashlib.sha256(data).hexdigest(), "SHA-256")


def test_output_100_mb(rig: LabRig) -> None:
    """100 MB to a reader that is slow at first, with stderr in between; memory stays bounded."""
    count = bytearray()
    total = 0

    def take(chunk: bytes) -> None:
        nonlocal total
        if total < 2 * MEBI:
            time.sleep(0.02)
        total += len(chunk)

    status = rig.guest().run(["sh", "-c", "echo begin >&2; head -c 100000000 /dev/zero; "
                                            "echo end >&2"], stdout=take, stderr=count.extend)
    same(status, 0, "status")
    same(total, 100000000, "bytes")
    same(bytes(count), b"begin\nend\n", "stderr")
    rss = int(rig.guest().output(["sh", "-c", "cat /proc/$(pgrep -f lab-agent | head -n 1)/status"
                                    " | sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p'"])[1] or 0)
    check(0 < rss < 64 * 1024, f"the agent needed {rss} kB")


def test_terminal(rig: LabRig) -> None:
    """A command on a terminal: it has one, of the size asked for, and ends with Ctrl-D."""
    out = bytearray()
    stdin, typing = os.pipe()

    def take(chunk: bytes) -> None:
        out.extend(chunk)
        if b"33 101\r\n" in out and not typed:     # not before: the echo would come in between
            typed.append(os.write(typing, b"hello\n"))
            os.close(typing)

    typed: list[int] = []
    try:
        status = rig.guest().run(["sh", "-c", "tty >/dev/null && stty size; read -r x; echo =$x; "
                                                "read -r y || echo eof"],
                                   stdin=stdin, stdout=take, tty=(33, 101), timeout=LIMIT)
    finally:
        os.close(stdin)
        if not typed:
            os.close(typing)
    text = out.decode().replace("\r\n", "\n")
    same(status, 0, "status")
    for wanted in ("33 101\n", "=hello\n", "eof\n"):
        check(wanted in text, f"{wanted!r} is missing in {text!r}")


def test_command_timeout(rig: LabRig) -> None:
    """A command that hangs is ended, and the guest goes on."""
    guest = rig.guest()
    for limit in SOON:
        out = bytearray()
        try:
            guest.run(["sh", "-c", "echo before; : >/tmp/begun; trap '' TERM; "
                                   "while :; do sleep 1; done"], stdout=out.extend, timeout=limit)
        except CommandTimeout:
            pass
        else:
            raise AssertionError("no timeout")
        if guest.output(["test", "-e", "/tmp/begun"])[0] == 0:
            break           # a slow machine may not have come so far
    same(bytes(out), b"before\n", "output before the end")
    same(guest.output(["echo", "alive"])[1], "alive\n", "the next command")


def test_network(rig: LabRig) -> None:
    """Names, addresses, carrier; `lab-net` down and up again; the peer answers."""
    guest = rig.guest()
    for command in (f"{PING} 10.0.0.2", f"{PING} fd00::2",
                    f"ip netns exec peer {PING} 10.0.0.1", "lab-net up",
                    f"lab-net down && lab-net up && {PING} 10.0.0.2"):
        status, out, err = guest.output(["sh", "-c", command], timeout=LIMIT)
        same(status, 0, f"{command}\n{out}{err}")
    status, out, _ = guest.output(["lab-net", "status"])
    lines = out.splitlines()
    check(len(lines) == 2 and lines[0].startswith("mlx0 ") and "namespace=main" in lines[0]
          and lines[1].startswith("mlx1 ") and "namespace=peer" in lines[1]
          and all("carrier=yes" in line for line in lines), f"lab-net status: {out}")


def test_above_4_gib(rig: LabRig) -> None:
    """The NICs are mapped above 4 GiB: what is below does not change when one of them goes."""
    status, out, err = rig.guest().output(
        ["sh", "-c", "cat /sys/bus/pci/drivers/mlx5_core/0000:*/resource"])
    same(status, 0, err)
    starts = [int(start, 16) for start, end, _ in map(str.split, out.splitlines()) if int(end, 16)]
    check(len(starts) == 2 and min(starts) >= 1 << 32, f"BARs of the two NICs: {out}")


CHANNEL = r"""
import os, socket, subprocess, sys, time
import labclient
lab = labclient.connect()
info = lab.info()
assert info["topology"] == "pair" and sorted(info["nics"]) == ["nic0", "nic1"], info

def refused(word, action, **args):
    try:
        lab.call(action, **args)
    except labclient.ActionError as error:
        assert word in str(error), error
    else:
        raise AssertionError("%s was not refused" % action)

refused("unknown action", "rm.everything")
refused("no NIC", "nic.link", nic="nic7", up=True)
refused("missing a required argument", "nic.link", nic="nic0")
refused("needs the bytes", "artifact.put", name="x")
refused("letters", "artifact.put", name="../x", blob=b"1")
refused("no capture", "capture.stop", name="none")
assert "netdev" in lab.properties("nic0")
assert lab.get("nic0", "hotplugged") is False

def carrier():
    with open("/sys/class/net/mlx0/carrier") as file:
        return file.read().strip()

def wait(value):
    end = time.monotonic() + 300
    while carrier() != value:
        assert time.monotonic() < end, "carrier does not become " + value
        time.sleep(0.05)

lab.link("nic0", up=False)
wait("0")
lab.link("nic0", up=True)
wait("1")

def move(name, payload):
    "payload over plain TCP from mlx0 to mlx1 under capture"
    sink = subprocess.Popen(["ip", "netns", "exec", "peer", sys.executable, "-c",
        "import socket,sys\ns = socket.create_server(('10.0.0.2', 7001))\nprint('up', flush=True)\n"
        "c, _ = s.accept()\nn = 0\nwhile d := c.recv(65536): n += len(d)\nprint(n)"],
        stdout=subprocess.PIPE, text=True)
    assert sink.stdout.readline() == "up\n"
    lab.capture_start(name)
    with socket.create_connection(("10.0.0.2", 7001)) as s:
        s.sendall(payload)
    assert int(sink.stdout.readline()) == len(payload)
    sink.wait()
    return lab.capture_stop(name)

payload = os.urandom(1 << 20)
seen = move("plain", payload)
assert seen["wire_bytes"] > len(payload), seen
assert lab.capture_contains("plain", payload)["found"]
other = os.urandom(1 << 20)
assert not lab.capture_contains("plain", other)["found"]
with open("/tmp/payload", "wb") as file:
    file.write(other[:5000] + payload[70001:70017] + other[6000:])
found = lab.capture_contains("plain", "/tmp/payload")
assert found["found"] and found["payload_offset"] == 5000, found
almost = other[:5000] + payload[70001:70016] + other[6000:]
assert not lab.capture_contains("plain", almost)["found"]
assert lab.capture_fetch("plain", "/tmp/plain.pcap") == seen["bytes"]
assert open("/tmp/plain.pcap", "rb").read(4) == b"\xd4\xc3\xb2\xa1"
lab.artifact("note.txt", b"kept")
print("fine")
"""


def test_channel(rig: LabRig) -> None:
    """The actions that a program in the guest can ask for, and those that are refused."""
    guest = rig.guest()
    status, out, err = guest.output(["python3", "-"], stdin=CHANNEL.encode(), timeout=LIMIT)
    same((status, out), (0, "fine\n"), err)
    same((guest.rundir.path / "guest-note.txt").read_bytes(), b"kept", "the artifact")
    # a request that its sender did not finish must not harm the next one
    same(guest.output(["sh", "-c", "grep -l lab.channel /sys/class/virtio-ports/*/name | "
                                   "{ read -r n; n=${n%/name}; printf '{\"id\": \"x\", \"action\": "
                                   "\"artifact.put\", \"args\": {\"name\": \"a\"}, \"blob\": 99}\\n"
                                   "+x QUJD' >/dev/${n##*/}; }"])[0], 0, "half a request")
    status, out, err = guest.output(["python3", "-c", "import labclient\n"
                                                      "print(len(labclient.connect().info()))"])
    same(status, 0, err)


def test_unplug(rig: LabRig) -> None:
    """device_del and device_add: the guest lets go, and `lab-net up` mends the network."""
    guest = rig.guest()
    script = ("import labclient\nlab = labclient.connect()\nlab.unplug('nic0')\n"
              "assert 'nic0' in str(lab.plug('nic0') or 'nic0')\nprint('fine')")
    status, out, err = guest.output(["python3", "-c", script], timeout=LIMIT)
    same((status, out), (0, "fine\n"), err)
    status, out, err = guest.output(["sh", "-c", f"lab-net up && {PING} 10.0.0.2"],
                                    timeout=LIMIT)
    same(status, 0, f"the network after plugging in again\n{out}{err}")


def test_reset(rig: LabRig) -> None:
    """The machine is reset and comes up again, with its network and the channel."""
    guest = rig.guest()
    before = guest.output(["cat", "/proc/sys/kernel/random/boot_id"])[1]
    guest.reset()
    problem = guest.boot(progress=None)
    same(problem, "", "the network after the reset")
    after = guest.output(["cat", "/proc/sys/kernel/random/boot_id"])[1]
    check(before != after, "the guest did not boot again")
    status, out, err = guest.output(["sh", "-c", f"{PING} 10.0.0.2 && python3 -c "
                                     "'import labclient; labclient.connect().info()'"],
                                    timeout=LIMIT)
    same(status, 0, out + err)


def _objects(guest: Guest) -> list[dict[str, int]]:
    return [guest.actions.run("nic.get", {"nic": nic, "property": "objects"}, None)[0]
            for nic in guest.machine.spec.nics]


def _at_rest(guest: Guest) -> list[dict[str, int]]:
    """Live objects when the driver has made what the stacks want by themselves.

    They join multicast groups when an address comes, the link-local one last; that is usable some
    time after. The driver's worker makes a rule of each. It takes its work in order, so when it has
    made a table for promiscuous mode and destroyed it again, all of that is done.
    """
    for index, (name, ip) in enumerate((("mlx0", ["ip"]), ("mlx1", ["ip", "-n", "peer"]))):
        def usable(ip: list[str] = ip, name: str = name) -> bool:
            shown = guest.output([*ip, "-6", "-o", "addr", "show", "dev", name, "scope", "link"])[1]
            return "fe80:" in shown and "tentative" not in shown

        def tables(index: int = index) -> int:
            return _objects(guest)[index]["flow_table"]

        wait_for(usable, f"{name} has a link-local address")
        before = tables()
        for mode, wanted in (("on", before + 1), ("off", before)):
            same(guest.output([*ip, "link", "set", name, "promisc", mode])[0], 0, f"promisc {mode}")
            def switched(look: Callable[[], int] = tables, wanted: int = wanted) -> bool:
                return look() == wanted

            wait_for(switched, f"{name}: tables with promiscuous mode {mode}")
    return _objects(guest)


def test_reset_leaves_nothing(rig: LabRig) -> str | None:
    """A reset under traffic: the devices hold what they hold after any other start."""
    guest = rig.guest()
    if "objects" not in guest.actions.run("nic.list", {"nic": "nic0"}, None)[0]:
        return "this NIC does not tell its live objects"
    counts = []
    for _ in range(2):
        # many packets and many objects on their way when the machine goes
        guest.output(["sh", "-c", "ping -f 10.0.0.2 >/dev/null & ip link set mlx0 allmulticast on"])
        guest.reset()
        same(guest.boot(progress=None), "", "the network")
        counts.append(_at_rest(guest))
    same(counts[1], counts[0], "live objects after two starts")
    check(any(counts[0][0].values()), f"no live objects at all: {counts[0][0]}")
    return None


def test_shared_guest_ends(rig: LabRig) -> None:
    """The guest that these tests shared ends cleanly, and its artifacts are there."""
    folder = rig.guest().rundir.path
    rig.close()
    nothing_left(folder)
    check("Linux version" in (folder / "dmesg.txt").read_text(errors="replace"),
          "dmesg.txt has no kernel log")


# through the command line


def test_run_passes_through(rig: LabRig) -> None:
    """`lab run`: streams, status, and a shared directory."""
    with tempfile.TemporaryDirectory() as share:
        pathlib.Path(share, "in").write_bytes(b"from the host")
        status, out, err = rig.run(["sh", "-c", "cat; cat /mnt/share/in >&2; "
                                      "echo from the guest >/mnt/share/out; exit 42"],
                                     "--share", share, stdin=b"\0\xff\r\n")
        same(status, 42, f"status\n{err}")
        same(out, b"\0\xff\r\n", "stdout")
        check("from the host" in err, f"stderr: {err}")
        check("artifacts: " in err, f"the artifacts are not named: {err}")
        same(pathlib.Path(share, "out").read_bytes(), b"from the guest\n", "the shared file")


# keys of a kernel TLS socket, AES-128-GCM; TX with an argument, RX without
TLS_SOCKETS = r"""
import socket, struct, subprocess, sys
KEYS = struct.pack("<HH", 0x0303, 51) + bytes(range(36))
def tls(sock, way):
    sock.setsockopt(socket.IPPROTO_TCP, 31, b"tls")
    sock.setsockopt(282, way, KEYS)
if sys.argv[1] == "server":
    with socket.create_server(("10.0.0.2", 7005)) as server:
        print("up", flush=True)
        peer, _ = server.accept()
        tls(peer, 2)
        print(len(peer.recv(100)), flush=True)
        sys.exit()
server = subprocess.Popen(["ip", "netns", "exec", "peer", sys.executable, "-c", sys.argv[2],
                           "server"], stdout=subprocess.PIPE, text=True)
assert server.stdout.readline() == "up\n"
with socket.create_connection(("10.0.0.2", 7005)) as sock:
    tls(sock, 1)
    sock.send(b"x" * 50)
    if sys.argv[1] == "arrives":
        assert server.stdout.readline() == "50\n"
    else:                   # until the kernel has dropped it
        with open("/dev/kmsg") as log:
            while "no associated socket" not in log.readline():
                pass
        server.kill()
"""


@full_only
def test_feature(rig: LabRig) -> None:
    """--feature: on for both NICs before the command; what the kernel refuses ends the run."""
    command = ["sh", "-c", "lab-net status; python3 -c \"$0\" arrives \"$0\"", TLS_SOCKETS]
    status, out, err = rig.run(command, "--feature", "tls-hw-rx-offload=on")
    same(status, 0, err)
    same(out.count(b"tls-hw-tx-offload=on tls-hw-rx-offload=on"), 2, f"features: {out.decode()}")
    check("hint" not in err, f"all was offloaded: {err}")
    status, out, err = rig.run(command)
    same(status, 0, err)
    same(out.count(b"tls-hw-tx-offload=on tls-hw-rx-offload=off"), 2, f"defaults: {out.decode()}")
    check("lab: hint: mlx1: 1 TLS connection received in software: tls-hw-rx-offload is off, the "
          "driver's default" in err, f"no hint: {err}")
    status, out, err = rig.run(command, "--quiet")
    same((status, err), (0, ""), "with --quiet")
    for wrong, word in (("no-such-feature=on", "no-such-feature"), ("rx", "NAME=on or NAME=off")):
        status, out, err = rig.run(["true"], "--feature", wrong)
        same(status, 125, f"--feature {wrong}: {err}")
        check(word in err, f"--feature {wrong}: {err}")


def test_hint_of_netem(rig: LabRig) -> None:
    """A delay by netem where the NIC encrypts: the kernel drops it, and the lab says why."""
    status, _, err = rig.run(["sh", "-c", "tc qdisc add dev mlx0 root netem delay 1ms && "
                                            "python3 -c \"$0\" vanishes \"$0\"", TLS_SOCKETS])
    same(status, 0, err)
    check("lab: hint: the kernel dropped packets" in err and "--wire 'delay" in err, err)


def test_greeting(rig: LabRig) -> None:
    """A shell on a terminal begins with what is on, on stderr; the command's streams have none."""
    master, slave = os.openpty()
    process = rig.start(None, stdin=slave)
    os.close(slave)
    try:
        out = process.stdout.read(1)        # the prompt; before it, typing would be thrown away
        os.write(master, b"exit 5\r")
        status, rest, err = rig.finish(process)
        out += rest
    finally:
        os.close(master)
        process.kill()
    same(status, 5, err)
    for word in ("a shell in the guest", "mlx0: tls-hw-tx-offload on, tls-hw-rx-offload off",
                 "mlx1: tls-hw-tx-offload on, tls-hw-rx-offload off",
                 "lab-net feature tls-hw-rx-offload=on"):
        check(f"{word}" in err, f"{word!r} is not in: {err}")
    check(b"tls-hw" not in out, f"in the shell's own output: {out!r}")


def test_run_false(rig: LabRig) -> None:
    """`lab run -- false` is 1, not a failure of the lab."""
    same(rig.run(["false"])[0], 1, "status")


def test_run_timeout(rig: LabRig) -> None:
    """--timeout: 124, and what was written before is there."""
    with tempfile.TemporaryDirectory() as share:
        for limit in SOON:
            status, out, err = rig.run(["sh", "-c", "echo first; : >/mnt/share/begun; "
                                                      "exec sleep 10000"],
                                         "--share", share, "--timeout", str(limit))
            same(status, 124, err)
            if pathlib.Path(share, "begun").exists():
                break       # a slow machine may not have come so far
    same(out, b"first\n", err)


def test_panic(rig: LabRig) -> None:
    """A kernel that panics: 125, with the panic on stderr."""
    status, _, err = rig.run(["sh", "-c", "echo c >/proc/sysrq-trigger; sleep 100"])
    same(status, 125, f"status\n{err}")
    check("panic" in err and "sysrq" in err, f"the panic is not shown: {err}")


def test_hang_at_boot(rig: LabRig) -> None:
    """A guest that never becomes ready: 125 with the end of its console."""
    status, _, err = rig.run(["true"], "--append", "rdinit=/bin/cat", "--boot-timeout", "10")
    same(status, 125, f"status\n{err}")
    check("not ready after 10 s" in err, f"the reason is not given: {err}")


def test_panic_at_boot(rig: LabRig) -> None:
    """A kernel that panics before there is an agent."""
    status, _, err = rig.run(["true"], "--append", "rdinit=/bin/false")
    same(status, 125, f"status\n{err}")
    check("Attempted to kill init" in err, f"the panic is not shown: {err}")


def test_bad_property(rig: LabRig) -> None:
    """A property that the device has not: 125 with QEMU's own words."""
    status, _, err = rig.run(["true"], "--nic", "no-such-property=1")
    same(status, 125, f"status\n{err}")
    check("no-such-property" in err, f"the property is not named: {err}")


def _interrupt(rig: LabRig, when: str, number: int) -> tuple[int, str]:
    process = rig.start(["sh", "-c", "echo started; exec sleep 10000"])
    try:
        if when == "boot":
            wait_for(lambda: processes_of(process.folder) or process.poll() is not None, "QEMU")
        else:
            same(process.stdout.readline(), b"started\n", "the command's first line")
        os.killpg(process.pid, number)
        status, _, err = rig.finish(process)
    finally:
        process.kill()
    return status, err


def test_bad_kernel(rig: LabRig) -> None:
    """A --kernel that is nothing is told at once, with what it may be; nothing is fetched."""
    for wrong in ("6.x", "v6.1", "6.1.176", "/no/such/tree"):
        status, out, error = rig.run(["true"], "--kernel", wrong)
        same((status, out), (125, b""), f"--kernel {wrong}: status and stdout")
        for word in (f"--kernel {wrong}: no such series, directory or file", "6.12", "6.1", "7.3",
                     "bzImage"):
            check(word in error, f"--kernel {wrong}: {word!r} is not in: {error}")


def test_interrupt_at_boot(rig: LabRig) -> None:
    """Ctrl-C while the guest boots."""
    status, err = _interrupt(rig, "boot", signal.SIGINT)
    same(status, 130, f"status\n{err}")
    check("interrupted" in err, f"no message: {err}")


def test_interrupt_in_command(rig: LabRig) -> None:
    """Ctrl-C while the command runs."""
    status, err = _interrupt(rig, "command", signal.SIGINT)
    same(status, 130, f"status\n{err}")


def test_terminated(rig: LabRig) -> None:
    """SIGTERM, as a CI system sends it."""
    status, err = _interrupt(rig, "command", signal.SIGTERM)
    same(status, 143, f"status\n{err}")


def test_killed(rig: LabRig) -> None:
    """kill -9 of the lab: QEMU goes with it."""
    status, _ = _interrupt(rig, "command", signal.SIGKILL)
    same(status, -signal.SIGKILL, "status")


def test_wire_killed(rig: LabRig) -> None:
    """The middlebox dies: that is said at once, and nobody waits for packets any more."""
    process = rig.start(["sh", "-c", "echo up; exec sleep 100000"], "--wire", "none")
    try:
        same(process.stdout.readline(), b"up\n", "the first line")
        found = processes_with(f"{process.folder.resolve() / 'wire-hits.jsonl'}")
        same(len(found), 1, "middleboxes")
        os.kill(found[0], signal.SIGKILL)
        status, _, err = rig.finish(process)
        same(status, 125, f"status\n{err}")
        check("the wire ended with status -9" in err, err)
    finally:
        process.kill()


def test_broken_pipe(rig: LabRig) -> None:
    """A reader that has seen enough, as `lab run -- yes | head` has."""
    process = rig.start(["yes"])
    try:
        same(process.stdout.read(4), b"y\ny\n", "the first lines")
        process.stdout.close()
        process.wait(LIMIT)
        nothing_left(process.folder)
        same(process.returncode, 141, "status")
    finally:
        process.kill()
        process.stderr.close()


def _free_port() -> int:
    """A TCP port that is free and stays so: not one of those that the kernel hands out."""
    ports = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    low = int(ports.split()[0])
    first = max(1024, low - 2000)
    for port in random.SystemRandom().sample(range(first, first + 2000), 2000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"no free port from {first} on")


def test_user_topology(rig: LabRig) -> None:
    """--topology user: a lease by DHCP, and a forwarded port that answers."""
    port = _free_port()
    server = ("import socket\ns = socket.create_server(('', 7000))\nprint('up', flush=True)\n"
              "c, _ = s.accept()\nc.sendall(b'hello from the guest')\nc.close()")
    process = rig.start(["sh", "-c", "ip -4 -brief addr show dev mlx0; exec python3 -c "
                           '"$0"', server], "--topology", "user", "--hostfwd",
                          f"tcp:127.0.0.1:{port}-:7000")
    try:
        line = process.stdout.readline().decode()
        check("10.0.2." in line, f"no address by DHCP: {line!r}")
        same(process.stdout.readline(), b"up\n", "the server's first line")
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as client:
            data = b""
            while chunk := client.recv(1000):
                data += chunk
        same(data, b"hello from the guest", "what the port said")
        same(rig.finish(process)[0], 0, "status")
    finally:
        process.kill()
