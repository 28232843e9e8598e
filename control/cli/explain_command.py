"""``bundlevisor explain ID``: why it is in this state, back to the root cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.cli.events_command import newest_events
from bundlevisor.control.cli.explanation import Explanation, Link, explain, way
from bundlevisor.control.cli.queries import accepted, check_service, output
from bundlevisor.control.cli.screen.colours import (
    BOLD,
    GREEN,
    GREY,
    RED,
    YELLOW,
    Paint,
    paint_stdout,
)
from bundlevisor.control.cli.screen.event_lines import line
from bundlevisor.control.cli.screen.tables import plain
from bundlevisor.control.wire import exit_codes

if TYPE_CHECKING:
    import argparse

    from bundlevisor.control.cli.client import Client

LOOKED_AT = 5000
"""So many of the newest events are searched for those that explain something."""
LAST_LINES = 12
COLOURS = {"ready": GREEN, "failed": RED, "unhealthy": RED, "backoff": YELLOW}
WORDS = {
    "inactive": "has not been started",
    "waiting": "waits",
    "backoff": "pauses before it is started again",
    "failed": "has failed",
}
"""Other states are said with ``is``."""


def show_explanation(client: Client, arguments: argparse.Namespace) -> int:
    """Print the way from the service to what holds it up; 1 where that is something."""
    check_service(client, arguments.service)
    found = explanation(client, arguments.service)
    output(arguments, msgspec.to_builtins(found), lambda: text_of(found, paint_stdout()))
    return exit_codes.OK if found.links[0].state == "ready" else exit_codes.NO


def explanation(client: Client, service: str) -> Explanation:
    """Ask an instance for all that explains a service of it; KeyError for an unknown one."""
    details = accepted(client.get("/readyz"))["details"]
    tails = {
        id_: _last_lines(client, id_) for id_ in way(service, details) if not details[id_]["ready"]
    }
    return explain(service, details, newest_events(client, LOOKED_AT), tails)


def _last_lines(client: Client, id_: str) -> tuple[str, ...]:
    answer = client.get("/logs/tail", serviceId=id_, lines=LAST_LINES)
    text = answer.body.decode("utf-8", "replace") if answer.ok else ""
    return tuple(text.splitlines()[-LAST_LINES:])


def text_of(found: Explanation, paint: Paint) -> str:
    """Return the explanation for a terminal."""
    first, *others = found.links
    parts = [_told(first, paint)]
    if others:
        roots = " and ".join(plain(id_) for id_ in found.roots)
        parts[0] = "\n".join([_headline(first, paint), f"  what holds it up: {roots}"])
    parts += [_told(link, paint) for link in others]
    return "\n\n".join(parts)


def _headline(link: Link, paint: Paint) -> str:
    words = WORDS.get(link.state, f"is {link.state}")
    said = plain(link.message)
    why = f": {said}" if said and said != link.state else ""
    return f"{paint(plain(link.id), BOLD)} {paint(words, COLOURS.get(link.state, ''))}{why}"


def _told(link: Link, paint: Paint) -> str:
    lines = [_headline(link, paint)]
    if link.needs:
        lines.append(f"  it needs {', '.join(map(plain, link.needs))}")
    if link.secrets:
        lines.append(f"  it needs secrets: {', '.join(map(plain, link.secrets))}")
    lines += [f"  {line(event, paint)}" for event in link.events]
    lines += [paint(f"  | {plain(said)}", GREY) for said in link.output]
    if link.advice:
        lines.append(f"  → {link.advice}")
    return "\n".join(lines)
