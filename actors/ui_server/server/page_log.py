"""Where a page says what concerns it alone: the log of its service."""

from __future__ import annotations

import os

from bundlevisor.actors.files.json_text import readable


class PageLog:
    """The writing end of one page's log. The log may be gone with the runtime: that is no error."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def say(self, text: str) -> None:
        """Write whole lines."""
        rest = f"{readable(text)}\n".encode()
        try:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError:
            return

    def becomes_output(self) -> None:
        """Have what concerns no page in particular, as a fault of the interpreter, said here."""
        for standard in (1, 2):
            if self.descriptor != standard:
                os.dup2(self.descriptor, standard)

    def close(self) -> None:
        """Let the log end."""
        os.close(self.descriptor)
