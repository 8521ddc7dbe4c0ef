# SPDX-License-Identifier: GPL-2.0-or-later
"""T-03, T-04, T-36: the driver's pools of contexts and keys, and what of them is in the device.

Both pools are models here, written down from what the driver does: contexts (TIS) are made sixteen
at a time until more than 1024 are spare, and unmade sixteen at a time from 4096 spare ones on;
keys are made in ranges of 2^log-dek-max-alloc, and used ones wait until more than 128 of them
justify a SYNC_CRYPTO. The device's own count of objects must be the model's.
"""

import contextlib

from lib import counters, txpath
from lib.case import expect, expect_equal, needs, test, wait_equal, wait_for
from lib.counters import ethtool
from lib.driver import replug
from lib.hosts import CallError
from lib.ktap import note
from lib.tls import Connection, Offload
from lib.version import TLS

BULK, LOW, HIGH = 16, 1024, 4096
FILLED = LOW + BULK             # where filling ends
SYNC = 128                      # more used keys than that are given back by SYNC_CRYPTO
CHURN = 1000                    # connections
# Connections at once; each line adds up to the 129 keys that make the driver synchronise, so that
# it does so when nothing is open: in which order a group's keys come back is not known.
STEPS = (1, 15, 16, 17, 64, 16,
         129,
         100, 29,
         128, 1,
         64, 65,
         33, 32, 64,
         17, 112,
         129)


def _pool_size(env):
    """Spare contexts as the driver's debugfs says; None where it does not."""
    try:
        return int(env.local.read(f"/sys/kernel/debug/mlx5/{env.pci}/nic/tls/tx/pool_size"))
    except CallError:
        return None


def _driver_paths(env):
    return (f"/sys/bus/pci/drivers/{env.pci_driver}/", f"/sys/bus/pci/devices/{env.pci}/driver")


def _unbind(env):
    txpath.store_filled(env.local)
    drivers, _ = _driver_paths(env)
    env.local.write(drivers + "unbind", env.pci)


def _bind(env):
    drivers, bound = _driver_paths(env)
    if env.local.call("procs.readlink", path=bound) is None:
        env.local.write(drivers + "bind", env.pci)
    env.set_up_network()
    env.settle()


@contextlib.contextmanager
def _fresh(env):
    """The driver has just been bound: its pools are empty."""
    env.cleanup.callback(_bind, env)
    _unbind(env)
    _bind(env)
    yield


def _objects(env, kind):
    return env.lab.objects()[kind] if env.lab else None


def _alloc(env):
    return ethtool(env.local, env.local.nic.name)["tx_tls_pool_alloc"]


def _contexts(env):
    """Contexts that there are, spare or not."""
    values = ethtool(env.local, env.local.nic.name)
    return values["tx_tls_pool_alloc"] - values["tx_tls_pool_free"]


@test("T-03/tx-pool-alloc", guard=600.0)
@needs("tls-tx", "rebind", "driver:mlx5_core")
def alloc(env):
    """The first connection after the driver was bound makes its context itself (+1) and has the
    pool filled (+16 at a time, until more than 1024 are spare); the next sixteen take from the
    pool and the seventeenth fills it again. The device has made as many TIS."""
    if env.software_tls:
        return
    with _fresh(env), Offload(env, env.local, tx=True) as offload, Offload(env, env.remote), \
            contextlib.ExitStack() as stack:
        expect_equal("tx_tls_pool_alloc after binding", _alloc(env), 0)
        before = _objects(env, "tis")
        have = 0

        def open_one():
            connection = stack.enter_context(Connection(env.local, env.remote, seed=env.seed))
            connection.enable_tls(down=False)
            connection.up.move(1000)

        def check(opened, made):
            wait_equal(f"tx_tls_pool_alloc after {opened} connections", lambda: _alloc(env), made,
                       120)
            if _pool_size(env) is not None:
                wait_equal("pool_size", lambda: _pool_size(env), made - opened)
            if before is not None:
                wait_equal("TIS that the device has made",
                           lambda: _objects(env, "tis") - before, made)

        open_one()
        check(1, 1 + FILLED)
        for have in range(2, 2 + FILLED - LOW - 1):
            open_one()
        check(have, 1 + FILLED)
        open_one()
        check(have + 1, 1 + FILLED + BULK)
        offload.check_opened(have + 1, rx=False)
        stack.close()
        offload.check_closed(have + 1, rx=False)
        check(0, 1 + FILLED + BULK)
        expect_equal("tx_tls_pool_free", offload.watch.nic()["tx_tls_pool_free"], 0)


@test("T-04/tx-pool-free-unbind", guard=600.0)
@needs("tls-tx", "rebind", "driver:mlx5_core")
def free_unbind(env):
    """Unbinding the driver empties the pool: no TIS, no key is left in the device. The counters of
    the next life begin at 0, and what it makes is as good as before."""
    if env.software_tls:
        return
    with Offload(env, env.local, tx=True), Offload(env, env.remote), \
            Connection(env.local, env.remote, seed=env.seed) as connection:
        connection.enable_tls(down=False)
        connection.up.move(1000)
        if env.lab:
            expect(_objects(env, "tis") > 1, "no TIS in the device")
    wait_equal("contexts that live", lambda: counters.tls(env.local)["TlsCurrTxDevice"], 0)
    env.cleanup.callback(_bind, env)
    _unbind(env)
    if env.lab:
        alive = {kind: count for kind, count in env.lab.objects().items() if count}
        expect(not alive, f"objects alive in the device without a driver: {alive}")
    _bind(env)
    values = ethtool(env.local, env.local.nic.name)
    for name in ("tx_tls_ctx", "tx_tls_del", "tx_tls_pool_alloc", "tx_tls_pool_free"):
        expect_equal(f"{name} after binding", values[name], 0)
    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        with Connection(env.local, env.remote, seed=env.seed) as connection:
            connection.enable_tls(down=False)
            offload.check_configuration(connection, rx=False)
            connection.up.move(100_000)
        judge.check_no_error()
        offload.check_closed(rx=False)


@test("T-04/tx-pool-free-full", guard=1800.0, full=True)
@needs("tls-tx", "rebind", "driver:mlx5_core")
def free_above_high(env):
    """So many connections at once that their contexts do not all fit into the pool when they are
    closed: sixteen at a time are unmade, in the driver and in the device."""
    count = HIGH - LOW + 100
    with _fresh(env), group(env, count) as (open_some, close_some, offload):
        before = _objects(env, "tis")
        open_some(count)
        txpath.store_filled(env.local)      # with those in use more than HIGH
        close_some(count)
        nic = offload.watch.nic
        wait_equal("tx_tls_del", lambda: nic()["tx_tls_del"], count, 120)
        wait_for(f"there are fewer than {HIGH} contexts", lambda: _contexts(env) < HIGH, 120)
        size = _contexts(env)
        free = nic()["tx_tls_pool_free"]
        expect_equal("contexts unmade in sixteens, and some", (free > 0, free % BULK), (True, 0))
        if _pool_size(env) is not None:
            wait_equal("pool_size", lambda: _pool_size(env), size)
        if before is not None:
            wait_equal("TIS in the device", lambda: _objects(env, "tis") - before, size)
        note(f"{nic()['tx_tls_pool_alloc']} made, {nic()['tx_tls_pool_free']} unmade")


@contextlib.contextmanager
def group(env, count, cipher="aes-gcm-128"):
    """Yields (open_some(n), close_some(n), Offload): up to `count` connections, in order of
    opening; each sends and is checked when it is opened."""
    groups = []         # [(client group, server group, connections left)]

    with Offload(env, env.local, tx=True) as offload, Offload(env, env.remote) as judge:
        def open_some(number):
            seed = f"{env.seed}/{len(groups)}/{count}"
            taken = env.remote.call("many.accept", address=env.remote.address(4), count=number,
                                    seed=seed, cipher=cipher, version=TLS)
            serving = env.remote.begin("many.serve", group=taken["group"])
            made = env.local.call("many.connect", address=env.remote.address(4),
                                  port=taken["port"], count=number, seed=seed, cipher=cipher,
                                  version=TLS)
            serving.result()
            receiving = env.remote.begin("many.receive", group=taken["group"], size=700)
            env.local.call("many.send", group=made["group"], size=700)
            expect_equal("connections with wrong bytes", receiving.result(), [])
            groups.append((made["group"], taken["group"]))

        def close_some(_=None):
            for client, server in groups:
                env.local.call("many.close", group=client)
                env.remote.call("many.close", group=server)
            groups.clear()

        try:
            yield open_some, close_some, offload
        finally:
            close_some()
        judge.check_no_error()


class KeyPool:
    """The driver's pool of keys, as a list of ranges in the order in which it looks at them."""

    def __init__(self, size):
        self.size = size
        self.partial, self.full, self.spare, self.waiting = [], [], [], []
        self.freed = self.syncs = 0
        self.owner = []             # the range of each key in use, in the order of opening

    def open(self):
        """A connection takes a key."""
        if not self.partial:
            self.partial.append(self.spare.pop() if self.spare else
                                {"free": self.size, "used": 0})
        part = self.partial[0]
        part["free"] -= 1
        part["used"] += 1
        if not part["free"]:
            self.partial.remove(part)
            self.full.append(part)
        self.owner.append(part)

    def close(self):
        """The oldest connection gives its key back."""
        part = self.owner.pop(0)
        part["used"] -= 1
        self.freed += 1
        if not part["free"] and not part["used"]:
            self.full.remove(part)
            self.waiting.append(part)
        if self.freed > SYNC:
            self._sync()

    def _sync(self):
        """What is used up can be used again; of ranges that nobody uses one is kept."""
        self.syncs += 1
        self.freed = 0
        for part in self.partial[:] + self.full[:] + self.waiting[:]:
            part["free"] = self.size - part["used"]
            for place in (self.partial, self.full, self.waiting):
                if part in place:
                    place.remove(part)
            if part["used"]:
                (self.partial if part["free"] else self.full).append(part)
            elif not self.spare:
                self.spare.append(part)

    @property
    def keys(self):
        """Keys in the device."""
        return self.size * sum(len(place) for place in (self.partial, self.full, self.spare,
                                                        self.waiting))


class OneEach:
    """Drivers before 6.3 make a key for each session and unmake it with it; no SYNC_CRYPTO."""

    keys = syncs = 0

    def open(self):
        """A connection makes its key."""
        self.keys += 1

    def close(self):
        """... and takes it along."""
        self.keys -= 1


class Unseen:
    """The keys of a device that cannot be asked: nothing is said about them."""

    def opened(self, count, done):
        """So many connections were opened, after so many."""

    def closed(self, count, done):
        """They were closed; so many were in all."""

    def end(self):
        """All is closed."""


class Seen:
    """The keys of the lab's device, plugged anew with ranges of 16, beside the model's."""

    def __init__(self, env):
        self._env = env
        txpath.store_filled(env.local)
        replug(env, log_dek_max_alloc=4)
        self._model = KeyPool(16) if env.kernel >= (6, 3) else OneEach()
        self._before = _objects(env, "dek")
        self._syncs = env.lab.counters()["tls_sync_crypto"]

    def _keys(self):
        return _objects(self._env, "dek") - self._before

    def opened(self, count, done):
        """So many connections were opened, after so many."""
        for _ in range(count):
            self._model.open()
        expect_equal(f"keys in the device with {count} connections after {done}", self._keys(),
                     self._model.keys)

    def closed(self, count, done):
        """They were closed; so many were in all."""
        for _ in range(count):
            self._model.close()
        wait_equal(f"SYNC_CRYPTO after {done} connections",
                   lambda: self._env.lab.counters()["tls_sync_crypto"] - self._syncs,
                   self._model.syncs)
        wait_equal(f"keys in the device after {done} connections", self._keys, self._model.keys)

    def end(self):
        """No key was used again before the device was told."""
        expect_equal("tls_dek_stale of the device", self._env.lab.counters()["tls_dek_stale"], 0)
        note(f"{self._model.syncs} SYNC_CRYPTO, {self._model.keys} keys at the end")


@test("T-36/tx-churn", guard=1200.0)
@needs("tls-tx", "driver:mlx5_core")
def churn(env):
    """A thousand connections: each of them has a key and a context of the device's, and every
    byte is right; no key is used again before SYNC_CRYPTO, or the peer could not read it.

    In the lab over ranges of 16 keys: the device has as many after every step as the driver's pool
    must have, and SYNC_CRYPTO comes with every 129th key that was used."""
    if env.software_tls:
        return
    asks = env.lab and env.lab.has("log-dek-max-alloc")
    device = Seen(env) if asks else Unseen()
    done = 0
    with group(env, CHURN) as (open_some, close_some, offload):
        for step in STEPS:
            open_some(step)
            device.opened(step, done)
            done += step
            offload.check_opened(done, rx=False)
            close_some()
            wait_equal("tx_tls_del", lambda: offload.watch.nic()["tx_tls_del"], done, 60)
            device.closed(step, done)
        expect(done >= CHURN, f"only {done} connections")
        stat = offload.watch.protocols()
        expect_equal("TlsTxSw, TlsCurrTxDevice", (stat["TlsTxSw"], stat["TlsCurrTxDevice"]),
                     (0, 0))
        device.end()
        note(f"{done} connections")
