# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulated NIC as another card (profile=), and with random content in reserved fields
(fill-reserved=random): the driver takes it for that card, and nothing else is different."""

import json

from lib import pci, traffic
from lib.case import add, expect, expect_equal, needs, test
from lib.ktap import note

from tests.tls.both_sessions import two_devices

VENDOR = "15b3"
TLS = ("tls-tx", "tls-rx", "remote-tls-tx", "remote-tls-rx")

# device, revision, family of firmware, board, name in mstdevices_info
PROFILES = {
    "cx6dx": ("101d", "00", "22", "QEM0000000001", "ConnectX6DX"),
    "cx7": ("1021", "00", "28", "QEM0000000002", "ConnectX7"),
    "bf2": ("a2d6", "01", "24", "QEM0000000003", "BlueField2"),
    "bf3": ("a2dc", "01", "32", "QEM0000000004", "BlueField3"),
}


def _replug(env, **props):
    """Both NICs are unplugged, and plugged in again with these properties."""
    for host in env.hosts:
        env.device(host).replug(**props)
    env.set_up_network()
    env.settle()


def _restore(env):
    """Both NICs are as the lab has started them."""
    for host in env.hosts:
        if env.device(host).get_or_none("counters") is None:
            env.lab.client.plug(env.device(host).ident)
    _replug(env)


def _identity(env, host, address, name):
    """What the kernel's own tools say of one NIC."""
    device, revision, family, board, _ = PROFILES[name]
    version = f"{family}.39.0001"
    for attribute, expected in (("vendor", "0x" + VENDOR), ("device", "0x" + device),
                                ("revision", "0x" + revision)):
        expect_equal(f"{address} {attribute}", pci.attribute(address, attribute), expected)
    said = env.local.out("lspci", "-n", "-s", address)
    expect(f"{VENDOR}:{device}" in said, said)
    info = host.nic.driver_info()
    expect_equal("ethtool -i", info["firmware-version"], f"{version} ({board})")
    versions = json.loads(env.local.out("devlink", "-j", "dev", "info", f"pci/{address}"))
    versions = versions["info"][f"pci/{address}"]["versions"]
    expect_equal("devlink: fw.psid", versions["fixed"]["fw.psid"], board)
    for kind in ("running", "stored"):
        expect_equal(f"devlink: fw.version {kind}", versions[kind]["fw.version"], version)


def _tools(env, name):
    """What the vendor's tools say, if they are here."""
    device, _, family, board, product = PROFILES[name]
    if env.local.has("mstflint"):
        said = env.local.out("mstflint", "-d", env.pci, "q")
        for line in (f"{family}.39.0001", board):
            expect(line in said, f"no {line} in\n{said}")
        said = env.local.out("mstflint", "-d", env.pci, "dc")
        expect(f"pci_device_id = 0x{device}" in said and "Crypto Enabled" in said, said)
    if env.local.has("mstdevices_info"):
        said = env.local.out("mstdevices_info")
        expect(f"{product}(rev:" in said, said)


def _profile(name):
    def run(env):
        """The card is told apart everywhere; TLS is offloaded both ways between two of them."""
        env.cleanup.callback(_restore, env)
        _replug(env, profile=name)
        for host, address in ((env.local, env.pci), (env.remote, env.remote_pci)):
            expect_equal("profile", env.device(host).get("profile"), name)
            _identity(env, host, address, name)
        _tools(env, name)
        two_devices("aes-gcm-128", 4)(env)
        traffic.both_ways(env, 6, 1 << 20)
    return run


for _name in PROFILES:
    add(f"profile/{_name}", _profile(_name), guard=900.0, full=_name != "cx7",
        needs=("lab:profile", "rebind", "driver:mlx5_core", "local-tool:devlink",
               "local-tool:lspci", *TLS))


@test("reserved/random", guard=900.0, full=True)
@needs("lab:fill-reserved", "rebind", "driver:mlx5_core", "local-tool:devlink", *TLS)
def random_reserved(env):
    """The driver reads no reserved field: it probes, is asked and set, and offloads TLS both ways
    as ever."""
    env.cleanup.callback(_restore, env)
    _replug(env, fill_reserved="random")
    for host in env.hosts:
        note(f"{host.name}: fill-reserved={env.device(host).get('fill-reserved')}")
    two_devices("aes-gcm-256", 6)(env)
    nic = env.local.nic
    for question in (*(("ethtool", option, nic.name)
                       for option in ("-S", "-m", "-a", "-x", "--show-fec")),
                     ("devlink", "dev", "info", f"pci/{env.pci}")):
        env.local.out(*question)
    with nic.with_mtu(3000):
        traffic.both_ways(env, 4, 1 << 20)
    with nic.with_channels() as change:
        change(1)
        traffic.both_ways(env, 6, 1 << 20)
