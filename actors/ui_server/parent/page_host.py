"""A process in which several pages are served, from its first page to its end."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.loop.thread_start import start_thread
from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.parent.hosted_page import HostedPage

if TYPE_CHECKING:
    import socket

    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.actors.ui_server.config import UiConfig
    from bundlevisor.actors.ui_server.parent.ui_process import UiProcess

LOOK_AGAIN = 0.005
"""Seconds between two looks at what is left of it: there is no event for the last exit."""


class PageHost:
    """Takes pages in while it is open; without any it ends. The events loop's thread only."""

    def __init__(
        self,
        ui: UiProcess,
        loop: Loop,
        failed: Callable[[], object],
        ended: Callable[[], object],
    ) -> None:
        """``failed`` is called when it ends with pages in it, before they are told.

        ``ended`` is called when nothing is left of it.
        """
        self.is_open = True
        self.pid = ui.pid
        self.created = ui.child.created
        self._ui = ui
        self._loop = loop
        self._failed = failed
        self._ended = ended
        self._pages: dict[str, HostedPage] = {}
        self._last: HostedPage | None = None
        """The page whose end is that of the process."""
        self._is_over = False
        self._signs_of_end = 2
        """What is still to come: the pipe's end, and the process's exit."""
        ui.child.watch_exit(loop, lambda: loop.call_soon(self._see_end))
        try:
            start_thread(self._hear)
        except RuntimeError:  # no thread is to be had now, and it cannot be heard
            self.kill()
            loop.call_soon(self._see_end)

    def began_with(self, instance: str) -> HostedPage:
        """Return the page with which it was started."""
        return self._enter(HostedPage(self, instance))

    def add(
        self, instance: str, config: UiConfig, listener: socket.socket | None, output: int
    ) -> HostedPage:
        """Have one more page served; the socket is taken over, ``output`` is not. OSError."""
        with contextlib.ExitStack() as stack:
            if listener is not None:
                stack.enter_context(listener)
            kept = os.dup(output)
            stack.callback(os.close, kept)
            let_go = stack.pop_all().close
        page = self._enter(HostedPage(self, instance, let_go))
        self._ui.add(instance, config, listener, kept)
        return page

    def set_upstream(self, page: HostedPage, port: int | None) -> None:
        """Tell it where a page's API listens now."""
        self._ui.set_upstream(port, page.instance)

    def remove(self, page: HostedPage) -> None:
        """Have a page finish what is under way."""
        self._ui.tell(commands.RemovePage(page.instance))

    def drop(self, page: HostedPage) -> None:
        """Have a page cut off."""
        self._ui.tell(commands.DropPage(page.instance))

    def kill(self) -> None:
        """End it at once."""
        self.is_open = False
        self._ui.child.kill()

    def waits_for(self, page: HostedPage) -> bool:
        """Whether the page is in it, or was the last one and the process is still there."""
        return page.instance in self._pages or (page is self._last and not self._is_over)

    def _enter(self, page: HostedPage) -> HostedPage:
        self._pages[page.instance] = page
        return page

    def _hear(self) -> None:
        """Pass on what it says; a thread, because Windows cannot wait for a pipe in a loop."""
        while True:
            try:
                news = self._ui.hear()
            except (EOFError, OSError):
                break
            self._loop.call_soon(lambda news=news: self._note(news))  # type: ignore[misc]
        self._loop.call_soon(self._see_end)

    def _note(self, news: commands.News) -> None:
        match news:
            case commands.PageAdded():
                if news.page in self._pages:
                    self._pages[news.page].arrived()
            case commands.PageGone():
                self._leave(news.page, news.status)
            case commands.Ending():
                self.is_open = False

    def _leave(self, instance: str, status: int) -> None:
        page = self._pages.pop(instance, None)
        if page is None:
            return
        if not self._pages:
            self.is_open = False
            self._last = page
            self._ui.stop()
        page.gone(status)

    def _see_end(self) -> None:
        """Go on when it has exited and all that it said has been heard."""
        self.is_open = False
        self._signs_of_end -= 1
        if self._signs_of_end:
            return
        status = self._ui.poll()
        if self._pages:
            self._failed()
        for instance in list(self._pages):
            self._leave(instance, 255 if status is None else status)
        self._clear()

    def _clear(self) -> None:
        """Kill what is left of it, until nothing is."""
        child = self._ui.child
        if child.survivors():
            child.kill()
            self._loop.call_at(time.monotonic() + LOOK_AGAIN, self._clear)
            return
        child.close()
        self._ui.close()
        self._is_over = True
        self._ended()
