"""RE2 on a thread of its own, for patterns that are slow though linear.

RE2 is linear in the text, but its factor is the size of the pattern's program: about 10 ns a byte
and instruction where its automaton does not fit into memory (``[ab]*a[ab]{48}c`` on 64 KiB of a
and b: 32 ms; forty times ``[ab]{1000}``: 7 s; ``listening on \\d+``: 0.02 ms). All logs are read by
one thread, which none of them may hold up. RE2 lets go of the interpreter's lock, so a thread is
enough and the rest of the runtime goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bundlevisor.actors.logs.match_backlog import Backlog
from bundlevisor.actors.loop.thread_start import start_thread

SLICE = 16 * 1024
"""Bytes that are searched at once: RE2 cannot be interrupted."""
RATE = 4e-6
"""Seconds of the processor for a byte that no pattern is blamed for: 250 KB a second."""
PATIENCE = 2.0
"""Seconds of the processor that a pattern may take in addition; quicker output pays them back."""


class SearchBeside:
    """Searches as fast as it can; gives the pattern up, with a sentence, where that is too slow."""

    def __init__(
        self,
        pattern: str,
        search: Callable[[bytes], bool],
        on_match: Callable[[], object],
        report: Callable[[str], None],
    ) -> None:
        self._pattern = pattern
        self._search = search
        self._on_match = on_match
        self._report = report
        self._backlog = Backlog()
        self._begun = False
        self.close = self._backlog.close

    def feed(self, data: bytes) -> bool:
        """Add output; True when there has been a match in what came before. Never blocks.

        What waits while this user may have no more threads is searched once there is one.
        """
        found = self._backlog.feed(data)
        if not self._begun:
            self._begun = True
            try:
                start_thread(self._run)
            except RuntimeError:
                self._begun = False
        return found

    def _run(self) -> None:
        try:
            self._search_all()
        except BaseException:
            self._begun = False  # no memory to go on with: what comes next has another thread
            raise

    def _search_all(self) -> None:
        owed = 0.0
        while (text := self._backlog.next()) is not None:
            for start in range(0, len(text), SLICE):
                piece = text[start : start + SLICE]
                began = time.thread_time()
                if self._search(piece):
                    self._backlog.match()
                    self._on_match()
                    return
                owed = max(0.0, owed + time.thread_time() - began - RATE * len(piece))
                if owed > PATIENCE:
                    self._give_up()
                    return

    def _give_up(self) -> None:
        if self._backlog.close():
            self._report(
                f"pattern {self._pattern!r} is not searched for any more: it took longer than"
                f" {PATIENCE:g} s"
            )
