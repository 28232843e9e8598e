"""Writes a numbered line every ``--every-ms``; told to stop, a thousand more at once, and ends.

The record says how many lines were written (``wrote``), also when nobody reads them any more.
"""

from __future__ import annotations

import os

from tests.programs.observed import leave, number, pause, record, start

LAST_WORDS = 1000
stopping = False


def main() -> None:
    start(ask_to_stop)
    every = number("every-ms", 2)
    written = 0
    try:
        while not stopping:
            written += talk(written, 1)
            pause(every)
        written += talk(written, LAST_WORDS)
    except BrokenPipeError:
        pass
    record("wrote", lines=written)
    leave(0)


def ask_to_stop(_signal_number: int) -> None:
    global stopping  # noqa: PLW0603  # what a signal handler has to speak to the loop with
    stopping = True


def talk(first: int, count: int) -> int:
    os.write(1, b"".join(b"line %d\n" % line for line in range(first, first + count)))
    return count
