"""Imports the API piece by piece, behind whatever the events' loop has to do.

Of two threads the interpreter runs one: as a whole, the imports take 30 ms from launches of
services whose dependencies begin to listen meanwhile. Between two pieces, where no import is under
way that another thread could wait for, the loop is looked at; as soon as a client wants an answer
that only the server gives, or that clients have waited for can be answered, the rest comes at once.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING

from bundlevisor.control.boot.stand_ins import for_api

if TYPE_CHECKING:
    import threading

    from bundlevisor.actors.core.snapshot import Board
    from bundlevisor.actors.loop.reactor import Loop

PIECES = (
    "control.api.auth",
    "control.http.door",
    "control.wire.bodies",
    "control.wire.errors",
    "control.http.open_answer",
    "control.http.connection",
    "control.http.lane_threads",
    "control.http.server",
    "control.wire.facade",
    "control.run.local_runtime",
    "control.run.api_host",
)
"""Each takes 0.5 to 4 ms when those before it are there; the last one imports all that is left."""
PATIENCE = 0.3
"""Seconds, at most, that all pieces together wait."""
LOOK_EVERY = 0.002
"""Seconds between two looks at a loop that is busy."""


def import_api(loop: Loop, board: Board, wanted: threading.Event) -> None:
    """Import it, each piece when the loop is idle, the API ``wanted``, or readiness decided."""
    deadline = time.monotonic() + PATIENCE

    def moment() -> None:
        while loop.is_busy and time.monotonic() < deadline and not board.snapshot.decided:
            if wanted.wait(LOOK_EVERY):
                return

    for import_piece in (for_api.import_urls, for_api.import_waitress):
        moment()
        import_piece()
    for piece in PIECES:
        moment()
        import_module(f"bundlevisor.{piece}")
