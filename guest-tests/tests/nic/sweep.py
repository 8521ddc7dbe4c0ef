# SPDX-License-Identifier: GPL-2.0-or-later
"""Every question that ethtool, dcb, ip, tc and the files in sysfs and debugfs can ask the
driver gets an answer, or is refused as the tables here say, and never with an error line.

A table's row is (pattern of the question, pattern of the refusal, reason). The reason is why the
device cannot answer; whoever teaches it removes the row, since a row that nothing meets fails.
With "maybe: " in front a row need not be met: other kernels, other tools.
"""

import fcntl
import json
import os
import struct

from lib import traffic
from lib.case import expect, expect_equal, needs, test, wait_for
from lib.sweep import Sweep

NOT_SUPPORTED = r"Operation not supported|EOPNOTSUPP"

# ------------------------------------------------------------------------------- ethtool

ETHTOOL = """
ethtool {nic}
ethtool -i {nic}
ethtool -k {nic}
ethtool -a {nic}
ethtool -I -a {nic}
ethtool -c {nic}
ethtool -g {nic}
ethtool -l {nic}
ethtool -x {nic}
ethtool -n {nic}
ethtool -u {nic}
ethtool -n {nic} rx-flow-hash tcp4
ethtool -n {nic} rx-flow-hash udp6
ethtool -n {nic} rx-flow-hash esp4
ethtool -m {nic}
ethtool -m {nic} hex on
ethtool -m {nic} page 0 offset 0x80 length 0x80
ethtool -S {nic}
ethtool -S {nic} --all-groups
ethtool -S {nic} --groups eth-phy eth-mac eth-ctrl rmon
ethtool -T {nic}
ethtool -P {nic}
ethtool -d {nic}
ethtool -e {nic}
ethtool -w {nic}
ethtool --show-priv-flags {nic}
ethtool --show-fec {nic}
ethtool -I --show-fec {nic}
ethtool --show-eee {nic}
ethtool --show-module {nic}
ethtool --show-tunnels {nic}
ethtool --get-plca-cfg {nic}
ethtool --get-plca-status {nic}
ethtool --show-mm {nic}
ethtool --show-pse {nic}
ethtool --phy-statistics {nic}
ethtool --get-phy-tunable {nic} downshift
ethtool --get-tunable {nic} rx-copybreak
ethtool --get-tunable {nic} tx-copybreak
ethtool --get-tunable {nic} pfc-prevention-tout
ethtool -Q {nic} queue_mask 0x1 --show-coalesce
ethtool --get-hwtimestamp-cfg {nic}
"""

ETHTOOL_REFUSED = (
    (r" -[dew] ", NOT_SUPPORTED, "the driver has no register, EEPROM or firmware dump"),
    (r"rx-flow-hash esp4", "Invalid argument", "ESP is hashed by addresses and SPI, which have no "
     "fields to show"),
    (r"show-eee", NOT_SUPPORTED, "the driver has no EEE"),
    (r"show-module", NOT_SUPPORTED, "maybe: the driver has no power mode of modules"),
    (r"show-tunnels", NOT_SUPPORTED, "maybe: a kernel without UDP tunnels has none to show"),
    (r"plca|show-mm|show-pse", NOT_SUPPORTED, "of PHYs and MACs that the kernel drives"),
    (r"phy-statistics", "no stats available|" + NOT_SUPPORTED, "there is no PHY of the kernel's"),
    (r"phy-tunable", NOT_SUPPORTED, "there is no PHY of the kernel's"),
    (r"get-tunable .* [rt]x-copybreak", "Cannot get tunable", "the driver has none"),
    (r"pfc-prevention-tout", "Cannot get tunable", "no PFC, so no watchdog for it"),
    (r"get-hwtimestamp-cfg", NOT_SUPPORTED, "maybe: kernel and tool know it, the driver not"),
)

# ----------------------------------------------------------------------- dcb, ip, tc, rdma

DCB = """
dcb ets show dev {nic}
dcb pfc show dev {nic}
dcb -s pfc show dev {nic}
dcb maxrate show dev {nic}
dcb buffer show dev {nic}
dcb app show dev {nic}
dcb dcbx show dev {nic}
dcb rewr show dev {nic}
dcb apptrust show dev {nic}
"""

DCB_REFUSED = (
    (r"dcb ", NOT_SUPPORTED, "no DCB: vport_group_manager and qos are not announced"),
)

IP_TC = """
ip -s -s -d link show dev {nic}
ip -s -s -d -j link show dev {nic}
ip -d addr show dev {nic}
ip stats show dev {nic}
ip -s -s neigh show dev {nic}
ip maddr show dev {nic}
ip netconf show dev {nic}
ip xdp show
bridge -d link show dev {nic}
bridge -s fdb show dev {nic}
bridge vlan show dev {nic}
tc -s -d qdisc show dev {nic}
tc -s -d class show dev {nic}
tc -s -d filter show dev {nic} ingress
tc -s -d filter show dev {nic} egress
"""

IP_TC_REFUSED = ()

# --------------------------------------------------------------------------------- files

PCI_LEAVE = (
    (r"resource\d*(_wc)?", "registers: reading some of them does something"),
    (r"rom", "reading needs it to be enabled"),
    (r"net", "the interface's own directory"),
)
SYSFS_REFUSED = (
    (r"/phys_(port|switch)_(id|name)$", "ENOTSUP|EOPNOTSUPP", "no embedded switch"),
    (r"/autosuspend_delay_ms$", "EIO", "the kernel: runtime power management is not used"),
)

DEBUGFS_REFUSED = (
    (r"/cmd/in$", "ENOMEM", "the driver: nothing has been written there yet"),
)


def _dev(env):
    return f"pci/{env.pci}"


@test("sweep/ethtool", smoke=True)
@needs("driver:mlx5_core")
def ethtool(env):
    """Everything that ethtool shows."""
    with Sweep(env, ETHTOOL_REFUSED) as sweep:
        sweep.ask_all(ETHTOOL, nic=env.local.nic.name)


# what tells of the function, and of its port
DEVLINK = """
devlink dev show {dev}
devlink dev info {dev}
devlink dev param show {dev}
devlink dev eswitch show {dev}
devlink port show {port}
devlink port param show
devlink resource show {dev}
devlink region show
devlink sb show {dev}
devlink trap show {dev}
devlink trap group show {dev}
devlink lc show {dev}
devlink health show {dev}
"""

DEVLINK_REFUSED = (
    (r"eswitch show|resource show", NOT_SUPPORTED, "no embedded switch, no sub functions"),
    (r"sb show", "No such device", "the driver shows no shared buffers"),
    (r"diagnose .* fw_fatal", NOT_SUPPORTED, "the driver diagnoses errors that are not fatal only"),
    (r"dump .* fw$", NOT_SUPPORTED, "core_dump_general is not announced"),
    (r"dump .* vnic", NOT_SUPPORTED, "maybe: the driver dumps nothing of it, if there is one"),
)
# of the function, of the port
REPORTERS = {"fw": "dev", "fw_fatal": "dev", "vnic": "dev", "tx": "port", "rx": "port"}


def _numbers(shown, name):
    """All numbers that devlink's JSON has under a name, wherever that is."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            if key == name and isinstance(value, int):
                yield value
            else:
                yield from _numbers(value, name)
    elif isinstance(shown, list):
        for value in shown:
            yield from _numbers(value, name)


@test("sweep/devlink", smoke=True)
@needs("driver:mlx5_core", "local-tool:devlink")
def devlink(env):
    """Everything that devlink shows: the function, its port, and of every health reporter the
    diagnosis and the dump. The answers agree with what ethtool says."""
    nic, dev = env.local.nic, _dev(env)
    ports = json.loads(env.local.out("devlink", "-j", "port", "show"))["port"]
    port = next(name for name, about in ports.items() if about.get("netdev") == nic.name)
    with Sweep(env, DEVLINK_REFUSED) as sweep:
        sweep.ask_all(DEVLINK, dev=dev, port=port)
        info = json.loads(env.local.out("devlink", "-j", "dev", "info", dev))["info"][dev]
        driver = nic.driver_info()
        expect_equal("driver", info["driver"], driver["driver"])
        running = info["versions"]["running"]
        expect_equal("running firmware", running["fw.version"],
                     driver["firmware-version"].split()[0])
        expect(info["versions"]["fixed"]["fw.psid"] in driver["firmware-version"],
               f"{info['versions']['fixed']} beside {driver['firmware-version']}")
        found = set()
        for place, handle in (("dev", dev), ("port", port)):
            shown = json.loads(env.local.out("devlink", "-j", "health", "show", handle))
            for reporter in shown["health"][handle]:
                name = reporter["reporter"]
                found.add(name)
                expect_equal(f"where the reporter {name} is", place, REPORTERS.get(name))
                expect_equal(f"state of the reporter {name}", reporter["state"], "healthy")
                diagnosed = sweep.ask("devlink", "-j", "health", "diagnose", handle, "reporter",
                                      name)
                sweep.ask("devlink", "health", "dump", "show", handle, "reporter", name)
                if name in ("rx", "tx"):
                    _check_queues(name, json.loads(diagnosed), nic.channels()[0])
                elif name == "fw":
                    expect_equal("syndrome", list(_numbers(json.loads(diagnosed), "Syndrome")),
                                 [0])
            # counted since the driver was loaded: other tests may have caused some
            again = json.loads(env.local.out("devlink", "-j", "health", "show", handle))
            expect_equal(f"errors of {handle} after the questions, state", _errors(again, handle),
                         _errors(shown, handle))
        expect_equal("health reporters", sorted(found | {"vnic"}), sorted(REPORTERS))
        expect("vnic" in found or env.kernel < (6, 4), "there is no reporter vnic")


def _errors(shown, handle):
    """{reporter: (errors so far, state)}."""
    return {reporter["reporter"]: (reporter["error"], reporter["state"])
            for reporter in shown["health"][handle]}


def _check_queues(name, diagnosed, channels):
    """A queue in each channel, and each is ready."""
    expect_equal(f"channels of the reporter {name}",
                 sorted(set(_numbers(diagnosed, "channel ix"))), list(range(channels)))
    number = {"rx": "rqn", "tx": "sqn"}[name]
    expect(all(_numbers(diagnosed, number)), f"a queue of the reporter {name} has number 0")
    states = list(_numbers(diagnosed, "HW state"))
    expect(states and set(states) == {1}, f"hardware states of the queues of {name}: {states}")


@test("sweep/vnic", smoke=True)
@needs("driver:mlx5_core", "local-tool:devlink")
def vnic(env):
    """The vnic reporter counts frames that nobody asked for, to the frame."""
    def counters():
        shown = env.local.out("devlink", "-j", "health", "diagnose", _dev(env), "reporter", "vnic")
        return json.loads(shown)["vNIC env counters"]

    peer, before = env.remote.nic, counters()
    count = 40
    env.remote.call("rawnet.send", ifname=peer.name, frames=[
        {"src": peer.mac, "dst": "02:de:ad:00:00:02", "run": 52, "label": 1, "count": count}])
    wait_for(f"nic_receive_steering_discard moves by {count}",
             lambda: counters()["nic_receive_steering_discard"] >=
             before["nic_receive_steering_discard"] + count)
    after = counters()
    for name in ("total_error_queues", "comp_eq_overrun", "async_eq_overrun", "cq_overrun",
                 "quota_exceeded_command", "generated_pkt_steering_fail",
                 "handled_pkt_steering_fail"):
        expect_equal(f"{name} meanwhile", after[name], before[name])


@test("sweep/dcb")
@needs("driver:mlx5_core", "local-tool:dcb")
def dcb(env):
    """Everything that dcb shows."""
    with Sweep(env, DCB_REFUSED) as sweep:
        sweep.ask_all(DCB, nic=env.local.nic.name)


@test("sweep/ip-tc")
@needs("driver:mlx5_core")
def ip_tc(env):
    """What ip, bridge and tc show of the interface, with all the statistics there are."""
    with Sweep(env, IP_TC_REFUSED) as sweep:
        sweep.ask_all(IP_TC, nic=env.local.nic.name)


@test("sweep/sysfs", smoke=True)
@needs("driver:mlx5_core")
def sysfs(env):
    """Every file of the interface and of its PCI function that can be read."""
    with Sweep(env, SYSFS_REFUSED) as sweep:
        count = sweep.read_tree(f"/sys/class/net/{env.local.nic.name}")
        expect(count > 50, f"{count} files of {env.local.nic.name} in sysfs")
        count = sweep.read_tree(f"/sys/bus/pci/devices/{env.pci}", PCI_LEAVE)
        expect(count > 20, f"{count} files of {env.pci} in sysfs")


@test("sweep/debugfs")
@needs("driver:mlx5_core")
def debugfs(env):
    """Every file of the function in debugfs that can be read."""
    with Sweep(env, DEBUGFS_REFUSED) as sweep:
        count = sweep.read_tree(f"/sys/kernel/debug/mlx5/{env.pci}")
        expect(count > 20, f"{count} files of {env.pci} in debugfs")


# from linux/ptp_clock.h: _IOR and _IOW of '=', number, size
PTP_CLOCK_GETCAPS = 2 << 30 | 80 << 16 | ord("=") << 8 | 1
PTP_SYS_OFFSET_EXTENDED = 3 << 30 | 1216 << 16 | ord("=") << 8 | 9
SAMPLES = 5


@test("sweep/ptp")
@needs("driver:mlx5_core")
def ptp(env):
    """The NIC's clock tells its abilities and the time, which does not go backwards."""
    names = env.local.listdir(f"/sys/bus/pci/devices/{env.pci}/ptp")
    expect_equal("PTP clocks of the function", len(names), 1)
    with Sweep(env, SYSFS_REFUSED[1:]) as sweep:
        sweep.read_tree(f"/sys/class/ptp/{names[0]}")
        fd = os.open(f"/dev/{names[0]}", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, PTP_CLOCK_GETCAPS, bytearray(80))
            request = bytearray(1216)
            struct.pack_into("=I", request, 0, SAMPLES)
            fcntl.ioctl(fd, PTP_SYS_OFFSET_EXTENDED, request)
        finally:
            os.close(fd)
        times = [seconds * 10**9 + nanoseconds for seconds, nanoseconds in
                 (struct.unpack_from("=qI", request, 16 + 16 * index)
                  for index in range(3 * SAMPLES))]
        clock = times[1::3]
        expect(clock == sorted(clock) and clock[0] > 0, f"readings of the NIC's clock: {clock}")


RDMA_REFUSED = (
    (r"rdma ", "NETLINK_RDMA", "maybe: a kernel without InfiniBand"),
)


@test("sweep/rdma")
@needs("driver:mlx5_core", "local-tool:rdma")
def rdma(env):
    """What rdma shows, where there is the program."""
    with Sweep(env, RDMA_REFUSED) as sweep:
        sweep.ask_all("""
            rdma dev show
            rdma link show
            rdma resource show
            rdma system show
            """)


# -------------------------------------------------------------------------------- writes

SET_ETHTOOL_REFUSED = (
    (r"ethtool -A", NOT_SUPPORTED, "vport_group_manager is not announced"),
    (r"wol g", "Invalid argument", "no wake on LAN"),
    (r"ethtool -p", NOT_SUPPORTED, "no LED"),
    (r"set-eee|set-module|--reset", NOT_SUPPORTED, "as for showing it"),
    (r"vf 0 mac", "Operation not permitted|" + NOT_SUPPORTED, "no virtual functions"),
    (r"htb offload", "hw-tc-offload|" + NOT_SUPPORTED, "no QoS"),
    (r"dcb ", NOT_SUPPORTED, "no DCB"),
    (r"tx_port_ts", NOT_SUPPORTED, "not announced"),
)
# the driver says at level err that it refuses a flag, before it has asked the device anything
FLAG_LINES = ((r"Enable private flag 'tx_port_ts' failed err -95",
               "the driver's own refusal"),)

# what is set, and what brings it back
SET_ETHTOOL = (
    ("ethtool -A {nic} rx off tx off", "ethtool -A {nic} rx on tx on"),
    ("ethtool -C {nic} adaptive-rx off rx-usecs 17 rx-frames 65",
     "ethtool -C {nic} adaptive-rx on"),
    ("ethtool -C {nic} adaptive-tx off tx-usecs 17 tx-frames 65",
     "ethtool -C {nic} adaptive-tx on"),
    ("ethtool -C {nic} cqe-mode-rx on", "ethtool -C {nic} cqe-mode-rx off"),
    ("ethtool -C {nic} cqe-mode-tx off", "ethtool -C {nic} cqe-mode-tx on"),
    ("ethtool -Q {nic} queue_mask 0x1 --coalesce rx-usecs 9", None),
    ("ethtool -G {nic} rx 512 tx 512", "ethtool -G {nic} rx 1024 tx 1024"),
    ("ethtool -X {nic} equal 1", "ethtool -X {nic} default"),
    ("ethtool -X {nic} hfunc xor", "ethtool -X {nic} hfunc toeplitz"),
    ("ethtool -N {nic} rx-flow-hash tcp4 sd", "ethtool -N {nic} rx-flow-hash tcp4 sdfn"),
    ("ethtool -s {nic} speed 25000 autoneg off", "ethtool -s {nic} autoneg on"),
    ("ethtool -s {nic} advertise 0x80000000", "ethtool -s {nic} autoneg on"),
    ("ethtool -s {nic} wol g", None),
    ("ethtool -p {nic} 1", None),
    ("ethtool --set-fec {nic} encoding rs", "ethtool --set-fec {nic} encoding auto"),
    ("ethtool --set-fec {nic} encoding off", "ethtool --set-fec {nic} encoding auto"),
    ("ethtool --set-eee {nic} eee on", None),
    ("ethtool --set-module {nic} power-mode-policy auto", None),
    ("ethtool --reset {nic} dedicated", None),
    ("ip link set dev {nic} vf 0 mac 02:00:00:00:00:09", None),
    ("tc qdisc replace dev {nic} root handle 1: htb offload", None),
    ("dcb pfc set dev {nic} prio-pfc 3:on", None),
    ("dcb ets set dev {nic} willing off tc-tsa all:strict", None),
    ("dcb maxrate set dev {nic} tc-maxrate 0:1gbit", None),
)


# a card does some of it, and what brings it back is not known: flow control by priority …
@test("sweep/set-ethtool", allowed=FLAG_LINES)
@needs("lab", "driver:mlx5_core")
def set_ethtool(env):
    """What a user changes by ethtool, tc and dcb: it works and is put back, or is refused."""
    nic = env.local.nic
    rings = nic.rings()[0]
    env.cleanup.callback(nic.wait_ready)
    with Sweep(env, SET_ETHTOOL_REFUSED, FLAG_LINES) as sweep:
        for change, back in SET_ETHTOOL:
            if sweep.ask(*change.format(nic=nic.name).split()) is not None and back:
                sweep.ask(*back.format(nic=nic.name).split())
            nic.wait_ready()
        for name, on in nic.private_flags().items():
            for word in ("off", "on") if on else ("on", "off"):
                if sweep.ask("ethtool", "--set-priv-flags", nic.name, name, word) is None:
                    break
                nic.wait_ready()
        traffic.both_ways(env, 4, 1 << 20)
    expect_equal("rings afterwards", nic.rings()[0], rings)


SET_DEVLINK_REFUSED = (
    (r"eswitch set", NOT_SUPPORTED, "no embedded switch"),
    (r"fw_activate", "Invalid argument", "only a power cycle starts a firmware, and MFRL says so"),
    (r"health test", NOT_SUPPORTED, "the driver has none"),
    (r"rate add", "not found|" + NOT_SUPPORTED, "no embedded switch"),
    (r"port add", NOT_SUPPORTED, "no sub functions"),
    (r"param set", NOT_SUPPORTED + "|Invalid argument", "maybe: of what is not announced"),
)

SET_DEVLINK = """
devlink dev eswitch set {dev} mode switchdev
devlink dev reload {dev} action fw_activate
devlink dev reload {dev} action fw_activate limit no_reset
devlink health set {dev} reporter fw auto_dump false
devlink health set {dev} reporter fw auto_dump true
devlink health test {dev} reporter fw
devlink rate add {dev}/group
devlink port add {dev} flavour pcisf pfnum 0 sfnum 1
"""


# a card does it: it becomes a switch, starts another firmware, and writes what it keeps
@test("sweep/set-devlink")
@needs("lab", "driver:mlx5_core", "local-tool:devlink")
def set_devlink(env):
    """Every parameter set to what it is, and what else a user changes by devlink."""
    with Sweep(env, SET_DEVLINK_REFUSED) as sweep:
        shown = json.loads(env.local.out("devlink", "-j", "dev", "param", "show", _dev(env)))
        parameters = shown["param"][_dev(env)]
        expect(len(parameters) > 5, f"parameters: {parameters}")
        for parameter in parameters:
            for entry in parameter["values"]:
                value = entry["value"]
                word = str(value).lower() if isinstance(value, bool) else str(value)
                sweep.ask("devlink", "dev", "param", "set", _dev(env), "name", parameter["name"],
                          "value", word, "cmode", entry["cmode"])
        sweep.ask_all(SET_DEVLINK, dev=_dev(env))
        env.local.nic.wait_ready()


@test("sweep/reload", guard=900)
@needs("driver:mlx5_core", "local-tool:devlink", "rebind")
def reload_driver(env):
    """`devlink dev reload` with an event queue of another size, and back."""
    with Sweep(env, ()) as sweep:
        for size in (512, 1024):
            sweep.ask("devlink", "dev", "param", "set", _dev(env), "name", "io_eq_size", "value",
                      size, "cmode", "driverinit")
            sweep.ask("devlink", "dev", "reload", _dev(env))
            env.set_up_network()
            env.settle()
            traffic.both_ways(env, 4, 1 << 20)
