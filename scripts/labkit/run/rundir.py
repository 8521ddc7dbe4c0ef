# SPDX-License-Identifier: GPL-2.0-or-later
"""The artifacts directory of a run.

Responsible for: this directory, its retention, and a short temporary directory for sockets (a unix
socket path has at most 107 bytes).
State: directories on disk; `latest` is a link to the newest run.
"""

import contextlib
import os
import pathlib
import shutil
import tempfile
import time

from .. import paths
from ..errors import LabError

KEEP = 20
PREFIX = "mlx5-lab-"    # of the temporary directories
OWNER = ".pid"      # present while the run is active


class RunDir:
    """The artifacts of a run: `path` is kept, `sockets` is removed by close()."""

    def __init__(self, kind: str, where: str | pathlib.Path | None = None) -> None:
        """`where`: a directory chosen by the user; by default a new one in artifacts/."""
        try:
            if where:
                self.path = pathlib.Path(where).resolve()
                self.path.mkdir(parents=True, exist_ok=True)
            else:
                base = paths.artifacts_dir()
                self.path = _fresh(base, kind)
                _prune(base, self.path)
            self.file(OWNER).write_text(f"{os.getpid()}\n", encoding="ascii")
            _sweep()
            self.sockets = pathlib.Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        except OSError as error:
            raise LabError(f"cannot create the directory for artifacts: {error}",
                           "free some space, or choose a place with --artifacts DIR") from error

    def file(self, name: str) -> pathlib.Path:
        """Return the path of an artifact called `name`."""
        return self.path / name

    def close(self) -> None:
        """Remove the sockets. Artifacts stay."""
        with contextlib.suppress(OSError):
            self.file(OWNER).unlink(missing_ok=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def __enter__(self) -> "RunDir":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _fresh(base: pathlib.Path, kind: str) -> pathlib.Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for count in range(1, 1000):
        path = base / (f"{stamp}-{kind}" + (f"-{count}" if count > 1 else ""))
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            link = base / "latest.new"
            with contextlib.suppress(OSError):
                link.unlink(missing_ok=True)
                link.symlink_to(path.name)
                os.replace(link, base / "latest")
            return path
    raise OSError(f"no free name for a run in {base}")


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _running(run: pathlib.Path) -> bool:
    """Return whether the process that writes `run` still exists."""
    try:
        return _alive((run / OWNER).read_text(encoding="ascii"))
    except OSError:
        return False


def _sweep() -> None:
    """Remove temporary files of killed labs."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        with contextlib.suppress(OSError):
            pid = folder.name.removeprefix(PREFIX).split("-")[0]
            if folder.lstat().st_uid == os.getuid() and folder.is_dir() and pid.isdigit() \
                    and not folder.is_symlink() and not _alive(pid):
                shutil.rmtree(folder, ignore_errors=True)


def _prune(base: pathlib.Path, mine: pathlib.Path) -> None:
    """Keep the newest KEEP runs, and active ones."""
    runs = sorted(entry for entry in base.iterdir()
                  if entry.is_dir() and not entry.is_symlink() and entry != mine)
    for old in runs[:-(KEEP - 1)]:
        if not _running(old):
            shutil.rmtree(old, ignore_errors=True)
