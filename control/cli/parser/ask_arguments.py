"""The commands that ask a running instance, as the command line has them."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from bundlevisor.control.cli.parser.parser_base import (
    Parser,
    add_json,
    add_service,
    add_wait,
    age,
    count,
    pattern,
    seconds,
    sequence_number,
    which_instance,
)
from bundlevisor.control.wire.bounds import LONGEST_STOP_S, USUAL_LINES

if TYPE_CHECKING:
    from bundlevisor.control.cli.parser.parser_base import Commands

SERVICE_COMMANDS = ("start", "stop", "restart")


def add(commands: Commands, which: Parser) -> None:
    """Add them all."""
    for name, text in (
        ("health", "how the bundle is, in one word"),
        ("ports", "where the services listen"),
        ("telemetry", "where the events are written"),
    ):
        add_json(commands.add_parser(name, help=text, description=text, parents=[which]))
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


def _add_status(commands: Commands, which: Parser) -> None:
    text = "every service and what it is doing"
    status = commands.add_parser("status", help=text, description=text, parents=[which])
    status.add_argument(
        "--watch", action="store_true", help="again and again, with processor time and memory"
    )
    add_json(status)
    text = "the services, with keys to restart, stop, and read what they say"
    commands.add_parser("top", help=text, description=text, parents=[which])


def _add_ready(commands: Commands, which: Parser) -> None:
    text = "whether all services are ready"
    ready = commands.add_parser("ready", help=text, description=text, parents=[which])
    add_wait(ready)
    add_json(ready)


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
    add_json(timeline)


def _add_dashboard(commands: Commands, which: Parser) -> None:
    text = "open the page that shows all of it in a browser"
    dashboard = commands.add_parser("dashboard", help=text, description=text, parents=[which])
    dashboard.add_argument(
        "--no-open",
        action="store_true",
        help="print the address instead: it lets one browser in, once, within a minute",
    )
    add_json(dashboard)


def _add_explain(commands: Commands, which: Parser) -> None:
    text = "why a service is in its state, back to the root cause"
    explain = commands.add_parser("explain", help=text, description=text, parents=[which])
    add_service(explain)
    add_json(explain)


def _add_port(commands: Commands, which: Parser) -> None:
    text = "the number of one port"
    port = commands.add_parser("port", help=text, description=text, parents=[which])
    add_service(port)
    port.add_argument("--port-name", metavar="NAME", help="may be left out for an only port")


def _add_logs(commands: Commands, which: Parser) -> None:
    text = "the last lines that services have written"
    logs = commands.add_parser("logs", help=text, description=text, parents=[which])
    logs.add_argument("services", metavar="ID", nargs="*", action="extend", default=[])
    logs.add_argument("--service", dest="services", metavar="ID", action="append")
    logs.add_argument(
        "--lines", "-n", type=count, metavar="N", help=f"of each service ({USUAL_LINES})"
    )
    logs.add_argument("--follow", "-f", action="store_true", help="and what they write from now on")
    logs.add_argument("--since", type=age, metavar="AGE", help="only of the last 90s, 5m, 2h, 1d")
    logs.add_argument(
        "--previous", "-p", action="store_true", help="of the run before the last restart"
    )
    logs.add_argument("--grep", type=pattern, metavar="RE", help="only lines that match (RE2)")
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
        "--lines",
        "-n",
        type=count,
        default=None,
        metavar="N",
        help=f"the last ones ({USUAL_LINES})",
    )
    events.add_argument("--json", action="store_true", help="each as one line of JSON")


def _add_service_command(commands: Commands, which: Parser, name: str) -> None:
    text = f"{name} a service"
    command = commands.add_parser(name, help=text, description=text, parents=[which])
    command.add_argument("service", metavar="ID")
    add_wait(command)
    add_json(command)


def _add_shutdown(commands: Commands, which: Parser) -> None:
    text = "the orderly stop of everything"
    shutdown = commands.add_parser("shutdown", help=text, description=text, parents=[which])
    shutdown.add_argument(
        "--wait",
        type=seconds,
        nargs="?",
        const=LONGEST_STOP_S,
        default=None,
        metavar="SECONDS",
        help=f"until the process is gone ({LONGEST_STOP_S:g})",
    )


def _add_secrets(commands: Commands, which: Parser) -> None:
    text = "the secrets of the bundle"
    secrets = commands.add_parser("secrets", help=text, description=text, parents=[which])
    verbs = secrets.add_subparsers(dest="verb", required=True, metavar="list|set")
    again = which_instance(default=argparse.SUPPRESS)  # given before the verb, it stays
    text = "which there are"
    add_json(verbs.add_parser("list", help=text, description=text, parents=[again]))
    text = "give one its value"
    put = verbs.add_parser("set", help=text, description=text, parents=[again])
    put.instead = "a value is no argument, which others could read: type it when asked, or --stdin"
    put.add_argument("secret", metavar="ID")
    put.add_argument(
        "--stdin", action="store_true", help="read it from stdin; one line is taken without its end"
    )
