"""Writes numbered lines as fast as it can: ``--lines N`` or ``--megabytes N``, else until stopped.

``--line-bytes`` is the length of a line, newline included. The record says how many whole lines
were written (``flooded``); stopped in between, it still says so.
"""

from __future__ import annotations

import os

from tests.programs.observed import leave, number, record, serve, start

BATCH = 500
stopping = False
finished = False


def main() -> None:
    start(ask_to_stop)
    serve(after=flood)


def ask_to_stop(_signal_number: int) -> None:
    # The handler may run between a write and its being counted, so it does not end the program.
    global stopping  # noqa: PLW0603  # what a signal handler has to speak to the loop with
    stopping = True
    if finished:
        leave(0)


def flood() -> None:
    global finished  # noqa: PLW0603  # see ask_to_stop
    width = number("line-bytes", 100)
    wanted = number("lines", 0) or number("megabytes", 0) * 1_000_000 // width
    written = 0
    try:
        while not stopping and (not wanted or written < wanted * width):
            first = written // width
            last = min(first + BATCH, wanted or first + BATCH)
            batch = "".join(f"{line:0{width - 1}d}\n" for line in range(first, last)).encode()
            written += os.write(1, batch[written % width :])
    finally:
        record("flooded", lines=written // width, bytes=written)
    finished = True
    if stopping:
        leave(0)
