"""Python's engine in a process that can be ended: for what RE2 does not take, or is not there for.

A pattern that takes longer than 2 s for one piece of output is given up, with a sentence, and
never matches; the runtime and the log go on.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

from bundlevisor.actors.logs.line_search import LineSearch
from bundlevisor.actors.logs.match_backlog import Backlog

PATIENCE = 2.0
"""Seconds for one piece of output."""
START_PATIENCE = 30.0
"""Seconds for the process to come up; Python takes a tenth of one."""


def translate(pattern: str) -> re.Pattern[str]:
    """Compile RE2's syntax with Python's engine, as far as they agree."""
    from bundlevisor.manifest.format.pattern import to_python

    return re.compile(to_python(f"(?m){pattern}"))


class ProcessMatcher:
    """Python's engine in another process; the answers come late, by ``wake``."""

    def __init__(self, pattern: str, report: Callable[[str], None]) -> None:
        _check(pattern)
        self.wake: Callable[[], object] = lambda: None
        self._pattern = pattern
        self._report = report
        self._backlog = Backlog()
        self._thread = threading.Thread(target=self._run, name="log match", daemon=True)
        self._thread.start()

    def feed(self, data: bytes) -> bool:
        """Hand over more output; True when there has been a match in what came before."""
        return self._backlog.feed(data)

    def close(self) -> None:
        """End the process, soon."""
        self._backlog.close()

    def _run(self) -> None:
        try:
            self._search()
        except OSError as error:
            self._give_up(str(error))

    def _search(self) -> None:
        from multiprocessing.connection import Pipe

        from bundlevisor.actors.process.interpreter import InterpreterProcess
        from bundlevisor.actors.process.own_children import starting

        ours, theirs = Pipe()
        process = InterpreterProcess(target=serve, args=(theirs, self._pattern), daemon=True)
        with starting():
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
        while (text := self._backlog.next()) is not None:
            process.send_bytes(text)
            if not process.poll(PATIENCE):
                self._give_up(f"it took longer than {PATIENCE:g} s")
                return
            if process.recv_bytes() == b"1":
                self._backlog.match()
                self.wake()
                return

    def _give_up(self, why: str) -> None:
        if self._backlog.close():
            self._report(f"pattern {self._pattern!r} is not searched for any more: {why}")


def _check(pattern: str) -> None:
    """Raise ValueError for what Python cannot search either."""
    from bundlevisor.manifest.format.pattern import why_refused

    refused, _ = why_refused(pattern)
    if refused:
        raise ValueError(
            f"pattern {pattern!r} is not a regular expression that this platform can search:"
            f" {refused}; install google-re2 for all of RE2's syntax"
        )


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
