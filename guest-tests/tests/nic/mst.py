# SPDX-License-Identifier: GPL-2.0-or-later
"""The vendor's open tools, Debian's package mstflint: what they read from the card past the driver
is what the driver and the kernel say of it."""

import re

from lib.case import Skip, expect, expect_equal, needs, test
from lib.hosts import CommandError
from lib.ktap import note

BAD_ACCESS = 0xbadacce5         # what a card answers where there is no register


def _fields(text):
    """"Name:  value" of each line, the first one of a name."""
    found = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip(), value.strip())
    return found


def _words(text):
    """The lines of a coloured text that say something."""
    lines = (re.sub(r"\x1b\[\d+m", "", line).strip() for line in text.splitlines())
    return [" ".join(line.split()) for line in lines if ":" in line]


def _plain(text):
    """_fields() of a coloured text."""
    return _fields("\n".join(_words(text)))


def _firmware(env):
    """What the driver says: ("22.39.0001", "QEM0000000001")."""
    text = env.local.nic.driver_info()["firmware-version"]
    match = re.fullmatch(r"([\d.]+) \((\S+)\)", text)
    expect(match, f"firmware-version is {text!r}, expected a version and (board)")
    return match.groups()


def _refusal(host, *argv):
    """A tool that must refuse: with a message, and not by a signal."""
    try:
        said = host.out(*argv)
    except CommandError as e:
        expect(0 < e.result.rc < 126, f"{argv[0]} ended with status {e.result.rc}")
        said = str(e)
    expect("-E-" in said or "ailed" in said, f"{' '.join(argv)} did not refuse: {said!r}")
    note(f"{argv[0]}: {said.strip().splitlines()[-1]}")


@test("mst/flint-query", smoke=True)
@needs("driver:mlx5_core", "local-tool:mstflint")
def query(env):
    """mstflint q: firmware version, board and MAC address are those of the driver."""
    version, board = _firmware(env)
    said = _fields(env.local.out("mstflint", "-d", env.pci, "q"))
    expect_equal("FW Version", said["FW Version"], version)
    expect_equal("PSID", said["PSID"], board)
    permanent = env.local.out("ethtool", "-P", env.local.nic.name).split()[-1]
    expect_equal("Base MAC", said["Base MAC"].split()[0], permanent.replace(":", ""))


@test("mst/flint-dc")
@needs("driver:mlx5_core", "local-tool:mstflint")
def configuration(env):
    """mstflint dc: "Crypto Enabled" says what the driver's features say."""
    try:
        said = env.local.out("mstflint", "-d", env.pci, "dc")
    except CommandError as e:
        if env.lab:
            raise
        raise Skip(f"this card's firmware does not show its configuration: {e}") from e
    crypto = re.search(r"^;;\s*Description.*?Crypto (Enabled|Disabled)", said, re.M)
    expect(crypto, f"no description with Crypto in\n{said}")
    tls = any(env.local.nic.can(name) for name in ("tls-hw-tx-offload", "tls-hw-rx-offload"))
    expect_equal("Crypto", crypto[1], "Enabled" if tls else "Disabled")


@test("mst/flint-verify", full=True)
@needs("driver:mlx5_core", "local-tool:mstflint")
def verify(env):
    """mstflint v: every checksum of the flash is right."""
    said = env.local.out("mstflint", "-d", env.pci, "v")
    wrong = [line for line in said.splitlines() if "(0x" in line and not line.endswith("OK")]
    expect(not wrong, "\n".join(wrong))
    expect("verification succeeded" in said, said)


@test("mst/config", full=True)
@needs("driver:mlx5_core", "local-tool:mstconfig")
def mstconfig(env):
    """mstconfig q lists the configuration."""
    said = env.local.out("mstconfig", "-d", env.pci, "q", "CQE_COMPRESSION")
    expect(re.search(r"CQE_COMPRESSION\s+BALANCED\(0\)", said), said)


@test("mst/fwreset", full=True)
@needs("lab", "local-tool:mstfwreset")
def fwreset(env):
    """mstfwreset query: nothing but a reboot restarts the firmware."""
    said = env.local.out("mstfwreset", "-d", env.pci, "query")
    levels = re.findall(r"^\d: (.*?)\s*-(Not Supported|Supported)\b", said.split("Reset-types")[0],
                        re.M)
    expect_equal("levels", [name for name, can in levels if can == "Supported"], ["Warm Reboot"])


@test("mst/reg", full=True)
@needs("driver:mlx5_core", "local-tool:mstreg")
def mstreg(env):
    """mstreg reads a register of the port: it is up."""
    said = env.local.out("mstreg", "-d", env.pci, "--reg_name", "PAOS", "--get", "-i",
                         "local_port=1,swid=0,lp_msb=0,plane_ind=0")
    expect(re.search(r"^oper_status\s*\| 0x00000001", said, re.M), said)
    _refusal(env.local, "mstreg", "-d", env.pci, "--reg_name", "MCC", "--get")


@test("mst/link", full=True)
@needs("driver:mlx5_core", "local-tool:mstlink")
def link(env):
    """mstlink says what ethtool says of the link and of the cable, with counters, FEC and
    lanes."""
    said = _plain(env.local.out("mstlink", "-d", env.pci))
    expect_equal("State", said["State"], "Active")
    speed = env.local.read(f"/sys/class/net/{env.local.nic.name}/speed")
    expect_equal("Speed", said["Speed"].removesuffix("G"), str(int(speed) // 1000))
    expect_equal("Firmware Version", said["Firmware Version"], _firmware(env)[0])
    for option, wanted in (("-m", ("Cable Type", "Vendor Name")),
                           ("-c", ("Time Since Last Clear [Min]", "Raw Physical BER")),
                           ("-e", ("Physical Grade",)),
                           ("--show_fec", ("FEC Capability 100G_4X",)),
                           ("--show_serdes_tx", ("Serdes TX parameters",))):
        text = env.local.out("mstlink", "-d", env.pci, option)
        note(f"mstlink {option}: " + "; ".join(_words(text)))
        if env.lab:
            found = _plain(text)
            expect(all(any(name in key for key in found) for name in wanted),
                   f"mstlink {option} does not say {wanted}:\n{text}")


@test("mst/cr-space", full=True)
@needs("lab", "local-tool:mstmcra", "local-tool:mstregdump")
def cr_space(env):
    """mstmcra and mstregdump agree about the chip; writing changes nothing."""
    chip = int(env.local.out("mstmcra", env.pci, "0xf0014"), 16)
    env.local.run("mstmcra", env.pci, "0xf0014", "0x1")
    expect_equal("0xf0014 after a write", int(env.local.out("mstmcra", env.pci, "0xf0014"), 16),
                 chip)
    dump = dict((int(word, 16) for word in line.split())
                for line in env.local.out("mstregdump", env.pci).splitlines()
                if line.startswith("0x"))
    expect_equal("0xf0014 in the dump", dump[0xf0014], chip)
    known = {address for address, value in dump.items() if value != BAD_ACCESS}
    expect(0xf0014 in known and len(known) < 100, f"registers that exist: {len(known)}")


@test("mst/devices-info", full=True)
@needs("driver:mlx5_core", "local-tool:mstdevices_info")
def devices_info(env):
    """mstdevices_info -v, the open counterpart of `mst status -v`, lists the interface."""
    said = env.local.out("mstdevices_info", "-v")
    short = env.pci.removeprefix("0000:")
    lines = [line.split() for line in said.splitlines() if short in line]
    expect(len(lines) == 1 and f"net-{env.local.nic.name}" in lines[0], said)
