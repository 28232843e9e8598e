"""JSON bodies on the wire: Structs out, Structs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.control.wire.errors import TOO_LARGE, Refusal

if TYPE_CHECKING:
    import falcon

    from bundlevisor.control.wire.exchange import Response
    from bundlevisor.control.wire.health import Body

BODY_LIMIT = 1 << 20
"""Bytes of a request body (control API: 413 above 1 MiB)."""

Received = TypeVar("Received")


def send(resp: Response, body: Body, status: int = 200) -> None:
    """Answer with ``body`` as JSON."""
    send_encoded(resp, json_text.encode(body), status)


def send_encoded(resp: Response, body: bytes, status: int = 200) -> None:
    """Answer with JSON that is there already."""
    resp.status = status
    resp.content_type = "application/json"
    resp.data = body


def receive(req: falcon.Request, shape: type[Received]) -> Received:
    """Decode the request's JSON body; Refusal 400, 413 or 415 when it cannot be.

    What the body holds is never part of the refusal: it may be a secret.
    """
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    if media_type not in ("", "application/json"):
        sentence = f"the body must be application/json, not {media_type}"
        raise Refusal(415, "unsupported_media_type", sentence)
    data = req.bounded_stream.read(BODY_LIMIT + 1)
    if len(data) > BODY_LIMIT:
        raise Refusal(413, "body_too_large", TOO_LARGE)
    if not data.strip():
        raise Refusal(400, "bad_request", "the body is empty; it must be a JSON object")
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError as error:
        raise Refusal(400, "bad_request", f"the body is not as expected: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "bad_request", "the body is not valid JSON") from None
