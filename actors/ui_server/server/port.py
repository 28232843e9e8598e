"""One page: its files and its API behind one port, from the first connection to the last."""

from __future__ import annotations

import asyncio
import os
import socket

from bundlevisor.actors.ports.reservations import BACKLOG
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.files.site import Site
from bundlevisor.actors.ui_server.http.request import Request
from bundlevisor.actors.ui_server.proxy.proxy import Proxy
from bundlevisor.actors.ui_server.server.connection import Connection
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit
from bundlevisor.actors.ui_server.server.dispatch import Dispatch
from bundlevisor.actors.ui_server.server.listener import CannotServe, bind, refusal
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.round_limit import RoundLimit
from bundlevisor.actors.ui_server.server.served import Answered, Member

GRACE = 0.6
"""Seconds that requests and WebSockets under way get at the end."""
SETTLE = 0.01
"""Seconds in which connections that were just accepted become known."""


class Port:
    """Has the connections of its page, and begins and ends them."""

    def __init__(
        self, config: UiConfig, limit: ConnectionLimit, rounds: RoundLimit, log: PageLog
    ) -> None:
        self.limit = limit
        self.rounds = rounds
        self.log = log
        self.connections: set[Member] = set()
        self.proxy = Proxy(config)
        self._config = config
        self._dispatch = Dispatch(config, Site(config.root, config.index), self.proxy)
        self._listening: asyncio.Server | None = None

    def is_urgent(self, request: Request) -> bool:
        """Whether the first request of a connection waits for no turn."""
        return self._dispatch.asks_for_health(request)

    def answer(self, request: Request, *, over: bool) -> Answered:
        """Answer; ``over``: there were enough connections when this one came."""
        return self._dispatch.answer(request, over=over)

    async def open(self, listener: socket.socket | None) -> None:
        """Accept connections from now on; CannotServe says why there is nothing to be accepted.

        Without a socket the port is taken here.
        """
        config = self._config
        if not os.path.isdir(config.root):
            raise CannotServe(
                f"service '{config.service_id}': folder to serve not found: {config.root}; "
                "is the bundle complete?"
            )
        loop = asyncio.get_running_loop()
        bound = listener or bind(config)
        try:
            self._listening = await loop.create_server(
                lambda: Connection(self), sock=bound, backlog=self.limit.at_once
            )
            bound.listen(BACKLOG)  # asyncio takes what it accepts in a round for this as well
        except OSError as error:
            bound.close()
            raise refusal(config, error) from None
        self.log.say(f"ui server: serving {config.root} at http://{config.host}:{config.port}/")

    async def close(self) -> None:
        """Idle connections end now, requests when they are answered, all after the grace."""
        if self._listening is not None:
            self._listening.close()
        self.proxy.going_away()
        loop = asyncio.get_running_loop()
        end = loop.time() + GRACE
        await asyncio.sleep(SETTLE)
        while self.connections and loop.time() < end:
            for connection in list(self.connections):
                connection.leave()
            await asyncio.sleep(SETTLE)
        self.cut_off()
        await asyncio.sleep(0)

    def cut_off(self) -> None:
        """End at once, whatever is under way."""
        if self._listening is not None:
            self._listening.close()
        for connection in list(self.connections):
            connection.abort()
        self.proxy.close()
