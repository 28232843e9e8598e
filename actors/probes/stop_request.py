"""Asking a service to stop over HTTP: one POST, sent without blocking."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.checks import HttpCheck

TIMEOUT = 2.0
"""Seconds for the answer; a service that takes longer is asked by its signal."""


def request_stop(loop: Loop, port: int, path: str, refused: Callable[[], object]) -> None:
    """POST to the service; ``refused`` is called when no 2xx answer came. Any thread.

    A connection that the service closes unanswered counts as refused: it may have stopped at once,
    and a signal to a process that is gone does no harm.
    """

    def answered(trouble: str) -> None:
        if trouble:
            refused()

    loop.call_soon(lambda: HttpCheck(loop, port, path, TIMEOUT, answered, method="POST"))
