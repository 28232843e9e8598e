"""A server of pages as the runtime starts it: for one page, or for several that share it."""

from __future__ import annotations

import os
import socket
import sys
import time

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.parent.ui_process import ONLY, UiProcess, start
from bundlevisor.perf import client

ENDING = 10.0
"""Seconds that a server has to end; then it is killed."""


class PageServer:
    """A running server; ``ports`` are those of its pages, in the order in which they came."""

    def __init__(self, root: str, upstream: int | None = None, pages: int = 1) -> None:
        """Start it with its first page, of up to ``pages``; ``returned`` is how long start() took.

        In milliseconds. The socket is handed over listening.
        """
        self._root = root
        self._upstream = upstream
        self.ports: list[int] = []
        listening, config = self._new_page()
        began = time.perf_counter()
        self._process: UiProcess = start(
            config,
            sys.stderr.fileno(),
            dict(os.environ),
            listening,
            page=config.service_id if pages > 1 else ONLY,
            pages=pages,
        )
        self.returned = (time.perf_counter() - began) * 1000

    @property
    def pid(self) -> int:
        """The pid of the process that serves all of its pages."""
        return self._process.pid

    def add(self) -> float:
        """Add a page; return the milliseconds until it is served. RuntimeError when it is not."""
        listening, config = self._new_page()
        began = time.perf_counter()
        with listening:
            self._process.add(config.service_id, config, listening, sys.stderr.fileno())
            while (news := self._process.hear()) != commands.PageAdded(config.service_id):
                if isinstance(news, commands.PageGone | commands.Ending):
                    raise RuntimeError(f"the server took no further page: {news}")  # noqa: TRY004
        self.check(config.port)
        return (time.perf_counter() - began) * 1000

    def check(self, port: int) -> None:
        """Ask a page for its index; RuntimeError when it does not answer."""
        answer = client.ask(port, "/index.html", timeout=30)
        if answer is None or answer.status != 200:
            raise RuntimeError("the UI server did not answer")

    def end(self) -> None:
        """Stop it and wait for it; one that does not end in time is killed."""
        self._process.stop()
        deadline = time.monotonic() + ENDING
        while self._process.poll() is None:
            if time.monotonic() >= deadline:
                self._process.child.kill()
            time.sleep(0.005)
        self._process.close()

    def _new_page(self) -> tuple[socket.socket, UiConfig]:
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        port = listening.getsockname()[1]
        self.ports.append(port)
        name = f"page-{len(self.ports)}"
        return listening, UiConfig(
            service_id=name, root=self._root, port=port, upstream=self._upstream
        )
