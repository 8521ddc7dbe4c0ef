# SPDX-License-Identifier: GPL-2.0-or-later
"""Is this machine ready for the tests? What is there, what is missing, and how to get it.

Responsible for: one Finding for each thing that the tests need of the machine, of the NIC, of the
cable and of the peer. It looks and changes nothing: no link is brought up, no module loaded.
State: none.
Callers: run.py --preflight; bench.py, which takes no interface that is in use.

A check is a function in CHECKS; it gets a Look and yields Findings.
"""

import dataclasses
import gzip
import os
import pathlib
import re
import shlex
import subprocess
import sys

from . import bench_journal, bench_wire, hosts

OK, MISSING, NOTE = "ok", "MISSING", "note"
NEEDED = {"ip": "iproute2", "tc": "iproute2", "ethtool": "ethtool"}
USEFUL = {"openssl": "openssl", "iperf3": "iperf3", "nginx": "nginx", "curl": "curl",
          "devlink": "iproute2"}
CONFIG = {"CONFIG_TLS": "TLS sockets", "CONFIG_TLS_DEVICE": "TLS offload to a NIC",
          "CONFIG_NET_NS": "network namespaces", "CONFIG_VETH": "the peer behind the middlebox",
          "CONFIG_PACKET": "the middlebox", "CONFIG_NET_CLS_U32": "losing chosen segments",
          "CONFIG_NET_SCH_INGRESS": "losing chosen segments"}
MLX5_CONFIG = {"CONFIG_MLX5_CORE_EN": "the driver's interfaces",
               "CONFIG_MLX5_EN_TLS": "the driver's TLS offload"}
# functions of the vendor 15b3 that can have it, if the card was sold with it
CRYPTO_DEVICES = {"0x101d": "ConnectX-6 Dx", "0x1021": "ConnectX-7", "0x1023": "ConnectX-8",
                  "0xa2d6": "BlueField-2", "0xa2dc": "BlueField-3"}
ANOTHER_KERNEL = "use a kernel that has it; distributions often leave it out"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the report."""

    level: str              # OK, MISSING (tests fail or are skipped), NOTE (worth knowing)
    check: str
    found: str
    to_do: str = ""

    def text(self):
        """As people read it."""
        line = f"{self.level:8} {self.check:26} {self.found}"
        return line + (f"\n{'':8} {'':26} -> {self.to_do}" if self.to_do else "")


class Look:
    """One machine and one interface of it, only to be looked at. `ssh`: its arguments, when it is
    another machine."""

    def __init__(self, iface, ssh=""):
        self.iface, self.ssh = iface, ssh
        self.who = f"peer {ssh}" if ssh else "this machine"

    def run(self, *argv):
        """(status, what it printed) of a program."""
        prefix = ()
        if self.ssh:
            prefix = (*hosts.SSH, *self.ssh.split())
            argv = [shlex.quote(word) for word in argv]
        try:
            done = subprocess.run([*prefix, *argv], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors="replace", timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return 127, str(error)
        return done.returncode, (done.stdout + done.stderr).strip()

    def out(self, *argv):
        """What a program printed, "" when it failed."""
        status, text = self.run(*argv)
        return "" if status else text

    def has(self, program):
        """Is it installed?"""
        return bool(self.out("sh", "-c", f"command -v {program}"))

    def sysfs(self, name):
        """A file of the interface, "" when there is none or it cannot be read."""
        return self.out("cat", f"/sys/class/net/{self.iface}/{name}")

    def driver(self):
        """`ethtool -i` as a dictionary."""
        text = self.out("ethtool", "-i", self.iface)
        return dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)


def _privileges(look):
    uid = look.out("id", "-u")
    if uid == "0":
        yield Finding(OK, "privileges", "root")
    else:
        yield Finding(MISSING, "privileges", f"user id {uid or '?'}",
                      "run it as root: links, namespaces and features are changed")


def _programs(look):
    for programs, level in ((NEEDED, MISSING), (USEFUL, NOTE)):
        lost = {name: package for name, package in programs.items() if not look.has(name)}
        what = "programs" if level == MISSING else "programs of some tests"
        if lost:
            yield Finding(level, what, "no " + ", ".join(lost),
                          "apt install " + " ".join(dict.fromkeys(lost.values())))
        else:
            yield Finding(OK, what, ", ".join(programs))
    if look.ssh:
        version = look.out("python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
    good = version and tuple(map(int, version.split("."))) >= (3, 11)
    yield Finding(OK if good else MISSING, "python3", version or "none",
                  "" if good else "Python 3.11 or later is needed")


def _kernel_config(look, release):
    """{option: value} of the running kernel, None when nothing tells."""
    script = ("zcat /proc/config.gz 2>/dev/null || cat /boot/config-$1 2>/dev/null || "
              "cat /lib/modules/$1/config 2>/dev/null || cat /lib/modules/$1/build/.config")
    if not look.ssh and os.path.exists("/proc/config.gz"):
        with gzip.open("/proc/config.gz", "rt", encoding="utf-8") as file:
            text = file.read()
    else:
        text = look.out("sh", "-c", script, "sh", release)
    return dict(re.findall(r"^(CONFIG_\w+)=(\S+)$", text, re.MULTILINE)) or None


def _kernel(look):
    release = look.out("uname", "-r")
    yield Finding(OK, "kernel", release)
    config = _kernel_config(look, release)
    wanted = dict(CONFIG)
    if look.driver().get("driver") == "mlx5_core":
        wanted |= MLX5_CONFIG
    if config is None:
        yield Finding(NOTE, "kernel options", f"no configuration of {release} is readable",
                      "it should have " + ", ".join(wanted))
    else:
        lost = [name for name in wanted if name not in config]
        for name in lost:
            yield Finding(MISSING, f"kernel option {name}", f"not set: {wanted[name]}",
                          ANOTHER_KERNEL)
        if not lost:
            yield Finding(OK, "kernel options", ", ".join(
                name.removeprefix("CONFIG_") for name in wanted))
    loaded = look.out("cat", "/proc/sys/net/ipv4/tcp_available_ulp").split()
    if "tls" in loaded:
        yield Finding(OK, "module tls", "loaded or built in")
    elif look.out("modinfo", "-n", "tls"):
        yield Finding(OK, "module tls", "not loaded; it is when a test asks for it")
    else:
        yield Finding(MISSING, "module tls", "the kernel has no TLS sockets",
                      "install the kernel's package of extra modules, or " + ANOTHER_KERNEL)
    tracing = look.out("sh", "-c", "ls -d /sys/kernel/tracing/events/tls "
                       "/sys/kernel/debug/tracing/events/tls 2>/dev/null; true")
    yield Finding(OK, "tracepoints", tracing.split()[0]) if tracing else Finding(
        NOTE, "tracepoints", "no tls:* events", "mount -t tracefs tracing /sys/kernel/tracing; "
        "they are there when the module tls is loaded")


def _interface(look):
    if look.run("ip", "link", "show", "dev", look.iface)[0]:
        yield Finding(MISSING, f"interface {look.iface}", "there is none",
                      "`ip -brief link` lists those of " + look.who)
        return
    driver = look.driver()
    yield Finding(OK, f"interface {look.iface}",
                  f"driver {driver.get('driver', '?')}, firmware "
                  f"{driver.get('firmware-version', '?')}, {driver.get('bus-info') or 'no bus'}")
    yield from in_use(look)
    carrier = look.sysfs("carrier")
    if carrier == "1":
        speed = look.sysfs("speed")
        yield Finding(OK, f"cable of {look.iface}",
                      "carrier" + (f", {speed} Mb/s" if speed else ""))
    elif carrier == "0":
        yield Finding(MISSING, f"cable of {look.iface}", "no carrier",
                      "connect the two interfaces by a cable, without a switch between them that "
                      "drops unknown frames, and bring the other end up")
    else:
        yield Finding(NOTE, f"cable of {look.iface}", "the link is down, so nothing is known",
                      f"ip link set {look.iface} up, and look again")


def in_use(look):
    """Findings of who else may need the interface; one that is MISSING forbids to take it."""
    routes = look.out("ip", "route", "show", "default", "dev", look.iface)
    if routes:
        yield Finding(MISSING, f"{look.iface} is free", f"the default route is there: {routes}",
                      "take an interface that this machine does not need")
    connection = (os.environ.get("SSH_CONNECTION", "") if not look.ssh
                  else look.out("sh", "-c", "echo $SSH_CONNECTION")).split()
    if len(connection) == 4:
        way = look.out("ip", "route", "get", connection[0])
        if f" dev {look.iface} " in f"{way} ":
            yield Finding(MISSING, f"{look.iface} is free", "your ssh connection comes by it",
                          "take another interface, or come another way")
    master = re.search(r"master (\S+)", look.out("ip", "-o", "link", "show", "dev", look.iface))
    if master:
        yield Finding(MISSING, f"{look.iface} is free", f"it belongs to {master[1]}",
                      f"ip link set {look.iface} nomaster")
    state = re.search(rf"^{re.escape(look.iface)}:(.*)$", look.out(
        "nmcli", "-t", "-f", "DEVICE,STATE", "device"), re.MULTILINE)
    if state and state[1] != "unmanaged":
        yield Finding(NOTE, f"{look.iface} is free", f"NetworkManager has it: {state[1]}",
                      f"nmcli device set {look.iface} managed no, or it interferes")
    for what, argv in (("clsact", ("tc", "qdisc", "show", "dev", look.iface)),
                       ("Filter: ", ("ethtool", "-n", look.iface))):
        if what in look.out(*argv):
            yield Finding(NOTE, f"{look.iface} is free", f"`{' '.join(argv)}` shows rules",
                          "tests of filters fail beside them; remove them")


def _offload(look):
    """TLS in the NIC: the feature is there exactly if kernel, firmware and card have it."""
    driver = look.driver()
    pci = driver.get("bus-info", "")
    shown = look.out("ethtool", "-k", look.iface)
    if not shown:
        return
    lost = []
    for way in ("tx", "rx"):
        state = re.search(rf"^tls-hw-{way}-offload: (.*)$", shown, re.MULTILINE)
        if state and "[fixed]" not in state[1]:
            yield Finding(OK, f"TLS offload {way}", state[1])
        else:
            lost.append(way)
    if not lost:
        return
    reasons = []
    if driver.get("driver") == "mlx5_core":
        device = look.out("cat", f"/sys/bus/pci/devices/{pci}/device")
        if device and device not in CRYPTO_DEVICES:
            reasons.append(f"device 15b3:{device[2:]} is none of those that are known to have it ("
                           + ", ".join(CRYPTO_DEVICES.values()) + ")")
        product = _product(look, pci)
        if "no crypto" in product.lower():
            reasons.append(f"the card was sold without: {product}")
        mode = look.out("devlink", "dev", "eswitch", "show", f"pci/{pci}")
        if "switchdev" in mode:
            reasons.append(f"`devlink dev eswitch set pci/{pci} mode legacy`")
        reasons.append("CONFIG_MLX5_EN_TLS may be missing (see above)")
        reasons.append(f"`mstflint -d {pci} query full` (package mstflint) names the card and its "
                       "firmware: is it a card with crypto, and is the firmware current?")
    else:
        reasons.append("the driver has none; --software-tls tries the tests with TLS in software")
    yield Finding(MISSING, "TLS offload " + ", ".join(lost), "the NIC does not offer it",
                  "; ".join(reasons))


def _product(look, pci):
    """The card's name in its vital product data, "" when it cannot be read."""
    if look.ssh:
        return ""
    try:
        data = pathlib.Path(f"/sys/bus/pci/devices/{pci}/vpd").read_bytes()
    except OSError:
        return ""
    if data[:1] != b"\x82":         # the tag of the identifier
        return ""
    return data[3:3 + int.from_bytes(data[1:3], "little")].decode(errors="replace")


CHECKS = (_privileges, _programs, _kernel, _interface, _offload)


def _earlier_run(plan):
    journal = bench_journal.path_of(plan.iface)
    if journal.exists():
        yield Finding(MISSING, "bench", bench_journal.whose(journal))


def _wire(plan, look):
    if plan.wire == "none":
        yield Finding(NOTE, "middlebox", "--wire none: tests that need it are skipped")
        return
    if plan.wire != "auto":
        found = plan.wire if look.has(plan.wire) else ""
    elif look.ssh:
        found = look.out("sh", "-c", f"command -v {bench_wire.PROGRAM}")
    else:
        found = next((str(path) for path in bench_wire.candidates()), "")
    yield Finding(OK, "middlebox", found) if found else Finding(
        MISSING, "middlebox", f"no {bench_wire.PROGRAM} on {look.who}",
        f"meson setup build && ninja -C build {bench_wire.TARGET}"
        + ("; copy it into the PATH there" if look.ssh else ""))


def findings(plan):
    """[(whose, [Finding])] of a bench (bench.Plan)."""
    near, far = Look(plan.iface), Look(plan.peer_iface, plan.peer_ssh)
    found = [("this machine", [*_earlier_run(plan),
                               *(one for check in CHECKS for one in check(near))])]
    if not plan.peer_ssh:
        # of the same machine: only what is the interface's own
        mine = [*_interface(far), *_offload(far), *_wire(plan, far)]
    else:
        status, said = far.run("true")
        if status:
            mine = [Finding(MISSING, "ssh", said.splitlines()[-1] if said else f"status {status}",
                            f"`ssh {plan.peer_ssh} true` must work without a question: keys, and "
                            "known_hosts")]
        else:
            mine = [*(one for check in CHECKS for one in check(far)), *_wire(plan, far)]
    found.append((f"the peer {plan.peer_ssh or plan.peer_iface}", mine))
    return found


def report(plan, write=print):
    """Print what was found; returns whether nothing is missing."""
    good = True
    for whose, lines in findings(plan):
        write(f"{whose}:")
        for line in lines:
            write(line.text())
            good &= line.level != MISSING
    return good
