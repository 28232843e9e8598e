"""``bundlevisor logs``: one service's output as it is, or lines of several in the order of time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.control.cli import queries
from bundlevisor.control.cli.client import Answer, Client
from bundlevisor.control.cli.screen.colours import GREY, Paint, paint_stdout
from bundlevisor.control.cli.screen.escapes import COLOUR, Harmless
from bundlevisor.control.cli.screen.event_lines import local_time
from bundlevisor.control.cli.screen.terminal import is_terminal
from bundlevisor.control.wire import exit_codes
from bundlevisor.control.wire.bounds import LONGEST_TAIL, USUAL_LINES

if TYPE_CHECKING:
    import argparse

SEARCHED = LONGEST_TAIL
"""Lines of each service that ``--grep`` and ``--since`` look through; the API has no more."""
COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")
"""For the services in turn; red is left to what is wrong."""

Keep = Callable[[str], bool]


def show_logs(client: Client, arguments: argparse.Namespace) -> int:
    """Print output; with ``-f`` until Ctrl-C or the end of the instance, both of which are 0."""
    try:
        return _show(client, arguments)
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    return exit_codes.OK


def _show(client: Client, arguments: argparse.Namespace) -> int:
    """Print the output of one service as it is, else and with options line by line."""
    services = list(dict.fromkeys(arguments.services))
    by_line = (
        *(arguments.since, arguments.grep, arguments.timestamps),
        *(arguments.json_lines, arguments.previous),
    )
    if len(services) == 1 and not any(by_line):
        arguments.service = services[0]
        arguments.lines = USUAL_LINES if arguments.lines is None else arguments.lines
        return queries.logs(client, arguments)
    keep = _keep(arguments.grep)
    show = _Lines(client, arguments, services)
    for text in _received(client, arguments, services):
        line = msgspec.json.decode(text)
        if keep(line["line"]):
            show(text, line)
    return exit_codes.OK


def _received(
    client: Client, arguments: argparse.Namespace, services: list[str]
) -> Iterator[bytes]:
    """Yield lines of JSON."""
    searches = arguments.since or arguments.grep
    usual = SEARCHED if searches else USUAL_LINES
    query: dict[str, Any] = {
        "services": ",".join(services) or None,
        "lines": usual if arguments.lines is None else arguments.lines,
        "since": arguments.since,
        "previous": "1" if arguments.previous else None,
    }
    if not arguments.follow:
        answer = client.get("/logs/lines", **query)
        if not answer.ok:
            raise queries.Refused(answer.sentence)
        yield from answer.body.splitlines()
        return
    with client.stream("/logs/lines", follow="1", **query) as response:
        if response.status != 200:
            raise queries.Refused(Answer(response.status, response.read()).sentence)
        rest = b""
        for data in queries.followed(client, response):
            *whole, rest = (rest + data).split(b"\n")
            yield from whole
            sys.stdout.flush()


class _Lines:
    """Prints lines with what was asked for before them."""

    def __init__(self, client: Client, arguments: argparse.Namespace, services: list[str]) -> None:
        self._json = arguments.json_lines
        self._timestamps = arguments.timestamps
        self._raw = arguments.raw or not is_terminal(sys.stdout)
        self._paint: Paint = paint_stdout()
        self._prefixes = {} if len(services) == 1 else self._made(client, services)

    def __call__(self, text: bytes, line: dict[str, str]) -> None:
        if self._json:
            self._write(text)
            return
        said = line["line"].encode()
        prefix = self._prefixes.get(line["service"], "")
        if self._timestamps:
            prefix += self._paint(local_time(line["time"]), GREY) + "  "
        self._write(prefix.encode() + (said if self._raw else Harmless().pass_on(said, last=True)))

    def _made(self, client: Client, services: list[str]) -> dict[str, str]:
        known = services or list(queries.accepted(client.get("/readyz"))["details"])
        width = max(map(len, known), default=0)
        return {
            id_: self._paint(f"{id_.ljust(width)} |", COLOURS[at % len(COLOURS)]) + " "
            for at, id_ in enumerate(known)
        }

    def _write(self, text: bytes) -> None:
        sys.stdout.buffer.write(text + b"\n")


def _keep(pattern: Any) -> Keep:
    """Return whether a line is wanted."""
    if pattern is None:
        return lambda _line: True
    return lambda line: pattern.search(COLOUR.sub("", line).encode()) is not None
