"""How much is asked for, and how much there is at most; no imports: every command reads this."""

from __future__ import annotations

USUAL_LINES = 200
"""Of a log, or of events, where nobody says how many."""
LONGEST_TAIL = 10_000
"""Lines of a log that are given at once."""
EVENTS_A_PAGE = 1000
LONGEST_WAIT_S = 60
"""Seconds that one request waits at most."""
LONGEST_STOP_S = 80.0
"""Seconds after which a runtime is gone for sure that was told to stop: 60 for its services, 5 for
the killing, 12 for its own end, and some for being told."""
LATEST = "latest"
"""In place of an event's number: the newest one's."""
