"""Whether somebody sits at a terminal."""

from __future__ import annotations

import sys
from typing import TextIO

if sys.platform == "win32":

    def is_terminal(file: TextIO | None) -> bool:
        """Whether the file, of which None is none, is a console: isatty says yes of NUL as well."""
        if file is None or not file.isatty():
            return False
        import ctypes
        import msvcrt
        from ctypes import wintypes

        handle, mode = wintypes.HANDLE(msvcrt.get_osfhandle(file.fileno())), wintypes.DWORD()
        return bool(ctypes.WinDLL("kernel32").GetConsoleMode(handle, ctypes.byref(mode)))

else:

    def is_terminal(file: TextIO | None) -> bool:
        """Whether the file, of which None is none, is a terminal."""
        return file is not None and file.isatty()
