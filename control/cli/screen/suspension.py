"""Ctrl-Z where a command holds the terminal: meanwhile that is as the shell left it.

Otherwise the shell goes on without a cursor, or without echo; and one that sets modes of its own
(bash) continues the command (``fg``) on a terminal that echoes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

if sys.platform == "win32":

    @contextmanager
    def given_back_when_suspended(_to: TextIO, _leave: str, _enter: str) -> Iterator[None]:
        """Do nothing: there is no Ctrl-Z on Windows."""
        yield

else:
    import termios

    @contextmanager
    def given_back_when_suspended(to: TextIO, leave: str, enter: str) -> Iterator[None]:
        """While suspended, give stdin its modes of now; then again those that it had.

        Before and after, ``leave`` and ``enter`` are written to the terminal. Main thread only.
        """
        usual = _modes()

        def suspend(number: int, _frame: object) -> None:
            held = _modes()
            _write(to, leave)
            _set_modes(usual)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)  # returns when it is continued
            signal.signal(number, suspend)
            _set_modes(held)
            _write(to, enter)

        before = signal.signal(signal.SIGTSTP, suspend)
        try:
            yield
        finally:
            signal.signal(signal.SIGTSTP, before)

    def _modes() -> termios._AttrReturn | None:
        try:
            return termios.tcgetattr(sys.stdin)
        except termios.error:  # it is no terminal
            return None

    def _set_modes(modes: termios._AttrReturn | None) -> None:
        if modes is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, modes)

    def _write(to: TextIO, text: str) -> None:
        """Write past the buffer of ``to``, in whose midst the signal may have come."""
        with suppress(OSError):
            os.write(to.fileno(), text.encode())
