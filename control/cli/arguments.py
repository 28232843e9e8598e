"""The command line of everything but ``run``."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from bundlevisor.control.cli import develop_arguments, exit_codes
from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction["Parser"]

SERVICE_COMMANDS = ("start", "stop", "restart")


class Parser(argparse.ArgumentParser):
    """Says of a wrong command line what was probably meant, with the usage of its command."""

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
            kind = "option" if word.startswith("-") else "argument"
            self.error(f"unknown {kind}: {word}{hint(word, known)}")
        if getattr(found, "needs_service", False) and found.service is None:
            self.error(f"say which service: {self.prog} ID")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print the usage and the sentence, and end with 2."""
        self.print_usage(sys.stderr)
        self.exit(exit_codes.USAGE, f"bundlevisor: {message}; see {self.prog} --help\n")


def parser(prog: str = "bundlevisor", *, asks: bool = False) -> Parser:
    """Return the parser; it ends the process with code 2 for a command line that is wrong.

    ``asks``: everything is asked of an instance, also ``validate``.
    """
    top = Parser(prog=prog, add_help=False)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    which = _which()
    for name, text in (
        ("health", "how the bundle is, in one word"),
        ("ports", "where the services listen"),
        ("telemetry", "where the events are written"),
    ):
        _add_json(commands.add_parser(name, help=text, description=text, parents=[which]))
    _add_status(commands, which)
    _add_ready(commands, which)
    _add_port(commands, which)
    _add_logs(commands, which)
    _add_events(commands, which)
    for name in SERVICE_COMMANDS:
        _add_service_command(commands, which, name)
    _add_shutdown(commands, which)
    _add_secrets(commands, which)
    _add_timeline(commands, which)
    _add_dashboard(commands, which)
    _add_explain(commands, which)
    if asks:
        text = "all the problems of its bundle"
        _add_json(commands.add_parser("validate", help=text, description=text, parents=[which]))
        return top
    _add_support(commands, which)
    _add_validate(commands)
    develop_arguments.add(commands, which)
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


def sequence_number(text: str) -> str:
    """Return what ``--after`` takes; ArgumentTypeError for anything else."""
    return text if text == "latest" else str(count(text))


def _which(**default: Any) -> Parser:
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


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the API's answer as it is")


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=seconds, default=None, metavar="SECONDS", help="until it is decided"
    )


def _add_status(commands: Commands, which: Parser) -> None:
    text = "every service and what it is doing"
    status = commands.add_parser("status", help=text, description=text, parents=[which])
    status.add_argument(
        "--watch", action="store_true", help="again and again, with processor time and memory"
    )
    _add_json(status)
    text = "the services, with keys to restart, stop, and read what they say"
    commands.add_parser("top", help=text, description=text, parents=[which])


def _add_ready(commands: Commands, which: Parser) -> None:
    text = "whether all services are ready"
    ready = commands.add_parser("ready", help=text, description=text, parents=[which])
    _add_wait(ready)
    _add_json(ready)


def _add_timeline(commands: Commands, which: Parser) -> None:
    text = "what took how long from exec to ready"
    timeline = commands.add_parser("timeline", help=text, description=text, parents=[which])
    timeline.add_argument(
        "--svg", default="", metavar="FILE", help="write the picture to a file (- is stdout)"
    )
    timeline.add_argument(
        "--blame", action="store_true", help="the services, those that took longest first"
    )
    timeline.add_argument(
        "--compare", action="store_true", help="what became slower or faster since earlier starts"
    )
    timeline.add_argument(
        "--otlp",
        nargs="?",
        const=os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or "http://localhost:4318",
        metavar="URL",
        help="send it as a trace to an OpenTelemetry collector (the extra bundlevisor[otel])",
    )
    _add_json(timeline)


def _add_dashboard(commands: Commands, which: Parser) -> None:
    text = "open the page that shows all of it in a browser"
    dashboard = commands.add_parser("dashboard", help=text, description=text, parents=[which])
    dashboard.add_argument(
        "--no-open",
        action="store_true",
        help="print the address instead: it lets one browser in, once, within a minute",
    )
    _add_json(dashboard)


def _add_explain(commands: Commands, which: Parser) -> None:
    text = "why a service is in its state, back to the root cause"
    explain = commands.add_parser("explain", help=text, description=text, parents=[which])
    _add_service(explain)
    _add_json(explain)


def _add_support(commands: Commands, which: Parser) -> None:
    text = "one file for whoever is to help: manifest, status, events, logs, versions"
    support = commands.add_parser("support", help=text, description=text, parents=[which])
    support.add_argument(
        "--output",
        default="",
        metavar="FILE",
        help="where to (bundlevisor-support-DATE.zip in this folder)",
    )


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


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(service=None, needs_service=True)
    parser.add_argument("service", metavar="ID", nargs="?", action=OneService)
    parser.add_argument("--service", dest="service", metavar="ID", action=OneService)


def _add_port(commands: Commands, which: Parser) -> None:
    text = "the number of one port"
    port = commands.add_parser("port", help=text, description=text, parents=[which])
    _add_service(port)
    port.add_argument("--port-name", metavar="NAME", help="may be left out for an only port")


def _add_logs(commands: Commands, which: Parser) -> None:
    text = "the last lines that services have written"
    logs = commands.add_parser("logs", help=text, description=text, parents=[which])
    logs.add_argument("services", metavar="ID", nargs="*", action="extend", default=[])
    logs.add_argument("--service", dest="services", metavar="ID", action="append")
    logs.add_argument("--lines", "-n", type=int, metavar="N", help="of each service (200)")
    logs.add_argument("--follow", "-f", action="store_true", help="and what they write from now on")
    logs.add_argument("--since", type=age, metavar="AGE", help="only of the last 90s, 5m, 2h, 1d")
    logs.add_argument(
        "--previous", "-p", action="store_true", help="of the run before the last restart"
    )
    logs.add_argument("--grep", metavar="RE", help="only lines that match (RE2)")
    logs.add_argument("--timestamps", "-t", action="store_true", help="when each line was begun")
    logs.add_argument(
        "--json", dest="json_lines", action="store_true", help="each line as one line of JSON"
    )
    logs.add_argument(
        "--raw", action="store_true", help="bytes as they are, also what would steer a terminal"
    )


def _add_events(commands: Commands, which: Parser) -> None:
    text = "what happened, and with -f what happens from now on"
    events = commands.add_parser("events", help=text, description=text, parents=[which])
    events.add_argument("--service", metavar="ID", default=None, help="only of this service")
    events.add_argument("--follow", "-f", action="store_true", help="and those that come")
    events.add_argument(
        "--after",
        type=sequence_number,
        default=None,
        metavar="SEQ|latest",
        help="only those after this number; latest: none but those that come",
    )
    events.add_argument(
        "--lines", "-n", type=count, default=None, metavar="N", help="the last ones (200)"
    )
    events.add_argument("--json", action="store_true", help="each as one line of JSON")


def _add_service_command(commands: Commands, which: Parser, name: str) -> None:
    text = f"{name} a service"
    command = commands.add_parser(name, help=text, description=text, parents=[which])
    command.add_argument("service", metavar="ID")
    _add_wait(command)
    _add_json(command)


def _add_shutdown(commands: Commands, which: Parser) -> None:
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


def _add_secrets(commands: Commands, which: Parser) -> None:
    text = "the secrets of the bundle"
    secrets = commands.add_parser("secrets", help=text, description=text, parents=[which])
    verbs = secrets.add_subparsers(dest="verb", required=True, metavar="list|set")
    again = _which(default=argparse.SUPPRESS)  # given before the verb, it stays
    text = "which there are"
    _add_json(verbs.add_parser("list", help=text, description=text, parents=[again]))
    text = "give one its value"
    put = verbs.add_parser("set", help=text, description=text, parents=[again])
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
    develop_arguments.add_bundle(validate)
    validate.add_argument(
        "--verify",
        choices=("cached", "full"),
        default="cached",
        help="assets that were verified before (cached)",
    )
    _add_json(validate)
