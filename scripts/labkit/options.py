# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of the command line, each described in one place: the field that it fills.

Responsible for: what a field of a dataclass says of its option, parsers with these options, and
the values of the fields that a command line gives.
State: none.

    @dataclasses.dataclass
    class Spec:
        TITLE = "the machine"
        smp: int = option("--smp", default=2, metavar="N", type=cpus, help="virtual CPUs",
                          qemu=lambda smp: ["-smp", str(smp)])

add_options() gives a parser the options of such a class, values() takes their values back, and
contributed() collects what they add to a command line of QEMU or of the kernel. The commands, the
suites and the lab's own tests learn of an option that way; nothing else has to name it.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

METADATA = "labkit.option"


@dataclasses.dataclass(frozen=True)
class Option:
    """An option: what argparse is told, and what comes of its value."""

    flags: tuple[str, ...]
    words: dict[str, Any]           # of add_argument()
    commands: tuple[str, ...]       # that have it; () for all that have the others of its class
    convert: Callable[[Any], Any] | None
    adds: dict[str, Callable[[Any], list[str]]]

    @property
    def dest(self) -> str:
        """Its name in a namespace."""
        return self.flags[0].removeprefix("--").replace("-", "_")


def option(*flags: str, default: Any = None, commands: Iterable[str] = (),
           convert: Callable[[Any], Any] | None = None,
           qemu: Callable[[Any], list[str]] | None = None,
           kernel: Callable[[Any], list[str]] | None = None, **words: Any) -> Any:
    """A field of a dataclass that an option fills; `words` are those of argparse's add_argument().

    default   of option and field; a list for what may be given several times
    commands  those that have the option, if not all that have the others of its class
    convert   the field's value of what argparse made of the text; may raise UsageError
    qemu      what a value adds to QEMU's command line; not asked for None
    kernel    likewise, words of the kernel's command line
    """
    adds = {kind: function for kind, function in (("qemu", qemu), ("kernel", kernel)) if function}
    described = Option(flags, words, tuple(commands), convert, adds)
    metadata = {METADATA: described}
    if isinstance(default, list):
        words.update(action="append", default=default)
        return dataclasses.field(default_factory=lambda: list(default), metadata=metadata)
    if words.get("action") != "store_true":
        words["default"] = default
    return dataclasses.field(default=default, metadata=metadata)


def verbatim(text: str) -> str:
    """argparse type of an option whose value may begin with `-`, as an argument of QEMU does."""
    return text


def options_of(kind: type) -> dict[str, Option]:
    """{name of the field: its option} of a dataclass."""
    return {field.name: field.metadata[METADATA] for field in dataclasses.fields(kind)
            if METADATA in field.metadata}


def add_options(parser: argparse.ArgumentParser, kind: type, command: str) -> Any:
    """Give a parser the options of `kind` that `command` has: those that it alone has as its own,
    the others in a group that kind.TITLE names, which is returned."""
    group = parser.add_argument_group(getattr(kind, "TITLE"))
    for described in options_of(kind).values():
        if not described.commands:
            group.add_argument(*described.flags, **described.words)
        elif command in described.commands:
            parser.add_argument(*described.flags, **described.words)
    return group


def values(kind: type, args: argparse.Namespace) -> dict[str, Any]:
    """{field: value} of `kind`, for those of its options that the parser of `args` had."""
    found = {}
    for name, described in options_of(kind).items():
        if hasattr(args, described.dest):
            value = getattr(args, described.dest)
            found[name] = described.convert(value) if described.convert else value
    return found


def contributed(thing: Any, kind: str) -> list[str]:
    """What the values of a dataclass's fields add to the command line of `kind`, in order."""
    found = []
    for name, described in options_of(type(thing)).items():
        value = getattr(thing, name)
        if kind in described.adds and value is not None:
            found += described.adds[kind](value)
    return found


def arguments(kind: type, args: argparse.Namespace) -> list[str]:
    """Words of a command line that give another lab the options of `kind` that `args` has."""
    found = []
    for described in options_of(kind).values():
        default = described.words.get("default", False)
        value = getattr(args, described.dest, default)
        if value == default:
            continue
        if value is True:
            found.append(described.flags[0])
            continue
        for one in value if isinstance(value, list) else [value]:
            found.append(f"{described.flags[0]}={one}")
    return found


class Parser(argparse.ArgumentParser):
    """argparse, for which the value of a `verbatim` option is never an option itself."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        flags = {flag for flag, action in self._option_string_actions.items()
                 if action.type is verbatim}
        joined, rest = [], iter(args or ())
        for word in rest:
            value = next(rest, None) if word in flags else None
            joined.append(word if value is None else f"{word}={value}")
        return super().parse_known_args(joined, namespace)
