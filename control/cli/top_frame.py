"""The screen of ``top`` and ``status --watch``: from an answer of ``/status`` to lines. Pure."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

import msgspec

from bundlevisor.control.cli import render
from bundlevisor.control.cli.colours import BOLD, GREEN, GREY, RED, YELLOW
from bundlevisor.control.cli.start_frame import Screen, shortened
from bundlevisor.control.cli.tables import duration, plain
from bundlevisor.control.cli.usage_history import ASCII, LETTERS, History, mebibytes, sparkline

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
NAME = 24
"""Columns of the longest name."""
FIXED = 51
"""Columns of all that stands between the name and the sparkline."""


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
    if view.chosen:
        foot = [screen.paint(shortened(view.notice or KEYS, screen.columns - 1), GREY)]
    blocks = [_block(one, history, width, view, screen) for one in services]
    at = next((n for n, one in enumerate(services) if one["id"] == view.chosen), 0)
    room = screen.rows - 1 - len(lines) - len(foot)
    return [*lines, *_fitting(blocks, at, max(1, room)), *foot]


def _heads(width: int) -> str:
    return f"  {'SERVICE'.ljust(width)}  STATE        CPU    MEMORY  RESTARTS  UP"


def _block(
    one: dict[str, Any], history: History, width: int, view: View, screen: Screen
) -> list[str]:
    """Return the lines of a service: its numbers, and below, whole, why it is not ready."""
    chosen = one["id"] == view.chosen
    name = shortened(plain(one["id"]), width).ljust(width)
    state = screen.paint(one["state"].ljust(9), COLOURS.get(one["state"], ""))
    runs = bool(one.get("pid"))
    cpu = f"{one['cpu_percent']:.0f} %" if runs else "-"
    memory = mebibytes(one["rss_bytes"]) if runs else "-"
    up = duration(one["uptime_s"]) if runs else "-"
    numbers = f"{cpu:>6}  {memory:>8}  {one['restarts']:>8}  {up:<10}"
    room = screen.columns - 1 - (2 + width + 2 + FIXED)
    letters = LETTERS if screen.full == "█" else ASCII
    values = history.of(one["id"])[-max(0, room) :] if room > 0 else ()
    spark = screen.paint(sparkline(values, letters), GREY) if runs and values else ""
    mark = ">" if chosen else " "
    text = f"{mark} {screen.paint(name, BOLD if chosen else '')}  {state}  {numbers}  {spark}"
    said = render.reason(one)
    if not said or one["state"] == "ready":
        return [text.rstrip()]
    room = max(10, screen.columns - 7)
    return [
        text.rstrip(),
        *(screen.paint(f"      {part}", GREY) for part in wrap(plain(said), room)),
    ]


def _fitting(blocks: list[list[str]], at: int, room: int) -> list[str]:
    """Return the lines around one block that fit."""
    if not blocks:
        return []
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
            return [line for block in blocks[first : last + 1] for line in block][:room]
