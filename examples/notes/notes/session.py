"""The session key that the store, the API and the indexer share, and no other program knows."""

from __future__ import annotations

import os
from hmac import compare_digest
from typing import Any

HEADER = "X-Session-Key"


def key() -> str:
    """Return the key; the runtime makes it once for an installation."""
    try:
        return os.environ["SESSION_KEY"]
    except KeyError:
        raise SystemExit("SESSION_KEY is not set: the runtime gives it to this service") from None


def proven(headers: Any) -> bool:
    """Return whether a request was sent by one of us."""
    return compare_digest(headers.get(HEADER, "").encode(), key().encode())
