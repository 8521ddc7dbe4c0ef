# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of other Debian suites, through a private apt configuration.

Responsible for: finding this machine's Debian mirror (address and keyring), and using it for the
suites of the guest and the sources. The system's own sources, lists and preferences are never
changed, and this project names no mirror.
State: the cache's apt/SUITE/ directories and download/. Works without root.
"""

import contextlib
import dataclasses
import os
import pathlib
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator

from .. import paths, steps
from ..errors import FetchError, HostError, LabError

ARCH = "amd64"
LISTS_FRESH = 24 * 3600         # maximum age of package lists in seconds
OS_RELEASE = pathlib.Path("/etc/os-release")
APT_ETC = pathlib.Path("/etc/apt")

# Options of a source line about trust in and access to the archive, which are therefore kept for
# other suites of the same archive.
_KEPT_OPTIONS = ("signed-by", "trusted", "check-valid-until", "check-date", "by-hash")


@dataclasses.dataclass(frozen=True)
class Source:
    """The machine's own Debian archive: URI and the trust options, as apt spells them."""

    uri: str
    options: tuple[tuple[str, str], ...]
    origin: str                 # the file it was found in

    def line(self, kind: str, suite: str, inline_key: pathlib.Path) -> str:
        """A one-line source. A key block inside a .sources file is written to INLINE_KEY."""
        words = []
        for name, value in self.options:
            if name == "signed-by" and "BEGIN PGP" in value:
                paths.write_atomic(inline_key, _key_block(value))
                value = str(inline_key)
            words.append(f"{name}={value}")
        extra = f" [{' '.join(words)}]" if words else ""
        return f"{kind}{extra} {self.uri} {suite} main\n"


def os_release() -> dict[str, str]:
    """Return /etc/os-release as a dictionary; empty if there is none."""
    values = {}
    with contextlib.suppress(OSError):
        for line in OS_RELEASE.read_text(encoding="utf-8").splitlines():
            name, sep, value = line.partition("=")
            if sep:
                values[name.strip()] = value.strip().strip("\"'")
    return values


def _key_block(value: str) -> str:
    """A key inside a deb822 file: continuation lines are indented, an empty one is a dot."""
    lines = [line.strip() for line in value.splitlines()]
    return "\n".join("" if line == "." else line for line in lines if line) + "\n"


def _parse_deb822(text: str) -> Iterator[dict[str, str]]:
    """Stanzas of a .sources file as dictionaries with lower-case names."""
    stanza: dict[str, str] = {}
    last = None
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, last = {}, None
        elif line[0] in " \t" and last:
            stanza[last] += "\n" + line
        elif ":" in line:
            name, _, value = line.partition(":")
            last = name.strip().lower()
            stanza[last] = value.strip()


def _entries(path: pathlib.Path
            ) -> Iterator[tuple[list[str], list[str], list[str], list[str], dict[str, str]]]:
    """(types, uris, suites, components, options) of each entry of one file of /etc/apt."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".sources":
        for s in _parse_deb822(text):
            if s.get("enabled", "yes").lower() in ("no", "false", "0"):
                continue
            yield (s.get("types", "").split(), s.get("uris", "").split(),
                   s.get("suites", "").split(), s.get("components", "").split(),
                   {n: v for n, v in s.items() if n in _KEPT_OPTIONS})
        return
    for line in text.splitlines():
        m = re.match(r"\s*(deb(?:-src)?)\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if m:
            options = dict(o.partition("=")[::2] for o in (m[2] or "").split())
            yield ([m[1]], [m[3]], [m[4]], m[5].split(),
                   {n.lower(): v for n, v in options.items() if n.lower() in _KEPT_OPTIONS})


def system_source(etc: pathlib.Path | None = None, codename: str | None = None) -> Source:
    """Return the entry that provides the main component of this machine's own suite.

    Only an entry whose suite is exactly the system's codename (or the alias it was installed under)
    counts, not the security archive or a third party. Raises HostError if there is none.
    """
    etc = etc or APT_ETC
    release = os_release()
    codename = codename or release.get("VERSION_CODENAME", "")
    wanted = {codename} if codename else set()
    wanted |= {"stable", "oldstable", "testing", "sid", "unstable"}
    files = [etc / "sources.list"] + sorted((etc / "sources.list.d").glob("*.list")) \
        + sorted((etc / "sources.list.d").glob("*.sources"))
    found: list[tuple[bool, bool, bool, int, Source]] = []
    for path in files:
        try:
            entries = list(_entries(path))
        except OSError:
            continue
        for types, uris, suites, components, options in entries:
            hits = wanted & set(suites)
            if "deb" in types and "main" in components and uris and hits:
                # A third party may use the name of Debian's release for its suite. Of several
                # entries, prefer the one that names the codename itself, trusts Debian's keys, and
                # looks like a mirror of Debian.
                found.append((codename not in hits,
                              "debian-archive" not in options.get("signed-by", ""),
                              "/debian" not in uris[0], len(found),
                              Source(uris[0], tuple(options.items()), str(path))))
    if not found:
        raise HostError(
            f"no apt source for Debian {codename or '(unknown release)'} main under {etc}",
            hint="the lab fetches QEMU's and the kernel's source and the guest's packages from "
                 "the archive this machine\nuses itself; add an entry like "
                 "\"deb http://MIRROR/debian CODENAME main\" to /etc/apt/sources.list")
    return min(found)[-1]


class Suite:
    """One Debian suite of the system's archive, with private package lists.

    Create it with suite(name). Nothing is fetched before it is needed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dir = paths.cache_dir("apt", name)
        self._conf = self.dir / "apt.conf"

    def _configure(self) -> None:
        source = system_source()
        for part in ("lists/partial", "archives/partial"):
            paths.make_dir(self.dir / part)
        key = self.dir / "archive-key.asc"
        listing = "".join(source.line(kind, self.name, key) for kind in ("deb", "deb-src"))
        old = self.dir / "sources.list"
        if not old.exists() or old.read_text(encoding="utf-8") != listing:
            (self.dir / "updated").unlink(missing_ok=True)
            paths.write_atomic(old, listing)
        paths.write_atomic(self.dir / "status", "")     # nothing counts as installed
        # Passed with -c, so it is read after the system's apt.conf.d: a proxy set there still
        # applies, but hooks for the system's own lists do not run.
        paths.write_atomic(self._conf, f"""\
Dir::Etc::sourcelist "{old}";
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "-";
Dir::State "{self.dir}";
Dir::State::lists "{self.dir}/lists";
Dir::State::status "{self.dir}/status";
Dir::State::extended_states "{self.dir}/extended_states";
Dir::Cache "{self.dir}";
Dir::Cache::archives "{self.dir}/archives";
Dir::Log "{self.dir}";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "{ARCH}";
APT::Architectures {{ "{ARCH}"; }};
APT::Default-Release "";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
""")

    def _apt(self, tool: str, *args: str) -> list[str]:
        return [tool, "-c", str(self._conf), "-q", *args]

    def fresh(self) -> bool:
        """Return whether package lists exist and are recent enough."""
        try:
            return time.time() - (self.dir / "updated").stat().st_mtime < LISTS_FRESH
        except OSError:
            return False

    def update(self, force: bool = False) -> None:
        """Fetch the package lists, unless they are fresh. Raises FetchError."""
        self._configure()
        if self.fresh() and not force:
            return
        paths.require_space(self.dir, 300 << 20, f"the package lists of {self.name}")
        with steps.Step(f"package lists of Debian {self.name}", f"apt-{self.name}") as step:
            with self._explained(step):
                step.run(self._apt("apt-get", "update"), progress=steps.AptFetch())
        (self.dir / "updated").touch()

    @contextlib.contextmanager
    def _explained(self, step: steps.Step) -> Iterator[None]:
        """Turn apt's failure into a message that the user can act on."""
        try:
            yield
        except LabError as e:
            tail = "\n".join(getattr(e, "tail", []))
            errors = [line for line in tail.splitlines() if line.startswith(("E:", "W:", "Err:"))]
            host = system_source().uri
            hint = None
            if re.search(r"Could not resolve|Temporary failure|Could not connect|Cannot initiate|"
                         r"Network is unreachable|timed out|Unable to connect", tail):
                hint = f"no way to {host} (the archive named in {system_source().origin}): " \
                       "check the network or the proxy settings of apt"
            elif "NO_PUBKEY" in tail or "not signed" in tail or "EXPKEYSIG" in tail:
                hint = "the machine's keyring does not know this suite's key: " \
                       "apt-get install debian-archive-keyring"
            elif "does not have a Release file" in tail or " 404 " in tail:
                hint = f"{host} has no suite {self.name}, or its package lists have changed: " \
                       "use a full Debian mirror, then try again"
            if hint is None and not errors:
                raise
            text = "\n".join(errors[-4:]) or str(e)
            raise FetchError(f"{step.name}: apt failed\n{text}\nfull log: {step.log}",
                             hint) from e

    def reachable(self) -> str:
        """Fetch and discard the suite's release file; returns its source. Raises FetchError."""
        source = system_source()
        address = f"{source.uri.rstrip('/')}/dists/{self.name}/InRelease"
        with tempfile.TemporaryDirectory(prefix="lab-") as tmp:
            result = steps.capture(
                ["/usr/lib/apt/apt-helper", "-o", "Acquire::Retries=0",
                 "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15",
                 "-o", "APT::Sandbox::User=root", "download-file", address, f"{tmp}/InRelease"],
                check=False, timeout=60)
        if result.returncode != 0:
            errors = [line for line in result.stderr.splitlines() if line.startswith("E:")]
            raise FetchError(f"cannot fetch {address}\n" + "\n".join(errors[:3]),
                             f"check the network or the proxy settings of apt; the address comes "
                             f"from {source.origin}")
        return f"{address} can be fetched"

    def versions(self, package: str, source: bool = False) -> list[str]:
        """Return all versions of a binary (or source) package in the suite, newest first."""
        self.update()
        out = steps.capture(self._apt("apt-cache", "madison", package), check=False).stdout
        found = set()
        for line in out.splitlines():
            cells = [c.strip() for c in line.split("|")]
            if len(cells) == 3 and cells[0] == package:
                if cells[2].endswith("Sources") == source:
                    found.add(cells[1])
        return newest_first(found)

    def depends(self, package: str, version: str) -> list[str]:
        """Return the names that PACKAGE of VERSION depends on, the first of alternatives. [] if the
        suite does not have it."""
        self.update()
        out = steps.capture(self._apt("apt-cache", "show", f"{package}={version}"),
                            check=False).stdout
        found = []
        for line in out.splitlines():
            if line.startswith(("Depends:", "Pre-Depends:")):
                for item in line.partition(":")[2].split(","):
                    found += re.findall(r"^\s*([^\s:(|]+)", item)
        return found

    def newest(self, package: str, prefix: str = "", source: bool = False) -> str:
        """Return the newest version whose upstream part starts with PREFIX ("10.0.", "6.12.").

        Raises FetchError with the versions that the suite has instead.
        """
        have = self.versions(package, source)
        for version in have:
            if upstream(version).startswith(prefix):
                return version
        carried = ", ".join(have) if have else "none"
        raise FetchError(f"wanted {package} {prefix}x in Debian {self.name}, "
                         f"the suite carries: {carried}",
                         hint=f"archive: {system_source().uri}")

    def closure(self, packages: list[str], without: frozenset[str] = frozenset()
                ) -> dict[str, str]:
        """Return {package: version} of PACKAGES and all dependencies, as for an empty system.

        Excludes recommended packages and those in WITHOUT (never needed by a guest with its own
        init). Raises FetchError with the unavailable packages.
        """
        self.update()
        result = steps.capture(
            self._apt("apt-get", "install", "--simulate", "--no-install-recommends", "-y",
                      *packages), check=False)
        if result.returncode != 0:
            errors = [line for line in (result.stdout + result.stderr).splitlines()
                      if line.startswith("E:") or "Depends:" in line]
            raise FetchError(f"Debian {self.name} cannot satisfy the package list:\n"
                             + "\n".join(errors[:10]))
        found = {}
        for line in result.stdout.splitlines():
            m = re.match(r"Inst (\S+) \((\S+) ", line)
            if m and m[1] not in without:
                found[m[1]] = m[2]
        return dict(sorted(found.items()))

    def download_binary(self, packages: dict[str, str], step_name: str | None = None
                        ) -> list[pathlib.Path]:
        """Return the .deb files of {package: version}, fetched into the cache's download/ if
        missing.

        apt checks the hashes of what it fetches. The list is in the order of PACKAGES.
        """
        dest = paths.cache_dir("download")
        self.update()
        missing = {p: v for p, v in packages.items() if _find_deb(dest, p, v) is None}
        if missing:
            self._fetch(dest, step_name or f"fetch packages from Debian {self.name}",
                        ["download", *(f"{p}={v}" for p, v in missing.items())])
        debs = []
        for package, version in packages.items():
            deb = _find_deb(dest, package, version)
            if deb is None:
                raise FetchError(f"apt reported success but {package} {version} is not in {dest}")
            debs.append(deb)
        return debs

    def download_source(self, package: str, version: str) -> pathlib.Path:
        """Return the .dsc of a source package; all its files are beside it in download/."""
        dest = paths.cache_dir("download")
        self.update()
        dsc = dest / f"{package}_{_no_epoch(version)}.dsc"
        if not _dsc_complete(dsc):
            self._fetch(dest, f"fetch source of {package} {_no_epoch(version)}",
                        ["source", "--download-only", f"{package}={version}"])
        if not _dsc_complete(dsc):
            raise FetchError(f"apt reported success but {dsc} is missing or incomplete")
        return dsc

    def _fetch(self, dest: pathlib.Path, name: str, args: list[str]) -> None:
        paths.require_space(dest, 400 << 20, name)
        try:
            with steps.Step(name, f"fetch-{self.name}") as step, self._explained(step):
                step.run(self._apt("apt-get", *args), cwd=dest, progress=steps.AptFetch())
        except LabError:
            # the archive may have newer versions by now: the next run will ask it
            (self.dir / "updated").unlink(missing_ok=True)
            raise


_suites: dict[str, Suite] = {}


def suite(name: str) -> Suite:
    """Return the suite NAME ("trixie", "trixie-backports", "sid"); one object for each."""
    if name not in _suites:
        _suites[name] = Suite(name)
    return _suites[name]


def _no_epoch(version: str) -> str:
    return version.partition(":")[2] or version


def upstream(version: str) -> str:
    """'1:10.0.13+ds-0+deb13u1' -> '10.0.13+ds': no epoch, no Debian revision."""
    return _no_epoch(version).rpartition("-")[0] or _no_epoch(version)


def newest_first(versions: Iterable[str]) -> list[str]:
    """Sort by dpkg's version order, newest first."""
    out: list[str] = []
    for version in versions:
        at = 0
        while at < len(out) and _older(version, out[at]):
            at += 1
        out.insert(at, version)
    return out


def _older(a: str, b: str) -> bool:
    return steps.capture(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0


def _find_deb(where: pathlib.Path, package: str, version: str) -> pathlib.Path | None:
    """Find PACKAGE_VERSION_ARCH.deb as named by apt-get download (':' as %3a)."""
    escaped = version.replace(":", "%3a")
    for arch in (ARCH, "all"):
        path = where / f"{package}_{escaped}_{arch}.deb"
        if path.is_file():
            return path
    return None


def _dsc_complete(dsc: pathlib.Path) -> bool:
    """Return whether every file listed in the .dsc is beside it with the right size."""
    try:
        text = dsc.read_text(encoding="utf-8")
    except OSError:
        return False
    listed = re.findall(r"^ [0-9a-f]{64} (\d+) (\S+)$", text, re.M)
    return bool(listed) and all(
        (dsc.parent / name).is_file() and (dsc.parent / name).stat().st_size == int(size)
        for size, name in listed)


def unpack_deb(deb: pathlib.Path, dest: pathlib.Path) -> None:
    """Unpack a .deb's files into DEST, without root and without touching symlinked directories
    (so that lib -> usr/lib in DEST survives a package that ships /lib)."""
    paths.make_dir(dest)
    with steps.child(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as reader:
        with steps.child(["tar", "-x", "-C", dest, "--no-same-owner", "--no-same-permissions",
                          "--keep-directory-symlink", "--delay-directory-restore"],
                         stdin=reader.stdout, stderr=subprocess.PIPE, text=True) as writer:
            assert reader.stdout is not None
            reader.stdout.close()
            error = writer.communicate()[1]
        reader.stdout = None
        status = reader.wait()
    if status != 0 or writer.returncode != 0:
        if paths.free_bytes(dest) < steps.DISK_FULL:
            paths.require_space(dest, steps.DISK_FULL, f"unpacking {deb.name}")
        with contextlib.suppress(OSError):
            os.unlink(deb)          # damaged: fetch it again next time
        raise FetchError(f"cannot unpack {deb}\n{error.strip()}".rstrip(),
                         hint="the file has been removed from the cache; run the command again")
