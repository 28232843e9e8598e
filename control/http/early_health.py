"""``/healthz`` while the server is not there yet: answered as soon as the runtime can be found.

The connections of the first moments are accepted on the events' loop, and what they have sent is
looked at without reading it (MSG_PEEK). A plain ``GET /healthz``, complete and alone, gets the
answer that the server would give, made by the same functions. Everything else stays unread in its
socket. The server takes these sockets over, and decides about them.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from bundlevisor.control.http.response import closes, on_the_wire
from bundlevisor.control.wire.origin import refusal_of

if TYPE_CHECKING:
    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.control.http.health_words import HealthWords

PLACES = 32
"""So many connections are held; the others wait in the backlog until one of these has gone."""
ANSWERS = 16
"""So many on one connection: they fit into what any system sends without being read."""
LARGEST = 4096
"""Bytes of a request that is looked at."""
REQUEST_LINE = b"GET /healthz HTTP/1.1\r\n"
PATIENT = b"GET /readyz?wait="
"""How a request begins that wants its answer when readiness is decided, perhaps."""
END = b"\r\n\r\n"
HARMLESS = frozenset(
    {
        *("HOST", "ACCEPT", "ACCEPT-ENCODING", "ACCEPT-LANGUAGE", "AUTHORIZATION"),
        *("CACHE-CONTROL", "CONNECTION", "PRAGMA", "PRIORITY", "SEC-FETCH-MODE", "USER-AGENT"),
    }
)
"""Headers that mean nothing to this answer, and those whose meaning is minded here."""


class PlainRequest(msgspec.Struct, frozen=True):
    """A ``GET /healthz`` that cannot be read in two ways."""

    headers: dict[str, str]
    command: str = "GET"
    version: str = "1.1"
    error: None = None


def plain(data: bytes) -> PlainRequest | None:
    """Return the request where these bytes are one that may be answered here, and no more."""
    if not (data.startswith(REQUEST_LINE) and data.endswith(END)) or len(data) >= LARGEST:
        return None
    headers: dict[str, str] = {}
    for line in data[len(REQUEST_LINE) : -len(END)].split(b"\r\n"):
        name, _, value = line.decode("latin-1").partition(": ")
        name = name.upper()
        if name not in HARMLESS or name in headers or not _is_plain(value):
            return None
        headers[name] = value
    request = PlainRequest(headers)
    foreign = refusal_of(headers.get("HOST", ""), None)
    return None if foreign or closes(request) else request


def is_patient(data: bytes) -> bool:
    """Whether a request wants its answer when readiness is decided, and not within a second.

    One that waits for less, or for any change, may want it sooner.
    """
    if not data.startswith(PATIENT):
        return False
    seconds, *others = data[len(PATIENT) :].partition(b" ")[0].split(b"&")
    return seconds.isdigit() and int(seconds[:3]) > 0 and not any(b"change" in o for o in others)


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and value == value.strip() != ""


class Held(msgspec.Struct):
    """A connection that the server takes over, and how many requests were answered on it."""

    client: socket.socket
    asked: int = 0


class EarlyHealth:
    """Answers on a listening socket until :meth:`hand_over`."""

    def __init__(self, loop: Loop, listener: socket.socket, words: HealthWords) -> None:
        self._loop = loop
        self._listener = listener
        self._words = words
        self._held: dict[int, Held] = {}
        self.wanted = threading.Event()
        """Set when a request waits for the server, and not for readiness."""

    def begin(self) -> None:
        """Answer from now on."""
        self._listener.setblocking(False)
        self._loop.call_soon(self._go_on_accepting)

    def hand_over(self) -> list[Held]:
        """Answer no more; return the connections that are open, in the order they came in."""
        done = threading.Event()
        self._loop.call_soon(self._let_go)
        self._loop.call_soon(done.set)
        done.wait()
        return list(self._held.values())

    def _let_go(self) -> None:
        for fd in (self._listener.fileno(), *self._held):
            self._loop.unwatch(fd)

    def _go_on_accepting(self) -> None:
        self._loop.watch(self._listener.fileno(), self._accept)

    def _accept(self) -> None:
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError, InterruptedError):
            return
        except OSError:  # no descriptor is left: a client that goes, or the server, makes room
            self._loop.unwatch(self._listener.fileno())
            return
        client.setblocking(False)
        held = self._held[client.fileno()] = Held(client)
        if len(self._held) == PLACES:
            self._loop.unwatch(self._listener.fileno())
        self._loop.watch(client.fileno(), lambda: self._look(held))
        self._look(held)

    def _look(self, held: Held) -> None:
        """Answer what has come, or leave it alone; a client that has gone has its place freed."""
        client = held.client
        try:
            data = client.recv(LARGEST, socket.MSG_PEEK)
            request = plain(data) if held.asked < ANSWERS else None
            if request is not None:
                self._answer(held, request, len(data))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
        elif request is None:
            self._loop.unwatch(client.fileno())
            if not is_patient(data):
                self.wanted.set()

    def _answer(self, held: Held, request: PlainRequest, length: int) -> None:
        held.asked += 1
        answer = on_the_wire(self._words.now(), request)
        held.client.recv(length)
        if held.client.send(answer) != len(answer):
            raise ConnectionAbortedError

    def _drop(self, client: socket.socket) -> None:
        fd = client.fileno()
        self._loop.unwatch(fd)
        del self._held[fd]
        with suppress(OSError):
            client.close()
        self._go_on_accepting()
