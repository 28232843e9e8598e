"""The telemetry file read back: its last number, and the events after a number."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import BinaryIO

from bundlevisor.actors.files import own_file
from bundlevisor.actors.files.tail import tail
from bundlevisor.actors.telemetry.event import Event, decode, number
from bundlevisor.manifest.format.app_data import OLDER

NEAR = 64 * 1024
"""Bytes: a search for a number that has come this near goes on line by line."""
LINES = 200
"""Lines at the end among which a whole event is looked for: what comes after it was torn."""


END = 1024 * 1024
"""Bytes in which they stand."""


def last_seq(path: str) -> int:
    """Return the number of the last complete event; 0 without one. Raises OSError."""
    return _last_number(tail(path, LINES, END))


def events_after(path: str, after: int) -> Iterator[Event]:
    """Yield the events of ``path.1`` and ``path`` with a number above ``after``, ascending."""
    with ExitStack() as stack:
        files = []
        # The newer first: a rotation in between makes both the same, instead of hiding one.
        for name in (path, f"{path}{OLDER}"):
            with suppress(FileNotFoundError, own_file.Unfit):
                descriptor = own_file.open_to_read(name, follow=False)
                files.append(stack.enter_context(open(descriptor, "rb")))
        if len(files) == 2 and os.path.sameopenfile(files[0].fileno(), files[1].fileno()):
            files.pop()
        for file in reversed(files):
            for event in _read_after(file, after):
                after = event.seq
                yield event


def _last_number(text: bytes) -> int:
    numbers = map(number, reversed(text.split(b"\n")))
    return next((found for found in numbers if found is not None), 0)


def _read_after(file: BinaryIO, after: int) -> Iterator[Event]:
    file.seek(max(0, os.fstat(file.fileno()).st_size - END))
    if _last_number(file.read(END)) <= after:
        return  # the Go runtime's has no numbers, and may be of any size
    file.seek(_near(file, after))
    for line in file:
        event = decode(line)
        if event is not None and event.seq > after:
            yield event


def _near(file: BinaryIO, after: int) -> int:
    """Return where a line begins, not far before the first one with a number above ``after``."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while high - low > NEAR:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()
        begin, seq = _next_number(file, high)
        if seq is None or seq > after:
            high = middle
        else:
            low = begin
    return low


def _next_number(file: BinaryIO, end: int) -> tuple[int, int | None]:
    while file.tell() < end:
        begin = file.tell()
        seq = number(file.readline())
        if seq is not None:
            return begin, seq
    return end, None
