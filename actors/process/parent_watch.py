"""The death of the process that started the runtime, as an event.

Either of two signs is enough: the end of the parent itself (pidfd, kqueue or process handle), or
the end of stdin when that is a pipe or a socket (Node's ``stdio: 'pipe'`` is a socket pair on
POSIX). Many shells let the runtime inherit their stdio, so that there is only the first.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from bundlevisor.actors.loop.reactor import Loop
from bundlevisor.actors.process import children

STDIN = 0
LOOK_EVERY = 0.5
"""Seconds between two looks at the parent while there is no loop."""


def watch_parent(loop: Loop, parent: int, on_end: Callable[[str], None]) -> None:
    """Call ``on_end`` with a reason once the parent is gone. ``parent`` is the pid at the start.

    A parent that was gone already (pid 0 or 1: init has adopted us) cannot be watched.
    """
    for starter in _starters(parent) if parent > 1 else ():
        children.watch_process(
            loop, starter, lambda: on_end("the process that started it has ended")
        )
    if _is_piped(STDIN):
        _watch_stdin(loop, lambda: on_end("its standard input has ended"))


@contextmanager
def ending_with(parent: int) -> Iterator[None]:
    """End this process at once, with 0, when either sign is seen within the block (POSIX).

    For a wait in which there is no loop yet, and nothing that would have to be stopped.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK_EVERY):
            if os.getppid() != parent or (_is_piped(STDIN) and _has_ended(STDIN)):
                os._exit(0)

    with suppress(RuntimeError):  # no more threads for this user: it is seen after the wait
        threading.Thread(target=look, name="parent", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _is_piped(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


if sys.platform == "win32":

    def _starters(parent: int) -> list[int]:
        """Return the parent, and the shell too where that started a launcher."""
        from bundlevisor.actors.process.windows.launcher import launchers, starters

        return starters(parent, launchers())

    def _has_ended(_fd: int) -> bool:
        """Return that nobody can tell without reading; Electron's children end with it by a job."""
        return False

    def _watch_stdin(_loop: Loop, ended: Callable[[], None]) -> None:
        """Read on a thread of its own: select(2) takes no pipe on Windows."""
        threading.Thread(target=_read_to_end, args=(ended,), name="stdin", daemon=True).start()

    def _read_to_end(ended: Callable[[], None]) -> None:
        try:
            while os.read(STDIN, 65536):
                pass
        except OSError:
            pass
        ended()

else:

    def _starters(parent: int) -> list[int]:
        """Return the parent: launchers become what they launch (execve)."""
        return [parent]

    def _has_ended(fd: int) -> bool:
        """Whether nobody can write to it any more; there may be something to read all the same."""
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return any(event & select.POLLHUP for _, event in poll.poll(0))

    def _watch_stdin(loop: Loop, ended: Callable[[], None]) -> None:
        def readable() -> None:
            try:
                data = os.read(STDIN, 65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                loop.unwatch(STDIN)
                ended()

        loop.call_soon(lambda: loop.watch(STDIN, readable))
