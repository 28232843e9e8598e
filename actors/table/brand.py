"""A mark that no program takes off: it survives setsid, double forks and a cleared environment.

RLIMIT_LOCKS has limited nothing since Linux 2.4.25 (getrlimit(2)), yet it is inherited by fork(2),
kept by execve(2), and can be read from outside. Set to a number made of the instance id in the
runtime, it is in everything that comes out of it. One prlimit(2) a process, about 1 us.

It says whose a process is, not of which service: it is for what nothing else finds once the runtime
is dead and cannot adopt any more. Linux only; elsewhere nothing is branded, and nothing found.
"""

from __future__ import annotations

import os
import sys

from actors.table.found import Found

if sys.platform == "linux":
    from actors.table.linux import alive, created, pids, session_of

    RLIMIT_LOCKS = 10
    """The same on every architecture; Python's ``resource`` has no name for it."""

    def brand(pid: int, born: float, instance_id: str) -> None:
        """Brand a process, and what it starts from now on; nothing happens where that is refused.

        A pid that was freed just now is not given out again before all others have been, so the
        comparison holds for the call that follows it.
        """
        if alive(pid, born):
            _set(pid, _number(instance_id))

    def clear() -> None:
        """Take the brand off this process: what it does is not to be ended with the rest."""
        import resource

        _set(0, resource.RLIM_INFINITY)

    def is_branded(pid: int, instance_id: str) -> bool:
        """Whether a process (0: this one) came out of this instance."""
        return _get(pid) == _number(instance_id)

    def branded(instance_id: str) -> list[Found]:
        """Return what lives and came out of this instance; never the caller."""
        found = []
        for pid in pids():
            if pid == os.getpid() or not is_branded(pid, instance_id):
                continue
            born = created(pid)
            # Looked at again: the start time is that of the branded one, not of a successor.
            if born is not None and alive(pid, born) and is_branded(pid, instance_id):
                found.append(Found(pid, born, session_of(pid), f"{instance_id}-"))
        return found

    def _number(instance_id: str) -> int:
        """Return 61 bits: a limit that nobody sets by chance."""
        return int.from_bytes(instance_id.encode(), "big") % (2**61 - 1)

    def _get(pid: int) -> int | None:
        import resource

        try:
            return resource.prlimit(pid, RLIMIT_LOCKS)[0]
        except (OSError, ValueError):
            return None  # gone, of another user, or a sandbox without prlimit(2)

    def _set(pid: int, number: int) -> None:
        import resource

        try:
            _, most = resource.prlimit(pid, RLIMIT_LOCKS)
            resource.prlimit(pid, RLIMIT_LOCKS, (number, most))
        except (OSError, ValueError):
            return  # as above, or a lower hard limit than anybody sets

else:

    def brand(pid: int, born: float, instance_id: str) -> None:
        """Do nothing."""

    def clear() -> None:
        """Do nothing."""

    def is_branded(pid: int, instance_id: str) -> bool:  # noqa: ARG001
        """Return that it is not."""
        return False

    def branded(instance_id: str) -> list[Found]:  # noqa: ARG001
        """Return nothing."""
        return []
