"""What happened in a run, in order: for the message of a failed wait, and for a test's report."""

from __future__ import annotations

from collections.abc import Iterable

from bundlevisor.testing.events import Event

LINES = 12
"""How many lines of each log, and of the runtime's own messages, are told."""
EVENTS = 60


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
