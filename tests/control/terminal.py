"""A command on a terminal (POSIX): what it shows there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence


def on_terminal(command: Sequence[str], env: Mapping[str, str]) -> bytes:
    """Return what the command writes while its stdout is a terminal; it must end with 0."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # Linux: the other end is closed
                break
            if not data:
                break
            shown += data
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.replace(b"\r\n", b"\n")


class Screen:
    """A terminal of so many columns, as far as lines that are erased and drawn anew need it."""

    def __init__(self, columns: int = 80) -> None:
        self.columns = columns
        self.lines = [""]
        self._row = 0
        self._column = 0

    def feed(self, data: bytes) -> Screen:
        """Show what is written; a line feed also returns, as a terminal's driver has it."""
        for found in PIECE.finditer(data.decode()):
            text, count, what = found["text"], found["count"], found["what"]
            if text == "\n":
                self._row, self._column = self._row + 1, 0
            elif text == "\r":
                self._column = 0
            elif text:
                self._put(text)
            elif what == "A":
                self._row = max(0, self._row - int(count or 1))
            elif what == "J":
                del self.lines[self._row + 1 :]
                self.lines[self._row] = self.lines[self._row][: self._column]
            else:
                assert what == "m", found[0]
            self._reach()
        return self

    def resize(self, columns: int) -> None:
        """Become narrower: what was shown is wrapped, and the cursor stays at the end."""
        wrapped = [
            line[at : at + columns]
            for line in self.lines
            for at in range(0, max(1, len(line)), columns)
        ]
        self.columns, self.lines, self._row = columns, wrapped, len(wrapped) - 1

    def _put(self, letter: str) -> None:
        if self._column >= self.columns:
            self._row, self._column = self._row + 1, 0
            self._reach()
        line = self.lines[self._row].ljust(self._column)
        self.lines[self._row] = line[: self._column] + letter + line[self._column + 1 :]
        self._column += 1

    def _reach(self) -> None:
        while len(self.lines) <= self._row:
            self.lines.append("")


PIECE = re.compile(r"\x1b\[(?P<count>[0-9;]*)(?P<what>[A-Za-z])|(?P<text>.)", re.DOTALL)
