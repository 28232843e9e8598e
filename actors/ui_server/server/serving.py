"""The UI server's event loop: listen, obey orders, end in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.server.connection_limit import ConnectionLimit, limit_for
from bundlevisor.actors.ui_server.server.fair_turns import FairTurns
from bundlevisor.actors.ui_server.server.port import Port

STUCK = 3.0
"""Seconds after the end of the control pipe when the process is ended without a loop's help."""


def serve(
    config: UiConfig, control: commands.Pipe, listener: socket.socket, descriptors: int
) -> None:
    """Serve until told to stop, with at most so many file descriptors."""
    crowd = limit_for(config.max_connections, descriptors)
    asyncio.run(_serve(config, control, listener, crowd))


async def _serve(
    config: UiConfig, control: commands.Pipe, listener: socket.socket, crowd: ConnectionLimit
) -> None:
    loop = asyncio.get_running_loop()
    port = Port(config, crowd, FairTurns())
    stopping = asyncio.Event()
    _on_stop_signals(lambda: loop.call_soon_threadsafe(stopping.set))

    def obey(order: commands.Order) -> None:
        if isinstance(order, commands.SetUpstream):
            port.proxy.upstream = order.port
        else:
            stopping.set()

    read = threading.Thread(target=_read_orders, args=(control, loop, obey), daemon=True)
    read.start()
    await port.listen(listener)
    _say(f"ui server: serving {config.root} at http://{config.host}:{config.port}/")
    await stopping.wait()
    await port.close()
    await asyncio.sleep(0)  # closed transports say goodbye in the next round


def _on_stop_signals(stop: Callable[[], object]) -> None:
    """SIGBREAK is what CTRL_BREAK and a closed console are on Windows."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: stop())


def _read_orders(
    control: commands.Pipe, loop: asyncio.AbstractEventLoop, obey: Callable[[commands.Order], None]
) -> None:
    """Pass orders to the loop; a thread, because Windows cannot wait for a pipe in a loop."""
    while True:
        try:
            order: commands.Order = commands.decode(control.recv_bytes())
        except (EOFError, OSError):
            break
        loop.call_soon_threadsafe(obey, order)
    try:
        loop.call_soon_threadsafe(obey, commands.Stop())
    except RuntimeError:
        return  # the loop has ended
    threading.Event().wait(STUCK)
    os._exit(1)


def _say(line: str) -> None:
    """The log may be gone with the runtime: that is no reason to end otherwise than in order."""
    try:
        print(line, flush=True)
    except OSError:
        return
