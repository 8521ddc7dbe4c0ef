# SPDX-License-Identifier: GPL-2.0-or-later
"""tc flower rules that the NIC alone executes (skip_sw): priorities, chains, matches, actions, and
counters that are exact to the frame.

The frames are crafted and have a source address of their own, which every rule matches too, so no
other traffic counts. That a frame was dropped is said after a later one has been counted.
"""

import contextlib
import ipaddress
import json
import struct

from agent import rawnet

from lib import traffic
from lib.case import add, expect, expect_equal, needs, test, wait_equal

SOURCE = "02:77:00:00:00:01"
V4 = ("198.51.100.7", "198.51.100.9")
V6 = ("2001:db8::7", "2001:db8::9")
PORTS = (7001, 7002, 7003)
SYN, ACK, PSH = 0x02, 0x10, 0x08
# what a user is told: the driver's own sentence, or the errno's
REFUSALS = ("Error: mlx5_core: ", "Operation not supported")
# one of these the driver says in the log at level err, too, before it has asked the device anything
REFUSAL_LINES = ((r"Only UDP and TCP transport are supported", "the driver's own refusal"),)


# ------------------------------------------------------------------------------- frames

def frame(env, *, ip=V4, proto=17, ports=(5000, 7000), flags=ACK, tos=0, ttl=64, vlan=None,
          prio=0, source=SOURCE, destination=None, data=b"tc-flower"):
    """A frame with UDP or TCP to the local interface, in hex."""
    # pylint: disable=too-many-locals
    src, dst = (ipaddress.ip_address(address) for address in ip)
    addresses = src.packed + dst.packed
    if proto == 17:
        length = 8 + len(data)
        segment = struct.pack(">HHHH", *ports, length, 0) + data
        at = 6
    else:
        segment = struct.pack(">HHIIHHHH", *ports, 1, 1, 5 << 12 | flags, 1000, 0, 0) + data
        at = 16
    pseudo = addresses + (struct.pack(">BBH", 0, proto, len(segment)) if src.version == 4
                          else struct.pack(">II", len(segment), proto))
    value = rawnet.checksum(pseudo + segment)
    segment = segment[:at] + struct.pack(">H", value) + segment[at + 2:]
    if src.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(segment), 1, 0, ttl, proto, 0)
        value = rawnet.checksum(head + addresses)
        head = head[:10] + struct.pack(">H", value) + addresses
        kind = 0x0800
    else:
        head = struct.pack(">IHBB", 6 << 28 | tos << 20, len(segment), proto, ttl) + addresses
        kind = 0x86dd
    tag = b"" if vlan is None else struct.pack(">HH", 0x8100, prio << 13 | vlan)
    link = rawnet.mac(destination or env.local.nic.mac) + rawnet.mac(source)
    return (link + tag + struct.pack(">H", kind) + head + segment).ljust(60, b"\0").hex()


def send(env, *frames):
    """Sends them from the peer: each is (count, hex)."""
    env.remote.call("rawnet.send_hex", ifname=env.remote.nic.name,
                    frames=[text for count, text in frames for _ in range(count)])


# -------------------------------------------------------------------------------- rules

class Rules:
    """The ingress filters of the interface under test."""

    def __init__(self, env):
        self.host, self.name = env.local, env.local.nic.name

    def tc(self, verb, text, check=True):
        """`tc filter VERB dev IF ingress …`"""
        return self.host.run("tc", "filter", verb, "dev", self.name, "ingress", *text.split(),
                             check=check)

    def add(self, prio, match, action, *, chain=0, protocol="ip", where="skip_sw", verb="add"):
        """One flower rule on frames from SOURCE."""
        self.tc(verb, f"chain {chain} prio {prio} protocol {protocol} handle {prio} flower {where} "
                      f"src_mac {SOURCE} {match} {action}")

    def packets(self):
        """{(chain, prio): packets}, hardware and software together."""
        found = {}
        shown = self.host.out("tc", "-s", "-j", "filter", "show", "dev", self.name, "ingress")
        for entry in json.loads(shown):
            options = entry.get("options") or {}
            if "actions" not in options:
                continue
            key = (entry["chain"], entry["pref"])
            expect(options.get("skip_hw") or options.get("in_hw"),
                   f"the rule of chain {key[0]}, prio {key[1]} is not in the hardware")
            found[key] = max(action["stats"]["packets"] for action in options["actions"])
        return found

    def expect_packets(self, want):
        """Soon each rule has counted this, exactly: the driver asks the NIC once a second."""
        wait_equal("packets of each (chain, prio)", self.packets, want)


@contextlib.contextmanager
def rules(env):
    """tc offload on, an ingress qdisc; afterwards no table of the device is left over."""
    def tables():
        return env.lab.get("objects")["flow_table"] if env.lab else 0

    nic = env.local.nic
    with nic.with_features(hw_tc_offload=True):
        before = tables()
        env.local.run("tc", "qdisc", "add", "dev", nic.name, "clsact")
        try:
            yield Rules(env)
        finally:
            env.local.run("tc", "qdisc", "del", "dev", nic.name, "clsact")
        wait_equal("flow tables of the device when all rules are gone", tables, before)


@test("tc-flower/priorities", smoke=True)
@needs("driver:mlx5_core", "feature:hw-tc-offload")
def priorities(env):
    """The first rule in order of priority decides: drop, pass, drop the rest."""
    sink = env.local.call("tcp.udp_sink", address=env.local.address(4), port=PORTS[1])
    ip = (env.remote.address(4), env.local.address(4))
    with rules(env) as table:
        table.add(1, f"ip_proto udp dst_port {PORTS[0]}", "action drop")
        table.add(2, f"ip_proto udp dst_port {PORTS[1]}", "action pass")
        table.add(3, "ip_proto udp", "action drop")
        table.add(70, "ip_proto tcp", "action drop")
        send(env, (7, frame(env, ip=ip, ports=(5000, PORTS[0]))),
             (5, frame(env, ip=ip, ports=(5000, PORTS[1]))),
             (3, frame(env, ip=ip, ports=(5000, PORTS[2]))), (2, frame(env, ip=ip, proto=6)))
        table.expect_packets({(0, 1): 7, (0, 2): 5, (0, 3): 3, (0, 70): 2})
        seen = env.local.call("tcp.udp_count", number=sink["socket"], expected=5)
        expect_equal("datagrams that were let pass", seen, {"5000": 5})
        # a rule between two others, and one less
        table.add(2, f"ip_proto udp dst_port {PORTS[1]}", "action drop", verb="replace")
        table.tc("del", "chain 0 prio 1 protocol ip handle 1 flower")
        send(env, (4, frame(env, ip=ip, ports=(5000, PORTS[0]))),
             (6, frame(env, ip=ip, ports=(5000, PORTS[1]))))
        # tc keeps what a replaced rule had counted in its action
        wait_equal("packets of the rule behind the one that is gone",
                   lambda: table.packets()[(0, 3)], 7)
        wait_equal("packets of the replaced rule", lambda: table.packets()[(0, 2)] in (6, 11), True)
        expect("1" not in {str(prio) for _, prio in table.packets()}, "the deleted rule is shown")


@test("tc-flower/chains", smoke=True)
@needs("driver:mlx5_core", "feature:hw-tc-offload")
def chains(env):
    """goto chain, back to a lower chain too; what misses in a chain goes on there in software."""
    with rules(env) as table:
        table.add(1, "ip_proto udp", "action goto chain 5")
        table.add(1, f"ip_proto udp dst_port {PORTS[0]}", "action drop", chain=5)
        table.add(2, f"ip_proto udp dst_port {PORTS[1]}", "action goto chain 3", chain=5)
        table.add(1, f"ip_proto udp src_port 5001 dst_port {PORTS[1]}", "action drop", chain=3)
        # software sees what the hardware has no rule for, in the chain where that happened
        table.add(9, "ip_proto udp", "action drop", chain=5, where="skip_hw")
        table.add(9, "ip_proto udp", "action drop", chain=3, where="skip_hw")
        send(env, (4, frame(env, ports=(5000, PORTS[0]))), (3, frame(env, ports=(5001, PORTS[1]))),
             (2, frame(env, ports=(5002, PORTS[1]))), (6, frame(env, ports=(5000, PORTS[2]))))
        table.expect_packets({(0, 1): 15, (5, 1): 4, (5, 2): 5, (3, 1): 3, (5, 9): 6, (3, 9): 2})


# fields of which a plain run has the like
FULL_ONLY = ("ipv4-prefix", "ipv6-source", "protocol", "tcp-ports-v6", "vlan-prio", "untagged")


def _match(match, ours, other, protocol="ip"):
    """A rule on one field: frames that have it are counted there, others by the next rule."""
    def run(env):
        with rules(env) as table:
            table.add(1, match, "action drop", protocol=protocol)
            table.add(2, "", "action drop", protocol="all")
            send(env, (3, frame(env, **other)), (5, frame(env, **ours)), (2, frame(env, **other)))
            table.expect_packets({(0, 1): 5, (0, 2): 5})
    return run


for _name, _arguments in {
        "ipv4-source": ("src_ip 198.51.100.7", {}, {"ip": ("198.51.100.8", V4[1])}),
        "ipv4-prefix": ("dst_ip 198.51.100.8/29", {}, {"ip": (V4[0], "198.51.100.16")}),
        "ipv6-source": ("src_ip 2001:db8::7", {"ip": V6},
                        {"ip": ("2001:db8::17", V6[1])}, "ipv6"),
        "ipv6-prefix": ("dst_ip 2001:db8::/64", {"ip": V6},
                        {"ip": (V6[0], "2001:db8:0:1::9")}, "ipv6"),
        "protocol": ("ip_proto tcp", {"proto": 6}, {"proto": 17}),
        "tos": ("ip_tos 0x28/0xfc", {"tos": 0x29}, {"tos": 0x24}),
        "udp-ports": ("ip_proto udp src_port 5000 dst_port 7000", {}, {"ports": (5000, 7001)}),
        "tcp-ports-v6": ("ip_proto tcp src_port 5000", {"ip": V6, "proto": 6},
                         {"ip": V6, "proto": 6, "ports": (5001, 7000)}, "ipv6"),
        "tcp-flags": ("ip_proto tcp tcp_flags 0x2/0x12", {"proto": 6, "flags": SYN},
                      {"proto": 6, "flags": SYN | ACK}),
        "vlan": ("vlan_id 5 vlan_ethtype ip dst_ip 198.51.100.9", {"vlan": 5}, {"vlan": 6},
                 "802.1q"),
        "vlan-prio": ("vlan_prio 3 vlan_id 5", {"vlan": 5, "prio": 3}, {"vlan": 5, "prio": 2},
                      "802.1q"),
        "untagged": ("dst_ip 198.51.100.9", {}, {"vlan": 5}),
}.items():
    add(f"tc-flower/match-{_name}", _match(*_arguments), full=_name in FULL_ONLY,
        needs=("driver:mlx5_core", "feature:hw-tc-offload"))


@test("tc-flower/rewrite")
@needs("driver:mlx5_core", "feature:hw-tc-offload")
def rewrite(env):
    """pedit in hardware: port, address and hop limit are rewritten with right checksums, and the
    next chain sees them so."""
    for family, protocol, hops in ((4, "ip", "ip ttl set 9"), (6, "ipv6", "ip6 hoplimit set 9")):
        ours, theirs = env.local.address(family), env.remote.address(family)
        word = "ip" if family == 4 else "ip6"
        elsewhere = V4[1] if family == 4 else V6[1]
        sink = env.local.call("tcp.udp_sink", address=ours, port=PORTS[1])
        with rules(env) as table:
            table.add(1, f"ip_proto udp dst_port {PORTS[0]}",
                      f"action pedit ex munge udp dport set {PORTS[1]} munge {word} dst set {ours} "
                      f"munge {hops} pipe action csum {'ip4h and' if family == 4 else ''} udp pipe "
                      "action goto chain 1", protocol=protocol)
            table.add(1, f"ip_proto udp dst_port {PORTS[1]} dst_ip {ours}", "action pass", chain=1,
                      protocol=protocol)
            send(env, (8, frame(env, ip=(theirs, elsewhere), ports=(5000, PORTS[0]))))
            table.expect_packets({(0, 1): 8, (1, 1): 8})
            seen = env.local.call("tcp.udp_count", number=sink["socket"], expected=8)
            expect_equal(f"IPv{family} datagrams that arrive at the rewritten port", seen,
                         {"5000": 8})
        env.local.call("tcp.close", number=sink["socket"])


@test("tc-flower/under-traffic")
@needs("driver:mlx5_core", "feature:hw-tc-offload")
def under_traffic(env):
    """Rules come, change and go while other connections run; none of those is disturbed."""
    with rules(env) as table, traffic.background(env) as flow:
        for turn in range(5):
            table.add(4, f"ip_proto udp dst_port {PORTS[0]}", "action drop")
            table.add(2, "ip_proto udp", "action goto chain 2")
            table.add(1, f"ip_proto udp dst_port {PORTS[1]}", "action drop", chain=2)
            send(env, (turn + 1, frame(env, ports=(5000, PORTS[1]))))
            table.expect_packets({(0, 2): turn + 1, (0, 4): 0, (2, 1): turn + 1})
            flow.progress()
            for chain, prio in ((0, 2), (2, 1), (0, 4)):
                table.tc("del", f"chain {chain} prio {prio} protocol ip")
            flow.progress()


@test("tc-flower/refused", allowed=REFUSAL_LINES)
@needs("driver:mlx5_core", "feature:hw-tc-offload")
def refused(env):
    """What the NIC cannot do is refused at once, as not supported, and leaves nothing behind."""
    with rules(env) as table:
        for match, action in (
                ("ip_proto udp", f"action mirred egress redirect dev {table.name}"),
                ("ip_proto udp", "action vlan push id 5"),
                ("ip_proto sctp dst_port 5", "action drop"),
                ("ip_ttl 5", "action drop"),
                ("ip_proto icmp type 8", "action drop"),
                ("ip_proto icmp", "action pedit ex munge ip dst set 10.0.0.99 pipe action mirred "
                                  f"egress redirect dev {table.name}")):
            result = table.tc("add", f"chain 0 prio 1 protocol ip flower skip_sw src_mac {SOURCE} "
                                     f"{match} {action}", check=False)
            expect(result.rc != 0, f"{match} {action}: was taken")
            expect(any(word in result.err for word in REFUSALS), f"{match} {action}: {result.err}")
        expect_equal("rules", table.packets(), {})
