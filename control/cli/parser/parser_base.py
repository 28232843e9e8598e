"""What the parsers of all commands have in common: their errors, options and kinds of values."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from bundlevisor.control.run.options import empty
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import LATEST
from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]


SENTENCES = (
    (re.compile(r"^argument (\S+): expected one argument$"), r"\1 needs a value"),
    (re.compile(r"^argument (\S+): ignored explicit argument '.*'$"), r"\1 takes no value"),
    (re.compile(r"^the following arguments are required: (.+)$"), r"\1 is missing"),
    (re.compile(r"^argument (\S+): "), r"\1: "),
)
"""What argparse says, and what that means to who has never heard of it."""


class Parser(argparse.ArgumentParser):
    """Says of a wrong command line what was probably meant, with the usage of its command."""

    instead = ""
    """What to do in place of giving more words; these are not repeated, as one may be a secret."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Take all arguments: what a command does not know is no other parser's."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and hasattr(found, "services"):  # `logs db -f api`: argparse takes only db
            found.services += [word for word in unknown if not word.startswith("-")]
            unknown = [word for word in unknown if word.startswith("-")]
        if unknown:
            word = unknown[0].partition("=")[0]
            known = self._option_string_actions if word.startswith("-") else ()
            kind, near = "option" if word.startswith("-") else "argument", hint(word, known)
            meant = "" if near else self.instead
            self.error(meant or f"unknown {kind}: {word}{near}")
        if getattr(found, "needs_service", False) and found.service is None:
            self.error(f"say which service: {self.prog} ID")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print the usage and the sentence, and end with 2."""
        for said, meant in SENTENCES:
            message = said.sub(meant, message)
        self.print_usage(sys.stderr)
        self.exit(exit_codes.USAGE, f"bundlevisor: {message}; see {self.prog} --help\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Say it where something can be said; the first versions of 3.11 raise OSError."""
        with contextlib.suppress(OSError):
            super()._print_message(message, file)

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """Refuse an empty word, but in a command of the user's own (`exec`)."""
        own = action.nargs == argparse.PARSER or action.metavar == "COMMAND"
        if "" in arg_strings and not own:
            options = [*action.option_strings, str(action.metavar or action.dest)]
            self.error(empty(options[0]))
        return super()._get_values(action, arg_strings)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Say of a word that is none of those which there are what was probably meant."""
        if action.choices is not None and value not in action.choices:
            known = [str(one) for one in action.choices]
            sentence = f"there is no '{value}'{hint(str(value), known)}; there are "
            raise argparse.ArgumentError(action, sentence + ", ".join(known))


class OneService(argparse.Action):
    """The service, as the first argument or by ``--service``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        _option: str | None = None,
    ) -> None:
        """Take it; two different ones are a mistake."""
        if values is None:
            return
        if namespace.service not in (None, values):
            parser.error(f"one service at a time: {namespace.service} or {values}")
        namespace.service = values


def seconds(text: str) -> float:
    """Return a number of seconds; ArgumentTypeError for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text}")
    return number


def count(text: str) -> int:
    """Return a whole number from 0 on; ArgumentTypeError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"not a whole number: {text}")
    return int(text)


def age(text: str) -> int:
    """Return ``90``, ``90s``, ``5m``, ``1h30m`` or ``2d`` in seconds; ArgumentTypeError if none."""
    parts = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text, re.ASCII)
    found = [int(part or 0) for part in parts.groups()] if parts and len(text) < 16 else []
    total = sum(number * unit for number, unit in zip(found, (86400, 3600, 60, 1), strict=False))
    if not total:
        raise argparse.ArgumentTypeError(f"not an age like 90s, 5m, 2h or 1d: {text}")
    return total


def pattern(text: str) -> Any:
    """Return a pattern for lines, by RE2, in which none can hang; ArgumentTypeError if none."""
    from bundlevisor.manifest.format.pattern import compile_pattern

    try:
        return compile_pattern(text, by_line=True)
    except ValueError as error:
        sentence = f"pattern {text!r} is not a regular expression: {error}"
        raise argparse.ArgumentTypeError(sentence) from None


def sequence_number(text: str) -> str:
    """Return what ``--after`` takes; ArgumentTypeError for anything else."""
    return text if text == LATEST else str(count(text))


def which_instance(**default: Any) -> Parser:
    """Return the options that say which instance is meant."""
    which = Parser(add_help=False)
    folder = {"default": "", "metavar": "DIR", "help": "its folder"} | default
    which.add_argument("--app-data", "-app-data", **folder)
    bundle = {
        "default": "bundle.json",
        "metavar": "FILE",
        "help": "its bundle, where --app-data is not given (bundle.json)",
    }
    which.add_argument("--manifest", "-manifest", **bundle | default)
    return which


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="the API's answer as it is")


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add ``--wait``."""
    parser.add_argument(
        "--wait", type=seconds, default=None, metavar="SECONDS", help="until it is decided"
    )


def add_service(parser: argparse.ArgumentParser) -> None:
    """Add the one service that a command concerns."""
    parser.set_defaults(service=None, needs_service=True)
    parser.add_argument("service", metavar="ID", nargs="?", action=OneService)
    parser.add_argument("--service", dest="service", metavar="ID", action=OneService)
