"""Words that nobody guesses, and comparing them so that the time it takes tells nothing."""

from __future__ import annotations

import os
from _operator import _compare_digest as compare_digest  # hmac's own, without OpenSSL behind it

BYTES = 32
"""Of chance in a word: 256 bits."""


def word() -> str:
    """Return a new one, of letters that stand in an address and in a cookie as they are."""
    return os.urandom(BYTES).hex()


def same(one: str, other: str) -> bool:
    """Return whether they are the same; either may hold anything that a header can."""
    return compare_digest(
        one.encode("utf-8", "surrogateescape"), other.encode("utf-8", "surrogateescape")
    )
