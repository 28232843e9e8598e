"""What a command line can hold, read from its parser: what completion and the man page are of."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Literal

import msgspec

Kind = Literal["none", "file", "folder", "choice", "service", "secret", "command", "value"]
"""What stands there; of a ``value`` nothing is known that could be offered."""

KINDS: dict[str, Kind] = {"FILE": "file", "DIR": "folder", "COMMAND": "command"}


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option; ``words`` are its spellings with two dashes, or one and a letter."""

    words: tuple[str, ...]
    kind: Kind = "none"
    metavar: str = ""
    choices: tuple[str, ...] = ()
    help: str = ""
    bare: bool = False
    """Whether its value may be left out."""
    repeats: bool = False


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """One argument by its place."""

    metavar: str
    kind: Kind = "value"
    choices: tuple[str, ...] = ()
    help: str = ""
    repeats: bool = False
    optional: bool = False


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command, by the words that call it: ``secrets set``."""

    words: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    groups: bool = False
    """It has commands of its own and does nothing itself."""

    @property
    def name(self) -> str:
        """The words as they are typed."""
        return " ".join(self.words)


def commands(of: argparse.ArgumentParser, above: tuple[str, ...] = ()) -> Iterator[Command]:
    """Yield every command of a parser, each before those that it has itself."""
    for action in of._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        texts = {one.dest: one.help or "" for one in action._choices_actions}
        for name, parser in action.choices.items():
            words = (*above, name)
            below = list(commands(parser, words))
            yield Command(
                words=words,
                help=texts.get(name, ""),
                options=tuple(_options(parser)),
                arguments=() if below else tuple(_arguments(parser, words)),
                groups=bool(below),
            )
            yield from below


def _options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    for action in parser._actions:
        words = tuple(w for w in action.option_strings if w.startswith("--") or len(w) == 2)
        if not words or action.help == argparse.SUPPRESS:
            continue
        metavar = str(action.metavar or "")
        choices = tuple(map(str, action.choices or ()))
        takes = action.nargs != 0
        yield Option(
            words=words,
            kind=_kind(metavar, choices) if takes else "none",
            metavar="|".join(choices) if choices else metavar,
            choices=choices,
            help=str(action.help or ""),
            bare=action.nargs == "?",
            repeats=isinstance(action, argparse._AppendAction),
        )


def _arguments(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Iterator[Argument]:
    for action in parser._actions:
        if action.option_strings or isinstance(action, argparse._SubParsersAction):
            continue
        choices = tuple(map(str, action.choices or ()))
        metavar = str(action.metavar or action.dest.upper())
        kind = _kind(metavar, choices)
        yield Argument(
            metavar=metavar,
            kind="secret" if kind == "service" and words[0] == "secrets" else kind,
            choices=choices,
            help=str(action.help or ""),
            repeats=action.nargs in ("*", "+"),
            optional=action.nargs in ("?", "*"),
        )


def _kind(metavar: str, choices: tuple[str, ...]) -> Kind:
    if choices:
        return "choice"
    return "service" if metavar == "ID" else KINDS.get(metavar, "value")
