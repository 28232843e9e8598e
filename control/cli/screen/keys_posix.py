"""Keys on POSIX: the terminal gives each at once (termios(3), not canonical, no echo)."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import tty

assert sys.platform != "win32"  # noqa: S101 - tells the type checker where this file belongs

SEQUENCES = {
    "\x1b[A": "up",
    "\x1b[B": "down",
    "\x1bOA": "up",
    "\x1bOB": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1b[F": "end",
    "\r": "enter",
    "\n": "enter",
    "\x1b": "escape",
}
"""What terminals send (ECMA-48; xterm's ctlseqs)."""
KEY = re.compile(r"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])?")


class Keyboard:
    """Stdin, read key by key; leaving it puts the terminal back. OSError where it is none."""

    def __enter__(self) -> Keyboard:
        self._fd = sys.stdin.fileno()
        try:
            self._before = termios.tcgetattr(self._fd)
        except termios.error as error:
            raise OSError(*error.args) from error
        tty.setcbreak(self._fd)
        self._typed = ""
        return self

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def read(self, timeout: float) -> str:
        """Return the next key within so many seconds; empty when none came."""
        if not self._typed:
            if not select.select([self._fd], [], [], timeout)[0]:
                return ""
            typed = os.read(self._fd, 64)
            if not typed:  # the terminal has gone
                return "q"
            self._typed = typed.decode("utf-8", "replace")
        found = KEY.match(self._typed)
        text = found[0] if found else self._typed[0]
        self._typed = self._typed[len(text) :]
        return SEQUENCES.get(text, "" if text.startswith("\x1b") else text)
