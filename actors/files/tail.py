"""The last lines of a log, read backwards from its end, across its rotated neighbours."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import BinaryIO

from bundlevisor.actors.files import own_file

BLOCK = 64 * 1024


def tail(path: str, lines: int, max_bytes: int = 8 * 1024 * 1024) -> bytes:
    """Return the last ``lines`` lines, at most ``max_bytes``; empty when there is no such file.

    What is no regular file, a link among them, counts as none.

    A last line without an end counts. When the file has fewer lines, ``path.1``, ``path.2``, ...
    go before it. What exceeds ``max_bytes`` is cut at a line, unless it is one line.
    Raises OSError when a file cannot be read.
    """
    blocks: list[bytes] = []
    size = newlines = 0
    for block in _backwards(path):
        blocks.append(block)
        size += len(block)
        newlines += block.count(b"\n")
        if size > max_bytes or newlines > lines:
            break
    text = b"".join(reversed(blocks))
    return last_lines(text[max(0, len(text) - max_bytes) :], lines, whole=size <= max_bytes)


def last_lines(text: bytes, lines: int, *, whole: bool) -> bytes:
    """Return the last ``lines`` lines of a text.

    Where it is not ``whole``, its first line is a fragment: left out, unless there is no other.
    """
    if lines <= 0:
        return b""
    end = len(text) - 1 if text.endswith(b"\n") else len(text)
    border = end
    for _ in range(lines):
        border = text.rfind(b"\n", 0, border)
        if border < 0:
            return text if whole else text[text.find(b"\n", 0, end) + 1 :]
    return text[border + 1 :]


def parts(path: str) -> Iterator[tuple[str, BinaryIO, os.stat_result]]:
    """Yield the log and its rotated neighbours, the newest first; each is open for its turn.

    A log that is not there, or no regular file, is passed over; such a neighbour is the end.
    Raises OSError when a file cannot be read.
    """
    seen: set[tuple[int, int]] = set()
    for number in itertools.count():
        name = f"{path}.{number}" if number else path
        try:
            with open(own_file.open_to_read(name, follow=False), "rb") as file:
                stat = os.fstat(file.fileno())
                if (stat.st_dev, stat.st_ino) in seen:
                    continue  # it was rotated while we read it under its earlier name
                seen.add((stat.st_dev, stat.st_ino))
                yield name, file, stat
        except (FileNotFoundError, own_file.Unfit):
            if number:
                return


def _backwards(path: str) -> Iterator[bytes]:
    """Yield the blocks of the log and its neighbours, the newest first."""
    for _, file, stat in parts(path):
        end = stat.st_size
        while end > 0:
            begin = max(0, end - BLOCK)
            file.seek(begin)
            yield file.read(end - begin)
            end = begin
