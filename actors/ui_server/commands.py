"""What runtime and UI server say through their control pipe; the pipe's end means: stop.

``page`` is the SERVICE_INSTANCE_ID of the start that a message is about.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from bundlevisor.actors.files.json_text import decode_kept, encode_kept
from bundlevisor.actors.ui_server.config import UiConfig


class AddPage(msgspec.Struct, frozen=True, tag=True):
    """Serve one more page; its socket and its log follow (``handover``)."""

    page: str
    config: UiConfig


class SetUpstream(msgspec.Struct, frozen=True, tag=True):
    """The API listens on this port of 127.0.0.1 from now on; None: it does not run."""

    page: str
    port: int | None


class RemovePage(msgspec.Struct, frozen=True, tag=True):
    """Finish what is under way for a page, and serve it no longer."""

    page: str


class DropPage(msgspec.Struct, frozen=True, tag=True):
    """Serve a page no longer, whatever is under way."""

    page: str


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Finish what is under way and end."""


class PageAdded(msgspec.Struct, frozen=True, tag=True):
    """A page is served; what was handed over for it has arrived."""

    page: str


class PageGone(msgspec.Struct, frozen=True, tag=True):
    """A page is not served (any more), and nothing is written to its log from now on.

    The status is that of a process: 0 after an order, 1 when it was cut off or cannot be served.
    """

    page: str
    status: int


class Ending(msgspec.Struct, frozen=True, tag=True):
    """It has been told to stop, by whomever: no page is added any more."""


Order = AddPage | SetUpstream | RemovePage | DropPage | Stop
News = PageAdded | PageGone | Ending


class Pipe(Protocol):
    """One end of the control pipe: a ``multiprocessing`` connection, of whichever platform."""

    def send_bytes(self, buf: bytes) -> None:
        """Send one message; OSError when the other end is gone."""

    def recv_bytes(self) -> bytes:
        """Wait for a message; EOFError or OSError when the other end is gone."""

    def fileno(self) -> int:
        """Return the descriptor, on Windows the handle."""

    def close(self) -> None:
        """Close this end; any number of times."""


encode = encode_kept
"""A folder's name may hold bytes that are no UTF-8."""


def decode_order(message: bytes) -> Order:
    """Read what the runtime says."""
    return decode_kept(message, Order)  # type: ignore[arg-type] # a union is a type to msgspec


def decode_news(message: bytes) -> News:
    """Read what the server says."""
    return decode_kept(message, News)  # type: ignore[arg-type]
