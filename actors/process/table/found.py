"""Processes that are found by their mark or session, and signalled by their number."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

LOOKS = 5
"""So often in a row it is looked who is there, while each ends before it is asked for more."""
KILL_AGAIN_S = 0.1
"""Seconds after which a kill is repeated: what was just being forked has appeared by then."""
UNKILLABLE_S = 3.0
"""Seconds for the kernel to end what was killed (uninterruptible sleep)."""
GUARDIAN_S = 30.0
"""Seconds for all that a guardian stops; a desktop's own shutdown does not wait longer."""
GRACE_S = 2.0
"""Seconds that a process has to end for which no time-out of a service speaks."""


class Found:
    """A living process; ``mark`` is empty when it was found by its session only.

    A plain class: the guardian uses it, and must not carry the memory of typing or msgspec.
    """

    __slots__ = ("created", "mark", "pid", "session")

    def __init__(self, pid: int, created: float, session: int, mark: str) -> None:
        self.pid = pid
        self.created = created
        self.session = session
        self.mark = mark

    def __repr__(self) -> str:
        return f"Found({self.pid}, {self.created}, {self.session}, {self.mark!r})"


def session_of(pid: int) -> int:
    """Return the session of a process; 0 when there is no such process, and on Windows."""
    if sys.platform != "win32":
        with suppress(OSError):
            return os.getsid(pid)
    return 0


def found_among(
    listed: Callable[[], Iterable[int]],
    mark_of: Callable[[int], str],
    birth_of: Callable[[int], float | None],
    prefix: str | tuple[str, ...],
    sessions: Container[int],
) -> list[Found]:
    """Return what lives and carries a mark with this beginning, or is in one of the sessions.

    Several beginnings are a tuple. The caller itself is never among them. An empty beginning is
    that of no mark. One that is ``listed`` may end before it is looked at, and leave a child: who
    is new in the next list is looked at as well.
    """
    found = []
    looked_at = {os.getpid()}
    for _ in range(LOOKS):
        gone = False
        for pid in [pid for pid in listed() if pid not in looked_at]:
            looked_at.add(pid)
            session, mark = session_of(pid), mark_of(pid) if prefix else ""
            gone = gone or not session
            if not mark.startswith(prefix):
                mark = ""
            if mark or session in sessions:
                birth = birth_of(pid)
                if birth is None:
                    gone = True
                else:
                    found.append(Found(pid, birth, session, mark))
        if not gone:
            break
    return found


def send_by_number(
    pid: int, created: float, number: int, alive: Callable[[int, float], bool]
) -> bool:
    """Send a signal to what has this pid, if that started then; False when it is gone.

    The comparison comes immediately before. Raises PermissionError for a process that changed its
    user.
    """
    if not alive(pid, created):
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
