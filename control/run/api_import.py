"""Imports the API piece by piece, whenever the events' loop has nothing to do.

The interpreter runs one thread at a time: imported as a whole, the API would hold up for 20 ms the
launches of services whose dependencies become ready meanwhile. So before each module that no other
thread imports, this thread waits until the loop is idle; no import that another thread could need
is half done at that moment. It stops waiting as soon as a client wants an answer that only the
server gives, or one that clients have waited for is known.
"""

from __future__ import annotations

import _imp
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundlevisor.actors.stand_ins import for_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundlevisor.actors.board import Board
    from bundlevisor.actors.loop.reactor import Loop

THE_APIS = ("waitress", *(f"bundlevisor.control.{folder}" for folder in ("api", "http", "wire")))
"""How names of modules begin that no other thread imports meanwhile."""
PATIENCE = 0.3
"""Seconds, at most, that all pieces together wait."""
LOOK_EVERY = 0.002
"""Seconds between two looks at a loop that is busy."""


class Pauses:
    """Finds no module, but waits for a good ``moment`` before its thread imports one of the API."""

    def __init__(self, moment: Callable[[], object]) -> None:
        self._moment = moment
        self._thread = threading.get_ident()

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Wait; the next finder has the module."""
        if threading.get_ident() == self._thread and name.startswith(THE_APIS):
            with imports_of_others():
                self._moment()


@contextmanager
def imports_of_others() -> Iterator[None]:
    """Let other threads import meanwhile, the loop that is waited for above all.

    Python asks its finders with the one lock in hand that every import takes for a moment
    (importlib._bootstrap._find_spec, CPython 3.11 to 3.13).
    """
    try:
        _imp.release_lock()
    except RuntimeError:  # it is not held
        yield
        return
    try:
        yield
    finally:
        _imp.acquire_lock()


def import_api(loop: Loop, board: Board, wanted: threading.Event) -> None:
    """Import it, each piece when the loop is idle, the API ``wanted``, or readiness decided."""
    deadline = time.monotonic() + PATIENCE

    def moment() -> None:
        while loop.is_busy and time.monotonic() < deadline and not board.snapshot.decided:
            if wanted.wait(LOOK_EVERY):
                return

    pauses = Pauses(moment)
    finders: list[object] = sys.meta_path  # type: ignore[assignment]
    finders.insert(0, pauses)
    try:
        for import_piece in (import_patterns, for_api.import_urls, for_api.import_waitress):
            moment()
            import_piece()
        import_what_answers_and_ends()
    finally:
        finders.remove(pauses)


def import_patterns() -> None:
    """Import what takes half of the time of urllib's import."""
    import re  # noqa: F401


def import_what_answers_and_ends() -> None:
    """Import the rest, and what a stop needs: when all is ready our files may be removed."""
    import bundlevisor.actors.look_thread
    import bundlevisor.actors.probes.caller
    import bundlevisor.actors.probes.stop_request
    import bundlevisor.control.run.api_host
    import bundlevisor.control.run.teardown  # noqa: F401
