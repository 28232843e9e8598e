"""Is healthy for ``--after-ms``, then answers 503: at its first ``--times`` starts."""

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
    turns = time.monotonic() + number("after-ms", 200) / 1000

    def answer(connection: Connection, method: str, path: str) -> None:
        if sick and path == "/health" and time.monotonic() > turns:
            record("answered_wrongly", how="503")
            reply(connection, 503, '{"status": "unhealthy"}')
        else:
            healthy(connection, method, path)

    serve(answer)
