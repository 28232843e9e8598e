"""The file that holds a bundle: read once, bounded, and never waited for."""

from __future__ import annotations

import errno
import os
import stat

LIMIT = 16 * 1024 * 1024
"""The largest ``bundle.json`` that is read, in bytes. Fifty services take about 100 KiB."""

_AT_ONCE = 1 << 20
"""Bytes, which are there for as long as they are read."""

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)  # opening a FIFO would wait for its writer
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_REASONS: dict[int | None, tuple[str, str]] = {
    errno.ENOENT: ("manifest_missing", "there is no such file; check the path"),
    errno.ENOTDIR: ("manifest_missing", "a part of the path is no folder; check the path"),
    errno.EISDIR: ("manifest_not_a_file", "it is a folder; name the bundle.json in it"),
    errno.ELOOP: ("manifest_unreadable", "its links lead in a circle; mend them"),
    errno.ENAMETOOLONG: ("manifest_missing", "the path is too long for this system"),
    errno.ENXIO: ("manifest_not_a_file", "it is no regular file; name a bundle.json"),
    errno.EACCES: ("manifest_unreadable", "it must not be read; check its permissions"),
    errno.EPERM: ("manifest_unreadable", "it must not be read; check its permissions"),
}


class SourceRefused(OSError):
    """The file cannot be used; ``code`` is a finding's code, the message a sentence."""

    def __init__(self, code: str, path: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"cannot read the bundle {path!r}: {reason}.")


def read_bytes(path: str, limit: int = LIMIT) -> bytes:
    """Return what the file holds. Raises SourceRefused: never hangs, never reads over ``limit``."""
    try:
        return _read(path, limit)
    except SourceRefused:
        raise
    except OSError as error:
        # Windows says EACCES of a folder.
        number = errno.EISDIR if os.path.isdir(path) else error.errno
        fallback = ("manifest_unreadable", f"{error.strerror}".lower())
        code, reason = _REASONS.get(number, fallback)
        raise SourceRefused(code, path, reason) from error
    except ValueError as error:
        raise SourceRefused("manifest_missing", path, "that is no possible path") from error


def _read(path: str, limit: int) -> bytes:
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            code, reason = _REASONS[errno.EISDIR]
            raise SourceRefused(code, path, reason)
        if not stat.S_ISREG(status.st_mode):
            raise SourceRefused(
                "manifest_not_a_file", path, "it is no regular file; name a bundle.json"
            )
        if status.st_size > limit:
            raise _too_large(path, limit)
        return _read_all(descriptor, path, limit)
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, path: str, limit: int) -> bytes:
    """Read to the end; a file may be longer than its status said (it grows, or lies in /proc)."""
    chunks: list[bytes] = []
    left = limit + 1
    while chunk := os.read(descriptor, min(left, _AT_ONCE)):
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        raise _too_large(path, limit)
    return b"".join(chunks)


def _too_large(path: str, limit: int) -> SourceRefused:
    reason = f"it is larger than {limit // (1024 * 1024)} MiB; name the bundle.json itself"
    return SourceRefused("manifest_too_large", path, reason)
