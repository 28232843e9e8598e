"""``docs/events.md``: every telemetry event, from the catalogue."""

from __future__ import annotations

from bundlevisor.actors.telemetry.catalogue import EVENTS


def page() -> str:
    """Return the table of events."""
    rows = [
        f"| `{name}` | {kind.of} | {kind.meaning} | "
        + "; ".join(f"`{field}`: {told}" for field, told in kind.fields.items())
        + " |"
        for name, kind in EVENTS.items()
    ]
    return "\n".join(["| event | of | meaning | details |", "|---|---|---|---|", *rows])
