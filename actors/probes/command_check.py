"""One health check by a command."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from bundlevisor.actors.process import children
from bundlevisor.actors.process.exit_reason import describe_exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.loop.reactor import Loop, Timer


AGAIN, LONGEST = 0.01, 10.0
"""Seconds to the next look for what is left of a command, doubling, and until none is left to do:
a process that changed its user, or one in the middle of a system call."""


class CommandCheck:
    """Well when a command exits with 0 in time. Its tree ends with it, or with the time-out.

    Also what it has put into a session of its own: a helper that each check starts would pile up.
    OSError where there is no descriptor to start it by, no memory, or no more processes.
    """

    def __init__(
        self,
        loop: Loop,
        argv: list[str],
        env: dict[str, str],
        cwd: str,
        timeout: float,
        answer: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._answer: Callable[[str], None] | None = answer
        self._child: children.Child | None = None
        self._deadline: Timer | None = None
        with open(os.devnull, "wb") as nothing:
            launch = children.SpawnRequest(
                argv=tuple(argv), env=env, cwd=cwd, output=nothing.fileno(), instance=""
            )
            try:
                self._child = children.spawn(launch)
            except (OSError, ValueError) as error:
                if getattr(error, "errno", None) in children.SHORTAGES:
                    raise
                reason = _why_not_run(argv[0], error)
                loop.call_soon(lambda: self._finish(reason))
                return
        self._deadline = loop.call_at(time.monotonic() + timeout, self._expired)
        self._child.watch_exit(loop, lambda: loop.call_soon(self._ended))

    def cancel(self) -> None:
        """Stop asking, and end the command."""
        self._answer = None
        if self._child is not None:
            self._child.kill()

    def _expired(self) -> None:
        """Say that it is late, unless it has ended while the loop was busy and did not look."""
        self._ended()
        if self._child is not None:
            self._child.kill()
        self._finish("health command did not end in time")

    def _ended(self) -> None:
        if self._child is None:
            return
        code = self._child.poll()
        if code is None:
            return
        child, self._child = self._child, None
        self._clear(child, AGAIN)
        self._finish("" if code == 0 else f"health command: {describe_exit(code)}")

    def _clear(self, child: children.Child, patience: float) -> None:
        """Kill what is left of the tree, until nothing is."""
        if child.survivors() and patience < LONGEST:
            child.kill()
            due = time.monotonic() + patience
            self._loop.call_at(due, lambda: self._clear(child, patience * 2))
        else:
            child.close()

    def _finish(self, trouble: str) -> None:
        answer, self._answer = self._answer, None
        if self._deadline is not None:
            self._deadline.cancel()
        if answer is not None:
            answer(trouble)


def _why_not_run(program: str, error: Exception) -> str:
    from bundlevisor.actors.process import binary
    from bundlevisor.manifest.format.platform import current_key

    if not os.path.isfile(program):
        return f"the program of its health command is not there: {program}"
    if not isinstance(error, OSError):
        return f"health command: {error}"
    return f"health command: {binary.why_refused(program, error, current_key())}"
