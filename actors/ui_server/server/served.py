"""What a connection needs of the page that it belongs to."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Protocol

from bundlevisor.actors.ui_server.http.answer import Answer
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.round_limit import RoundLimit

Answered = Answer | Coroutine[None, None, Answer | None]
"""An answer; or what will give one, or None when it has sent it piece by piece."""


class Member(Protocol):
    """A connection, to who has it end."""

    def leave(self) -> None:
        """End as soon as the request under way is answered."""

    def abort(self) -> None:
        """End at once."""


class Served(Protocol):
    """What the connections of one port have in common."""

    log: PageLog
    limit: ConnectionLimit
    rounds: RoundLimit
    connections: set[Member]

    def is_urgent(self, request: Request) -> bool:
        """Whether the first request of a connection waits for no turn."""

    def answer(self, request: Request, *, over: bool) -> Answered:
        """Answer; ``over``: there were enough connections when this one came."""
