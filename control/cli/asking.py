"""Reading a command and asking an instance, and what is said where that cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.cli.parser.parser_base import Parser

    Asking = Callable[[Client, argparse.Namespace], int]


def parsed(by: Parser, argv: Sequence[str]) -> argparse.Namespace | int:
    """Return the arguments of a command, or the exit code where they are wrong, which is said."""
    try:
        return by.parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else exit_codes.USAGE


def ask(arguments: argparse.Namespace, connect: Callable[[], Client]) -> int:
    """Ask an instance; ``connect`` may raise what finding and asking raise."""
    from bundlevisor.control.cli import find
    from bundlevisor.control.cli.client import NoAnswer
    from bundlevisor.control.cli.queries import Refused
    from bundlevisor.control.cli.secret_commands import NoValue

    if getattr(arguments, "follow", False) or getattr(arguments, "watch", False):
        from bundlevisor.control.cli.lost_reader import end_with_reader

        end_with_reader()
    try:
        return _commands()[arguments.command](connect(), arguments)
    except Refused as refused:
        return complain(str(refused), exit_codes.NO)
    except (find.ManifestUnusable, NoValue) as error:
        return complain(str(error), exit_codes.USAGE)
    except find.NotRunning as error:
        return complain(str(error), exit_codes.NOT_RUNNING)
    except (NoAnswer, TimeoutError) as error:
        return complain(str(error), exit_codes.NO_ANSWER)


def client_for(arguments: argparse.Namespace) -> Client:
    """Return a client of the instance; where a command may wait, that may have to appear first.

    The command then waits for the rest of its time. Who waits for an end waits for no beginning.
    """
    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.cli.find import find, wanted

    which = wanted(arguments.app_data, arguments.manifest)
    wait = getattr(arguments, "wait", None)
    if not wait or arguments.command == "shutdown":
        return Client(find(which))
    import time

    from bundlevisor.control.cli.await_instance import client_within

    began = time.monotonic()
    client = client_within(which, wait)
    arguments.wait = max(0.0, wait - (time.monotonic() - began))
    return client


def _commands() -> dict[str, Asking]:
    from bundlevisor.control.cli import queries
    from bundlevisor.control.cli.dashboard_command import show_dashboard
    from bundlevisor.control.cli.events_command import show_events
    from bundlevisor.control.cli.exec_command import execute
    from bundlevisor.control.cli.explain_command import show_explanation
    from bundlevisor.control.cli.logs_command import show_logs
    from bundlevisor.control.cli.parser.ask_arguments import SERVICE_COMMANDS
    from bundlevisor.control.cli.secret_commands import secrets
    from bundlevisor.control.cli.timeline_command import show_timeline
    from bundlevisor.control.cli.top_command import show_status, top

    commands: dict[str, Asking] = dict.fromkeys(SERVICE_COMMANDS, queries.service_command)
    return commands | {
        "status": show_status,
        "top": top,
        "health": queries.health,
        "ready": queries.ready,
        "ports": queries.ports,
        "port": queries.port,
        "logs": show_logs,
        "events": show_events,
        "exec": execute,
        "explain": show_explanation,
        "shutdown": queries.shutdown,
        "telemetry": queries.telemetry,
        "validate": queries.validate,
        "secrets": secrets,
        "timeline": show_timeline,
        "dashboard": show_dashboard,
    }
