"""Answers ``/health`` wrongly ``--times`` times (default: always), in the manner of ``--how``.

``500``, ``status`` (200, but ``{"status": "error"}``), ``readiness`` (200, but
``{"readiness": false}``), ``redirect``, ``garbage`` (no HTTP), ``silent`` (never answers),
``drip`` (a byte now and then, for ever), ``close`` (closes at once).
"""

from __future__ import annotations

from tests.programs.observed import (
    Connection,
    healthy,
    number,
    option,
    pause,
    record,
    reply,
    serve,
    start,
)

FOR_EVER_MS = 3_600_000
asked = 0


def main() -> None:
    start()
    serve(answer)


def answer(connection: Connection, method: str, path: str) -> None:
    global asked  # noqa: PLW0603  # the only state there is
    asked += 1
    how = option("how", "500")
    if path != "/health" or asked > number("times", 1_000_000_000):
        healthy(connection, method, path)
        return
    record("answered_wrongly", how=how)
    if how in PLAIN:
        status, body = PLAIN[how]
        reply(connection, status, body)
    elif how == "garbage":
        connection.sendall(b"\x00\x01\x02 this is not HTTP \xff\r\n")
    elif how == "drip":
        drip(connection)
    elif how == "silent":
        pause(FOR_EVER_MS)


PLAIN = {
    "500": (500, '{"status": "ok"}'),
    "status": (200, '{"status": "error"}'),
    "readiness": (200, '{"readiness": false}'),
    "redirect": (302, ""),
}


def drip(connection: Connection) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Drip: ")
    while True:
        connection.sendall(b".")
        pause(50)
