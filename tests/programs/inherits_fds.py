"""Records which file descriptors it was given, then serves."""

from __future__ import annotations

import os
import stat

from tests.programs.observed import record, serve, start

KINDS = (
    (stat.S_ISSOCK, "socket"),
    (stat.S_ISFIFO, "pipe"),
    (stat.S_ISREG, "file"),
    (stat.S_ISCHR, "character device"),
)


def main() -> None:
    given = {number: kind(number) for number in range(256) if is_open(number)}
    start()
    record("descriptors", open=given)
    serve()


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def kind(number: int) -> str:
    mode = os.fstat(number).st_mode
    return next((name for matches, name in KINDS if matches(mode)), oct(mode))
