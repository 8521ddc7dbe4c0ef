# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest goes through while the lab runs something in it; registered in the suite `lab`.

Responsible for: that the lab's channel comes back after the guest slept, was stopped, lost
its port, its root or its clock, and that a command which cannot go on ends at once, with a
sentence and the status 125.
State: none.
"""

import hashlib
import random
import re
import time

from labkit import paths
from labkit.make import products
from labkit.run import tsc
from labkit.run.guest import Guest

from .judge import check, same
from .registry import full_only
from .rig import LIMIT, PING, LabRig

PARTS = products.PARTS
MEBI = 1 << 20
SUSPENDS = 4

# suspend while both streams are busy, and the lab's channel beside them
# pylint: disable-next=consider-using-f-string
SUSPEND = r"""
echo devices >/sys/power/pm_test
echo 1 >/sys/module/suspend/parameters/pm_test_delay
: >/tmp/awake
python3 -c '
import os, labclient
lab, calls = labclient.connect(), 0
payload = os.urandom(200000)
while os.path.exists("/tmp/awake"):
    lab.info()
    lab.artifact("adventure", payload)
    calls += 1
    open("/tmp/asked", "w").close()
print(calls)' >/tmp/calls &
asker=$!
until [ -e /tmp/asked ]; do kill -0 $asker || exit 1; sleep 0.1; done
cat &
reader=$!
for n in SUSPENDS; do
    echo freeze >/sys/power/state || echo "suspend $n failed" >&2
    read -r up rest </proc/uptime
    echo "awake" >&2
done
rm /tmp/awake
wait $asker || echo "the channel failed" >&2
wait $reader
echo none >/sys/power/pm_test
""".replace("SUSPENDS", " ".join(map(str, range(SUSPENDS))))


def _network(guest: Guest) -> None:
    """Both NICs are as they were, and packets pass both ways."""
    status, out, err = guest.output(
        ["sh", "-c", f"lab-net up && {PING} 10.0.0.2 && ip netns exec peer {PING} fd00::1"],
        timeout=LIMIT)
    same(status, 0, f"the network afterwards\n{out}{err}")


def _kernel_can(guest: Guest, path: str, word: str = "") -> bool:
    return guest.output(["grep", "-q", word or ".", path])[0] == 0


def test_suspend_devices(rig: LabRig) -> str | None:
    """pm_test: all devices are suspended and resumed, again and again, while data passes both
    ways and a program asks the lab for actions: not a byte is lost, no action is done twice."""
    guest = rig.guest()
    if not _kernel_can(guest, "/sys/power/pm_test", "devices"):
        return "this kernel has no CONFIG_PM_DEBUG"
    data = random.Random(7).randbytes(24 * MEBI)
    digest, errors = hashlib.sha256(), bytearray()
    count = 0

    def take(chunk: bytes) -> None:
        nonlocal count
        digest.update(chunk)
        count += len(chunk)

    # the shell gives a background process no stdin of its own
    script = SUSPEND.replace("cat &", "cat <&3 &")
    status = guest.run(["sh", "-c", "exec 3<&0\n" + script], stdin=data, stdout=take,
                       stderr=errors.extend, timeout=LIMIT)
    same((status, bytes(errors)), (0, b"awake\n" * SUSPENDS), "status and stderr")
    same(count, len(data), "bytes")
    same(digest.hexdigest(), hashlib.sha256(data).hexdigest(), "SHA-256")
    calls = int(guest.output(["cat", "/tmp/calls"])[1])
    check(calls >= 1, f"{calls} calls were answered")
    log = guest.rundir.file("dmesg.txt").read_text(errors="replace")
    same(log.count("PM: suspend exit"), SUSPENDS, "suspends in the kernel's log")
    _network(guest)
    return None


def test_suspend_to_idle(rig: LabRig) -> str | None:
    """Suspend to idle with all its stages but the sleep, of which nothing would wake this kernel:
    the command goes on, so does the network."""
    guest = rig.guest()
    if not _kernel_can(guest, "/sys/power/pm_test", "platform"):
        return "this kernel has no CONFIG_PM_DEBUG"
    status, out, err = guest.output(
        ["sh", "-c", "echo platform >/sys/power/pm_test; "
                     "echo 1 >/sys/module/suspend/parameters/pm_test_delay; echo before; "
                     "echo freeze >/sys/power/state && echo after; echo none >/sys/power/pm_test"],
        timeout=LIMIT)
    same((status, out), (0, "before\nafter\n"), err)
    log = guest.rundir.file("dmesg.txt").read_text(errors="replace")
    check("suspend debug: Waiting for 1 second" in log, "the stages were not gone through")
    _network(guest)
    return None


def test_suspend_for_ever(rig: LabRig) -> str | None:
    """A guest that sleeps and is not woken: 125, and the sentence says that it sleeps."""
    if not _kernel_can(rig.guest(), "/sys/power/state", "freeze"):
        return "this kernel has no CONFIG_SUSPEND"
    status, _, err = rig.run(["sh", "-c", "echo freeze >/sys/power/state"],
                               "--hang-timeout", "30")
    same(status, 125, f"status\n{err}")
    check("has not answered for" in err and "it is suspended" in err, f"the reason: {err}")
    return None


def test_machine_stopped(rig: LabRig) -> None:
    """QMP `stop` for longer than a hang may take: the time does not count, nothing is lost."""
    guest = rig.guest()
    machine, before = guest.machine, guest.hang_timeout
    begun = None
    out = bytearray()

    def tick() -> None:
        """Asked by the loop again and again."""
        nonlocal begun
        if begun is None and out:
            machine.qmp("stop")
            begun = time.monotonic()
        elif begun and time.monotonic() - begun > 2 * guest.hang_timeout:
            machine.qmp("cont")
            begun = 0.0

    guest.hang_timeout = 20.0
    try:
        status = guest.run(["sh", "-c", "seq 1 100000; sleep 1; echo end"], stdout=out.extend,
                           window=tick)
    finally:
        guest.hang_timeout = before
    same((status, begun), (0, 0.0), "status, and the machine was stopped")
    same(bytes(out), b"".join(b"%d\n" % n for n in range(1, 100001)) + b"end\n", "output")
    _network(guest)


def test_guest_hangs(rig: LabRig) -> None:
    """An agent that never answers: 125 after the time given for that."""
    status, _, err = rig.run(["sh", "-c", "kill -STOP $(pgrep -o -f lab-agent); sleep 10000"],
                               "--hang-timeout", "20")
    same(status, 125, f"status\n{err}")
    check("the guest has not answered for 20 s" in err, f"the reason is not given: {err}")


def test_agent_killed(rig: LabRig) -> None:
    """The agent is killed: 125 at once, with what has happened, and the machine ends."""
    for how, word in (("kill -9 $(pgrep -o -f lab-agent)", "was killed by SIGKILL"),
                      # takes the programs too that would power the machine off
                      ("rm -rf /usr 2>/dev/null; kill -9 -1", "was killed by SIGKILL")):
        status, _, err = rig.run(["sh", "-c", f"{how}; while :; do :; done"])
        same(status, 125, f"{how}: status\n{err}")
        check(f"the lab's agent in the guest {word}" in err, f"{how}: the reason: {err}")


def test_port_unbound(rig: LabRig) -> None:
    """The driver of the agent's port is unbound and bound again, under traffic: the agent opens
    the port anew, nothing is lost, and the other port works again too."""
    guest = rig.guest()
    script = ("d=$(basename $(readlink -f /sys/class/virtio-ports/vport*p1/device)); "
              "cd /sys/bus/virtio/drivers/virtio_console && seq 1 50000; for n in 1 2 3; do "
              "echo $d >unbind; sleep 0.3; echo $d >bind; sleep 0.3; echo bound $n; done; "
              "seq 1 50000; python3 -c 'import labclient\nprint(len(labclient.connect().info()))'")
    status, out, err = guest.output(["sh", "-c", script], timeout=LIMIT)
    numbers = "".join(f"{n}\n" for n in range(1, 50001))
    same(status, 0, err)
    check(out.startswith(f"{numbers}bound 1\nbound 2\nbound 3\n{numbers}"),
          f"output: {len(out)} characters, {out[-200:]!r}")


def test_root_taken_away(rig: LabRig) -> None:
    """Another root is mounted over the guest's, the programs of the first one are removed, and
    /proc is not there: the command goes on, its status comes, and so does the next output."""
    script = ("mkdir /new && mount -t tmpfs new /new && mkdir -p /new/bin /new/proc /new/sys && "
              "cp -a /usr /new/ 2>/dev/null; cd /new && for d in lib lib64 bin sbin; do "
              "rmdir $d 2>/dev/null; ln -sfn usr/$d $d; done; umount -l /proc /sys /dev; "
              "rm -rf /usr/local /usr/lib/python3* /usr/bin/python3* /init; mount --move . / && "
              "exec chroot . sh -c 'echo new root; ls -d /proc/1 2>/dev/null; exit 7'")
    status, out, err = rig.run(["sh", "-c", script])
    same((status, out), (7, b"new root\n"), err)


def test_clock_is_the_hosts(rig: LabRig) -> str | None:
    """The guest's kernel takes the frequency of its time stamp counter from the lab: on a busy host
    it would measure a wrong one."""
    frequency = tsc.khz()
    if frequency is None:
        return "the host's counter cannot be measured"
    status, out, err = rig.guest().output(["dmesg"], timeout=LIMIT)
    same(status, 0, err)
    found = re.findall(r"tsc: Detected (\d+\.\d+) MHz", out)
    check(f"{frequency / 1000:.3f}" in found, f"{frequency} kHz here, there {found} MHz")
    return None


def test_clock_jumps(rig: LabRig) -> None:
    """The guest's clock is set forward by years and back: nobody's time is over for that."""
    guest = rig.guest()
    script = ("import subprocess, time, labclient\nlab = labclient.connect()\nnow = time.time()\n"
              "for jump in (3e8, -3e8, 0):\n"
              "    time.clock_settime(time.CLOCK_REALTIME, now + jump)\n    lab.info()\n"
              "print('fine')")
    status, out, err = guest.output(["python3", "-c", script], timeout=LIMIT)
    same((status, out), (0, "fine\n"), err)


@full_only
def test_kexec(rig: LabRig) -> str | None:
    """Another kernel is started by kexec: what lab-kexec was given goes on in it with the same
    streams, and its status counts."""
    guest = rig.guest()
    if not _kernel_can(guest, "/sys/kernel/kexec_loaded"):
        return "this kernel has no CONFIG_KEXEC"
    if not guest.output(["sh", "-c", "zcat /proc/config.gz | grep 'RELOCATABLE is not set'"])[0]:
        return "this kernel has no CONFIG_RELOCATABLE, which kexec needs to find a place for it"
    new = f"cat; grep -o again /proc/cmdline; {PING} 10.0.0.2 >/dev/null && exit 9"
    status, out, err = rig.run(["lab-kexec", "--append", "again", "--", "sh", "-c", new],
                                 stdin=b"from the host\n")
    same((status, out), (9, b"from the host\nagain\n"), err)
    check("another kernel was started while it ran (kexec)" in err, f"it is not said: {err}")
    return None


@full_only
def test_native_hot_plug(rig: LabRig) -> None:
    """Without ACPI's hot-plug the kernel uses the ports' own, and the guest's tests of hot-plug
    pass."""
    script = ("ls /sys/bus/pci_express/drivers/pciehp | grep -q pcie || exit 7\n"
              "exec python3 -B /mnt/share/run.py --only hotplug")
    status, out, err = rig.run(
        ["sh", "-c", script], "--share", str(paths.GUEST_TESTS), "--qemu-arg",
        "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
    check(status != 7, "the kernel's own hot-plug driver has no port")
    same(status, 0, f"status\n{out.decode(errors='replace')}\n{err}")
    check(b"ok 1 hotplug/" in out, f"no test ran: {out!r}")


def test_next_after_reset(rig: LabRig) -> None:
    """What lab.next asks for runs after a reset, too, and reads stdin from where the command before
    it has stopped; without lab.next the command ends with 125 and the reason."""
    # "first" has arrived before so much of stdin has: the agent takes turns
    script = ("import labclient, os, time\nprint('first', flush=True)\nleft = 300000\n"
              "while left:\n    left -= len(os.read(0, left))\n"
              "lab = labclient.connect()\n"
              "lab.next(['sh', '-c', 'cat; exit 3'])\n"
              "lab.call('machine.reset')\ntime.sleep(1000)")
    data = random.Random(9).randbytes(MEBI)
    status, out, err = rig.run(["python3", "-c", script], stdin=data)
    same((status, len(out)), (3, len(data) - 300000 + 6), err)
    check(out == b"first\n" + data[300000:], "other bytes came than those that were not read")
    status, _, err = rig.run(["python3", "-c", "import labclient, time\n"
                                "labclient.connect().call('machine.reset')\ntime.sleep(1000)"])
    same(status, 125, f"status\n{err}")
    check("python3: the machine was reset while it ran" in err, f"reason: {err}")
