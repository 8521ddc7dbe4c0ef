# SPDX-License-Identifier: GPL-2.0-or-later
"""Command line options, each described in one place: the field that it fills.

Responsible for: the description of an option in a dataclass field, parsers with these options, and
the values of the fields from a command line.
State: none.

    @dataclasses.dataclass
    class Spec:
        TITLE = "the machine"
        smp: int = option("--smp", default=2, metavar="N", type=cpus, help="virtual CPUs",
                          qemu=lambda smp: ["-smp", str(smp)])

add_options() adds the options of such a class to a parser, values() returns their values, and
contributed() collects their additions to the command line of QEMU or the kernel. Commands, suites
and the lab's own tests find options this way; nothing else needs to name them.
"""

import argparse
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

METADATA = "labkit.option"


@dataclasses.dataclass(frozen=True)
class Option:
    """An option: its argparse definition, and the use of its value."""

    flags: tuple[str, ...]
    words: dict[str, Any]           # arguments of add_argument()
    commands: tuple[str, ...]       # that have it; () for all with the class's other options
    convert: Callable[[Any], Any] | None
    adds: dict[str, Callable[[Any], list[str]]]

    @property
    def dest(self) -> str:
        """Return its name in a namespace."""
        return self.flags[0].removeprefix("--").replace("-", "_")


def option(*flags: str, default: Any = None, commands: Iterable[str] = (),
           convert: Callable[[Any], Any] | None = None,
           qemu: Callable[[Any], list[str]] | None = None,
           kernel: Callable[[Any], list[str]] | None = None, **words: Any) -> Any:
    """Define a dataclass field filled by an option; `words` are arguments of add_argument().

    default   of option and field; a list for options that may be repeated
    commands  those that have the option, if not all that have the class's other options
    convert   converts argparse's result to the field's value; may raise UsageError
    qemu      returns what a value adds to QEMU's command line; not called for None
    kernel    likewise for the kernel's command line
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
    """argparse type of an option whose value may start with `-`, such as a QEMU argument."""
    return text


def options_of(kind: type) -> dict[str, Option]:
    """Return {name of the field: its option} of a dataclass."""
    return {field.name: field.metadata[METADATA] for field in dataclasses.fields(kind)
            if METADATA in field.metadata}


def add_options(parser: argparse.ArgumentParser, kind: type, command: str) -> Any:
    """Add the options of `kind` for `command` to a parser: those only for it directly, the others
    in a group named kind.TITLE, which is returned."""
    group = parser.add_argument_group(getattr(kind, "TITLE"))
    for described in options_of(kind).values():
        if not described.commands:
            group.add_argument(*described.flags, **described.words)
        elif command in described.commands:
            parser.add_argument(*described.flags, **described.words)
    return group


def values(kind: type, args: argparse.Namespace) -> dict[str, Any]:
    """Return {field: value} of `kind`, for those of its options in the parser of `args`."""
    found = {}
    for name, described in options_of(kind).items():
        if hasattr(args, described.dest):
            value = getattr(args, described.dest)
            found[name] = described.convert(value) if described.convert else value
    return found


def contributed(thing: Any, kind: str) -> list[str]:
    """Return the additions of a dataclass's fields to the command line of `kind`, in order."""
    found = []
    for name, described in options_of(type(thing)).items():
        value = getattr(thing, name)
        if kind in described.adds and value is not None:
            found += described.adds[kind](value)
    return found


def arguments(kind: type, args: argparse.Namespace) -> list[str]:
    """Return command line words that pass the options of `kind` in `args` to another lab."""
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
    """argparse that never takes the value of a `verbatim` option for an option."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        flags = {flag for flag, action in self._option_string_actions.items()
                 if action.type is verbatim}
        joined, rest = [], iter(args or ())
        for word in rest:
            value = next(rest, None) if word in flags else None
            joined.append(word if value is None else f"{word}={value}")
        return super().parse_known_args(joined, namespace)
