"""A telemetry event as one line for a person: when, who, what, and the words that matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bundlevisor.control.cli.screen.colours import BOLD, GREEN, GREY, RED, YELLOW, Paint
from bundlevisor.control.cli.screen.tables import plain

Event = dict[str, Any]

SENTENCES = ("reason", "error", "message", "summary", "what")
"""Details that speak for themselves; the others need their names."""
ELSEWHERE = ("last_lines", "output", "instance_id")
"""Details that fill a screen, or that nobody reads; ``--json`` has them."""
SERVICE_WIDTH = 12
EVENT_WIDTH = 17
BAD = ("error", "fail", "died", "gave_up", "unhealthy", "killed", "blocked", "missing", "mismatch")
DOUBTFUL = ("restart", "backoff", "warning", "reassigned", "not_ready", "dropped", "given_up")
GOOD = ("ready", "service_ready", "migration_applied")


def line(event: Event, paint: Paint) -> str:
    """Return the line; an event of the runtime itself has ``-`` for a service."""
    name = plain(str(event.get("event", "")))
    service = plain(str(event.get("service_id") or "-"))
    words = words_of(event.get("details") or {})
    parts = (
        paint(local_time(str(event.get("ts", ""))), GREY),
        paint(service.ljust(SERVICE_WIDTH), BOLD),
        paint(name.ljust(EVENT_WIDTH), _colour(event, name)),
        words,
    )
    return "  ".join(parts).rstrip()


def local_time(stamp: str) -> str:
    """Return RFC 3339 as local time to the millisecond; what is none, as it is."""
    try:
        moment = datetime.fromisoformat(stamp).astimezone()
    except (ValueError, OverflowError, OSError):
        return plain(stamp)
    return moment.isoformat(sep=" ", timespec="milliseconds")[:23]


def words_of(details: dict[str, Any]) -> str:
    """Return what the details say: sentences first, then ``name=value``."""
    said = dict.fromkeys(_text(details[name]) for name in SENTENCES if details.get(name))
    named = [
        f"{plain(name)}={_text(value)}"
        for name, value in details.items()
        if name not in SENTENCES and name not in ELSEWHERE and value not in (None, "", [], {})
    ]
    return "; ".join([*said, *([" ".join(named)] if named else [])])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ",".join(f"{plain(str(key))}:{_text(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ",".join(_text(one) for one in value)
    return plain(str(value))


def _colour(event: Event, name: str) -> str:
    expected = (event.get("details") or {}).get("expected", True)
    if not expected or any(part in name for part in BAD):
        return RED
    if any(part in name for part in DOUBTFUL):
        return YELLOW
    return GREEN if name in GOOD else ""
