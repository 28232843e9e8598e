"""The command line of everything but ``run``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bundlevisor.control.cli.parser import ask_arguments, develop_arguments
from bundlevisor.control.cli.parser.parser_base import Parser, add_json, which_instance
from bundlevisor.control.run.options import COMMANDS
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    from bundlevisor.control.cli.parser.parser_base import Commands


def parser(prog: str = "bundlevisor", *, asks: bool = False) -> Parser:
    """Return the parser; it ends the process with code 2 for a command line that is wrong.

    ``asks``: everything is asked of an instance, also ``validate``.
    """
    top = Parser(prog=prog, add_help=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    which = which_instance()
    ask_arguments.add(commands, which)
    if asks:
        text = "all the problems of its bundle"
        add_json(commands.add_parser("validate", help=text, description=text, parents=[which]))
        return top
    _add_support(commands, which)
    _add_validate(commands)
    develop_arguments.add(commands, which)
    _add_schema(commands)
    _add_about_itself(commands)
    return top


def misused(by: Parser, command: str, sentence: str) -> int:
    """Say with the usage of a command what is wrong; returns the exit code."""
    assert by._subparsers is not None  # noqa: S101 - it has commands
    (commands,) = by._subparsers._group_actions
    with contextlib.suppress(SystemExit):
        commands.choices[command].error(sentence)  # type: ignore[index]
    return exit_codes.USAGE


def _add_support(commands: Commands, which: Parser) -> None:
    text = "one file for whoever is to help: manifest, status, events, logs, versions"
    support = commands.add_parser("support", help=text, description=text, parents=[which])
    support.add_argument(
        "--output",
        default="",
        metavar="FILE",
        help="a file or folder (bundlevisor-support-DATE.zip in this folder)",
    )


def _add_schema(commands: Commands) -> None:
    text = "the JSON Schema of bundle.json"
    schema = commands.add_parser("schema", help=text, description=text)
    strict = "for editors: refuse unknown fields, and null where a field is left out"
    schema.add_argument("--strict", action="store_true", help=strict)


def _add_about_itself(commands: Commands) -> None:
    text = "which version this is"
    commands.add_parser("version", help=text, description=text)
    text = "all commands on one page, or all that one of them takes"
    about = commands.add_parser("help", help=text, description=text)
    about.add_argument("about", metavar="COMMAND", nargs="?", choices=COMMANDS, help="this one")


def _add_validate(commands: Commands) -> None:
    text = "all the problems of a bundle; needs no running instance"
    validate = commands.add_parser("validate", help=text, description=text)
    develop_arguments.add_bundle(validate)
    develop_arguments.add_verify(validate)
    add_json(validate)
