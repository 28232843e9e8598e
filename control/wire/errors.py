"""How the control API says no: ``{"error": "<sentence>", "code": "<snake_case>"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.bodies import Error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundlevisor.control.wire.health import Body

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    431: "headers_too_large",
    500: "internal_error",
    501: "not_implemented",
}
TOO_LARGE = "the body is larger than 1 MiB"
FAILED = "the request failed inside the runtime; its log has the details"
NO_METHOD = "the method is none of HTTP's"

PHRASES = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
"""Of the statuses that are answered without Falcon (RFC 9110, 15; RFC 6585)."""


def not_taken(path: str, method: str) -> str:
    """Return what is said of a method that an address does not take."""
    return f"{path} does not take {method}; see the Allow header"


class Refusal(Exception):
    """An answer with a status from 400 on; ``body`` replaces the plain error where more is said."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
        self.body = body or Error(error=sentence, code=code)
