"""The commands that ask a running instance; each returns an exit code."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.control.cli import json_output
from bundlevisor.control.cli.client import Answer, Client, NoAnswer, chunks
from bundlevisor.control.cli.complaint import complain
from bundlevisor.control.cli.screen import render
from bundlevisor.control.cli.screen.terminal import is_terminal
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import LONGEST_CHECK_S, LONGEST_WAIT_S
from bundlevisor.manifest.format.suggest import hint

if TYPE_CHECKING:
    import argparse
    from http.client import HTTPResponse

    Arguments = argparse.Namespace


SETTLED = ("ready", "stopped", "failed")
"""States in which a command has come to its end; what is to end or restart is never shown ready."""
BLOCKED = "blocked: "
"""How the message of a service begins that a dependency keeps from becoming ready."""


class Refused(Exception):
    """The instance said no; the message is its sentence."""


def status(client: Client, arguments: Arguments) -> int:
    """Print every service."""
    document = accepted(client.get("/status"))
    output(arguments, document, lambda: render.status(document, width()))
    return exit_codes.OK


def health(client: Client, arguments: Arguments) -> int:
    """Print the word; ``failed`` and ``stopping`` are a no."""
    document = client.get("/healthz").json()
    word = str(document.get("status", "unknown"))
    output(arguments, document, lambda: word)
    return exit_codes.OK if word in ("ok", "degraded") else exit_codes.NO


def ready(client: Client, arguments: Arguments) -> int:
    """Print whether all are ready, or who is not."""
    if arguments.wait:
        from bundlevisor.control.cli.start_view import WatchedWait

        with WatchedWait(client):
            document = _wait_ready(client, arguments.wait)
    else:
        document = _wait_ready(client, None if arguments.wait is None else 0.0)
    output(arguments, document, lambda: render.readiness(document, width()))
    return exit_codes.OK if document["ready"] else exit_codes.NO


def ports(client: Client, arguments: Arguments) -> int:
    """Print all ports."""
    document = accepted(client.get("/ports"))
    output(arguments, document, lambda: render.ports(document, width()))
    return exit_codes.OK


def port(client: Client, arguments: Arguments) -> int:
    """Print one number."""
    services = accepted(client.get("/ports"))["services"]
    named = services.get(arguments.service)
    if not named:
        check_service(client, arguments.service)
        raise Refused(f"service '{arguments.service}' has no port; see: bundlevisor ports")
    if arguments.port_name is None and len(named) > 1:
        raise Refused(f"service '{arguments.service}' has several ports: {', '.join(named)}")
    name = arguments.port_name or next(iter(named))
    if name not in named:
        raise Refused(
            f"service '{arguments.service}' has no port '{name}'{hint(name, named)};"
            f" it has {', '.join(named)}"
        )
    print(named[name])
    return exit_codes.OK


def check_service(client: Client, service: str) -> None:
    """Raise Refused where the bundle has no such service."""
    known = accepted(client.get("/readyz"))["details"]
    if service not in known:
        raise Refused(
            f"there is no service '{service}' in this bundle{hint(service, known)};"
            f" it has {', '.join(known)}"
        )


def logs(client: Client, arguments: Arguments) -> int:
    """Write a log to stdout: bytes as they are, but for what would steer a terminal."""
    query = {"serviceId": arguments.service, "lines": arguments.lines}
    write = _log_writer(raw=arguments.raw)
    if not arguments.follow:
        answer = client.get("/logs/tail", **query)
        if not answer.ok:
            raise Refused(answer.sentence)
        write(answer.body, last=True)
        return exit_codes.OK
    with client.stream("/logs/follow", **query) as response:
        if response.status != 200:
            raise Refused(Answer(response.status, response.read()).sentence)
        try:
            for data in followed(client, response):
                write(data)
        finally:  # also after Ctrl-C: a colour must not go on in the shell's line
            write(b"", last=True)
    return exit_codes.OK


def followed(client: Client, response: HTTPResponse) -> Iterator[bytes]:
    """Yield what a stream brings until the instance ends, and say then how that was."""
    from bundlevisor.control.cli.last_words import GOING_S, end_of

    endpoint = client.endpoint
    ended = end_of(endpoint.app_data, endpoint.pid, endpoint.created)
    try:
        yield from chunks(response)
    except NoAnswer:
        if not ended(GOING_S):
            raise
    if ended(GOING_S):
        complain(client.farewell(), exit_codes.OK)


def _log_writer(*, raw: bool) -> Callable[..., None]:
    to = sys.stdout.buffer
    harmless = None
    if not raw and is_terminal(sys.stdout):
        from bundlevisor.control.cli.screen.escapes import Harmless

        harmless = Harmless()

    def write(data: bytes, *, last: bool = False) -> None:
        to.write(harmless.pass_on(data, last=last) if harmless else data)
        to.flush()

    return write


def service_command(client: Client, arguments: Arguments) -> int:
    """Start, stop or restart one service."""
    wait, asked = arguments.wait, time.monotonic()
    path = f"/services/{arguments.service}/{arguments.command}"
    document = accepted(client.post(path, wait=None if wait is None else min(wait, LONGEST_WAIT_S)))
    if document.get("done") is False and time.monotonic() - asked >= LONGEST_WAIT_S:
        document |= _wait_settled(client, arguments, asked + wait)
    output(arguments, document, lambda: render.command(arguments.command, document))
    if "note" in document and not arguments.json:
        complain(document["note"], exit_codes.OK)
    return exit_codes.NO if document.get("done") is False else exit_codes.OK


def _wait_settled(client: Client, arguments: Arguments, deadline: float) -> dict[str, Any]:
    """Wait on for what a command has not come to while one request could wait for it."""
    wanted = "stopped" if arguments.command == "stop" else "ready"
    version = 0
    while True:
        left = min(max(deadline - time.monotonic(), 0), LONGEST_WAIT_S)
        document = accepted(client.get("/readyz", change=1, after=version, wait=left))
        version, now = document["version"], document["details"][arguments.service]
        settled = now["state"] in SETTLED or now["message"].startswith(BLOCKED)
        if settled or time.monotonic() >= deadline:
            return {
                "state": now["state"],
                "message": now["message"],
                "done": now["state"] == wanted,
            }


def shutdown(client: Client, arguments: Arguments) -> int:
    """Stop everything, and wait for the end if that is wanted."""
    if arguments.wait is None:
        accepted(client.post("/shutdown"))
        print("stopping")
        return exit_codes.OK
    from bundlevisor.control.cli.last_words import end_of

    endpoint = client.endpoint
    pid = endpoint.pid or accepted(client.get("/status"))["pid"]
    ended = end_of(endpoint.app_data, pid, endpoint.created)
    accepted(client.post("/shutdown"))
    if not ended(arguments.wait):
        raise Refused(f"pid {pid} is still stopping after {arguments.wait:g} s")
    print("stopped")
    return exit_codes.OK


def telemetry(client: Client, arguments: Arguments) -> int:
    """Print where the events are written."""
    document = accepted(client.get("/telemetry"))
    upload = document["upload_url"] or "nowhere"
    output(arguments, document, lambda: f"{document['path']}\nuploaded to: {upload}")
    return exit_codes.OK


def validate(client: Client, arguments: Arguments) -> int:
    """Print what the instance finds wrong with its bundle."""
    document = accepted(client.get("/validate", takes=LONGEST_CHECK_S))
    output(arguments, document, lambda: render.validation(document))
    return exit_codes.OK if document["valid"] else exit_codes.NO


def _wait_ready(client: Client, wait: float | None) -> Any:
    deadline = time.monotonic() + (wait or 0)
    while True:
        asked = time.monotonic()
        left = min(max(deadline - asked, 0), LONGEST_WAIT_S)
        document = accepted(client.get("/readyz", wait=None if wait is None else left))
        now = time.monotonic()
        if document["ready"] or now >= deadline or now - asked < left:  # early: it is decided
            return document


def accepted(answer: Answer) -> Any:
    """Return what an answer says; raises Refused when it is a no."""
    if not answer.ok:
        raise Refused(answer.sentence)
    return answer.json()


def output(arguments: Arguments, document: Any, text: Callable[[], str]) -> None:
    """Print ``text``, or for ``--json`` the document."""
    if arguments.json:
        json_output.put(msgspec.json.format(json_text.encode(document), indent=2))
    else:
        print(json_text.readable(text()))


def width() -> int | None:
    """Return how many columns the terminal has, None when stdout is none."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
