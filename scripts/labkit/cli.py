# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of scripts/lab.

Responsible for: subcommands, their help, and turning every outcome into a message and an exit
status.
State: none.

Modules that a subcommand needs are imported when it runs, so that help, doctor and
errors work on a machine where nothing has been downloaded or built.
"""

import argparse
import contextlib
import importlib
import os
import sys
from typing import NoReturn

from . import interrupts, steps
from .errors import EXIT_LAB, LabError
from .options import Parser

USAGE = EXIT_LAB       # like `timeout` and `docker run`, since 1 and 2 may be the command's own

DESCRIPTION = """\
One command for the whole lab: builds QEMU with the mlx5-ktls device, a Linux guest with
the unmodified mlx5 driver, and runs programs in it.
"""

EPILOG = """\
Everything is built below ${XDG_CACHE_HOME:-~/.cache}/mlx5-ktls and built once; logs,
captures and results of a run are kept below artifacts/. docs/lab.md has the details.
"""

COMMANDS = {
    "demo": "show a TLS file transfer, encrypted and decrypted by the device",
    "run": "run a command, or a shell, in the guest",
    "test": "run the unit tests, qtests and guest tests",
    "merge": "join the results of tests that ran in shards",
    "selftest": "run the kernel's selftests of network drivers",
    "explain": "say why TLS was offloaded or not in a run with --explain",
    "bug": "reproduce a Linux driver bug",
    "parity": "compare two result files, of a card and the device",
    "bench": "count the device's instructions per packet, or measure traffic in guests",
    "kernel": "build a kernel from a source tree, with patches and debugging aids",
    "coverage": "measure what of the engine, or of the driver, the tests reach",
    "build": "build everything that the other commands need",
    "doctor": "report what this machine lacks, with fixes",
}


class _Parser(Parser):
    """A parser with our prefix and exit status."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments:") and self.prog.endswith(" run"):
            message += " (the command of the guest comes after --)"
        self.exit(USAGE, f"lab: {message}\nlab: hint: {self.prog} --help\n")


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of a subcommand."""
    module = importlib.import_module(f".commands.{name}", __package__)
    usage = f"lab {name} [OPTIONS]" + {"run": " [-- CMD ARGS…]", "bug": " [NAME]",
                                            "selftest": " [TARGET…]",
                                            "merge": " RESULTS…", "kernel": " [TREE]",
                                            "explain": " DIR",
                                            "coverage": " [TREE]",
                                            "parity": " FILE FILE…"}.get(name, "")
    parser = _Parser(prog=f"lab {name}", usage=usage, allow_abbrev=False,
                     description=getattr(module, "DESCRIPTION", COMMANDS[name]),
                     epilog=getattr(module, "EPILOG", None),
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_options(parser)
    parser.set_defaults(main=module.main)
    return parser


def _overview() -> str:
    lines = ["usage: lab COMMAND [OPTIONS]", "", DESCRIPTION.rstrip(), "", "commands:"]
    lines += [f"  {name:8} {text}" for name, text in COMMANDS.items()]
    lines += ["", "`lab COMMAND --help` says more.", "", EPILOG.rstrip()]
    return "\n".join(lines)


def split_command(argv: list[str]) -> tuple[list[str], list[str] | None]:
    """Split off the guest's command after the first `--` (None without one)."""
    if "--" in argv:
        at = argv.index("--")
        return argv[:at], argv[at + 1:]
    return argv, None


def _dispatch(argv: list[str]) -> int:
    ours, command = split_command(argv)
    if not ours or ours[0] in ("-h", "--help", "help"):
        print(_overview())
        return 0 if ours else USAGE
    name = ours[0]
    if name not in COMMANDS:
        sys.stderr.write(f"lab: unknown command {name!r}; expected one of: "
                         f"{', '.join(COMMANDS)}\n")
        return USAGE
    if command is not None and name != "run":
        sys.stderr.write(f"lab: {name} takes no command after --\n")
        return USAGE
    args = parser_of(name).parse_args(ours[1:])
    if name == "run":
        return args.main(args, command or [])
    return args.main(args)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    if sys.version_info < (3, 11):
        sys.stderr.write("lab: Python 3.11 or later is needed, this is "
                         f"{sys.version.split()[0]}\n")
        return EXIT_LAB
    interrupts.install()
    for fd in (1, 2):
        # a pipe set to non-blocking by its owner would make us fail when it is full
        with contextlib.suppress(OSError):
            os.set_blocking(fd, True)
    try:
        return _guarded(argv)
    finally:
        _name_artifacts()


def _guarded(argv: list[str] | None) -> int:
    try:
        status = _dispatch(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return status
    except LabError as error:
        _clear_ticker()
        print(error.render(), file=sys.stderr, flush=True)
        return error.exit_status
    except interrupts.Interrupted as error:
        _clear_ticker()
        print(f"lab: {error}; everything that was started has been ended", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        _clear_ticker()
        print("lab: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of our output is gone; Python must not complain about that at exit
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except OSError as error:
        _clear_ticker()
        print(f"lab: {error}", file=sys.stderr)
        return EXIT_LAB


def _name_artifacts() -> None:
    session = sys.modules.get(f"{__package__}.run.session")
    for path in session.named if session else ():
        print(f"lab: artifacts: {path}", file=sys.stderr, flush=True)


def _clear_ticker() -> None:
    steps.ticker.clear()
