"""The loop that pages are served on: a client that resets its connection ends no listening."""

from __future__ import annotations

import asyncio
import sys

if sys.platform == "win32":
    import socket
    from typing import Any

    PAUSE = 0.001
    """Seconds before the next is accepted: a fault that stays is not to take the processor."""

    class _Proactor(asyncio.IocpProactor):
        """asyncio closes the listening socket when a client has gone before it is accepted."""

        def accept(self, listener: socket.socket) -> asyncio.Future[Any]:
            return asyncio.ensure_future(self._accept(listener))

        async def _accept(self, listener: socket.socket) -> Any:
            while True:
                try:
                    return await super().accept(listener)
                except OSError:
                    if listener.fileno() == -1:
                        raise
                await asyncio.sleep(PAUSE)

    def new_loop() -> asyncio.AbstractEventLoop:
        """Return a loop for this process."""
        return asyncio.ProactorEventLoop(_Proactor())

else:
    new_loop = asyncio.new_event_loop
