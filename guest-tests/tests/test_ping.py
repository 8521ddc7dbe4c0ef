# SPDX-License-Identifier: GPL-2.0-or-later
"""Echo requests of every interesting size, both protocols, ordinary and jumbo frames."""

from lib import traffic
from lib.case import Failure, add, expect, expect_equal, test
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
    for size in _sizes(family, mtu):
        for host in env.hosts:
            answered = ping(host, env.other(host).address(family), size=size, count=COUNT,
                            fragment=False)
            if answered != COUNT:
                raise Failure(f"{host.name} end, {size} bytes: {answered} of {COUNT} echo "
                              "requests answered")


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
    add(f"ping/v{_family}", _ordinary(_family), needs=("tool:ping",), smoke=True)
    add(f"ping/v{_family}-jumbo", _jumbo(_family), needs=("tool:ping",))
    add(f"ping/v{_family}-fragments", _fragments(_family), needs=("tool:ping",))


@test("ping/too-big", needs=("tool:ping",))
def too_big(env):
    """What does not fit and must not be cut is refused here, and so nobody answers."""
    for family in (4, 6):
        size = 1500 - HEADERS[family] + 1
        answered = ping(env.local, env.remote.address(family), size=size, count=1, wait=1,
                        fragment=False)
        expect(answered == 0, f"{size} bytes were answered over IPv{family} at MTU 1500")


@test("ping/flood", needs=("tool:ping",))
def flood(env):
    """Two thousand as fast as they are answered: none is lost."""
    for host in env.hosts:
        answered = ping(host, env.other(host).address(4), size=1000, count=1000, interval=0)
        expect_equal(f"of 1000 echo requests of the {host.name} end answered", answered, 1000)
