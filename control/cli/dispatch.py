"""The command line of everything but ``run``: who does what, and how it ends.

Exit codes: 0 ok; 1 the answer is no (not ready, failed, refused, not valid); 2 usage or manifest
errors; 3 another instance holds the app-data (``run`` only); 4 no running instance found; 5 the
instance did not answer, or refused the token; 130 interrupted. Answers go to stdout, everything
else to stderr in sentences.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.cli import exit_codes
from bundlevisor.control.run.options import Misuse

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.cli.find import Wanted
    from bundlevisor.control.run.options import Client as ClientCommand

    Asking = Callable[[Client, argparse.Namespace], int]


def dispatch(parsed: ClientCommand | Misuse) -> int:
    """Do what a command line that is not ``run`` asks for; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a letter shows another
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch(parsed)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has what it wants
        _forget_the_rest()
        return exit_codes.OK
    except OSError as error:  # `> file` on a full disk
        _forget_the_rest()
        return _complain(f"cannot write the answer: {error.strerror or error}", exit_codes.NO)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    return code


def _forget_the_rest() -> None:
    """Let the interpreter's own end have somewhere to write what is still in the buffer."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(parsed: ClientCommand | Misuse) -> int:
    if isinstance(parsed, Misuse):
        from bundlevisor.control.cli.help_text import USAGE

        print(USAGE, file=sys.stderr)
        return _complain(f"{parsed.sentence}; see bundlevisor --help", exit_codes.USAGE)
    if parsed.argv[0] in ("help", "--help", "-h"):
        from bundlevisor.control.cli.help_text import TOP

        print(TOP, end="")
        return exit_codes.OK
    if parsed.argv[0] == "version":
        from bundlevisor.control.wire import version

        print(version.runtime())
        return exit_codes.OK
    return _run(parsed.argv)


def _run(argv: tuple[str, ...]) -> int:
    from bundlevisor.control.cli.arguments import parser

    try:
        arguments = parser().parse_args(argv)
    except SystemExit as end:  # argparse has said why
        return end.code if isinstance(end.code, int) else exit_codes.USAGE
    if arguments.command == "schema":
        from bundlevisor.manifest.format.json_schema import text

        print(text(strict=arguments.strict), end="")
        return exit_codes.OK
    return _validate(arguments) if arguments.command == "validate" else _ask(arguments)


def _validate(arguments: argparse.Namespace) -> int:
    from bundlevisor.actors.validation import bundle
    from bundlevisor.control.cli import render
    from bundlevisor.control.cli.queries import output

    root = arguments.bundle_root or os.path.dirname(os.path.abspath(arguments.manifest))
    full = arguments.verify == "full"
    findings = bundle.look(arguments.manifest, root, arguments.app_data, full=full)
    report = msgspec.to_builtins(bundle.shown(findings))
    output(arguments, report, lambda: render.validation(report))
    if not findings.ok:
        return exit_codes.USAGE
    return exit_codes.OK if report["valid"] else exit_codes.NO


def _ask(arguments: argparse.Namespace) -> int:
    from bundlevisor.control.cli import find
    from bundlevisor.control.cli.client import NoAnswer
    from bundlevisor.control.cli.queries import Refused
    from bundlevisor.control.cli.secret_commands import NoValue

    try:
        which = find.wanted(arguments.app_data, arguments.manifest)
        return _commands()[arguments.command](_client(which, arguments), arguments)
    except Refused as refused:
        return _complain(str(refused), exit_codes.NO)
    except (find.ManifestUnusable, NoValue) as error:
        return _complain(str(error), exit_codes.USAGE)
    except find.NotRunning as error:
        return _complain(str(error), exit_codes.NOT_RUNNING)
    except (NoAnswer, TimeoutError) as error:
        return _complain(str(error), exit_codes.NO_ANSWER)


def _client(which: Wanted, arguments: argparse.Namespace) -> Client:
    """Return a client of the instance; where a command may wait, that may have to appear first.

    The command then waits for the rest of its time. Who waits for an end waits for no beginning.
    """
    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.cli.find import find

    wait = getattr(arguments, "wait", None)
    if not wait or arguments.command == "shutdown":
        return Client(find(which))
    from bundlevisor.control.cli.await_instance import client_within

    began = time.monotonic()
    client = client_within(which, wait)
    arguments.wait = max(0.0, wait - (time.monotonic() - began))
    return client


def _commands() -> dict[str, Asking]:
    from bundlevisor.control.cli import queries
    from bundlevisor.control.cli.arguments import SERVICE_COMMANDS
    from bundlevisor.control.cli.secret_commands import secrets
    from bundlevisor.control.cli.timeline_command import show_timeline

    commands: dict[str, Asking] = dict.fromkeys(SERVICE_COMMANDS, queries.service_command)
    return commands | {
        "status": queries.status,
        "health": queries.health,
        "ready": queries.ready,
        "ports": queries.ports,
        "port": queries.port,
        "logs": queries.logs,
        "shutdown": queries.shutdown,
        "telemetry": queries.telemetry,
        "secrets": secrets,
        "timeline": show_timeline,
    }


def _complain(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):  # `2>&1 > file` on a full disk
        print(f"bundlevisor: {sentence}", file=sys.stderr)
    return code
