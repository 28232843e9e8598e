"""Codes by which a browser gets in, each once and soon: who has the token asks for one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from bundlevisor.control.dashboard.unguessable import same, word

LIFE_S = 60.0
"""Seconds in which a code is good, and in which its second use is noticed."""
OUTSTANDING = 8
"""So many codes at once; one more takes the place of the oldest."""


class Codes:
    """The codes of this instance, in memory only; safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, float] = {}
        self._used: dict[str, tuple[float, str]] = {}

    def issue(self) -> str:
        """Return a new code."""
        code = word()
        with self._lock:
            self._forget()
            while len(self._open) >= OUTSTANDING:
                del self._open[next(iter(self._open))]
            self._open[code] = self._clock() + LIFE_S
        return code

    def is_known(self, code: str) -> bool:
        """Return whether a code was issued here, and is good or was used within the last minute."""
        with self._lock:
            self._forget()
            return _same(code, [*self._open, *self._used]) is not None

    def take(self, code: str) -> bool:
        """Return whether the code is good, and take it: of several who ask, one gets it."""
        with self._lock:
            self._forget()
            found = _same(code, self._open)
            if found is None:
                return False
            del self._open[found]
            return True

    def began(self, code: str, session: str) -> None:
        """Note which session a code has begun, to find it when the code comes again."""
        with self._lock:
            self._used[code] = (self._clock() + LIFE_S, session)

    def session_of(self, code: str) -> str | None:
        """Return the session that a code has begun within the last minute."""
        with self._lock:
            self._forget()
            found = _same(code, self._used)
            return None if found is None else self._used[found][1]

    def _forget(self) -> None:
        now = self._clock()
        self._open = {code: until for code, until in self._open.items() if until > now}
        self._used = {code: held for code, held in self._used.items() if held[0] > now}


def _same(given: str, known: Iterable[str]) -> str | None:
    """Return the known one that is the given one; all are looked at."""
    return next(iter([one for one in known if same(one, given)]), None)
