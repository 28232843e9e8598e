"""How bytes get from the pipes into the logs: plainly, or so that no kill of us loses any.

A plain reader that is killed between read(2) and write(2) takes what it has read with it. The
guardian's memory in flight is another way; a PipeCopy is what both have in common, so that the logs
do not know of the guardian.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a Protocol costs a third of a millisecond
    from typing import Protocol

    class PipeCopy(Protocol):
        """Used by the one thread that reads all pipes: read, (output,) write, done."""

        def read(self, instance: str, fd: int) -> bytes:
            """Read at most READ bytes; like os.read BlockingIOError, and empty at the end."""

        def output(self, instance: str, text: bytes, held: bytes) -> None:
            """Say what a redactor has made of what was read, and its state afterwards."""

        def write(self, fd: int, data: bytes) -> int:
            """Write like os.write."""

        def done(self) -> None:
            """Say that what was read stands in the log, or was given up."""

        def forget(self, instance: str) -> None:
            """Say that no more will be read of this instance."""


READ = 64 * 1024
"""Bytes of one read: the capacity of a pipe as Linux makes it (pipe(7))."""


class Plain:
    """The system's read and write, and nobody to tell."""

    def read(self, instance: str, fd: int) -> bytes:  # noqa: ARG002 - the same for every copy
        """Read."""
        return os.read(fd, READ)

    def output(self, instance: str, text: bytes, held: bytes) -> None:
        """Nobody has to know."""

    def write(self, fd: int, data: bytes) -> int:
        """Write."""
        return os.write(fd, data)

    def done(self) -> None:
        """Nobody has to know."""

    def forget(self, instance: str) -> None:
        """Nothing was kept."""


class Guarded:
    """The copy that ``make`` returns, made for the first byte: 0.7 ms that no start waits for.

    ``warn`` hears why when it cannot be made; then the logs are written plainly.
    """

    def __init__(self, make: Callable[[], PipeCopy], warn: Callable[[str], object]) -> None:
        self._make: Callable[[], PipeCopy] | None = make
        self._warn = warn
        self._way: PipeCopy = Plain()

    def read(self, instance: str, fd: int) -> bytes:
        """Read, having made the copy if this is the first time."""
        make, self._make = self._make, None
        if make is not None:
            self._open(make)
        return self._way.read(instance, fd)

    def output(self, instance: str, text: bytes, held: bytes) -> None:
        """Pass on."""
        self._way.output(instance, text, held)

    def write(self, fd: int, data: bytes) -> int:
        """Write."""
        return self._way.write(fd, data)

    def done(self) -> None:
        """Pass on."""
        self._way.done()

    def forget(self, instance: str) -> None:
        """Pass on."""
        self._way.forget(instance)

    def _open(self, make: Callable[[], PipeCopy]) -> None:
        try:
            self._way = make()
        except (OSError, ValueError, ImportError) as error:
            self._warn(f"no memory shared with the guardian, a kill may cost log lines: {error}")


PLAIN = Plain()


def guarded(make: Callable[[], PipeCopy], warn: Callable[[str], object]) -> PipeCopy:
    """Return a guarded copy, where pipes are read by one thread: not on Windows."""
    return PLAIN if sys.platform == "win32" else Guarded(make, warn)
