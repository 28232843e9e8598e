"""Stops on ``POST /shutdown``, after ``--stop-ms``, and ignores every signal."""

from __future__ import annotations

from tests.programs.observed import (
    Connection,
    healthy,
    ignore,
    leave,
    number,
    pause,
    reply,
    serve,
    start,
)


def main() -> None:
    start(ignore)
    serve(answer)


def answer(connection: Connection, method: str, path: str) -> None:
    if (method, path) != ("POST", "/shutdown"):
        healthy(connection, method, path)
        return
    reply(connection, 202, '{"status": "stopping"}')
    connection.close()
    pause(number("stop-ms", 0))
    leave(0)
