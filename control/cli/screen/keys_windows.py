"""Keys on Windows: of the console, by the C library (conio.h)."""

from __future__ import annotations

import msvcrt
import sys
import time

assert sys.platform == "win32"  # noqa: S101 - tells the type checker where this file belongs

CODES = {"H": "up", "P": "down", "I": "page up", "Q": "page down", "G": "home", "O": "end"}
"""Second codes of keys that are no letters (Microsoft's documentation of _getch)."""
NAMES = {"\r": "enter", "\x1b": "escape"}
LOOK_EVERY_S = 0.03


class Keyboard:
    """The console's keys; OSError where stdin is none."""

    def __enter__(self) -> Keyboard:
        if not sys.stdin.isatty():
            raise OSError("stdin is no console")
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was changed."""

    def read(self, timeout: float) -> str:
        """Return the next key within so many seconds; empty when none came."""
        deadline = time.monotonic() + timeout
        while not msvcrt.kbhit():
            left = deadline - time.monotonic()
            if left <= 0:
                return ""
            time.sleep(min(LOOK_EVERY_S, left))
        key = msvcrt.getwch()
        if key in ("\x00", "\xe0"):
            return CODES.get(msvcrt.getwch(), "")
        if key == "\x03":
            raise KeyboardInterrupt
        return NAMES.get(key, key)
