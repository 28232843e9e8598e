"""The bearer token: who holds the file may ask."""

from __future__ import annotations

from _operator import _compare_digest as compare_digest  # hmac's own, without OpenSSL behind it
from typing import TYPE_CHECKING

from control.errors import Refusal

if TYPE_CHECKING:
    import falcon

OPEN_PATHS = frozenset({"/healthz"})


def carries(header: str, token: bytes) -> bool:
    """Return whether an Authorization header carries ``token``; the comparison is constant-time.

    Bytes are compared, because a header may hold any of them and ``compare_digest`` raises
    TypeError on strings that are not ASCII.
    """
    scheme, _, credentials = header.partition(" ")
    given = credentials.strip(" ").encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and compare_digest(given, token)


class Bearer:
    """Middleware: 401 without the token, for every path but ``/healthz``."""

    def __init__(self, token: str) -> None:
        if not token:
            raise ValueError("the control API needs a token that is not empty")
        self._token = token.encode()

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Raise Refusal 401 unless the request may be answered."""
        if req.path in OPEN_PATHS or carries(req.env.get("HTTP_AUTHORIZATION", ""), self._token):
            return
        raise Refusal(
            401,
            "unauthorized",
            "the request needs the runtime's token: Authorization: Bearer <token>",
            headers={"WWW-Authenticate": "Bearer"},
        )
