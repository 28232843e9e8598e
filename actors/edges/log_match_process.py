"""The fallback where RE2 is not to be had: Python's engine in a process that can be ended.

A pattern that takes longer than 2 s for one piece of output is given up, with a sentence, and
never matches; the runtime and the log go on.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from actors.edges.log_search import LineSearch

PATIENCE = 2.0
"""Seconds for one piece of output, which is at most :data:`PENDING` long."""
START_PATIENCE = 30.0
"""Seconds for the process to come up; Python takes a tenth of one."""
PENDING = 256 * 1024
"""Bytes that wait for the process; what is older is not searched."""

_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z"}
_CLASSES |= {"space": r"\s", "word": r"\w", "xdigit": "0-9a-fA-F"}


def translate(pattern: str) -> re.Pattern[str]:
    """Compile RE2's syntax with Python's engine, as far as they agree; raises BadPattern."""
    from actors.edges.log_match import BadPattern

    text = pattern.replace(r"\z", r"\Z")
    for name, members in _CLASSES.items():
        text = text.replace(f"[:{name}:]", members)
    try:
        return re.compile(text, re.MULTILINE | re.ASCII)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(
            f"pattern {pattern!r} is not a regular expression that this platform can search:"
            f" {error}; install google-re2 for all of RE2's syntax"
        ) from None


class ProcessMatcher:
    """Python's engine in another process; the answers come late, by ``wake``."""

    def __init__(self, pattern: str, report: Callable[[str], None]) -> None:
        translate(pattern)
        self.wake: Callable[[], object] = lambda: None
        self._pattern = pattern
        self._report = report
        self._changed = threading.Condition()
        self._pending = b""
        self._found = False
        self._over = False
        self._thread = threading.Thread(target=self._run, name="log match", daemon=True)
        self._thread.start()

    def feed(self, data: bytes) -> bool:
        """Hand over more output; True when there has been a match in what came before."""
        with self._changed:
            if data and not self._over:
                self._pending = (self._pending + data)[-PENDING:]
                self._changed.notify()
            return self._found

    def close(self) -> None:
        """End the process, soon."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def _run(self) -> None:
        import multiprocessing

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, self._pattern), daemon=True)
        process.start()
        theirs.close()
        try:
            if ours.poll(START_PATIENCE):
                ours.recv_bytes()
                self._ask(ours)
        except (EOFError, OSError):
            self._give_up("its process has died")
        finally:
            process.kill()
            process.join()
            ours.close()

    def _ask(self, process: Any) -> None:
        while (text := self._next()) is not None:
            process.send_bytes(text)
            if not process.poll(PATIENCE):
                self._give_up(f"it took longer than {PATIENCE:g} s")
                return
            if process.recv_bytes() == b"1":
                with self._changed:
                    self._found = self._over = True
                self.wake()
                return

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._over)
            text, self._pending = self._pending, b""
            return None if self._over else text

    def _give_up(self, why: str) -> None:
        with self._changed:
            if self._over:
                return
            self._over = True
        self._report(f"pattern {self._pattern!r} is not searched for any more: {why}")


def serve(connection: Any, pattern: str) -> None:
    """Answer each piece of output by ``1`` (there has been a match) or ``0``: the other process."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    compiled = translate(pattern)
    lines = LineSearch(pattern, lambda text: bool(compiled.search(text.decode("utf-8", "replace"))))
    connection.send_bytes(b"ready")
    while True:
        try:
            text = connection.recv_bytes()
        except (EOFError, OSError):
            return
        connection.send_bytes(b"1" if lines.feed(text) else b"0")
