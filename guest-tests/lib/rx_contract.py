# SPDX-License-Identifier: GPL-2.0-or-later
"""What a receiving scenario comes to, and how much of that holds for every NIC.

Responsible for: flags of packets, the account of a scenario, what any NIC shows of it (counters of
driver and kernel, packets that reached the stack), and the contract: what must be so beside a NIC
that cannot be asked.
State: a Shown has the values of one moment.
Callers: rx.py; tests of receiving.

A test describes its scenario once, as the emulated device acts in it: packets by flag, rows of the
tracker (engine/tls_rx.h). rx_device.py holds the device to that exactly. The contract takes from
the same account what no NIC may do otherwise: all packets came; the bytes are right (the reader
sees to that); as many packets were decrypted as the scenario leaves in sync; nothing is decrypted
beyond a lost place before the software has approved one; whoever has lost his place asks at least
once, and nobody asks without a loss; no record fails that was not damaged. When a device asks, how
often, and in how many packets it sees an error, is its own affair; that is kept with env.observe().
"""

import dataclasses

from .case import Failure, expect_between, expect_equal, wait_for
from .counters import Watch

# counters that a scenario must name when it moves them
DRIVER = ("rx_tls_resync_req_pkt", "rx_tls_resync_req_start", "rx_tls_resync_req_end",
          "rx_tls_resync_req_skip", "rx_tls_resync_res_ok", "rx_tls_resync_res_retry",
          "rx_tls_resync_res_skip", "rx_tls_err")
KERNEL = ("TlsDecryptError", "TlsRxDeviceResync")
# rows by which a device has lost its place in the stream
LOST = ("R4", "R9", "R10", "R15", "R17", "R22", "R24", "R32")


def asked(times=1):
    """The driver's counters when the device has asked for resync so often and was answered."""
    return {"rx_tls_resync_req_start": times, "rx_tls_resync_req_end": times}


# the driver has not heard what the device asks, whatever device it is
UNHEARD = asked(0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flags:
    """Packets with payload that the device has delivered, by the TLS flag of their CQE."""

    plain: int = 0              # 0: as they were on the wire
    decrypted: int = 0          # 1
    resync: int = 0             # 2: as they were, and the device asks where it is
    error: int = 0              # 3: a wrong tag was in it

    def __add__(self, other):
        return Flags(**{field.name: getattr(self, field.name) + getattr(other, field.name)
                        for field in dataclasses.fields(self)})

    def __sub__(self, other):
        return self + other * -1

    def __mul__(self, times):
        return Flags(**{field.name: getattr(self, field.name) * times
                        for field in dataclasses.fields(self)})

    @property
    def total(self):
        """All packets."""
        return self.plain + self.decrypted + self.resync + self.error


@dataclasses.dataclass(frozen=True, kw_only=True)
class Account:
    """A scenario: what the emulated device makes of it, exactly.

    flags     packets by flag
    rows      {"R9": 1, ...}: rows of the tracker; one that is None was taken any number of times,
              and so were all if rows is
    resyncs   how often the device asked, was answered and approved
    counters  {name: value} of the driver or the kernel beyond that
    fewer     so many packets less may be decrypted by a NIC that follows differently
    more      so many more
    certain   False: a NIC may as well not ask, or be approved where the emulated one is not
    damaged   the device has got packets that were damaged, and the stack has not
    """

    flags: Flags
    rows: dict | None = None
    resyncs: int = 0
    counters: dict = dataclasses.field(default_factory=dict)
    fewer: int = 0
    more: int = 0
    certain: bool = True
    damaged: bool = False

    def exact(self):
        """{counter of driver or kernel: value} beside the emulated device."""
        want = dict.fromkeys(DRIVER + KERNEL, 0)
        want |= {"rx_tls_decrypted_packets": self.flags.decrypted,
                 "rx_tls_resync_req_pkt": self.flags.resync, "rx_tls_err": self.flags.error}
        want |= dict.fromkeys(("rx_tls_resync_req_start", "rx_tls_resync_req_end",
                               "rx_tls_resync_res_ok", "TlsRxDeviceResync"), self.resyncs)
        return want | self.counters

    def lost(self):
        """Has the device lost its place somewhere in it?"""
        return bool(self.flags.resync or self.flags.error or self.fewer or self.damaged
                    or self.rows is None
                    or any(self.rows.get(row, 0) != 0 for row in LOST))

    def ranges(self, got):
        """{counter: (least, most)} beside any NIC; where one bounds another, `got` has it."""
        want = self.exact()
        packets, decrypted = self.flags.total, self.flags.decrypted
        asks, starts = got["rx_tls_resync_req_pkt"], got["rx_tls_resync_req_start"]

        def some(name, most):
            return min(want[name], int(self.certain)), most

        found = {name: (value, value) for name, value in want.items()}
        found |= {
            "rx_tls_decrypted_packets": (decrypted - self.fewer, decrypted + self.more),
            "rx_tls_resync_req_pkt": some(
                "rx_tls_resync_req_pkt",
                packets - got["rx_tls_decrypted_packets"] if self.lost() else 0),
            "rx_tls_resync_req_start": some("rx_tls_resync_req_start", asks),
            "rx_tls_resync_req_end": some("rx_tls_resync_req_end", starts),
            "rx_tls_resync_req_skip": (0, starts),
            "rx_tls_resync_res_retry": (0, None)}
        for name in asked():
            if self.counters.get(name) == 0:        # named: the driver cannot have
                found[name] = 0, 0
        if want["TlsRxDeviceResync"] or not self.certain:
            # the answers may have come before the counting began
            found["TlsRxDeviceResync"] = some("TlsRxDeviceResync",
                                              max(1, got["rx_tls_resync_req_end"]))
            found["rx_tls_resync_res_ok"] = some("rx_tls_resync_res_ok",
                                                 max(1, got["TlsRxDeviceResync"]))
        if self.flags.error or self.damaged:
            found["rx_tls_err"] = some("rx_tls_err", packets - got["rx_tls_decrypted_packets"])
        return found


class Shown:
    """What any NIC shows of a session since the last restart."""

    def __init__(self, env, connection):
        self._env, self._connection = env, connection
        self._watch = Watch(env.local)
        self._hidden = []           # see hide()
        self._begun = None
        self.restart()
        self._first = self._begun, Watch(env.local)

    def restart(self):
        """From now on."""
        self._watch.restart()
        self._begun = self._arrived(self._watch)

    def hide(self, count):
        """count(): packets that the device sees and TCP does not."""
        self._hidden.append(count)

    def _arrived(self, watch):
        """Packets with payload so far, without those since a watch whose checksum was wrong."""
        # TCP counts what comes to a socket before it looks at the checksum: asked in this order,
        # a packet may be missing for a moment, and there is never one too many
        came = self._connection.info(self._env.local)["data_segs_in"]
        return (came - watch.protocols()["TcpInCsumErrors"]
                + sum(count() for count in self._hidden))

    def counters(self):
        """How far the counters of driver and kernel have moved: a dict in which each has a
        value."""
        found = self._watch.nic()
        found.update(self._watch.protocols())
        return found

    def driver(self, name):
        """How far one of them has moved."""
        return (self._watch.protocols() if name.startswith("Tls") else self._watch.nic())[name]

    def packets(self):
        """Packets with payload that the device has delivered."""
        return self._arrived(self._watch) - self._begun

    def flags(self):
        """The same by flag. The driver counts a packet before TCP does."""
        packets, nic = self.packets(), self._watch.nic()
        found = Flags(decrypted=nic["rx_tls_decrypted_packets"],
                      resync=nic["rx_tls_resync_req_pkt"], error=nic["rx_tls_err"])
        return dataclasses.replace(found, plain=packets - found.total)

    def since_begin(self):
        """(packets with payload, of those decrypted) since the session began."""
        begun, watch = self._first
        return (self._arrived(watch) - begun,
                watch.nic()["rx_tls_decrypted_packets"])

    def expect_kept(self, account, beside=0):
        """The contract is kept in a scenario. What was counted is observed. beside: packets that
        came and are not in the account."""
        want = account.flags.total + beside
        wait_for(f"{want} packets at the stack", lambda: self.packets() >= want)
        expect_equal("packets with payload at the stack", self.packets(), want)
        expect_ranges(self._env, self.counters, account)


def expect_ranges(env, counters, account):
    """counters() of driver and kernel come to be as the contract has it, and are observed."""
    def look():
        got = counters()
        ranges = account.ranges(got)
        return got if all(got[name] >= low for name, (low, _) in ranges.items()) else None

    try:
        got = wait_for("counters of driver and kernel", look)
    except Failure:
        got = counters()        # the first one out of its range is named below
    ranges = account.ranges(got)
    for name, (low, high) in ranges.items():
        expect_between(f"{name}, of any NIC", got[name], low, high)
    env.observe("counted", {"packets": account.flags.total} | {
        name: got[name] for name in sorted(ranges) if got[name]})
