"""What answers until Falcon is imported: nothing yet, but nobody is refused.

The server is up some 40 ms before Falcon is. ``/healthz`` never needs it (see
:mod:`bundlevisor.control.http.quick_answer`); every other request waits for the application.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundlevisor.control.api.app import Wsgi


class FirstAnswers:
    """A WSGI application that becomes another one."""

    def __init__(self) -> None:
        self._whole: Wsgi | None = None
        self._there = threading.Event()

    def become(self, whole: Wsgi) -> None:
        """Pass everything on to ``whole`` from now on, waiting requests included."""
        self._whole = whole
        self._there.set()

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        self._there.wait()
        whole = self._whole
        return whole(environ, start_response) if whole else []
