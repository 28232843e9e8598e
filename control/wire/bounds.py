"""How much is asked for, and how much there is at most; no imports: every command reads this."""

from __future__ import annotations

USUAL_LINES = 200
"""Of a log, or of events, where nobody says how many."""
LONGEST_TAIL = 10_000
"""Lines of a log that are given at once."""
EVENTS_A_PAGE = 1000
LONGEST_WAIT_S = 60
"""Seconds that one request waits at most."""
LATEST = "latest"
"""In place of an event's number: the newest one's."""
