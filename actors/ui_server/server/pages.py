"""The pages of one process: added, moved and taken away one by one, answered on one loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.server.connection_limit import limit_for
from bundlevisor.actors.ui_server.server.listener import CannotServe
from bundlevisor.actors.ui_server.server.page_log import PageLog
from bundlevisor.actors.ui_server.server.port import Port
from bundlevisor.actors.ui_server.server.round_limit import RoundLimit

CUT_OFF = 1
"""The status of a page that could not finish, or not begin."""


class Pages:
    """By name, the oldest first. ``tell`` has the runtime know. The loop's thread only."""

    def __init__(self, tell: Callable[[commands.News], object], descriptors: int) -> None:
        """``descriptors``: how many a page may have open."""
        self._tell = tell
        self._descriptors = descriptors
        self._rounds = RoundLimit()
        self._ports: dict[str, Port] = {}
        self._is_ending = False
        self._tasks: set[asyncio.Task[None]] = set()

    def add(
        self, name: str, config: UiConfig, listener: socket.socket | None, log: PageLog
    ) -> None:
        """Serve one more; its log says why it cannot be. None is begun at the end."""
        if self._is_ending:
            log.close()
            if listener is not None:
                listener.close()
            self._tell(commands.PageGone(name, CUT_OFF))
            return
        limit = limit_for(config.max_connections, self._descriptors)
        port = self._ports[name] = Port(config, limit, self._rounds, log)
        self._begin(self._open(name, port, listener))

    def set_upstream(self, name: str, port: int | None) -> None:
        """Pass a page's requests on to this port of 127.0.0.1, or to nobody."""
        if name in self._ports:
            self._ports[name].proxy.upstream = port

    def remove(self, name: str) -> None:
        """Let a page finish what is under way."""
        if name in self._ports:
            self._begin(self._close(name, self._ports[name]))

    def drop(self, name: str) -> None:
        """Cut a page off."""
        if name in self._ports:
            self._ports[name].cut_off()
            self._gone(name, CUT_OFF)

    async def remove_all(self) -> None:
        """Let all of them finish, beside one another; the runtime hears of it first."""
        self._is_ending = True
        self._tell(commands.Ending())
        for name in self._ports:
            self.remove(name)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _open(self, name: str, port: Port, listener: socket.socket | None) -> None:
        try:
            await port.open(listener)
        except CannotServe as error:
            port.log.say(str(error))
            self._gone(name, CUT_OFF)
            return
        if self._ports.get(name) is port:
            self._tell(commands.PageAdded(name))
        else:  # it was dropped meanwhile
            port.cut_off()

    async def _close(self, name: str, port: Port) -> None:
        await port.close()
        self._gone(name, 0)

    def _begin(self, act: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _gone(self, name: str, status: int) -> None:
        """Let go of a page's log, and have another's be our own output if this one's was."""
        if name not in self._ports:
            return  # dropped while it was finishing
        was_oldest = next(iter(self._ports)) == name
        gone = self._ports.pop(name)
        if self._ports:
            if was_oldest:
                next(iter(self._ports.values())).log.becomes_output()
            gone.log.close()
        self._tell(commands.PageGone(name, status))
