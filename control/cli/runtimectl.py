"""``runtimectl``: our client for those who come from the Go runtime.

Its flags stand before the command, ``runtimectl --host H --port N --token-file F status``, and what
the API answers in JSON is printed as JSON (``--text`` before the command for a person). What the
flags leave open is found as by ``bundlevisor``: by ``--app-data`` or ``--manifest``, before the
command or after it. ``validate`` asks the instance; ``secrets`` alone lists them.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.actors.files.endpoint import read_token
from bundlevisor.control.cli.asking import ask, client_for, parsed
from bundlevisor.control.cli.client import Client
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.find import Endpoint, NotRunning
from bundlevisor.control.cli.parser.arguments import parser
from bundlevisor.control.wire import exit_codes
from bundlevisor.manifest.format.loopback import address_of
from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    import argparse

VALUED = ("host", "port", "token-file", "app-data", "manifest")
GO_OPTIONS = ("service", "port-name", "lines")
"""Of the Go runtime's commands; it takes them with one dash, too."""
COMMANDS = (
    *("health", "ready", "ports", "port", "logs", "shutdown", "status", "secrets", "validate"),
    *("telemetry", "start", "stop", "restart", "timeline", "events", "explain", "dashboard", "top"),
)
USAGE = f"""\
usage: runtimectl [--host H] [--port N] [--token-file F] [--text] COMMAND [arguments]
       COMMAND: {", ".join(COMMANDS)}
"""


class Flags(msgspec.Struct):
    """What stands before the command."""

    host: str = ""
    port: str = ""
    token_file: str = ""
    app_data: str = ""
    manifest: str = "bundle.json"
    text: bool = False


class Misuse(Exception):
    """The command line is wrong; the message says how."""


def main(argv: Sequence[str]) -> int:
    """Do what a command line (without the program's name) says; returns the exit code."""
    words = list(argv)
    try:
        flags = _flags(words)
        if words and words[0] in ("help", "--help", "-h"):
            print(USAGE, end="")
            return exit_codes.OK
        command = _command(words)
        made = parser("runtimectl", asks=True)
        arguments = parsed(made, [*command, *_which(flags), *map(_with_two_dashes, words[1:])])
        if isinstance(arguments, int):
            return arguments
        if hasattr(arguments, "json"):
            arguments.json = arguments.json or not flags.text
        return ask(arguments, lambda: _client(flags, arguments))
    except Misuse as misuse:
        with contextlib.suppress(OSError):
            print(USAGE, file=sys.stderr)
        return complain(str(misuse), exit_codes.USAGE)


def _flags(words: list[str]) -> Flags:
    """Take the flags from the front, written with one dash or two; Misuse for an unknown one."""
    flags = Flags()
    while words and words[0].startswith("-") and words[0] not in ("-h", "--help"):
        word = words.pop(0)
        name, given, value = word.lstrip("-").partition("=")
        if name == "text":
            flags.text = True
            continue
        if name not in VALUED:
            raise Misuse(f"unknown flag: {word}{hint(name, (*VALUED, 'text'))}")
        if not given:
            if not words:
                raise Misuse(f"--{name} needs a value")
            value = words.pop(0)
        setattr(flags, name.replace("-", "_"), value)
    if flags.port and not (flags.port.isascii() and flags.port.isdigit() and len(flags.port) < 6):
        raise Misuse(f"--port is a number up to 65535, not {flags.port}")
    if flags.host and not address_of(flags.host):
        raise Misuse(f"--host is an address of this machine, such as 127.0.0.1, not {flags.host}")
    return flags


def _with_two_dashes(word: str) -> str:
    return f"-{word}" if word[:1] == "-" and word[1:].partition("=")[0] in GO_OPTIONS else word


def _command(words: Sequence[str]) -> list[str]:
    if not words:
        raise Misuse("say what to do")
    name = words[0]
    if name not in COMMANDS:
        raise Misuse(f"there is no command '{name}'{hint(name, COMMANDS)}")
    if name == "secrets" and (len(words) == 1 or words[1].startswith("-")):
        return ["secrets", "list"]
    return [name]


def _which(flags: Flags) -> list[str]:
    folder = ["--app-data", flags.app_data] if flags.app_data else []
    return [*folder, "--manifest", flags.manifest]


def _client(flags: Flags, arguments: argparse.Namespace) -> Client:
    """Return a client of what the flags say, else of what the instance's own files do."""
    if flags.port and flags.token_file:
        host = flags.host or "127.0.0.1"
        endpoint = Endpoint(
            host=host,
            port=int(flags.port),
            token=_token(flags.token_file),
            token_path=flags.token_file,
            app_data=f"{host}:{flags.port}",
        )
        return Client(endpoint)
    client = client_for(arguments)
    found = client.endpoint
    token_path = flags.token_file or found.token_path
    client.endpoint = msgspec.structs.replace(
        found,
        host=flags.host or found.host,
        port=int(flags.port or found.port),
        token=_token(token_path),
        token_path=token_path,
    )
    return client


def _token(path: str) -> str:
    try:
        return read_token(path)
    except OSError as error:
        raise NotRunning(f"cannot read the token at {path}: {error.strerror}") from None
