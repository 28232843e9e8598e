"""What the runtime orders, from the control pipe to the loop."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable

import msgspec

from bundlevisor.actors.ui_server import commands
from bundlevisor.actors.ui_server.config import UiConfig
from bundlevisor.actors.ui_server.server.page_log import PageLog

STUCK = 3.0
"""Seconds after the end of the control pipe when the process is ended without a loop's help."""


class NewPage(msgspec.Struct, frozen=True):
    """A page to serve, with all that was handed over for it."""

    name: str
    config: UiConfig
    listener: socket.socket | None
    log: PageLog


Order = NewPage | commands.SetUpstream | commands.RemovePage | commands.DropPage | commands.Stop


def obey_from(
    control: commands.Pipe, loop: asyncio.AbstractEventLoop, obey: Callable[[Order], None]
) -> None:
    """Have orders obeyed on the loop, in a thread: Windows cannot wait for a pipe in a loop."""
    read = threading.Thread(target=_read, args=(control, loop, obey), daemon=True)
    read.start()


def _read(
    control: commands.Pipe, loop: asyncio.AbstractEventLoop, obey: Callable[[Order], None]
) -> None:
    while True:
        try:
            order = _next(control)
        except (EOFError, OSError):
            break
        loop.call_soon_threadsafe(obey, order)
    try:
        loop.call_soon_threadsafe(obey, commands.Stop())
    except RuntimeError:
        return  # the loop has ended
    threading.Event().wait(STUCK)
    os._exit(1)


def _next(control: commands.Pipe) -> Order:
    order = commands.decode_order(control.recv_bytes())
    if not isinstance(order, commands.AddPage):
        return order
    from bundlevisor.actors.ui_server.handover import take_over

    listener, output = take_over(control)
    return NewPage(order.page, order.config, listener, PageLog(output))
