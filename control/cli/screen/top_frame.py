"""The screen of ``top`` and ``status --watch``: from an answer of ``/status`` to lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bundlevisor.control.cli.screen import render
from bundlevisor.control.cli.screen.cells import shortened, wrapped
from bundlevisor.control.cli.screen.colours import BOLD, GREEN, GREY, RED, YELLOW
from bundlevisor.control.cli.screen.start_frame import Line, Screen
from bundlevisor.control.cli.screen.tables import duration, plain
from bundlevisor.control.cli.screen.usage_history import (
    ASCII,
    LETTERS,
    History,
    mebibytes,
    sparkline,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COLOURS = {
    "ready": GREEN,
    "failed": RED,
    "unhealthy": RED,
    "backoff": YELLOW,
    "starting": YELLOW,
    "waiting": GREY,
    "stopped": GREY,
}
KEYS = "up/down choose   r restart   s stop or start   l log   e why   q quit"
BACK = "any key: back"
NAME = 24
"""Columns of the longest name."""
UP = 10
"""Columns of how long a service is up."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown besides the services."""

    chosen: str = ""
    """The service that a key concerns; empty where there are no keys."""
    notice: str = ""
    """What became of the last key."""


def frame(document: dict[str, Any], history: History, view: View, screen: Screen) -> list[str]:
    """Return the lines, none wider than the screen and no more than it has.

    The chosen service is always among those that are shown.
    """
    services = document["services"]
    width = min(NAME, max((len(plain(one["id"])) for one in services), default=7))
    lines = [screen.paint(shortened(render.headline(document), screen.columns - 1), BOLD)]
    lines += [shortened(_heads(width), screen.columns - 1)]
    foot = []
    if view.chosen and screen.rows > 2:
        foot = [screen.paint(shortened(view.notice or KEYS, screen.columns - 1), GREY)]
    blocks = [_block(one, history, width, view, screen) for one in services]
    at = next((n for n, one in enumerate(services) if one["id"] == view.chosen), 0)
    room = screen.rows - 1 - len(lines) - len(foot)
    return _squeezed([*lines, *_fitting(blocks, at, max(1, room), screen), *foot], screen)


def reading(title: str, text: Sequence[str], screen: Screen) -> list[str]:
    """Return the lines that show the end of a text until a key is pressed."""
    room = screen.columns - 1
    lines = [
        screen.paint(shortened(title, room), BOLD),
        "",
        *(shortened(line.expandtabs(), room) for line in text[-max(1, screen.rows - 4) :]),
        screen.paint(shortened(BACK, room), GREY),
    ]
    return _squeezed(lines, screen)


def _squeezed(lines: list[str], screen: Screen) -> list[str]:
    """Return the last lines, where a terminal has not even room for what belongs to all texts."""
    return lines[-max(1, screen.rows - 1) :]


def _heads(width: int) -> str:
    return f"  {'SERVICE'.ljust(width)}  STATE        CPU    MEMORY  RESTARTS  UP"


def _block(
    one: dict[str, Any], history: History, width: int, view: View, screen: Screen
) -> list[str]:
    """Return the lines of a service: its numbers, and below, whole, why it is not ready."""
    chosen = one["id"] == view.chosen
    name = shortened(plain(one["id"]), width).ljust(width)
    runs = bool(one.get("pid"))
    cpu = f"{one['cpu_percent']:.0f} %" if runs else "-"
    memory = mebibytes(one["rss_bytes"]) if runs else "-"
    up = duration(one["uptime_s"]) if runs else "-"
    line = Line(screen)
    line.add("> " if chosen else "  ")
    line.add(name, BOLD if chosen else "")
    line.add("  ")
    line.add(one["state"].ljust(9), COLOURS.get(one["state"], ""))
    line.add(f"  {cpu:>6}  {memory:>8}  {one['restarts']:>8}  {up}")
    line.add("".ljust(min(line.left, UP + 2 - len(up))))
    letters = LETTERS if screen.full == "█" else ASCII
    values = history.of(one["id"])[-line.left :] if line.left else ()
    if runs and values:
        line.add(sparkline(values, letters), GREY)
    text = line.text.rstrip()
    said = render.reason(one)
    if not said or one["state"] == "ready":
        return [text]
    indent = " " * min(6, max(0, screen.columns - 11))
    parts = wrapped(plain(said), screen.columns - 1, indent, indent)
    return [text, *(screen.paint(part, GREY) for part in parts)]


def _fitting(blocks: list[list[str]], at: int, room: int, screen: Screen) -> list[str]:
    """Return the lines around one block that fit, and below, how many services are not shown."""
    if not blocks:
        return []
    told = len(blocks) > 1 and sum(map(len, blocks)) > room > 1
    room -= told
    first = last = at
    used = len(blocks[at])
    while True:
        if last + 1 < len(blocks) and used + len(blocks[last + 1]) <= room:
            last += 1
            used += len(blocks[last])
        elif first and used + len(blocks[first - 1]) <= room:
            first -= 1
            used += len(blocks[first])
        else:
            break
    lines = [line for block in blocks[first : last + 1] for line in block][:room]
    if told:
        more = f"  and {len(blocks) - (last + 1 - first)} more"
        lines.append(screen.paint(shortened(more, screen.columns - 1), GREY))
    return lines
