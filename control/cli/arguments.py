"""The command line of everything but ``run``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SERVICE_COMMANDS = ("start", "stop", "restart")


def parser() -> argparse.ArgumentParser:
    """Return the parser; it ends the process with code 2 for a command line that is wrong."""
    top = argparse.ArgumentParser(prog="bundlevisor", add_help=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    which = _which()
    for name, text in (
        ("status", "every service and what it is doing"),
        ("health", "how the bundle is, in one word"),
        ("ports", "where the services listen"),
        ("telemetry", "where the events are written"),
    ):
        _add_json(commands.add_parser(name, help=text, description=text, parents=[which]))
    _add_ready(commands, which)
    _add_port(commands, which)
    _add_logs(commands, which)
    for name in SERVICE_COMMANDS:
        _add_service_command(commands, which, name)
    _add_shutdown(commands, which)
    _add_secrets(commands, which)
    _add_timeline(commands, which)
    _add_validate(commands)
    _add_schema(commands)
    return top


def seconds(text: str) -> float:
    """Return a number of seconds; ArgumentTypeError for anything else."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"not a number of seconds: {text}")
    return number


def _which() -> argparse.ArgumentParser:
    which = argparse.ArgumentParser(add_help=False)
    which.add_argument("--app-data", "-app-data", default="", metavar="DIR", help="its folder")
    which.add_argument(
        "--manifest",
        "-manifest",
        default="bundle.json",
        metavar="FILE",
        help="its bundle, where --app-data is not given (bundle.json)",
    )
    return which


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the API's answer as it is")


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=seconds, default=None, metavar="SECONDS", help="until it is decided"
    )


def _add_ready(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "whether all services are ready"
    ready = commands.add_parser("ready", help=text, description=text, parents=[which])
    _add_wait(ready)
    _add_json(ready)


def _add_timeline(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "what took how long from exec to ready"
    timeline = commands.add_parser("timeline", help=text, description=text, parents=[which])
    timeline.add_argument("--svg", default="", metavar="FILE", help="write the picture to a file")
    timeline.add_argument(
        "--compare", action="store_true", help="what became slower or faster since earlier starts"
    )
    _add_json(timeline)


def _add_port(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "the number of one port"
    port = commands.add_parser("port", help=text, description=text, parents=[which])
    port.add_argument("--service", required=True, metavar="ID")
    port.add_argument("--port-name", metavar="NAME", help="may be left out for an only port")


def _add_logs(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "the last lines that a service has written"
    logs = commands.add_parser("logs", help=text, description=text, parents=[which])
    logs.add_argument("--service", required=True, metavar="ID")
    logs.add_argument("--lines", "-n", type=int, default=200, metavar="N", help="(200)")
    logs.add_argument("--follow", "-f", action="store_true", help="and what it writes from now on")


def _add_service_command(commands: Commands, which: argparse.ArgumentParser, name: str) -> None:
    command = commands.add_parser(name, help=f"{name} a service", parents=[which])
    command.add_argument("service", metavar="ID")
    _add_wait(command)
    _add_json(command)


def _add_shutdown(commands: Commands, which: argparse.ArgumentParser) -> None:
    text = "the orderly stop of everything"
    shutdown = commands.add_parser("shutdown", help=text, description=text, parents=[which])
    shutdown.add_argument(
        "--wait",
        type=seconds,
        nargs="?",
        const=60.0,
        default=None,
        metavar="SECONDS",
        help="until the process is gone (60)",
    )


def _add_secrets(commands: Commands, which: argparse.ArgumentParser) -> None:
    secrets = commands.add_parser("secrets", help="the secrets of the bundle")
    verbs = secrets.add_subparsers(dest="verb", required=True, metavar="list|set")
    _add_json(verbs.add_parser("list", help="which there are", parents=[which]))
    put = verbs.add_parser("set", help="give one its value", parents=[which])
    put.add_argument("secret", metavar="ID")
    put.add_argument("--stdin", action="store_true", help="read the value from stdin")


def _add_schema(commands: Commands) -> None:
    text = "the JSON Schema of bundle.json"
    schema = commands.add_parser("schema", help=text, description=text)
    strict = "for editors: refuse unknown fields, and null where a field is left out"
    schema.add_argument("--strict", action="store_true", help=strict)


def _add_validate(commands: Commands) -> None:
    text = "all the problems of a bundle; needs no running instance"
    validate = commands.add_parser("validate", help=text, description=text)
    validate.add_argument("--manifest", "-manifest", default="bundle.json", metavar="FILE")
    validate.add_argument("--bundle-root", "-bundle-root", default="", metavar="DIR")
    validate.add_argument("--app-data", "-app-data", default="", metavar="DIR")
    validate.add_argument("--verify", choices=("cached", "full"), default="cached")
    _add_json(validate)
