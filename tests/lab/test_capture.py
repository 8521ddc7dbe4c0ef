# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of `lab run --pcap`, with a guest: the file, read by tshark.

Responsible for: that the comments of its packets have the figures of the record log, that both
sides of the crypto are there, and that Wireshark decrypts by the secrets of the programs.
State: none.
"""

import collections
import hashlib
import json
import pathlib
import re
import subprocess

from labkit import pcapng
from labkit.make import host, products
from labkit.run import pcap

from .judge import check, same
from .registry import full_only
from .rig import PING, LabRig
from .test_explain_run import CONNECTION, TLS12

PARTS = products.PARTS
SIZE = 2 << 20
LOSS = "drop a>b record=90 byte=2"      # of a header: records are searched, then authenticated
TSHARK = 600.0                          # hang guard of one tshark
BETWEEN = "|"                           # what tshark puts between the comments of a packet
RECORD = re.compile(r"record \S+ ends: .*, verdict ([a-z-]+)")


def _tshark(path: pathlib.Path, *options: str) -> list[str]:
    """Lines of tshark's output about a capture."""
    result = subprocess.run(["tshark", "-r", str(path), *options], capture_output=True, text=True,
                            check=False, timeout=TSHARK)
    same(result.returncode, 0, f"tshark's status; {result.stderr}")
    return result.stdout.splitlines()


def _comments(path: pathlib.Path) -> list[tuple[str, list[str]]]:
    """(interface, comments) of each packet."""
    lines = _tshark(path, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment",
                    "-E", f"aggregator={BETWEEN}")
    return [(name, said.split(BETWEEN)) for name, said in (line.split("\t") for line in lines)]


def _of_log(path: pathlib.Path) -> dict[str, dict[str, int]]:
    """{interface of a driver: {verdict: records}} of a record log."""
    count: dict[str, dict[str, int]] = collections.defaultdict(collections.Counter)
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        count[f"{entry['dev']}-driver"][entry["verdict"]] += 1
    return count


def _of_comments(said: list[tuple[str, list[str]]]) -> dict[str, dict[str, int]]:
    count: dict[str, dict[str, int]] = collections.defaultdict(collections.Counter)
    for name, comments in said:
        for record in filter(None, map(RECORD.fullmatch, comments)):
            if name.endswith("-driver"):
                count[name][record[1]] += 1
    return count


def _payloads(path: pathlib.Path, name: str, port: str) -> bytes:
    """The payloads of one direction of the connection on an interface, one after the other."""
    lines = _tshark(path, "-Y", f'frame.interface_name == "{name}" && {port} && tcp.len > 0',
                    "-T", "fields", "-e", "tcp.payload")
    return b"".join(bytes.fromhex(line) for line in lines)


def test_pcap(rig: LabRig) -> None:
    """`lab run --pcap` captures what CMD does, on two interfaces of each NIC."""
    path = rig.context.rundir.file("ping.pcapng")
    status, _, err = rig.run(["sh", "-c", f"{PING} 10.0.0.2"], "--pcap", str(path))
    same(status, 0, f"status of `lab run --pcap`; {err}")
    count = pcapng.packets(path)
    same(sorted(count), ["nic0-driver", "nic0-wire", "nic1-driver", "nic1-wire"], "interfaces")
    for nic in ("nic0", "nic1"):
        # what the flow tables drop is on the wire only
        check(2 <= count[f"{nic}-driver"] <= count[f"{nic}-wire"],
              f"{count}: expected a request and an answer on both sides of {nic}")
    check(f"{path}: {count['nic0-wire']} packets on nic0-wire" in err, err)


@full_only
def test_pcap_tshark(rig: LabRig) -> None:
    """A connection that loses sync: comments, both sides, and Wireshark's decryption."""
    host.ensure_packages(rig.context.args.yes, ("capture",))
    path, log = rig.context.rundir.file("flow.pcapng"), rig.context.rundir.file("flow.jsonl")
    script = CONNECTION.replace("tail -c", "sha256sum file; tail -c")
    options = f"-ktls {TLS12} -keylogfile {pcap.KEY_LOG}"
    status, out, err = rig.run(
        ["sh", "-c", script, "sh", str(SIZE), *options.split()], "--pcap", f"{path},keys=on",
        "--nic", f"record-log={log}", "--wire", LOSS, "--feature", "tls-hw-rx-offload=on")
    same(status, 0, f"status of `lab run --pcap`; {err}")
    check("with the TLS secrets of" in err, err)

    said = _comments(path)
    logged = _of_log(log)
    same(_of_comments(said), logged, "records by verdict: of the comments, of the record log")
    check(len(logged["nic1-driver"]) > 1, f"{logged}: expected more than one verdict at nic1")
    for name, comments in said:
        check(bool(comments[0]), f"a packet of {name} has no comment")
    for word in ("encrypted; record", "decrypted; record", "resync requested", "GET_PSV",
                 "static params"):
        check(any(word in comments[0] for _, comments in said), f"no packet says {word!r}")

    # what Wireshark itself makes of it
    shown = _tshark(path, "-q", "-z", "follow,tls,raw,0")
    stream = b"".join(bytes.fromhex(line) for line in shown
                      if re.fullmatch(r"\t?(?:[0-9a-f]{2})+", line))
    digest = out.decode().split()[0]
    check(hashlib.sha256(stream[-SIZE:]).hexdigest() == digest,
          f"tshark has decrypted {len(stream)} bytes, which do not end with the file")
    # plaintext where the driver is, and nowhere else
    part = stream[-1000:-900]
    for name, plain in (("nic0-driver", True), ("nic0-wire", False), ("nic1-wire", False)):
        same(part in _payloads(path, name, "tcp.srcport == 4433"), plain,
             f"the file's end is on {name}")
