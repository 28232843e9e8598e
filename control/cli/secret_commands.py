"""``secrets list`` and ``secrets set``: a value is typed unseen or piped, and never shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bundlevisor.control.cli.client import Client
from bundlevisor.control.cli.find import Endpoint, Wanted, find
from bundlevisor.control.cli.queries import Refused, accepted, output, width
from bundlevisor.control.cli.screen import render
from bundlevisor.control.cli.screen.ended_by import ended_as_by_ctrl_c
from bundlevisor.control.cli.screen.suspension import given_back_when_suspended
from bundlevisor.control.cli.screen.terminal import is_terminal
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import LONGEST_KEEPING_S

if TYPE_CHECKING:
    import argparse


class NoValue(Exception):
    """There is no way to ask for the value; the message says what to do."""


def secrets(client: Client, arguments: argparse.Namespace) -> int:
    """Do what the second word says."""
    return put(client, arguments) if arguments.verb == "set" else list_all(client, arguments)


def list_all(client: Client, arguments: argparse.Namespace) -> int:
    """Print which secrets there are."""
    document = accepted(client.get("/secrets"))
    output(arguments, document, lambda: render.secrets(document, width()))
    return exit_codes.OK


def put(client: Client, arguments: argparse.Namespace) -> int:
    """Give one secret its value."""
    known = {secret["id"]: secret for secret in accepted(client.get("/secrets"))["secrets"]}
    if arguments.secret not in known:
        has = ", ".join(known) or "none"
        raise Refused(f"there is no secret '{arguments.secret}' in this bundle; it has {has}")
    try:
        value = _value(arguments, known[arguments.secret].get("prompt", {}))
        value.encode()  # where there is only stdin to type at, it may hold what is no text
    except UnicodeError:
        raise NoValue("the value is not UTF-8: a secret is text; give bytes as base64") from None
    values = {"secrets": {arguments.secret: value}}
    anew = _found_anew(client.endpoint)  # it may have been restarted while the value was typed
    answer = anew.post("/secrets", values, takes=LONGEST_KEEPING_S)
    problems = answer.json().get("validation_errors", ())
    if problems:
        raise Refused("; ".join(f"{one['id']}: {one['message']}" for one in problems))
    accepted(answer)
    print(f"{arguments.secret} is set")
    return exit_codes.OK


def _found_anew(endpoint: Endpoint) -> Client:
    app_data, token_path = endpoint.app_data, endpoint.token_path
    if endpoint.pid is None:  # its port was named (runtimectl), or is all that is known of it
        return Client(endpoint)
    return Client(find(Wanted(app_data=app_data, manifest="", token_path=token_path)))


def _value(arguments: argparse.Namespace, prompt: dict[str, str]) -> str:
    if arguments.stdin:
        value = sys.stdin.buffer.read().decode()
        line = value.rstrip("\r\n")
        return value if "\n" in line else line  # of a key in a file, the last line ends, too
    if not is_terminal(sys.stdin):
        raise NoValue("there is no terminal to type the value at; pipe it in with --stdin")
    import getpass

    for line in (prompt.get("description"), prompt.get("hint")):
        if line:
            print(line, file=sys.stderr)
    question = f"{prompt.get('label') or arguments.secret}: "
    try:
        with ended_as_by_ctrl_c(), given_back_when_suspended(sys.stderr, "", question):
            return getpass.getpass(question)
    except (EOFError, KeyboardInterrupt) as error:
        print(file=sys.stderr)  # the prompt's line has no end
        if isinstance(error, KeyboardInterrupt):
            raise
        raise NoValue("nothing was typed, and nothing is stored") from None
