"""The content after the head of a request, which some clients send only when it is wanted."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.ui_server.http.incoming import Incoming


class Body(Incoming):
    """Read by who answers the request; ``wanted`` is called when reading begins."""

    def __init__(self, hold: Callable[[bool], None], wanted: Callable[[], None]) -> None:
        super().__init__(hold)
        self._wanted: Callable[[], None] | None = wanted
        self._unwanted = False

    @property
    def was_asked_for(self) -> bool:
        """Whether somebody has begun to read."""
        return self._wanted is None

    def feed(self, piece: bytes) -> None:
        """Take what has come."""
        if not self._unwanted:
            super().feed(piece)

    def break_off(self) -> None:
        """Nothing more comes, though there should."""
        self.fail(ConnectionResetError("the request broke off"))
        self.finish()

    def discard(self) -> None:
        """Nobody reads it (any more): what comes is dropped."""
        self._unwanted = True
        self._clear()

    async def read(self) -> bytes:
        """Return what is there, waiting for something; b"" at the end, ConnectionError."""
        if self._wanted is not None:
            self._wanted()
            self._wanted = None
        return await super().read()
