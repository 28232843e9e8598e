"""RE2 on a thread of its own, for patterns that are slow though linear.

RE2 is linear in the text, but its factor is the size of the pattern's program: about 10 ns a byte
and instruction where its automaton does not fit into memory (``[ab]*a[ab]{48}c`` on 64 KiB of a
and b: 32 ms; forty times ``[ab]{1000}``: 7 s; ``listening on \\d+``: 0.02 ms). All logs are read by
one thread, which none of them may hold up. RE2 lets go of the interpreter's lock, so a thread is
enough and the rest of the runtime goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from actors.edges.log_match_backlog import Backlog

PATIENCE = 2.0
"""Seconds of the processor for one piece of output."""


class SearchBeside:
    """Searches as fast as it can; gives the pattern up, with a sentence, where that is too slow."""

    def __init__(
        self,
        pattern: str,
        search: Callable[[bytes], bool],
        told: Callable[[], object],
        report: Callable[[str], None],
    ) -> None:
        self._pattern = pattern
        self._search = search
        self._told = told
        self._report = report
        self._backlog = Backlog()
        self.feed = self._backlog.feed
        self.close = self._backlog.close
        threading.Thread(target=self._run, name="log match", daemon=True).start()

    def _run(self) -> None:
        while (text := self._backlog.next()) is not None:
            began = time.thread_time()
            if self._search(text):
                self._backlog.match()
                self._told()
            elif time.thread_time() - began > PATIENCE and self._backlog.close():
                self._report(
                    f"pattern {self._pattern!r} is not searched for any more: it took longer than"
                    f" {PATIENCE:g} s"
                )
