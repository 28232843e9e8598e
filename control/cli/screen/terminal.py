"""Whether somebody sits at a terminal, and whether it shows colours."""

from __future__ import annotations

import os
import sys
from typing import TextIO

if sys.platform == "win32":

    def is_terminal(file: TextIO | None) -> bool:
        """Whether the file, of which None is none, is a console: isatty says yes of NUL as well."""
        return _console_mode(file) is not None

    def _console_mode(file: TextIO | None) -> tuple[int, int] | None:
        """Return the console's handle and its mode, None for what is no console."""
        if file is None or not file.isatty():
            return None
        import ctypes
        import msvcrt
        from ctypes import wintypes

        number = msvcrt.get_osfhandle(file.fileno())
        handle, mode = wintypes.HANDLE(number), wintypes.DWORD()
        if not ctypes.WinDLL("kernel32").GetConsoleMode(handle, ctypes.byref(mode)):
            return None
        return number, mode.value

    def _obeys_escapes(file: TextIO) -> bool:
        """Have the console obey escape sequences; one before Windows 10 cannot."""
        import ctypes
        from ctypes import wintypes

        found = _console_mode(file)
        if found is None:
            return False
        number, mode = found
        processing = 0x0004  # ENABLE_VIRTUAL_TERMINAL_PROCESSING
        set_mode = ctypes.WinDLL("kernel32").SetConsoleMode
        return bool(mode & processing or set_mode(wintypes.HANDLE(number), mode | processing))

    def in_foreground(_file: TextIO) -> bool:
        """Whether no other program has the terminal now: there are no jobs on Windows."""
        return True

else:

    def is_terminal(file: TextIO | None) -> bool:
        """Whether the file, of which None is none, is a terminal."""
        return file is not None and file.isatty()

    def _obeys_escapes(_file: TextIO) -> bool:
        return os.environ.get("TERM") != "dumb"

    def in_foreground(file: TextIO) -> bool:
        """Whether no other program has the terminal now, as it has when a shell runs us by ``&``.

        On one that is not the controlling terminal there are no jobs.
        """
        try:
            return os.tcgetpgrp(file.fileno()) == os.getpgrp()
        except OSError:
            return True


def obeys_escapes(file: TextIO | None) -> bool:
    """Whether lines of ours can be erased and drawn anew there: a terminal that is not ``dumb``."""
    return file is not None and is_terminal(file) and _obeys_escapes(file)


def shows_colours(file: TextIO | None) -> bool:
    """Whether colours of ours belong there: a terminal that can, and no ``NO_COLOR``."""
    if file is None or os.environ.get("NO_COLOR") or not is_terminal(file):
        return False
    return _obeys_escapes(file)
