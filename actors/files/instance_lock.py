"""One instance per app-data folder: a lock of the operating system on ``runtime/lock``.

The lock ends with its holder, however that ends; a file that nobody locks is no obstacle, and is
never removed, because a new one under the same name would be a second lock.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from bundlevisor.actors.files import instance, own_file
from bundlevisor.manifest.format.app_data import LOCK, below

if sys.platform == "win32":
    from bundlevisor.actors.files.lock_windows import acquire, release
else:
    from bundlevisor.actors.files.lock_posix import acquire, release

SIGNED = 96
"""Bytes that there may be in the file: a pid, and what its process has said of itself."""
PATIENCE = 0.5
"""Seconds that a second starter gives the first to write its record, so that it can be named, or to
say that it is stopping, if it was asked to a moment ago."""
LOOK_EVERY = 0.02
"""Seconds between two tries of who waits."""

REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "make room there, or take another --app-data"),
    **dict.fromkeys(
        (errno.EROFS, errno.EIO, errno.ESTALE), "put that disk right, or take another --app-data"
    ),
    errno.EMFILE: "raise the limit (ulimit -n, or the service manager's)",
    errno.ENFILE: "end programs that have many files open",
}


class Holder(msgspec.Struct, frozen=True):
    """What the lock's file says of who took it last: its pid, and at most one of the others."""

    pid: int | None = None
    guardian: tuple[int, float] | None = None
    """Pid and create time of its guardian, from when that has charge; before, of the last one's."""
    stopping_s: float | None = None
    """How many seconds it takes at most to end, once it is about to."""

    def written(self) -> bytes:
        """Return what :func:`read_holder` makes this of."""
        words: tuple[object, ...] = (self.pid,)
        if self.guardian is not None:
            words += ("guardian", *self.guardian)
        elif self.stopping_s is not None:
            words += ("stopping", f"{self.stopping_s:g}")
        return " ".join(map(str, words)).encode()


NOBODY_KNOWN = Holder()
Announce = Callable[[Holder], object]


class InstanceRunning(Exception):
    """Another instance holds the lock; ``pid`` and ``port`` are None where it has not said yet."""

    def __init__(
        self, app_data: str, pid: int | None, port: int | None, *, stopping: bool = False
    ) -> None:
        who = [f"pid {pid}"] if pid else []
        who += [f"port {port}"] if port else []
        named = f" ({', '.join(who)})" if who else ""
        does = "was to stop, and still runs" if stopping else "runs"
        super().__init__(f"another instance{named} {does} on {app_data}")


class LockUnavailable(Exception):
    """The lock can be neither taken nor refused: a read-only or remote folder, no permission."""


class InstanceLock:
    """The lock, held until :meth:`release` or the end of the process.

    Spawned programs do not inherit ``fd``. A forked child shares the lock until it closes it.
    """

    def __init__(self, fd: int, app_data: str, before: Holder = NOBODY_KNOWN) -> None:
        """``before`` is who held it last: of its guardian, before an instance is on record, the
        next one knows by nothing else."""
        self.fd = fd
        self._app_data = app_data
        self.before = before

    def stands(self) -> bool:
        """Whether the lock's file has not been removed: a lock on no file keeps nobody out."""
        try:
            return _is_named(self.fd, lock_path(self._app_data))
        except OSError:
            return True  # nobody can tell

    def take_again(self) -> bool:
        """Lock the file that there is now, or a new one; False when somebody else has it.

        Raises LockUnavailable.
        """
        path = lock_path(self._app_data)
        with _explained(path):
            locked = _locked(path)
        if locked is None:
            return False
        self.release()
        self.fd, _ = locked
        return True

    def say_guarded(self, pid: int, created: float) -> None:
        """Have the next one know of our guardian, by its pid and create time."""
        _sign(self.fd, Holder(os.getpid(), guardian=(pid, created)))

    def say_stopping(self, seconds: float) -> None:
        """Have those who want the lock wait for it, as it will be free in so many seconds."""
        _sign(self.fd, Holder(os.getpid(), stopping_s=seconds))

    def release(self) -> None:
        """Let go; again is no error."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            with suppress(OSError):
                release(fd)
            os.close(fd)


def read_holder(content: bytes) -> Holder:
    """Return what the file says; of words that another version has, only whose they are."""
    try:
        match content.split():
            case [pid, b"guardian", guardian, created]:
                return Holder(int(pid), guardian=(int(guardian), float(created)))
            case [pid, b"stopping", seconds]:
                return Holder(int(pid), stopping_s=float(seconds))
            case [pid, *_]:
                return Holder(int(pid))
    except ValueError:
        pass
    return NOBODY_KNOWN


def lock_path(app_data: str) -> str:
    """Where the lock of an app-data folder lies."""
    return below(app_data, LOCK)


def signed_by(app_data: str) -> int | None:
    """Return the pid of who took the lock last, whether that still runs or not; None for nobody."""
    return _holder(lock_path(app_data)).pid


def stopping(app_data: str) -> int | None:
    """Return the pid of who took the lock last and said that it stops; None for nobody."""
    holder = _holder(lock_path(app_data))
    return None if holder.stopping_s is None else holder.pid


def take(app_data: str, announce: Announce | None = None) -> InstanceLock:
    """Take the lock, or raise InstanceRunning or LockUnavailable, both with a sentence.

    An instance that is stopping is waited for, as long as it has said that it takes at most;
    ``announce`` is told once. One that runs is refused within half a second.
    """
    path = lock_path(app_data)
    with _explained(path):
        fd, before = _locked(path) or _await_end(app_data, path, announce)
    return InstanceLock(fd, app_data, before)


@contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except own_file.Unfit as unfit:
        raise LockUnavailable(f"cannot lock {path}: {unfit.strerror}; remove it.") from unfit
    except OSError as error:
        do = REMEDIES.get(error.errno or 0, "is the folder local and writable?")
        raise LockUnavailable(f"cannot lock {path}: {error.strerror or error}; {do}") from error


def _await_end(app_data: str, path: str, announce: Announce | None) -> tuple[int, Holder]:
    """Return what :func:`_locked` does once the holder has ended; InstanceRunning if it has not."""
    from bundlevisor.actors.loop.working_time import WorkingTime  # few starts have to wait

    clock, awaited = WorkingTime(), NOBODY_KNOWN  # what has held us up has held up the other
    deadline = clock.now() + PATIENCE
    while (locked := _locked(path)) is None:
        holder = _holder(path)
        if holder not in (awaited, NOBODY_KNOWN):
            awaited = holder
            deadline = clock.now() + (holder.stopping_s or PATIENCE)
            if announce and holder.stopping_s is not None:
                announce(holder)
        if clock.now() >= deadline:
            record = instance.peek(app_data)
            port = record.port if record is not None and record.pid == holder.pid else None
            stopping = awaited.stopping_s is not None
            raise InstanceRunning(app_data, holder.pid, port, stopping=stopping)
        time.sleep(LOOK_EVERY)
    return locked


def _locked(path: str) -> tuple[int, Holder] | None:
    """Return a locked descriptor of the file that the path names now, and who held it before.

    None when it is taken.
    """
    while True:
        fd = own_file.open_to_change(path)
        try:
            if not acquire(fd):
                os.close(fd)
                return None
            if _is_named(fd, path):
                before = read_holder(os.read(fd, SIGNED))
                # Until we are guarded ourselves: we may be ended as we wait for that guardian.
                _sign(fd, Holder(os.getpid(), guardian=before.guardian))
                return fd, before
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _sign(fd: int, holder: Holder) -> None:
    with suppress(OSError):  # on a full disk the lock holds all the same
        os.ftruncate(fd, 0)
        os.lseek(fd, 0, os.SEEK_SET)
        os.write(fd, holder.written())


def _is_named(fd: int, path: str) -> bool:
    """Whether the file was not replaced between opening and locking it."""
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False


def _holder(path: str) -> Holder:
    try:
        return read_holder(own_file.read(path, SIGNED))
    except OSError:
        return NOBODY_KNOWN
