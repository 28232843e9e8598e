"""Asking a service to stop over HTTP: one POST, sent without blocking."""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.probes.checks import HttpExchange
from bundlevisor.actors.probes.stop_exchange import PATIENCE, is_accepted, request


class StopExchange(HttpExchange):
    """The request under way; well when it is taken."""

    def _judge(self, received: bytes, *, ended: bool) -> str | None:
        accepted = is_accepted(received)
        if accepted is None:
            return "it did not answer" if ended else None
        return "" if accepted else "it was refused"


def request_stop(loop: Loop, port: int, path: str, refused: Callable[[], object]) -> None:
    """POST to the service; ``refused`` is called when no 2xx answer came. Any thread.

    A connection that the service closes unanswered counts as refused: it may have stopped at once,
    and a signal to a process that is gone does no harm.
    """

    def answered(trouble: str) -> None:
        if trouble:
            refused()

    def ask() -> None:
        try:
            StopExchange(loop, port, request(port, path), PATIENCE, answered)
        except OSError:
            refused()

    loop.call_soon(ask)
