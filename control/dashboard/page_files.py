"""The page's files: read from the package when the first one is asked for, and kept."""

from __future__ import annotations

import functools
import os
import threading

import msgspec

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "static")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PAGE = "index.html"
POLICY = (
    *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'"),
    *("connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    *("require-trusted-types-for 'script'", "trusted-types 'none'"),
)
"""Nothing foreign, nothing inline, no frame, and no text that becomes markup."""
HEADERS = {
    "Content-Security-Policy": "; ".join(POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
"""What every file says besides what every answer does."""


class StaticFile(msgspec.Struct, frozen=True):
    """One file."""

    media_type: str
    body: bytes


class Files:
    """All files of the folder, by name: a name is looked up, never made into a path."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[str, StaticFile] = {}

    def get(self, name: str) -> StaticFile | None:
        """Return a file; None for other names. Raises OSError where the folder cannot be read."""
        with self._lock:
            if not self._files:
                self._files = _read()
        return self._files.get(name)


@functools.cache
def shipped() -> Files:
    """Return the files of this package, of which one copy is kept."""
    return Files()


def _read() -> dict[str, StaticFile]:
    found = {}
    for name in os.listdir(FOLDER):
        media_type = TYPES.get(os.path.splitext(name)[1])
        if media_type is not None:
            with open(os.path.join(FOLDER, name), "rb") as file:
                found[name] = StaticFile(media_type, file.read())
    return found
