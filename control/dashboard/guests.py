"""Browsers that come in by a code, and what they may: the door's second list."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from bundlevisor.control.dashboard import cookies, rights
from bundlevisor.control.dashboard.codes import Codes
from bundlevisor.control.dashboard.sessions import Session, Sessions


class Guests:
    """Knows codes and sessions; headers are named as waitress names them. Safe from any thread."""

    def __init__(self) -> None:
        self.codes = Codes()
        self._sessions = Sessions()
        self._entering = threading.Lock()

    def admits(self, method: str, path: str, headers: Mapping[str, str]) -> bool:
        """Return whether a request may be answered for the session that it carries."""
        half = rights.wanted(method, path, headers)
        if half is None:
            return False
        key = headers.get(rights.KEY, "") if half == "both" else None
        return self._sessions.find(_cookies(headers), key) is not None

    def enter(self, code: str) -> Session | None:
        """Return the session that a code begins; None for a code that is not good.

        A code that comes a second time ends what it has begun: nobody can tell which of the two was
        meant to get in, and the one who was sees it and asks anew (RFC 6749, 4.1.2, does the same).
        """
        with self._entering:
            if self.codes.take(code):
                session = self._sessions.begin()
                self.codes.began(code, session.cookie)
                return session
            begun = self.codes.session_of(code)
            if begun is not None:
                self._sessions.end(begun)
            return None

    def leave(self, headers: Mapping[str, str]) -> None:
        """End the session that a request carries."""
        session = self._sessions.find(_cookies(headers))
        if session is not None:
            self._sessions.end(session.cookie)


def _cookies(headers: Mapping[str, str]) -> list[str]:
    return cookies.values(headers.get("HOST", ""), headers.get("COOKIE", ""))
