"""What answers until Falcon is imported: ``/healthz`` at once, everything else as soon as it can.

The server is up some 40 ms before Falcon is. The rules of every endpoint hold: whatever is not a
plain ``GET /healthz`` of a loopback client waits for the application that has them all.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import msgspec

from control import version
from control.bodies import Health
from control.every_answer import EVERY_ANSWER
from control.health import health
from control.origin import is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from control.app import Wsgi
    from control.facade import Runtime


class FirstAnswers:
    """A WSGI application that becomes another one."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
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
        if self._whole is None and _is_plain_health(environ):
            return self._health(start_response)
        self._there.wait()
        whole = self._whole
        return whole(environ, start_response) if whole else []

    def _health(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        snapshot = self._runtime.board.snapshot
        word = health(snapshot)
        body = msgspec.json.encode(
            Health(
                status=word,
                services=len(snapshot.services),
                runtime=version.runtime(),
            )
        )
        start_response(
            "503 Service Unavailable" if word == "stopping" else "200 OK",
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                *EVERY_ANSWER.items(),
            ],
        )
        return [body]


def _is_plain_health(environ: dict[str, Any]) -> bool:
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["PATH_INFO"] == "/healthz"
        and "HTTP_ORIGIN" not in environ
        and is_loopback_authority(environ.get("HTTP_HOST", ""))
    )
