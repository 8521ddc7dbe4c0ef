# SPDX-License-Identifier: GPL-2.0-or-later
"""A test of `lab bench` with guests.

Responsible for: that each kind of traffic can be measured, with TLS where it was asked to be.
State: none.
"""

import contextlib
import io

from labkit import cli
from labkit.make import products
from labkit.make.products import Wanted
from labkit.options import arguments
from labkit.run import figures
from labkit.run.spec import OURS

from .judge import check, same, temporary_folder
from .registry import full_only
from .rig import LabRig

PARTS = products.PARTS
KERNEL = "6.12"         # has ours and virtio's


@full_only
def test_bench_traffic(rig: LabRig) -> None:
    """Each kind of traffic, in guests; TLS is where it was asked to be, or the run fails."""
    names = ["tcp-8", "turns", "packets", "slirp-out", "slirp-in", "tls-16k", "tls-sendfile",
             "tls-loss-1", "tls-connections"]
    with temporary_folder() as folder:
        path = folder / "found.json"
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = cli.main(["bench", *names, *arguments(Wanted, rig.context.args),
                               "--yes", "--kernel", KERNEL, "--among", f"{OURS},virtio-net-pci",
                               "--rounds", "1", "--seconds", "0.3", "--json", str(path),
                               "--artifacts", str(rig.context.rundir.file("lab-bench"))])
        same(status, 0, "status")
        _, found, _ = figures.read(path)
        picture = folder / "found.svg"
        with contextlib.redirect_stdout(io.StringIO()):
            same(cli.main(["bench", "--yes", "--stored", str(path), "--stored", str(path),
                           "--plot", str(picture)]), 0, "status with --plot")
        check("<svg" in picture.read_text(encoding="utf-8"), "the plot is no SVG")
    same(list(found), names, "what was measured")
    same(set(found["turns"]), {OURS, "virtio-net-pci"}, "contenders")
    check(all(len(one) == 1 and one[0].guest > 0 and one[0].device > 0
              for workload in found.values() for one in workload.values()), f"{found}")
    check("| virtio-net-pci |" in said.getvalue(), said.getvalue())
