"""What the guardian does to files, in order and beside its work: a disk may hang.

Nobody is left behind because a log cannot be written: processes are asked, waited for and killed
whatever becomes of the files.
"""

from __future__ import annotations

import threading
from collections import deque

from bundlevisor.actors.guardian import system

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[], object]

MOST = 64 << 20
"""Bytes that may wait for the disk."""
PATIENCE = 5.0
"""Seconds that the end waits for it, beyond the time that it takes to stop everything."""


PROMPT = 0.25
"""Seconds after which a disk that has not done what it was given is said to hang."""


class Here:
    """Does everything at once, on the calling thread: where there is no other."""

    def do(self, act: Act, size: int = 0) -> bool:  # noqa: ARG002 - as of a Disk
        """Do it."""
        act()
        return True

    def run(self, act: Act) -> bool:
        """Do it."""
        return self.do(act)


class Disk:
    """Does what it is given, one after the other, on a thread that nobody need wait for."""

    def __init__(self) -> None:
        self._acts: deque[tuple[Act, int] | None] = deque()
        self._waiting = 0
        self._hangs = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="disk", daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # no more threads for this user
            self._thread = None

    def do(self, act: Act, size: int = 0) -> bool:
        """Have something done that holds ``size`` bytes; False when too much waits already."""
        if self._thread is None:
            return Here().do(act)
        with self._changed:
            if self._waiting + size > MOST:
                return False
            self._acts.append((act, size))
            self._waiting += size
            self._changed.notify()
        return True

    def run(self, act: Act) -> bool:
        """Have something done, and wait for it; False when it is not, because the disk hangs.

        It may be done later all the same, and has to see for itself whether it still should.
        """
        if self._thread is None:
            return Here().do(act)
        if self._hangs:
            return False
        done = threading.Event()
        self.do(lambda: _telling(act, done))
        self._hangs = not done.wait(PROMPT)
        return not self._hangs

    def finish(self, timeout: float = PATIENCE) -> bool:
        """Whether all that was given is done within ``timeout`` seconds; nothing comes after it."""
        if self._thread is None:
            return True
        with self._changed:
            self._acts.append(None)
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._acts:
                    self._changed.wait()
                entry = self._acts.popleft()
            if entry is None:
                return
            act, size = entry
            try:
                act()
            except Exception as error:  # noqa: BLE001 - what follows is done all the same
                system.tell_system_log(f"the guardian failed at a file: {error!r}")
            with self._changed:
                self._waiting -= size
                self._hangs = self._hangs and bool(self._acts)


def _telling(act: Act, done: threading.Event) -> None:
    try:
        act()
    finally:
        done.set()
