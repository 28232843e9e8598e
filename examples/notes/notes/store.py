"""The store: keeps the notes and their index in SQLite, for who has the session key."""

from __future__ import annotations

import os
import sqlite3

from notes import session
from notes.loopback import Act, Answer, Refusal, Request, Route, Server
from notes.notebook import Notebook
from notes.program import say, stop_on_signal

LONGEST_WAIT_S = 30.0


def main() -> None:
    """Serve on PORT_HTTP until SIGTERM or ``POST /shutdown``."""
    stop_on_signal()
    session.key()
    notebook = opened(os.environ["NOTES_DB"])
    try:
        with Server(int(os.environ["PORT_HTTP"]), routes(notebook)) as server:
            say(f"store: listening on 127.0.0.1:{server.server_address[1]}")
            server.serve_forever()
    finally:
        notebook.close()
        say("store: stopped, the database is closed")


def opened(path: str) -> Notebook:
    """Open the notebook; a sentence on what is missing where it cannot be."""
    try:
        notebook = Notebook(path)
        say(f"store: {path} holds {notebook.stats()['notes']} notes")
    except sqlite3.Error as error:
        raise SystemExit(f"store: cannot use {path}: {error}; has bin/migrate been run?") from error
    return notebook


def routes(notebook: Notebook) -> list[Route]:
    """Return what the store answers to."""

    def list_notes(request: Request) -> Answer:
        return Answer(200, {"notes": notebook.notes(request.query.get("q", ""))})

    def add_note(request: Request) -> Answer:
        return Answer(201, notebook.add(request.body["text"]))

    def remove_note(request: Request) -> Answer:
        if not notebook.remove(int(request.parts[0])):
            raise Refusal(404, f"there is no note {request.parts[0]}")
        return Answer(204)

    def list_unindexed(request: Request) -> Answer:
        wait = min(float(request.query.get("wait", "0")), LONGEST_WAIT_S)
        return Answer(200, {"notes": notebook.unindexed(wait)})

    def index_note(request: Request) -> Answer:
        notebook.index(int(request.parts[0]), request.body)
        return Answer(204)

    def stats(_: Request) -> Answer:
        return Answer(200, notebook.stats())

    return [
        Route("GET", "/health", lambda _: Answer(200, {"status": "ok", **notebook.stats()})),
        Route("POST", "/shutdown", stop),
        Route("GET", "/notes", ours(list_notes)),
        Route("POST", "/notes", ours(add_note)),
        Route("DELETE", r"/notes/(\d{1,18})", ours(remove_note)),
        Route("GET", "/unindexed", ours(list_unindexed)),
        Route("PUT", r"/notes/(\d{1,18})/words", ours(index_note)),
        Route("GET", "/stats", ours(stats)),
    ]


def ours(act: Act) -> Act:
    """Let only requests with the session key through."""

    def guarded(request: Request) -> Answer:
        if not session.proven(request.headers):
            raise Refusal(401, "the store speaks with the services of its bundle only")
        return act(request)

    return guarded


def stop(request: Request) -> Answer:
    """Stop when the answer is sent; not for a web page, which would say its Origin."""
    if "Origin" in request.headers:
        raise Refusal(403, "a web page cannot stop the store")
    return Answer(202, {"status": "stopping"}, then=lambda handler: handler.server.stop())
