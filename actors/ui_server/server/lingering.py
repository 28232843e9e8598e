"""What a client sends that nobody wants is read after the answer, so that the answer arrives.

A connection that is closed while data is under way to it is reset, and the client may lose what it
was sent last (RFC 9112, 9.6).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundlevisor.actors.ui_server.http.body import Body
    from bundlevisor.actors.ui_server.server.deadline import Deadline

LINGER_SECONDS = 2.0
"""How long it is read."""


class Lingering:
    """Whether a connection is at that, and for how long; it has no other deadline meanwhile."""

    def __init__(self, deadline: Deadline, close: Callable[[], None]) -> None:
        self._deadline = deadline
        self._close = close
        self._body: Body | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is a body whose end has not come."""
        return self._body is not None

    def begin(self, body: Body) -> None:
        """Throw away what still comes of this body, and close when that takes too long."""
        self._body = body
        body.discard()
        self._deadline.start(LINGER_SECONDS, self._close)

    def until_the_client_ends(self, transport: asyncio.Transport) -> None:
        """Say that no answer follows, and read on: there is no telling where a body would end."""
        with contextlib.suppress(OSError):  # a client that has gone
            transport.write_eof()
        self._deadline.start(LINGER_SECONDS, self._close)

    def has_ended(self) -> bool:
        """Return, once, that the end of the body has come."""
        if self._body is None or not self._body.complete:
            return False
        self._body = None
        self._deadline.stop()
        return True
