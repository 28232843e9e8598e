"""Noticing that a port is listened on, within milliseconds and without connecting to it.

There is no portable event for listen(2). On Linux the kernel is asked who would accept a connection
to 127.0.0.1 and a port (:mod:`bundlevisor.actors.probes.sock_diag`); elsewhere, and where netlink
is forbidden, connection attempts at the same pace do it.
"""

from __future__ import annotations

import errno
import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.loop.reactor import Loop, Timer
from bundlevisor.actors.probes.checks import TcpCheck

if TYPE_CHECKING:
    import socket

    from bundlevisor.actors.probes.checks import Check

SHORTEST = 0.001
"""Seconds between two looks: one serves all that wait, however many began at once."""


def pause(elapsed: float, longest: float) -> float:
    """Return how long to wait before the next look, ``elapsed`` seconds after the first.

    A twentieth of the time waited so far, at least 1 ms: what is noticed late is late by 5 %.
    """
    return min(max(elapsed / 20, SHORTEST), longest)


class Listening:
    """Tells when ports begin to be listened on. Everything runs on the loop's thread."""

    LONGEST = 0.05
    """Seconds between two looks, however long a service takes."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._waiting: dict[object, tuple[int, float, Callable[[], None]]] = {}
        self._attempts: dict[object, Check] = {}
        self._timer: Timer | None = None
        self._netlink: socket.socket | None = None
        self._has_netlink = sys.platform == "linux"

    def when(self, port: int, on_listen: Callable[[], None]) -> object:
        """Call ``on_listen`` once somebody listens on the port; returns what cancels it."""
        key = object()
        now = time.monotonic()
        self._waiting[key] = (port, now, on_listen)
        self._look_by(now + SHORTEST)
        return key

    def cancel(self, key: object) -> None:
        """Stop waiting; unknown and finished keys are no error."""
        self._waiting.pop(key, None)
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            attempt.cancel()
        if not self._waiting:
            self._close()

    def _look_by(self, when: float) -> None:
        if self._timer is not None and self._timer.when > when:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waiting and self._has_netlink:
            self._ask()
        elif self._waiting:
            self._try_all()
        if not self._waiting:
            self._close()
            return
        now = time.monotonic()
        youngest = min(now - since for _, since, _ in self._waiting.values())
        self._look_by(now + pause(youngest, self.LONGEST))

    def _ask(self) -> None:
        from bundlevisor.actors.probes import sock_diag

        try:
            self._netlink = self._netlink or sock_diag.netlink()
            ports = sock_diag.listening_ports(
                self._netlink, {port for port, _, _ in self._waiting.values()}
            )
        except OSError as error:
            self._has_netlink = error.errno in (errno.EMFILE, errno.ENFILE)
            self._close()
            self._try_all()
            return
        for key, (port, _, _) in list(self._waiting.items()):
            if port in ports:
                self._found(key)

    def _close(self) -> None:
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def _try_all(self) -> None:
        for key, (port, _, _) in list(self._waiting.items()):
            if key not in self._attempts:
                self._attempts[key] = _Pending()
                try:
                    self._attempts[key] = _Look(
                        self._loop, port, 1.0, functools.partial(self._tried, key)
                    )
                except OSError:
                    del self._attempts[key]  # the next look tries again

    def _tried(self, key: object, trouble: str) -> None:
        self._loop.call_soon(lambda: self._attempts.pop(key, None))
        if not trouble:
            self._loop.call_soon(lambda: self._found(key))

    def _found(self, key: object) -> None:
        entry = self._waiting.pop(key, None)
        if entry is not None:
            entry[2]()


class _Look(TcpCheck):
    """Whether somebody listens at this moment."""

    def _prepare(self) -> None:
        from bundlevisor.actors.probes.closed_port import tell_at_once

        tell_at_once(self._socket)


class _Pending:
    def cancel(self) -> None:
        """Nothing is under way yet."""
