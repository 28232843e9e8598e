"""Says that it works for ``--late-ms`` before it listens."""

from __future__ import annotations

from tests.programs.observed import number, pause, say, serve, start


def main() -> None:
    start()
    say("warming up\n")
    pause(number("late-ms", 500))
    serve()
