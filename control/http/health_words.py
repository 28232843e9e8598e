"""What ``/healthz`` says: made once per snapshot, so that it costs next to nothing to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.api.bundle_health import health
from bundlevisor.control.http.response import Response
from bundlevisor.control.wire import version
from bundlevisor.control.wire.health import Health

if TYPE_CHECKING:
    from bundlevisor.actors.board import Board
    from bundlevisor.actors.core.snapshot import Snapshot

OPEN_PATH = "/healthz"
"""The one path that needs no token."""


class HealthWords:
    """The health of what a board shows."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._snapshot: Snapshot | None = None
        self._response = Response(200, "OK", b"")

    def now(self) -> Response:
        """Return the health of the newest snapshot."""
        snapshot = self._board.snapshot
        if snapshot is not self._snapshot:
            word = health(snapshot)
            body = Health(status=word, services=len(snapshot.services), runtime=version.runtime())
            stopping = word == "stopping"
            status, reason = (503, "Service Unavailable") if stopping else (200, "OK")
            self._response = Response(status, reason, msgspec.json.encode(body))
            self._snapshot = snapshot
        return self._response
