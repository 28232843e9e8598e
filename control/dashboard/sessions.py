"""Who has come in: sessions of browsers, in memory only, so that they end with this instance.

A session has two halves. The cookie is kept from scripts (HttpOnly), but a browser sends it to
every port of 127.0.0.1, the services of the bundle among them. The key is the page's own: it lies
in the storage of its origin, of which the port is a part, and is sent in a header. What the API
answers wants both: neither a service that is sent the cookie nor who reads the key has enough.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import msgspec

from bundlevisor.control.dashboard.unguessable import same, word

IDLE_S = 12 * 3600.0
"""Seconds after which a session that nobody has used is over."""
MOST = 16
"""Sessions at once; one more ends that which has not been used for longest."""


class Session(msgspec.Struct):
    """One browser that has come in; ``used_at`` is monotonic."""

    cookie: str
    key: str
    used_at: float


class Sessions:
    """The sessions of this instance; safe from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: list[Session] = []

    def begin(self) -> Session:
        """Return a new session."""
        made = Session(word(), word(), self._clock())
        with self._lock:
            self._forget()
            self._held.sort(key=lambda one: one.used_at)
            del self._held[: max(0, len(self._held) + 1 - MOST)]
            self._held.append(made)
        return made

    def find(self, cookies: Collection[str], key: str | None = None) -> Session | None:
        """Return the session of one of these cookies, and of this key where one is given.

        Several, because another port of the same host can set a cookie of the same name beside it.
        """
        with self._lock:
            self._forget()
            for one in self._held:
                named = any(same(one.cookie, cookie) for cookie in cookies)
                if named and (key is None or same(one.key, key)):
                    one.used_at = self._clock()
                    return one
        return None

    def end(self, cookie: str) -> None:
        """End the session of a cookie."""
        with self._lock:
            self._held = [one for one in self._held if one.cookie != cookie]

    def _forget(self) -> None:
        since = self._clock() - IDLE_S
        self._held = [one for one in self._held if one.used_at > since]
