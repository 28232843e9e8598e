"""Is healthy for ``--after-ms`` from the first check on, then answers 503: at its first
``--times`` starts."""

from __future__ import annotations

import time

from tests.programs.observed import (
    Connection,
    healthy,
    incarnation,
    number,
    record,
    reply,
    serve,
    start,
)


def main() -> None:
    start()
    sick = incarnation() <= number("times", 1)
    turns = 0.0

    def answer(connection: Connection, method: str, path: str) -> None:
        nonlocal turns
        now = time.monotonic()
        if path == "/health":
            turns = turns or now + number("after-ms", 200) / 1000
        if sick and path == "/health" and now > turns:
            record("answered_wrongly", how="503")
            reply(connection, 503, '{"status": "unhealthy"}')
        else:
            healthy(connection, method, path)

    serve(answer)
