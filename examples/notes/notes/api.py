"""The API of the page: checks what comes in, asks the store, and echoes on ``/ws``."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlencode

from notes import session, websocket
from notes.loopback import Answer, Handler, Refusal, Request, Route, Server
from notes.program import say, stop_on_signal
from notes.store_client import StoreAway, ask

LONGEST_NOTE = 10_000


def main() -> None:
    """Serve on PORT_API until SIGTERM."""
    stop_on_signal()
    session.key()
    try:
        with Server(int(os.environ["PORT_API"]), ROUTES) as server:
            say(f"api: listening on 127.0.0.1:{server.server_address[1]}")
            server.serve_forever()
    finally:
        say("api: stopped")


def list_notes(request: Request) -> Answer:
    return from_store("GET", "/notes?" + urlencode({"q": request.query.get("q", "")}))


def add_note(request: Request) -> Answer:
    text = request.body.get("text") if isinstance(request.body, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, 'a note is {"text": "…"}, and not empty')
    if len(text) > LONGEST_NOTE:
        raise Refusal(413, f"a note has at most {LONGEST_NOTE} characters")
    return from_store("POST", "/notes", {"text": text.strip()})


def remove_note(request: Request) -> Answer:
    return from_store("DELETE", f"/notes/{request.parts[0]}")


def stats(_: Request) -> Answer:
    return from_store("GET", "/stats")


def from_store(method: str, path: str, body: Any = None) -> Answer:
    """Return the store's answer; 503 while it is away."""
    try:
        return Answer(*ask(method, path, body))
    except StoreAway as away:
        raise Refusal(503, str(away)) from away


def open_echo(request: Request) -> Answer:
    headers = websocket.handshake(request.headers)
    if headers is None:
        raise Refusal(426, "/ws speaks WebSocket, version 13")
    return Answer(101, headers=headers, then=echo)


def echo(handler: Handler) -> None:
    websocket.echo(handler.rfile, handler.wfile)
    say("/ws closed")


ROUTES = [
    Route("GET", "/health", lambda _: Answer(200, {"status": "ok"})),
    Route("GET", "/api/notes", list_notes),
    Route("POST", "/api/notes", add_note),
    Route("DELETE", r"/api/notes/(\d{1,18})", remove_note),
    Route("GET", "/api/stats", stats),
    Route("GET", "/ws", open_echo),
]
