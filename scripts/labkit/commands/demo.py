# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab demo`: a file over TLS, encrypted by one NIC and decrypted by the other.

Responsible for: running the guest's lab-demo, judging its report, and showing it in a readable
form.
State: none.

The verdict is based only on counters of the kernel and the driver and on the file's hash, not on
the device model.
"""

import argparse
import json
import os
import re
import sys
import textwrap
from typing import Any, TextIO

from .. import steps
from ..errors import LabError, printable
from ..make import kernel_build
from ..run import session
from ..run.guest import Guest
from ..run.spec import Spec

EXIT_NOT_OFFLOADED = 1
LIMIT = 1800.0          # hang guard of the whole demo in the guest
SIZE = 16
HEADERS = 14 + 20 + 32  # bytes of Ethernet, IPv4 and TCP headers in a data frame
ENOUGH = 0.97           # after a retransmission the receiver may lose track for a record or two

DESCRIPTION = f"""\
Build what is missing, boot a guest with two NICs wired back to back, and move a file of
{SIZE} MiB from one to the other over TLS 1.2 with AES-128-GCM: openssl s_server sends it
with sendfile, openssl s_client receives it. Then show what kernel and driver say about
it. Exit status 0 when both NICs did the cryptography and the file arrived intact, 1 when
not, 125 when the lab itself failed.

As long as the kernel of the tests is not built, the guest has Debian's own image, of
which only the driver is compiled (--kernel 6.12-stock).
"""

NIC_COUNTERS = {
    "sender": ("tx_tls_ctx", "tx_tls_encrypted_packets", "tx_tls_encrypted_bytes", "tx_tls_ooo",
               "tx_tls_dump_packets"),
    "receiver": ("rx_tls_ctx", "rx_tls_decrypted_packets", "rx_tls_decrypted_bytes",
                 "rx_tls_resync_req_pkt", "rx_tls_err"),
}
STAT_COUNTERS = ("TlsTxDevice", "TlsRxDevice", "TlsTxSw", "TlsRxSw", "TlsDecryptError",
                 "TlsRxDeviceResync")
DemoReport = dict[str, Any]         # of lab-demo in the guest
Verdict = tuple[bool, str]      # whether the check passed, and its sentence
TITLE = {"sender": "mlx0, sends", "receiver": "mlx1, receives"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab demo`."""
    parser.add_argument("--size", metavar="MIB", type=_size, default=SIZE,
                        help=f"size of the file (default: {SIZE} MiB)")
    session.add_options(parser, "demo")


def _size(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 512:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number of MiB from 1 to 512")
    return int(text)


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    spec = Spec.from_args(args, topology="pair")
    if args.kernel is None:
        args.kernel = kernel_build.quickest()
    products = session.ensure_products(args)
    with session.artifacts("demo", args.artifacts) as rundir:
        with session.booted(products, spec, rundir, need_network=True) as guest:
            steps.say(f"guest ready after {guest.booted_in:.1f} s")
            report = _run(guest, args.size)
        rundir.file("demo.json").write_text(json.dumps(report, indent=1) + "\n",
                                            encoding="utf-8")
        checks = judge(report)
        show(report, checks, Style(sys.stdout))
    return 0 if all(good for good, _ in checks) else EXIT_NOT_OFFLOADED


def _clean(value: Any) -> Any:
    """Return the guest's report without terminal control characters."""
    if isinstance(value, dict):
        return {_clean(name): _clean(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_clean(member) for member in value]
    if isinstance(value, str):
        return "\n".join(map(printable, value.split("\n")))
    return value


def _run(guest: Guest, size: int) -> DemoReport:
    """Run lab-demo in the guest; returns its report."""
    rest, errors, report = b"", bytearray(), {}

    def take(data: bytes) -> None:
        nonlocal rest
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            message = _clean(json.loads(line))
            report.update(message.get("report", {}))
            if "step" in message:
                steps.say(message["step"])

    status = guest.run(["lab-demo", str(size)], stdout=take, stderr=errors.extend, timeout=LIMIT)
    if status or not report:
        raise LabError(f"lab-demo ended in the guest with status {status}: "
                       + errors.decode(errors="replace").strip())
    return report


# ---- the verdict


def moved(report: DemoReport, end: str, kind: str, name: str) -> int | None:
    """Return the change of a counter during the transfer; None if the kernel does not have it."""
    after = report.get("after", {}).get(end, {}).get(kind, {}).get(name)
    if after is None:
        return None
    return after - report["before"][end][kind].get(name, 0)


def decrypted_share(report: DemoReport) -> float | None:
    """Return the share of TLS bytes decrypted by the receiving NIC, 0 to 1; None without counters.

    rx_tls_decrypted_bytes counts whole frames, tx_tls_encrypted_bytes only TCP payload, so the
    headers are subtracted. Bytes encrypted twice because of a retransmission, and bytes passed
    while the receiver resynchronised, reduce the share.
    """
    frames = moved(report, "receiver", "nic", "rx_tls_decrypted_packets")
    total = moved(report, "receiver", "nic", "rx_tls_decrypted_bytes")
    sent = moved(report, "sender", "nic", "tx_tls_encrypted_bytes")
    if frames is None or total is None or sent is None:
        return None
    return min(1.0, max(0, total - frames * HEADERS) / max(sent, report["size"]))


def configurations(text: str) -> dict[str, str]:
    """{"tx": "hw", "rx": "sw"} of an `ss -tni` text."""
    return dict(re.findall(r"\b(tx|rx)conf:\s*(\w+)", text))


def judge(report: DemoReport) -> list[Verdict]:
    """Return [(good, sentence)]: all conditions for "it was offloaded"."""
    checks = []

    def check(good: object, sentence: str) -> None:
        checks.append((bool(good), sentence))

    if report["error"]:
        check(False, f"the transfer: {report['error']}")
        return checks
    size = report["size"]
    check(report["received_sha256"] == report["sha256"],
          f"the file arrived intact: SHA-256 {report['received_sha256'][:16]}…, sent "
          f"{report['sha256'][:16]}…")
    for end in ("sender", "receiver"):
        conf = configurations(report.get("sockets", {}).get(end, ""))
        check(conf == {"tx": "hw", "rx": "hw"},
              f"socket on {TITLE[end].split(',', maxsplit=1)[0]}: txconf {conf.get('tx', 'none')}, "
              f"rxconf {conf.get('rx', 'none')} (hw is the NIC, sw the CPU)")
    count = moved(report, "sender", "nic", "tx_tls_encrypted_bytes")
    check(count is not None and count >= size,
          "mlx0 has no counter tx_tls_encrypted_bytes: no TLS offload" if count is None else
          f"mlx0 encrypted {_bytes(count)} of TLS; the file has {_bytes(size)}")
    share = decrypted_share(report)
    losses = moved(report, "receiver", "nic", "rx_tls_resync_req_pkt") or 0
    check(share is not None and share >= ENOUGH,
          "mlx1 has no counter rx_tls_decrypted_bytes: no TLS offload" if share is None else
          f"mlx1 decrypted {share:.2%} of what mlx0 encrypted, after {losses} "
          f"loss{'' if losses == 1 else 'es'} of sync "
          f"(expected at least {ENOUGH:.0%})")
    for end, name in (("sender", "TlsTxDevice"), ("receiver", "TlsRxDevice")):
        count = moved(report, end, "stat", name)
        check(count, f"{name} {_plus(count)}: connections that the kernel gave to the NIC")
    wrong = [moved(report, end, "stat", "TlsDecryptError") for end in ("sender", "receiver")]
    check(wrong == [0, 0], f"TlsDecryptError {' and '.join(str(n) for n in wrong)}: "
                           "records that the kernel could not verify")
    errors = report["kernel_errors"]
    check(not errors, "errors in the kernel's log: " + (errors[0] if errors else "none"))
    return checks


def verdict(report: DemoReport, checks: list[Verdict]) -> str:
    """Return the one-line verdict."""
    if all(good for good, _ in checks):
        size, seconds = report["size"], max(report["seconds"], 0.001)
        return (f"OFFLOADED: {_bytes(size)} over TLS, encrypted by mlx0 in "
                f"{moved(report, 'sender', 'nic', 'tx_tls_encrypted_packets')} packets, "
                f"{decrypted_share(report):.2%} decrypted by mlx1, "
                f"{size * 8 / seconds / 1e6:.0f} Mbit/s under emulation")
    if report["error"]:
        return "FAILED: the file did not arrive"
    if report["received_sha256"] != report["sha256"]:
        return "FAILED: the file arrived damaged"
    parts = {"sender": "encrypted by " + _who(report, "sender", "tx"),
             "receiver": "decrypted by " + _who(report, "receiver", "rx")}
    failed = sum(not good for good, _ in checks)
    return (f"NOT (FULLY) OFFLOADED: the file arrived intact, {parts['sender']}, "
            f"{parts['receiver']}; {failed} of {len(checks)} checks failed")


def _who(report: DemoReport, end: str, direction: str) -> str:
    conf = configurations(report.get("sockets", {}).get(end, "")).get(direction, "")
    return {"hw": "the NIC", "sw": "the kernel's software", "": "OpenSSL itself"}.get(conf, conf)


# ---- presentation


class Style:
    """Bold and colour on a terminal, plain text elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.on = stream.isatty() and os.environ.get("TERM") != "dumb" \
            and "NO_COLOR" not in os.environ

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text

    def bold(self, text: str) -> str:
        """A heading."""
        return self._wrap("1", text)

    def good(self, text: str) -> str:
        """A passed check."""
        return self._wrap("32", text)

    def bad(self, text: str) -> str:
        """A failed check."""
        return self._wrap("1;31", text)

    def dim(self, text: str) -> str:
        """Secondary information."""
        return self._wrap("2", text)


def _bytes(count: int | None) -> str:
    return f"{count:,} bytes" if count is not None else "unknown"


def _plus(count: int | None) -> str:
    return "is missing" if count is None else f"+{count}"


def show(report: DemoReport, checks: list[Verdict], style: Style) -> None:
    """Print the report."""
    out: list[str] = []
    add = out.append
    sender = report["driver"]["sender"]
    add("")
    add(style.bold("A file over TLS, encrypted by one NIC and decrypted by the other"))
    add("")
    add(f"  guest     Linux {report['kernel']}, driver {sender.get('driver')} "
        f"(firmware {sender.get('firmware-version') or 'unknown'}), {report['openssl']}")
    add("  wire      mlx0 10.0.0.1  <──>  mlx1 10.0.0.2 (namespace peer)")
    add(f"  transfer  {report['size'] >> 20} MiB of random bytes from mlx0 to mlx1, TLS 1.2, "
        f"{report['cipher']}")
    for command in report.get("commands", ()):
        add(style.dim(f"            $ {command}"))
    for end in ("sender", "receiver"):
        interface = TITLE[end].split(",", maxsplit=1)[0]
        prefix = "ip netns exec peer " if end == "receiver" else ""
        add("")
        add(style.bold(f"── {TITLE[end]} " + "─" * 50))
        add(style.dim(f"$ {prefix}ethtool -k {interface} | grep tls"))
        out += [f"  {line}" for line in report["features"][end]] or ["  (nothing)"]
        if report["refused"][end]:
            out += textwrap.wrap("turning it on failed: " + report["refused"][end], 96,
                                 initial_indent="  ", subsequent_indent="    ",
                                 break_on_hyphens=False)
        text = report.get("sockets", {}).get(end, "").rstrip()
        if text:
            add(style.dim(f"$ {prefix}ss -tni     (in the middle of the transfer)"))
            for line in text.splitlines():
                if not line.startswith("State"):
                    out += [_highlight(part, style) for part in textwrap.wrap(
                        " ".join(line.split()), 96, initial_indent="  ",
                        subsequent_indent="    ", break_on_hyphens=False)]
        if "after" in report:
            add(style.dim(f"$ {prefix}ethtool -S {interface} | grep tls"))
            out += _counters(report, end, "nic", NIC_COUNTERS[end])
            add(style.dim(f"$ {prefix}cat /proc/net/tls_stat"))
            out += _counters(report, end, "stat", STAT_COUNTERS)
    add("")
    add(style.bold("── checks " + "─" * 54))
    for good, sentence in checks:
        add(f"  {style.good('ok  ') if good else style.bad('FAIL')}  {sentence}")
    add("")
    line = verdict(report, checks)
    add(style.good(style.bold(line)) if all(good for good, _ in checks) else style.bad(line))
    print("\n".join(out), flush=True)


def _highlight(line: str, style: Style) -> str:
    return re.sub(r"\b[tr]xconf:( ?\w+)?", lambda match: style.bold(match[0]), line)


def _counters(report: DemoReport, end: str, kind: str, names: tuple[str, ...]) -> list[str]:
    """Lines for the main counters, and any other that changed."""
    after = report["after"][end][kind]
    shown = [name for name in after if name in names or moved(report, end, kind, name)]
    width = max((len(name) for name in shown), default=0)
    return [f"  {name:{width}}  {after[name]:>12,}  ({_plus(moved(report, end, kind, name))})"
            for name in shown] or ["  (no such counters)"]
