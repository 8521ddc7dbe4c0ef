# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests ask for by needs(...), and how it is found out.

Responsible for: one function for each word; it returns None, or the reason for a SKIP.
State: answers that cannot change are remembered.
Callers: runner.py.

    lab               the lab channel: this is an emulated machine run by scripts/lab
    lab:PROP          … whose device has the QOM property PROP
    aer               errors of PCI Express can be made, and the kernel has to do with them
    wire              mlx5-wire stands between the ends: in the lab, on a bench that run.py has set
                      up, or WIRE_CONTROL names it
    records           the device under test has a record log, remote-records: the peer's
    fault             faults can be made in the device under test, remote-fault: in the peer's
    tracepoints       tracefs with the tls:* events at this end, remote-tracepoints: at the peer
    module-reload     the driver may be unloaded: in the lab, or with DISRUPTIVE=1
    rebind            the NIC may be unbound and reset: likewise
    driver:NAME       the NIC is driven by NAME
    tls-tx, tls-rx    the NIC has TLS offload for sending, for receiving, and the kernel gives it
                      sessions of the run's TLS version
    tls-tx:VERSION, tls-rx:VERSION    the same of that version, whatever the run's is
    remote-tls-tx, remote-tls-rx, -:VERSION    the same of the peer's NIC
    tls:VERSION       the run's sessions are of that version: the test is about what others have not
    in-software:VERSION   sessions of that version are not given to the NIC
    ktls              both kernels have TLS for sockets
    ssl-ktls          Python's OpenSSL can use it, on both ends
    openssl-ktls      the openssl program can (-ktls), on both ends
    feature:NAME      `ethtool -k` has NAME, and it can be changed
    channels:N        the NIC can have N channels
    rss               `ethtool -x` works
    tool:NAME         a program, on both ends;   local-tool:NAME, remote-tool:NAME
    same-kernel       the peer is a namespace of this machine
    kernel:OPVERSION  this machine's kernel, OP one of >= and <: kernel:>=6.3, kernel:<7.0
"""

import re

from . import fault, lab, pci, records, tls, tracepoints, version, wire
from .counters import TLS_STAT
from .hosts import CallError


def _lab(env, prop=None):
    if env.lab is None:
        return lab.without(env, prop) if prop else env.no_lab
    if prop and not env.lab.has(prop):
        return f"the lab's device has no property {prop!r}"
    return None


def _aer(env, _):
    reason = _lab(env, None)
    if reason:
        return reason
    if not env.lab.can("nic.aer"):
        return "the lab makes no errors of PCI Express"
    if pci.attribute(env.pci, "aer_dev_correctable") is None:
        return f"the kernel counts no errors of {env.pci}"
    return _disruptive(env, "making an error of PCI Express")


def _wire(env, _):
    return wire.missing(env)


def _records(host):
    return lambda env, _: records.missing(env, getattr(env, host))


def _fault(host):
    return lambda env, _: fault.missing(env, getattr(env, host))


def _tracepoints(host):
    return lambda env, _: tracepoints.missing(getattr(env, host))


def _disruptive(env, what):
    if env.lab is None and not env.disruptive:
        return f"{what} may be done in the lab only, or with DISRUPTIVE=1"
    if env.pci is None:
        return f"{env.local.nic.name} is no PCI device"
    if not env.restores_network:
        return "nothing restores the interfaces afterwards: no lab-net here, and NET_SETUP not set"
    return None


def _module_reload(env, _):
    reason = _disruptive(env, "unloading the driver")
    if reason:
        return reason
    if "initstate" not in env.local.listdir(f"/sys/module/{env.driver}"):
        return f"the driver {env.driver} is built into the kernel"
    return None


def _rebind(env, _):
    return _disruptive(env, "unbinding the driver")


def _driver(env, name):
    return None if env.driver == name else f"the driver is {env.driver}, not {name}"


def _tls(host, direction):
    name = f"tls-hw-{direction}-offload"
    if not host.nic.can(name):
        return f"{host.nic.name} on the {host.name} end has no {name}"
    return None


def _tls_feature(host, direction):
    def look(env, wanted):
        if env.software_tls:
            return _ktls(env, None)
        end = getattr(env, host)
        return (_tls(end, direction) or _ktls(env, None)
                or _given(env, end, direction, wanted or version.TLS))
    return look


def _given(env, host, direction, wanted):
    if tls.offloads(env, host, direction, wanted):
        return None
    return (f"the kernel on the {host.name} end does not offload TLS {wanted} "
            f"({direction}): such sessions are in software")


def _version(_, wanted):
    if version.TLS == wanted:
        return None
    return f"this is about TLS {wanted}; {version.VARIABLE} is {version.TLS}"


def _in_software(env, wanted):
    if env.software_tls:
        return None
    ways = [way for way in ("tx", "rx") if tls.offloads(env, env.local, way, wanted)]
    return f"this kernel offloads TLS {wanted} ({', '.join(ways)})" if ways else None


def _both(env, op, what=""):
    for host in env.hosts:
        reason = host.call(op)
        if reason:
            return f"{what}{reason} (the {host.name} end)"
    return None


def _ktls(env, _):
    reason = _both(env, "ktls.available")
    if reason:
        return reason
    for host in env.hosts:
        try:
            host.read(TLS_STAT)
        except CallError:
            return f"the {host.name} end has no {TLS_STAT}"
    return None


def _ssl(env, _):
    return _both(env, "ktls.ssl_available")


def _openssl(env, _):
    for host in env.hosts:
        if not host.has("openssl"):
            return f"no openssl on the {host.name} end"
        result = host.run("openssl", "s_server", "-help", check=False)
        if "-ktls" not in result.out + result.err:
            return f"openssl on the {host.name} end has no -ktls"
    return _ktls(env, None)


def _feature(env, name):
    on_fixed = env.local.nic.features().get(name)
    if on_fixed is None:
        return f"{env.local.nic.name} has no feature {name}"
    return f"feature {name} of {env.local.nic.name} is fixed" if on_fixed[1] else None


def _channels(env, count):
    most = env.local.nic.channels()[1]
    return None if most >= int(count) else f"{env.local.nic.name} has {most} channel(s) at most"


def _rss(env, _):
    found = env.local.nic.rss()
    if not found or not found["table"]:
        return f"{env.local.nic.name} has no RSS indirection table"
    return None


def _tools(hosts):
    def look(env, name):
        for host in (getattr(env, each) for each in hosts):
            if not host.has(name):
                return f"no {name} on the {host.name} end"
        return None
    return look


def _same_kernel(env, _):
    return None if env.remote_type == "netns" else "the peer is another machine"


def _kernel(env, what):
    found = re.fullmatch(r"(>=|<)(\d+)\.(\d+)", what or "")
    if not found:
        raise ValueError(f"needs('kernel:{what}'): expected kernel:>=N.N or kernel:<N.N")
    limit = int(found[2]), int(found[3])
    if (env.kernel >= limit) == (found[1] == ">="):
        return None
    return f"the kernel is {env.kernel[0]}.{env.kernel[1]}; {what} needed"


TABLE = {
    "lab": _lab,
    "aer": _aer,
    "wire": _wire,
    "records": _records("local"),
    "remote-records": _records("remote"),
    "fault": _fault("local"),
    "remote-fault": _fault("remote"),
    "tracepoints": _tracepoints("local"),
    "remote-tracepoints": _tracepoints("remote"),
    "module-reload": _module_reload,
    "rebind": _rebind,
    "driver": _driver,
    "tls-tx": _tls_feature("local", "tx"),
    "tls-rx": _tls_feature("local", "rx"),
    "remote-tls-tx": _tls_feature("remote", "tx"),
    "remote-tls-rx": _tls_feature("remote", "rx"),
    "tls": _version,
    "in-software": _in_software,
    "ktls": _ktls,
    "ssl-ktls": _ssl,
    "openssl-ktls": _openssl,
    "feature": _feature,
    "channels": _channels,
    "rss": _rss,
    "tool": _tools(("local", "remote")),
    "local-tool": _tools(("local",)),
    "remote-tool": _tools(("remote",)),
    "same-kernel": _same_kernel,
    "kernel": _kernel,
}

# what a reload of the driver or another test cannot change
_LASTING = {"lab", "wire", "records", "remote-records", "fault", "remote-fault",
            "tracepoints", "remote-tracepoints",
            "ktls", "ssl-ktls", "openssl-ktls", "tool", "local-tool", "remote-tool",
            "same-kernel", "kernel", "driver", "tls-tx", "tls-rx", "remote-tls-tx", "remote-tls-rx",
            "tls", "in-software"}
_known = {}


def missing(env, words):
    """The reason to skip a test with these needs, or None."""
    for word in words:
        name, _, argument = word.partition(":")
        if name not in TABLE:
            raise ValueError(f"needs({word!r}): no such need; see needs.py")
        key = env.arrangement, word
        if key in _known:
            reason = _known[key]
        else:
            reason = TABLE[name](env, argument or None)
            if name in _LASTING:
                _known[key] = reason
        if reason:
            return reason
    return None


def asserts_offload(words):
    """Is the test about the device's TLS offload?"""
    return any(word.partition(":")[0].endswith(("tls-tx", "tls-rx")) for word in words)
