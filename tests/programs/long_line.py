"""Writes one line of ``--megabytes`` without a newline, then a short one."""

from __future__ import annotations

from tests.programs.observed import number, say, serve, start


def main() -> None:
    start()
    for _ in range(number("megabytes", 8)):
        say(b"x" * 1_000_000)
    say("\nafter the long line\n")
    serve()
