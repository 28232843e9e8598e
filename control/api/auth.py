"""The bearer token: who holds the file may ask."""

from __future__ import annotations

from _operator import _compare_digest as compare_digest  # hmac's own, without OpenSSL behind it


def carries(header: str, token: bytes) -> bool:
    """Return whether an Authorization header carries ``token``; the comparison is constant-time.

    Bytes are compared, because a header may hold any of them and ``compare_digest`` raises
    TypeError on strings that are not ASCII.
    """
    scheme, _, credentials = header.partition(" ")
    given = credentials.strip(" ").encode("utf-8", "surrogateescape")
    return scheme.lower() == "bearer" and compare_digest(given, token)
