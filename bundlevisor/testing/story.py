"""What happened in a run, in order: for the message of a failed wait, and for a test's report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bundlevisor.manifest.format.app_data import OLDER

Event = dict[str, Any]
LINES = 12
"""How many lines of each log, and of the runtime's own messages, are told."""
EVENTS = 60


def read_events(path: Path) -> list[Event]:
    """Return the telemetry events that are on disk, oldest first; what is torn is left out."""
    events = []
    for file in (path.with_name(path.name + OLDER), path):
        text = file.read_bytes() if file.exists() else b""
        for line in text.splitlines():  # of bytes: a text would be cut at U+2028, too
            try:
                event = json.loads(line.decode(errors="replace"))
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
    return events


def told(events: Iterable[Event], states: str, stderr: str, logs: dict[str, str]) -> str:
    """Return the story as text: events, states, the runtime's last words, the ends of the logs."""
    shown = [event_line(event) for event in events][-EVENTS:]
    parts = [section("events", shown), section("states", states.splitlines())]
    parts.append(section("the runtime said", stderr.splitlines()[-LINES:]))
    parts += [section(f"log of {id_}", log.splitlines()[-LINES:]) for id_, log in logs.items()]
    return "\n".join(part for part in parts if part)


def section(title: str, lines: list[str]) -> str:
    """Return lines under a title; nothing without any."""
    return "\n".join([f"-- {title}", *(f"   {line}" for line in lines)]) if lines else ""


def event_line(event: Event) -> str:
    """Return an event in one line."""
    details = " ".join(f"{name}={value}" for name, value in event.get("details", {}).items())
    whose = event.get("service_id", "")
    words = (event.get("seq", ""), event.get("ts", "")[11:23], event.get("event"), whose, details)
    return " ".join(str(word) for word in words if word != "").replace("\n", " | ")
