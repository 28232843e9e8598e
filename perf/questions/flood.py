"""A service that writes many log lines once it is told to: what ``redaction`` measures on.

``--go FILE`` is waited for; then ``--lines N`` are written, and ``--done FILE`` says how long that
took: nanoseconds, while the reader of the pipe is at most the pipe's capacity behind.
"""

from __future__ import annotations

import os
import signal
import sys
import time

LINE = b"2026-01-31T12:00:00.%06dZ INFO request %08x handled: GET /api/notes/%06d, 200, 1.25 ms\n"
BATCH = 1000
END = b"end of the flood\n"
LOOK_AGAIN_S = 0.002


def option(name: str) -> str:
    """Return what follows ``--name``."""
    return sys.argv[sys.argv.index(f"--{name}") + 1]


def batch() -> bytes:
    """Return BATCH lines of some 90 bytes that differ."""
    return b"".join(LINE % (i * 997, i * 2654435761 % 2**32, i) for i in range(BATCH))


def write(data: bytes) -> None:
    """Write all of it to the log."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]


def main() -> None:
    """Wait, write, say how long it took, and stay until somebody ends it."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    lines, many = batch(), int(option("lines")) // BATCH
    while not os.path.exists(option("go")):
        time.sleep(LOOK_AGAIN_S)
    began = time.monotonic_ns()
    for _ in range(many):
        write(lines)
    took = time.monotonic_ns() - began
    write(END)
    with open(option("done") + ".new", "w", encoding="ascii") as file:
        file.write(str(took))
    os.replace(option("done") + ".new", option("done"))
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
