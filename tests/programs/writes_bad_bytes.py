"""Writes what is not UTF-8, NULs and lone carriage returns, between two good lines."""

from __future__ import annotations

from tests.programs.observed import say, serve, start

BAD = (
    b"\xff\xfe\xfd",
    b"cut short \xe2\x82",
    b"overlong \xc0\xaf",
    b"nul \x00 nul",
    b"a\rb",
    b"\xc3(",
)


def main() -> None:
    start()
    say("before the bad bytes\n")
    for line in BAD:
        say(line + b"\n")
        say(line + b"\n", stream=2)
    say("after the bad bytes\n")
    serve()
