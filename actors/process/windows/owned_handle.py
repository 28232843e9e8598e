"""A handle with one owner that several threads use: it is closed only while nobody uses it.

Windows gives the number of a closed handle to the next thing that is opened. Whoever looked whether
a handle is open, and then used it, would meet an error, or somebody else's process.
"""

from __future__ import annotations

import _winapi
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

assert sys.platform == "win32"  # noqa: S101 - mypy reads what follows for Windows only


class OwnedHandle:
    """An open handle, closed by :meth:`close` and never otherwise."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._lock = threading.Lock()

    @property
    def number(self) -> int:
        """The handle to tell others; 0 once it is closed. To use it is for :meth:`use`."""
        return self._handle

    @contextmanager
    def use(self) -> Iterator[int]:
        """Keep it open meanwhile; the value is 0 when it was closed before.

        Only for calls that do not wait: :meth:`close` waits for them.
        """
        with self._lock:
            yield self._handle

    def close(self) -> None:
        """Close it; again is success."""
        with self._lock:
            handle, self._handle = self._handle, 0
            if handle:
                _winapi.CloseHandle(handle)
