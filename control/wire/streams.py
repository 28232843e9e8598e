"""Answers without an end: they stop when the client goes, the source ends or the server stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundlevisor.control.wire.long_poll import client_has_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.exchange import Request


class Stream:
    """The body of a streamed answer; ``close`` is called by the server, however it ends."""

    def __init__(self, chunks: Generator[bytes, None, None], release: Callable[[], None]) -> None:
        self._chunks = chunks
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over the chunks."""
        return self._chunks

    def close(self) -> None:
        """Let go of what the stream reads from."""
        self._chunks.close()
        self._release()


def is_over(req: Request, closing: Closing) -> bool:
    """Return whether nobody is left to stream to, or nobody may be any longer."""
    return closing.begun or client_has_gone(req)
