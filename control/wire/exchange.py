"""A request and its answer, as far as an answer from memory needs them.

Falcon's have all of it, and so have those of :mod:`bundlevisor.control.http.direct_answers`, which
does without Falcon.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class Request(Protocol):
        """What was asked."""

        @property
        def env(self) -> dict[str, Any]:
            """What the server knows of it, by the keys of WSGI."""

        @property
        def method(self) -> str:
            """Such as ``GET``."""

        @property
        def path(self) -> str:
            """Decoded, without the query."""

        def get_param(self, name: str, /) -> str | None:
            """Return a parameter of the query, None where there is none of this name."""

    class Response(Protocol):
        """What is answered."""

        status: Any
        """The number."""
        content_type: Any
        data: Any
        """The whole body, in bytes."""

        def set_headers(self, headers: Mapping[str, str], /) -> None:
            """Have these headers too."""


DISCONNECTED = "waitress.client_disconnected"
REFUSED = "bundlevisor.refused"
AGENT, PORT = "HTTP_USER_AGENT", "REMOTE_PORT"
"""Keys of a request's ``env``: what says whether the client has closed its connection, the lane
that was full (:class:`bundlevisor.control.wire.lanes.Lane`), what the client calls itself, and the
port that it asks from."""

EVERY_ANSWER = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer, those before Falcon is imported included: nothing is kept (``/secrets``,
logs), and no media type is guessed."""
