# SPDX-License-Identifier: GPL-2.0-or-later
"""`lab bench`: instructions per packet in the device, and traffic through guests.

Responsible for: choosing what is measured, showing the figures, and comparing with an earlier
result.
State: none beyond the run; results go where --json and --baseline say.
"""

import argparse
import json
import pathlib
from collections.abc import Iterable

from .. import steps
from ..errors import UsageError
from ..make import host
from ..run import figures, instructions, session, traffic
from ..run.spec import NIC_MODELS, OURS, Spec, seconds

DESCRIPTION = """\
Measure the device. Names of what is to be measured are of two kinds; `lab bench --list` has them.

Instructions per packet: QEMU runs under callgrind (valgrind) and is driven without a guest. The
figures hardly depend on the machine's load, so you can compare two checkouts: --json FILE in one,
--base FILE in the other. The packets' path through the device counts, with the user side of system
calls, but not QEMU's main loop. Without names, all of these are taken.

Traffic through guests: the NICs of QEMU, or the ways to have TLS on ours, one after the other and
again, so that ratios are of the same minute. `nics` and `tls` stand for all of either.
"""

EPILOG = """\
examples:
  lab bench
  lab bench --json before.json
  lab bench --base before.json
  lab bench tx-tls rx-tls
  lab bench --baseline
  lab bench nics --rounds 9 --json nics.json
  lab bench tls-16k tls-connections
  lab bench tcp --among mlx5-ktls,igb --plot tcp.svg
  lab bench --stored before.json --stored after.json --plot both.svg
"""
KERNEL = "7.3"          # has the drivers of all NICs
GROUPS = {"nics": traffic.NICS, "tls": traffic.MODES}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `lab bench`."""
    parser.add_argument("scenarios", nargs="*", metavar="NAME",
                        help="only these (default: all instructions per packet)")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path,
                        help="write the figures there")
    parser.add_argument("--base", metavar="FILE", type=pathlib.Path,
                        help="compare instructions with figures written by --json")
    parser.add_argument("--baseline", action="store_true",
                        help="write the instructions to tests/bench/baseline.toml, which the suite "
                             "instructions holds the device to")
    parser.add_argument("--rounds", metavar="N", type=_rounds, default=5,
                        help="of traffic: how often each is measured (default: %(default)s)")
    parser.add_argument("--seconds", metavar="S", type=seconds, default=3.0,
                        help="of traffic: how long (default: %(default)g)")
    parser.add_argument("--among", metavar="NIC,NIC…", type=_models,
                        default=tuple(NIC_MODELS), help="of traffic: only these NICs")
    parser.add_argument("--stored", metavar="FILE", type=pathlib.Path, action="append",
                        default=[], help="measure nothing, but show figures of traffic that --json "
                                         "has written; may be given several times")
    parser.add_argument("--plot", metavar="PICTURE", type=_picture,
                        help="draw figures of traffic: .svg or .png")
    session.add_options(parser, "bench")


def _rounds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1 to 1000")
    return int(text)


def _picture(text: str) -> pathlib.Path:
    path = pathlib.Path(text)
    if path.suffix not in (".svg", ".png"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a name that ends with .svg or .png")
    return path.absolute()


def _models(text: str) -> tuple[str, ...]:
    for name in text.split(","):
        if name not in NIC_MODELS:
            raise argparse.ArgumentTypeError(f"{name!r}: expected some of {', '.join(NIC_MODELS)} "
                                             "with commas between them")
    return tuple(text.split(","))


def read_base(path: pathlib.Path) -> instructions.Figures:
    """Read the figures in PATH; raises UsageError if it is not valid."""
    try:
        base = json.loads(path.read_text(encoding="utf-8"))["instructions_per_packet"]
        if not all(isinstance(value, (int, float)) and value > 0 for value in base.values()):
            raise ValueError("expected numbers above 0")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"--base {path}: expected figures written by --json: {error}") from error
    return dict(base)


def _chosen(names: Iterable[str]) -> list[traffic.Workload]:
    """The workloads among these names, groups resolved."""
    found: dict[str, traffic.Workload] = {}
    for name in names:
        if name in GROUPS:
            found |= {workload.name: workload for workload in traffic.WORKLOADS.values()
                      if set(workload.contenders) <= set(GROUPS[name])}
        elif name in traffic.WORKLOADS:
            found[name] = traffic.WORKLOADS[name]
    return list(found.values())


def main(args: argparse.Namespace) -> int:
    """Run it; returns the exit status."""
    workloads = _chosen(args.scenarios)
    others = [name for name in args.scenarios
              if name not in GROUPS and name not in traffic.WORKLOADS]
    if workloads and (others or args.base or args.baseline):
        raise UsageError(f"{workloads[0].name} is traffic, "
                         f"{others[0] if others else '--base and --baseline'} about instructions "
                         "per packet: expected one of the two")
    if args.stored:
        if args.scenarios:
            raise UsageError(f"--stored measures nothing: expected no name, got "
                             f"{args.scenarios[0]!r}")
        return _stored(args)
    if workloads:
        return _traffic(args, workloads)
    if args.plot:
        raise UsageError("--plot draws traffic: expected names of what is to be measured, or "
                         "--stored FILE")
    return _instructions(args)


def _stored(args: argparse.Namespace) -> int:
    found = [(path, *figures.read(path)) for path in args.stored]
    for path, plan, results, noise in found:
        print(f"{path}:\n" + "\n".join(figures.lines(plan, results, noise)), flush=True)
    if args.plot:
        _plot(args, [(path.stem, results) for path, _, results, _ in found])
    return 0


def _plot(args: argparse.Namespace, labelled: list[tuple[str, traffic.Results]]) -> None:
    host.ensure_packages(args.yes, ("plot",))
    figures.draw(labelled, args.plot)


def _traffic(args: argparse.Namespace, workloads: list[traffic.Workload]) -> int:
    if args.nic_model != OURS:
        raise UsageError(f"--nic-model {args.nic_model}: traffic is compared among NICs: expected "
                         f"--among {args.nic_model}")
    plan = traffic.Plan(workloads, args.among, args.rounds, args.seconds)
    for workload in workloads:
        if not plan.contenders(workload):
            raise UsageError(f"--among {','.join(args.among)}: {workload.name} has none "
                             "of them")
    args.kernel = args.kernel or KERNEL
    base = Spec.from_args(args)
    made = session.ensure_products(args)
    with session.artifacts("bench", args.artifacts) as rundir:
        try:
            results, noise = traffic.run(made, base, rundir, plan,
                                         lambda text: steps.ticker.show(f"lab: {text}"))
        finally:
            steps.ticker.clear()
        text = json.dumps(figures.document(plan, results, noise, made.versions), indent=1) + "\n"
        instructions.write(rundir.file("bench.json"), text)
        if args.json:
            instructions.write(args.json, text)
    print("\n".join(figures.lines(plan, results, noise)), flush=True)
    if args.plot:
        _plot(args, [(OURS, results)])
    return 0


def _list(known: list[str]) -> None:
    print("instructions per packet: " + " ".join(known))
    for name, workload in traffic.WORKLOADS.items():
        print(f"{name:16} {workload.about}: "
              + ", ".join(one.name for one in workload.contenders))


def _instructions(args: argparse.Namespace) -> int:
    base = read_base(args.base) if args.base else {}
    host.ensure_packages(args.yes, ("bench",))
    products = session.ensure_products(args, only=("qemu",))
    known = instructions.scenarios(products)
    if args.list:
        _list(known)
        return 0
    strange = [name for name in args.scenarios if name not in known]
    if strange:
        raise UsageError(f"{strange[0]!r} does not exist; there are {', '.join(known)}, and of "
                         f"traffic {', '.join([*GROUPS, *traffic.WORKLOADS])}")
    found = {}
    print(f"{'scenario':10} {'instructions/packet':>20}" + (f" {'base':>10} {'ratio':>7}"
                                                             if base else ""))
    for name in args.scenarios or known:
        steps.ticker.show(f"lab: {name} under callgrind")
        found[name] = instructions.per_packet(products, name)
        steps.ticker.clear()
        line = f"{name:10} {found[name]:20.0f}"
        if name in base:
            line += f" {base[name]:10.0f} {found[name] / base[name]:7.3f}"
        print(line, flush=True)
    if args.json:
        instructions.write(args.json, json.dumps({"qemu": products.versions["qemu"],
                                                  "instructions_per_packet": found},
                                                 indent=1) + "\n")
    if args.baseline:
        instructions.keep_baseline(products, found)
    return 0
