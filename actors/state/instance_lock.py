"""One instance per app-data folder: a lock of the operating system on ``runtime/lock``.

The lock ends with its holder, however that ends; a file that nobody locks is no obstacle, and is
never removed, because a new one under the same name would be a second lock.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from actors.state import atomic, instance, own_file

if sys.platform == "win32":
    from actors.state.lock_windows import acquire, release
else:
    from actors.state.lock_posix import acquire, release

PATIENCE = 0.5
"""Seconds that a second starter gives the first to write its record, so that it can be named."""


class InstanceRunning(Exception):
    """Another instance holds the lock; ``pid`` and ``port`` are None where it has not said yet."""

    def __init__(self, app_data: str, pid: int | None, port: int | None) -> None:
        who = [f"pid {pid}"] if pid else []
        who += [f"port {port}"] if port else []
        named = f" ({', '.join(who)})" if who else ""
        super().__init__(f"another instance{named} runs on {app_data}")
        self.pid = pid
        self.port = port


class LockUnavailable(Exception):
    """The lock can be neither taken nor refused: a read-only or remote folder, no permission."""


class InstanceLock:
    """The lock, held until :meth:`release` or the end of the process.

    Spawned programs do not inherit ``fd``. A forked child shares the lock until it closes it.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def release(self) -> None:
        """Let go; again is no error."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with suppress(OSError):
                release(fd)
            os.close(fd)


def lock_path(app_data: str) -> str:
    """Where the lock of an app-data folder lies."""
    return os.path.join(app_data, "runtime", "lock")


def take(app_data: str) -> InstanceLock:
    """Take the lock at once, or raise InstanceRunning or LockUnavailable, both with a sentence."""
    path = lock_path(app_data)
    try:
        atomic.make_folder(os.path.dirname(path))
        fd = _locked(path)
    except own_file.Unfit as unfit:
        raise LockUnavailable(f"cannot lock {path}: {unfit.strerror}; remove it.") from unfit
    except OSError as error:
        raise LockUnavailable(
            f"cannot lock {path}: {error.strerror or error}; is the folder local and writable?"
        ) from error
    if fd is None:
        raise _running(app_data)
    return InstanceLock(fd)


def _locked(path: str) -> int | None:
    """Return a locked descriptor of the file that the path names now; None when it is taken."""
    while True:
        fd = own_file.open_to_change(path)
        try:
            if not acquire(fd):
                os.close(fd)
                return None
            if _is_named(fd, path):
                _sign(fd)
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _sign(fd: int) -> None:
    with suppress(OSError):  # on a full disk the lock holds all the same
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, str(os.getpid()).encode())


def _is_named(fd: int, path: str) -> bool:
    """Whether the file was not replaced between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _running(app_data: str) -> InstanceRunning:
    """Name the holder: its pid stands in the lock file, the port in its record."""
    deadline = time.monotonic() + PATIENCE
    while True:
        pid = _holder(lock_path(app_data))
        record = instance.peek(app_data)
        if record is not None and record.pid == pid:
            return InstanceRunning(app_data, pid, record.port)
        if time.monotonic() >= deadline:
            return InstanceRunning(app_data, pid, None)
        time.sleep(0.02)


def _holder(path: str) -> int | None:
    try:
        return int(own_file.read(path, 20))
    except (OSError, ValueError):
        return None
