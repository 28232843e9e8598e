"""Answers only after ``--health-ms``, once it has answered ``--quick`` times at once."""

from __future__ import annotations

from tests.programs.observed import Connection, healthy, number, pause, serve, start

asked = 0


def main() -> None:
    start()
    serve(answer)


def answer(connection: Connection, method: str, path: str) -> None:
    global asked  # noqa: PLW0603  # the only state there is
    asked += 1
    if asked > number("quick", 0):
        pause(number("health-ms", 3000))
    healthy(connection, method, path)
