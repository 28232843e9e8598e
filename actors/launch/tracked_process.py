"""A process tree whose output is logged and that the guardian knows, from its spawn to its end.

Services, the servers of their pages and their migrations are all started, watched and ended in this
way; what they differ in is how they are spawned, and how they are asked to stop.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bundlevisor.actors.logs import pipes

if TYPE_CHECKING:
    from bundlevisor.actors.guardian.guarded import GuardedProcess
    from bundlevisor.actors.guardian.interface import Guardian
    from bundlevisor.actors.logs.progress_lines import OnProgress
    from bundlevisor.actors.logs.redact import Redactor
    from bundlevisor.actors.logs.stream import LogStream
    from bundlevisor.actors.loop.reactor import Loop
    from bundlevisor.actors.process.process_tree import ProcessTree

Exited = Callable[[int, str], object]
"""Called with the exit status and the last lines of the log."""

LOG_PATIENCE = 0.5
"""Seconds that an exit waits for the last lines of its log."""
LOOK_AGAIN, LONGEST = 0.005, 0.1
"""Seconds between two looks at a tree that is ending, at first and at most."""


def until_next_look(waited: float) -> float:
    """Return in how many seconds to look again at a tree that is ending: the last exit is no event.

    After a twentieth of the ``waited`` seconds. What will not end (another user's, or on a disk
    that hangs) may be there for hours.
    """
    return min(max(waited / 20, LOOK_AGAIN), LONGEST)


class TrackedProcess:
    """Owned by who starts it, until nothing of the tree is left and it is closed."""

    def __init__(self, instance: str, loop: Loop, log: LogStream, guardian: Guardian) -> None:
        self.instance = instance
        self.child: ProcessTree | None = None
        """The leader; None before the spawn and once closed."""
        self._loop = loop
        self._log = log
        self._guardian = guardian

    def start(
        self,
        guarded: GuardedProcess,
        redactor: Redactor | None,
        spawn: Callable[[int], ProcessTree],
        *,
        starts: bool = True,
        on_progress: OnProgress | None = None,
    ) -> ProcessTree:
        """Connect the log, tell the guardian, and ``spawn`` with the descriptor to write to.

        Raises what ``spawn`` raises, and OSError where there is no pipe; then nothing is left.
        ``starts``: in the log it is another run of the service. ``on_progress`` hears of lines that
        say how far it is.
        """
        read, write = pipes.make()
        try:
            self._guardian.expect(guarded, read)
            self._log.attach(read, self.instance, redactor, starts=starts, on_progress=on_progress)
            read = -1
            child = self.child = spawn(write)
        except BaseException:
            self._log.detach(self.instance)
            self._guardian.forget(self.instance)
            raise
        finally:
            os.close(write)
            if read >= 0:
                os.close(read)
        self._guardian.spawned(self.instance, child.pid, child.created, child.session)
        return child

    def adopt(self, child: ProcessTree) -> None:
        """Take over a tree whose owner broke."""
        self.child = child
        self.instance = child.instance

    def on_exit(self, exited: Exited) -> None:
        """Have the leader's exit told with the last lines of the log, which are read first."""
        child = self.child
        if child is None:
            return

        def ended() -> None:
            code = child.poll()
            self.read_first(partial(exited, 255 if code is None else code))

        child.watch_exit(self._loop, ended)

    def read_first(self, then: Callable[[str], object]) -> None:
        """Call ``then`` with the last lines of the log once all that is written by now is read.

        A disk that hangs delays it by LOG_PATIENCE at most: then with what has been read so far. On
        the loop's thread.
        """
        telling = _Once(then)

        def waited() -> None:
            telling(self._log.tail(self.instance))

        patience = self._loop.call_at(time.monotonic() + LOG_PATIENCE, waited)

        def drained(last_lines: bytes) -> None:
            patience.cancel()
            telling(last_lines)

        self._log.drain(self.instance, drained)

    def poll(self) -> int | None:
        """Return the leader's exit status, negative for a signal; None while it runs."""
        return None if self.child is None else self.child.poll()

    def is_over(self) -> bool:
        """Whether nothing of the tree is left."""
        child = self.child
        return child is None or (child.poll() is not None and not child.survivors())

    def kill(self) -> None:
        """End every process of the tree at once."""
        if self.child is not None:
            self.child.kill()

    def end(self, signal_name: str, grace: float, pause: Callable[[float], object]) -> None:
        """Ask what is left to stop, kill it after ``grace`` seconds, wait until nothing is left.

        Blocks, ``pause`` by ``pause``: not for an actor.
        """
        asked = time.monotonic()
        if self.child is not None and not self.is_over():
            self.child.ask_to_stop(signal_name)
        while not self.is_over():
            waited = time.monotonic() - asked
            if waited >= grace:
                self.kill()
            pause(until_next_look(waited))

    def close(self, done: Callable[[], object] | None = None) -> None:
        """Nothing of the tree is left: read its last lines, then have the guardian forget it.

        The guardian holds the pipe as well, until all that is in it has been read.
        """
        self._log.detach(self.instance, partial(self._closed, done))
        child, self.child = self.child, None
        if child is not None:
            child.close()

    def _closed(self, done: Callable[[], object] | None) -> None:
        self._guardian.forget(self.instance)
        if done is not None:
            done()


class _Once:
    """Goes on at the first call: with the last lines, or with less when they take too long."""

    def __init__(self, then: Callable[[str], object]) -> None:
        self._then = then
        self._first = threading.Lock()

    def __call__(self, lines: bytes) -> None:
        if self._first.acquire(blocking=False):
            self._then(lines.decode("utf-8", "replace"))
