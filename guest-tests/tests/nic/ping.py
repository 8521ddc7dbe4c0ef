# SPDX-License-Identifier: GPL-2.0-or-later
"""Echo requests of every interesting size, both protocols, ordinary and jumbo frames."""

from lib import traffic
from lib.case import add, expect, expect_equal, test
from lib.net import ping

HEADERS = {4: 20 + 8, 6: 40 + 8}
JUMBO = 9000
COUNT = 2


def _sizes(family, mtu):
    """Around the minimum frame, inline headers, powers of two, pages and the limit."""
    most = mtu - HEADERS[family]
    sizes = [0, 1, 8, 17, 18, 19, 46, 47, 63, 64, 65, 128, 256, 511, 1000, most - 1, most]
    if mtu > 2000:
        sizes = [0, 1400, 1472, 1473, 2000, 2048, 3000, 4053, 4054, 4055, 4096, 6000, 8150,
                 8191, 8192, most - 1, most]
    return sizes


def _ping_all(env, family, mtu):
    sizes = _sizes(family, mtu)
    for host in env.hosts:
        got = host.call("icmp.echo", address=env.other(host).address(family), sizes=sizes,
                        count=COUNT, fragment=False)
        expect_equal(f"{host.name} end: refused", got["error"], None)
        expect_equal(f"{host.name} end: sizes of answers with other bytes", got["wrong"], [])
        missing = {size: got["answered"].get(str(size), 0) for size in sizes
                   if got["answered"].get(str(size), 0) != COUNT}
        expect(not missing, f"{host.name} end: not all of {COUNT} echo requests were answered: "
                            f"{missing} (size: answers)")


def _ordinary(family):
    def run(env):
        _ping_all(env, family, 1500)
    return run


def _jumbo(family):
    def run(env):
        with traffic.both_mtu(env, JUMBO):
            _ping_all(env, family, JUMBO)
    return run


def _fragments(family):
    def run(env):
        for size in (1500, 3000, 8000, 20000, 60000):
            answered = ping(env.local, env.remote.address(family), size=size, count=COUNT)
            expect_equal(f"echo requests of {size} bytes in fragments that were answered",
                         answered, COUNT)
    return run


for _family in (4, 6):
    add(f"ping/v{_family}", _ordinary(_family), smoke=True)
    add(f"ping/v{_family}-jumbo", _jumbo(_family))
    add(f"ping/v{_family}-fragments", _fragments(_family))


@test("ping/too-big")
def too_big(env):
    """What does not fit and must not be cut is refused by the stack, for its size."""
    for family in (4, 6):
        size = 1500 - HEADERS[family] + 1
        got = env.local.call("icmp.echo", address=env.remote.address(family), sizes=[size],
                             timeout=1, fragment=False)
        expect_equal(f"IPv{family}: why {size} bytes are refused at MTU 1500", got["error"],
                     "Message too long")


@test("ping/flood")
def flood(env):
    """A thousand each way, as fast as they are answered: none is lost."""
    for host in env.hosts:
        answered = ping(host, env.other(host).address(4), size=1000, count=1000)
        expect_equal(f"of 1000 echo requests of the {host.name} end answered", answered, 1000)
