"""What small files held when they were sent last: looked at each time, but not read again."""

from __future__ import annotations

import time
from collections.abc import Hashable

LONGEST = 32 * 1024
"""Bytes of a file that is kept."""
MOST = 1024 * 1024
"""Bytes of all of them."""
SETTLED = 2.0
"""Seconds since a file's last change before it is kept: two changes within one tick of the file
system's clock (10 ms; 2 s on FAT) look the same."""


class RecentFiles:
    """Contents by what another one would have otherwise; what was used longest ago goes first."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, bytes] = {}
        self._size = 0

    def get(self, key: Hashable) -> bytes | None:
        """Return a content that is kept."""
        content = self._kept.pop(key, None)
        if content is not None:
            self._kept[key] = content
        return content

    def keep(self, key: Hashable, content: bytes, changed: float) -> None:
        """Keep a content of which the file was ``changed`` last at this time of the epoch."""
        if len(content) > LONGEST or not changed < time.time() - SETTLED:
            return
        self._size += len(content) - len(self._kept.pop(key, b""))
        self._kept[key] = content
        while self._size > MOST:
            self._size -= len(self._kept.pop(next(iter(self._kept))))
