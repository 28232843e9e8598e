"""How long a browser may keep a file without asking again.

A name that carries a hash of its content may be kept for ever. What counts as a hash is what the
common packagers write; a name that is not recognised costs one 304 over loopback, a name that is
taken for a hash wrongly would show an old file for a year: so in doubt it is none.
"""

from __future__ import annotations

import re
from functools import lru_cache

FOREVER = "public, max-age=31536000, immutable"
ASK = "no-cache"
"""Keep it, but ask each time whether it is still the same (If-None-Match)."""
NEVER = "no-store"

_HEX = re.compile(r"[.\-_]([0-9a-f]{8,64})\.")
_BASE64_OR_32 = re.compile(r"[.\-]([A-Za-z0-9_\-]{8})\.(?:m?js|css|wasm|woff2?)(?:\.map)?$")

_NUMBERED_WORD = re.compile(r"[A-Za-z]+[0-9]+|[0-9]+[A-Za-z]+")


@lru_cache(maxsize=256)
def cache_control(name: str) -> str:
    """Return the Cache-Control for a file of this name (webpack, Parcel: hex; Vite, esbuild: 8)."""
    if name.lower().endswith((".html", ".htm", ".webmanifest")):
        return ASK
    if any(_looks_hexadecimal(part) for part in _HEX.findall(name)):
        return FOREVER
    short = _BASE64_OR_32.search(name)
    return FOREVER if short and _looks_random(short[1]) else ASK


def _looks_hexadecimal(part: str) -> bool:
    """A date (20240131) has no letter, a word (``feedface``) no digit."""
    return not part.isdigit() and not part.isalpha()


def _looks_random(part: str) -> bool:
    """Digits among capitals (esbuild), or digits and both cases (Vite), and no numbered word.

    ``Section2`` and ``2DCanvas`` are such; so is one hash of twenty.
    """
    if _NUMBERED_WORD.fullmatch(part):
        return False
    digits = any(char.isdigit() for char in part)
    upper = any(char.isupper() for char in part)
    lower = any(char.islower() for char in part)
    return digits and upper and (lower or part.isalnum())
