"""What becomes of the instance lock when somebody removes app-data while we run.

A lock on a removed file keeps nobody out: the next start would run everything a second time, and
no client would find us. So the lock and the files by which we are found are made again; where
somebody else has taken the lock meanwhile, we end in order.
"""

from __future__ import annotations

from collections.abc import Callable

from bundlevisor.actors.files.instance_lock import InstanceLock, LockUnavailable

TAKEN = "app-data was removed while this instance ran, and another instance has it now"


class LockKeeper:
    """Looks after the lock; one thread only."""

    def __init__(
        self,
        lock: InstanceLock,
        *,
        restore: Callable[[], object],
        warn: Callable[[str], object],
        give_up: Callable[[str], object],
    ) -> None:
        """``restore`` makes what lies beside the lock; it may raise OSError, and is called again.

        ``give_up`` is called once, with a reason, when the lock is somebody else's.
        """
        self._lock = lock
        self._restore = restore
        self._warn = warn
        self._give_up = give_up
        self._restored = True
        self._told = False
        self._lost = False

    def look(self) -> bool:
        """Take the lock again if its file is gone; return whether that was so. Never raises."""
        if self._lost or (self._restored and self._lock.stands()):
            return False
        try:
            if not self._lock.stands():
                self._restored = False
                if not self._lock.take_again():
                    self._lost = True
                    self._give_up(TAKEN)
                    return False
            self._restore()
        except (OSError, LockUnavailable) as error:
            if not self._told:
                self._warn(f"app-data was removed, and cannot be made again: {error}")
            self._told = True
            return False
        self._restored, self._told = True, False
        return True
