# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of the command line's options: one description is all that an option takes.

Responsible for: parsers, fields and command lines made of such descriptions, and what the options
about the machine make of right and wrong values.
State: none.
"""

import contextlib
import dataclasses
import io
import pathlib
from typing import Any, ClassVar

from labkit import options
from labkit.errors import UsageError
from labkit.options import option
from labkit.run import session
from labkit.run.spec import Spec

from .judge import check, raises, same, temporary_folder


@dataclasses.dataclass
class Kitchen:
    """A class with options of each kind."""

    TITLE: ClassVar[str] = "the kitchen"

    plates: int = option("--plates", type=int, default=2,
                         qemu=lambda count: ["-plates", str(count)])
    guests: list[str] = option("--guest", default=[], convert=sorted,
                               kernel=lambda names: [f"guest={name}" for name in names])
    hot: bool = option("--hot", action="store_true", default=False)
    note: str | None = option("--note", type=options.verbatim, commands=("dinner",),
                              qemu=lambda text: [text])
    unasked: int = 7


def _parser(kind: type, command: str) -> options.Parser:
    parser = options.Parser(prog="lab test", allow_abbrev=False)
    options.add_options(parser, kind, command)
    return parser


def _refusal(parser: options.Parser, *words: str) -> str:
    """What the parser says of words that it must not take."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            parser.parse_args(list(words))
    except SystemExit:
        return said.getvalue()
    raise AssertionError(f"{words} were taken")


def test_option_of_a_field(_rig: object) -> None:
    """A field's description gives the option, its value, what it adds to command lines, and the
    words with which another lab gets the same."""
    parser = _parser(Kitchen, "dinner")
    words = ["--guest", "b", "--plates=3", "--guest=a", "--hot", "--note", "--hot"]
    args = parser.parse_args(words)
    kitchen = Kitchen(**options.values(Kitchen, args))
    same(kitchen, Kitchen(3, ["a", "b"], True, "--hot"), "the object")
    same(options.contributed(kitchen, "qemu"), ["-plates", "3", "--hot"], "for QEMU")
    same(options.contributed(kitchen, "kernel"), ["guest=a", "guest=b"], "for the kernel")
    again = options.arguments(Kitchen, args)
    same(options.values(Kitchen, parser.parse_args(again)), options.values(Kitchen, args),
         f"what another lab makes of {again}")
    bare = parser.parse_args([])
    same(Kitchen(**options.values(Kitchen, bare)), Kitchen(), "the defaults")
    same(options.arguments(Kitchen, bare), [], "words for the defaults")
    same(options.contributed(Kitchen(), "qemu"), ["-plates", "2"], "a default adds, None does not")


def test_option_of_one_command(_rig: object) -> None:
    """An option of one command is not known to the others, where its field has the default."""
    parser = _parser(Kitchen, "breakfast")
    check("unrecognized arguments: --note" in _refusal(parser, "--note", "x"), "--note is known")
    same(options.values(Kitchen, parser.parse_args([])).get("note"), None, "its value")
    check("expected one argument" in _refusal(parser, "--plates", "--hot"),
          "an option was taken for a value")


def _spec(*words: str) -> Spec:
    parser = options.Parser(prog="lab run", allow_abbrev=False)
    session.add_options(parser, "run")
    return Spec.from_args(parser.parse_args(list(words)))


def test_machine_options(_rig: object) -> None:
    """What the options about the machine make of it."""
    with temporary_folder() as folder:
        spec = _spec("--qemu-arg", "-trace mlx5_*", "--qemu-arg", "-S", "--append", "-x", "--nic",
                     "strict=on,", "--mem", "512m", "--smp", "3", "--share", str(folder))
        qemu = options.contributed(spec, "qemu")
        same(spec.share, folder.resolve(), "the shared directory")
        same(qemu[-3:], ["-trace", "mlx5_*", "-S"], "QEMU's last words")
        same((qemu[qemu.index("-smp") + 1], qemu[qemu.index("-m") + 1]), ("3", "512M"), "sizes")
        check(any(f"path={folder}" in word for word in qemu), f"{folder} is not in {qemu}")
        same(options.contributed(spec, "kernel"), ["lab.share=labshare", "-x"], "kernel's words")
        same(spec.nic, ["strict=on"], "properties")
    same((_spec().wire, _spec("--wire", "none").wire), (None, []), "no middlebox, and an idle one")


def test_bad_machine_options(_rig: object) -> None:
    """Wrong values are refused with what was given and what was expected."""
    parser = options.Parser(prog="lab run", allow_abbrev=False)
    session.add_options(parser, "run")
    for option_, value, wanted in (("--smp", "9", "a number from 1 to 8"),
                                   ("--smp", "x", "a number from 1 to 8"),
                                   ("--mem", "1T", "a size such as"), ("--mem", "1M", "384M or"),
                                   ("--boot-timeout", "0", "a positive number of seconds")):
        said = _refusal(parser, option_, value)
        check(f"{value!r}: expected {wanted}" in said, f"{option_} {value}: {said}")
    cases: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
        (("--hostfwd", "tcp::1-:2"), ("--topology user",)),
        (("--topology", "user", "--hostfwd", "1:2"), ("'1:2'", "expected tcp|udp:")),
        (("--topology", "user", "--wire", "drop a>b"), ("--topology pair",)),
        (("--share", "/no/such/place"), ("/no/such/place", "not a directory")))
    for words, expected in cases:
        with raises(UsageError, *expected):
            _spec(*words)


def test_new_option_reaches_all(_rig: Any) -> None:
    """Each option about the machine is taken by each command with a guest, unless it says whose
    it is, and is told to a lab that another one starts."""
    for command in ("run", "demo", "test", "bug"):
        parser = options.Parser(prog=f"lab {command}", allow_abbrev=False)
        session.add_options(parser, command)
        args = parser.parse_args(["--mem", "1G"])
        for name, described in options.options_of(Spec).items():
            same(hasattr(args, described.dest),
                 not described.commands or command in described.commands, f"{command}: {name}")
        same(options.arguments(Spec, args), ["--mem=1G"], f"{command}: what differs")
    same(pathlib.Path(str(_spec("--share", "/").share)), pathlib.Path("/"), "a value of run alone")
