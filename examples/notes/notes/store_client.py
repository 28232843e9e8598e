"""Asking the store."""

from __future__ import annotations

import json
import os
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from notes import session


class StoreAway(Exception):
    """The store does not answer; it may be restarting."""


class Reply(NamedTuple):
    """What the store answered."""

    status: int
    content: Any


def ask(method: str, path: str, body: Any = None, timeout: float = 10.0) -> Reply:
    """Send the store one request; raises StoreAway."""
    connection = HTTPConnection(urlsplit(os.environ["STORE_URL"]).netloc, timeout=timeout)
    content = None if body is None else json.dumps(body)
    with closing(connection):
        try:
            connection.request(method, path, content, {session.HEADER: session.key()})
            response = connection.getresponse()
            raw = response.read()
        except (OSError, HTTPException) as error:
            raise StoreAway(f"the store does not answer: {error}") from error
    return Reply(response.status, json.loads(raw) if raw else None)
