"""The UI server's event loop: serve, obey orders, end in good order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.server import faults
from bundlevisor.actors.ui_server.server.event_loop import new_loop
from bundlevisor.actors.ui_server.server.orders import NewPage, Order, obey_from
from bundlevisor.actors.ui_server.server.pages import Pages


def serve(first: NewPage, control: commands.Pipe, descriptors: int, *, shared: bool) -> int:
    """Serve until told to stop, with so many descriptors a page; return the exit status.

    ``shared``: further pages may be added, and the runtime hears how each of them fares. Without
    that the process is the one page, and ends with it.
    """
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_serve(first, control, descriptors, shared=shared))


async def _serve(first: NewPage, control: commands.Pipe, descriptors: int, *, shared: bool) -> int:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(faults.tell)
    stopping = asyncio.Event()
    status = 0

    def tell(news: commands.News) -> None:
        nonlocal status
        if shared:
            _send(control, news)
        elif isinstance(news, commands.PageGone):
            status = news.status
            stopping.set()

    pages = Pages(tell, descriptors)
    _on_stop_signals(lambda: loop.call_soon_threadsafe(stopping.set))
    pages.add(first.name, first.config, first.listener, first.log)
    obey_from(control, loop, lambda order: _obey(order, pages, stopping))
    await stopping.wait()
    await pages.remove_all()
    await asyncio.sleep(0)  # closed transports say goodbye in the next round
    return status


def _obey(order: Order, pages: Pages, stopping: asyncio.Event) -> None:
    match order:
        case NewPage():
            pages.add(order.name, order.config, order.listener, order.log)
        case commands.SetUpstream():
            pages.set_upstream(order.page, order.port)
        case commands.RemovePage():
            pages.remove(order.page)
        case commands.DropPage():
            pages.drop(order.page)
        case commands.Stop():
            stopping.set()


def _send(control: commands.Pipe, news: commands.News) -> None:
    """The runtime may be gone: then the end of the pipe is what is heard next."""
    try:
        control.send_bytes(commands.encode(news))
    except OSError:
        return


def _on_stop_signals(stop: Callable[[], object]) -> None:
    """SIGBREAK is what CTRL_BREAK and a closed console are on Windows."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop())
