"""How much is asked for, and how much there is at most; no imports: every command reads this."""

from __future__ import annotations

USUAL_LINES = 200
"""Of a log, or of events, where nobody says how many."""
LONGEST_TAIL = 10_000
"""Lines of a log that are given at once."""
MOST_LINES = 200_000
"""Lines of all services together that are given at once; they are made in memory, in a second or
two."""
EVENTS_A_PAGE = 1000
LONGEST_WAIT_S = 60
"""Seconds that one request waits at most."""
LONGEST_STOP_S = 80.0
"""Seconds after which a runtime is gone for sure that was told to stop: 60 for its services, 5 for
the killing, 12 for its own end, and some for being told."""
LONGEST_CHECK_S = 600.0
"""Seconds that checking a bundle may take: checksums read whole disks."""
LONGEST_KEEPING_S = 60.0
"""Seconds that values may take to be kept: 30 for the start of the process that asks the key store,
20 for a user to unlock that."""
LATEST = "latest"
"""In place of an event's number: the newest one's."""
