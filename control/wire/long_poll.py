"""``?wait=SECONDS``: an answer that is kept back until it is worth giving."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from bundlevisor.control.wire.exchange import DISCONNECTED
from bundlevisor.control.wire.lanes import require_room
from bundlevisor.control.wire.parameters import WAIT, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.board import Board
    from bundlevisor.actors.core.snapshot import Snapshot
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.exchange import Request

SLICE_S = 0.1
"""How soon a wait notices that its client has gone away or that the server stops."""

Seen = TypeVar("Seen")


def wait_seconds(req: Request) -> float | None:
    """Return ``?wait=`` in seconds (longer ones as 60), None without it; Refusal 400 or 429."""
    wanted = seconds(req, WAIT)
    if wanted is not None:
        require_room(req)
    return wanted


def client_has_gone(req: Request) -> bool:
    """Return whether the client has closed its connection."""
    gone: Callable[[], bool] | None = req.env.get(DISCONNECTED)
    return gone is not None and gone()


def wait_for(
    look: Callable[[float], Seen],
    settled: Callable[[Seen], bool],
    patience: float,
    req: Request,
    closing: Closing,
) -> Seen:
    """Call ``look(timeout)`` until what it returns is settled, at most ``patience`` s; return it.

    Ends early, unsettled, when the client goes away or the server stops.
    """
    deadline = time.monotonic() + patience
    while True:
        left = deadline - time.monotonic()
        seen = look(max(0.0, min(left, SLICE_S)))
        if settled(seen) or left <= 0 or closing.begun or client_has_gone(req):
            return seen


def wait_for_snapshot(
    board: Board,
    settled: Callable[[Snapshot], bool],
    patience: float,
    req: Request,
    closing: Closing,
) -> Snapshot:
    """Return the first snapshot that is settled, or the newest after ``patience`` seconds."""
    return wait_for(lambda timeout: board.wait(settled, timeout), settled, patience, req, closing)
