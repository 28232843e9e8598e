"""The API that ``python -m bundlevisor.perf ui`` asks directly and through the proxy.

It does as little as a server can, so that what is measured is the way to it. Prints its port.
"""

from __future__ import annotations

import asyncio

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"ok": true}\n'
)


class Answering(asyncio.Protocol):
    """One kept connection; every request head gets the same answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin without anything received."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        """Answer each head that is complete."""
        *heads, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(heads))


async def main() -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
