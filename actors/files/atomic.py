"""Files that are whole at every moment: written beside, synced, renamed; or set aside when not."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from bundlevisor.actors.files import own_file

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import replace, sync, sync_folder
else:
    from bundlevisor.actors.files.files_posix import replace, sync, sync_folder

T = TypeVar("T")

MARK = b"\xef\xbb\xbf"
"""What some editors put in front of UTF-8, by which somebody changed a state file by hand."""


class Useless(OSError):
    """What stands in a state file is not what was written there; ``strerror`` says why."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(errno.EINVAL, reason, path)


def unheard(what: str) -> None:
    """For callers that do not want to be told: of files set aside, or about to be renamed."""


def write(
    path: str,
    data: bytes,
    *,
    durable: bool = True,
    making: Callable[[str], object] = unheard,
    announce: Callable[[str], object] = unheard,
) -> None:
    """Replace the file by ``data``; a reader, or a crash, sees all of the old or all of the new.

    It is for the user alone (0600) from its first byte on, and so are missing folders (0700).
    ``durable`` also outlives a power cut: file and folder are synced, which takes milliseconds.
    ``making`` is called with the path of the new file, which nobody else has, before it is there.
    ``announce`` is called with it when that is written, and is about to be renamed: whoever is to
    know of it knows before it is there.
    Raises OSError, and leaves nothing beside the file then.
    """
    own_file.make_folder(os.path.dirname(os.path.abspath(path)))
    with replacing(path, 0o600, durable=durable, making=making, announce=announce) as fd:
        write_all(fd, data)


@contextmanager
def replacing(
    path: str,
    mode: int,
    *,
    making: Callable[[str], object],
    durable: bool = True,
    announce: Callable[[str], object] = unheard,
) -> Iterator[int]:
    """Yield the descriptor of a new file, which takes the other's place at the end of the block."""
    beside = own_file.name_beside(path)
    making(beside)
    try:
        fd = own_file.make(beside, mode=mode)
        try:
            yield fd
            if durable:
                sync(fd)
        finally:
            os.close(fd)
        announce(beside)
        replace(beside, path)
    except BaseException as error:
        _unlink(beside)
        if isinstance(error, OSError) and error.filename2 is None:
            error.filename = path  # it has none from a descriptor, and another from the new file
        raise
    if durable:
        sync_folder(os.path.dirname(beside))


def write_all(fd: int, data: bytes) -> None:
    """Write all of it, however much the system takes at once."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def remove_half_written(folder: str, older_than: float = 0.0, of: str = "") -> None:
    """Remove what writers left in a folder when they were killed.

    It may be half of a file with secrets, and nobody else would ever remove it. ``older_than`` are
    seconds since its last change; 0 is for a folder where nobody writes now, or nobody the one file
    ``of`` this name.
    """
    newest = time.time() - older_than
    with suppress(OSError):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if of and name.rsplit(".", 2)[0] != f".{of}":
                continue
            if is_half_written(name) and (not older_than or os.stat(path).st_mtime < newest):
                _unlink(path)


def is_half_written(name: str) -> bool:
    """Whether it is a name that :func:`write` gives: ``.NAME.<12 hexadecimal digits>.new``."""
    stem, _, unique = name.removesuffix(own_file.NEW).rpartition(".")
    return (
        name.endswith(own_file.NEW)
        and stem.startswith(".")
        and len(stem) > 1
        and len(unique) == 2 * own_file.UNIQUE_BYTES
        and not unique.strip("0123456789abcdef")
    )


def read(path: str, *, follow: bool = True) -> bytes:
    """Return a state file, without a byte order mark at its beginning. OSError."""
    return own_file.read(path, follow=follow).removeprefix(MARK)


def read_or_set_aside(
    path: str, parse: Callable[[bytes], T], *, now: float | None = None
) -> tuple[T | None, str | None]:
    """Return what ``parse`` makes of the file, or None and a sentence that says what is wrong.

    A file that cannot be read, is empty, or that ``parse`` refuses by any exception is renamed to
    ``<name>.corrupt-<UTC time>``: nothing is lost, and nothing stops the start. A missing file is
    (None, None). ``now`` is seconds since the epoch.
    """
    try:
        return read_or_refuse(path, parse, now=now)
    except OSError as error:
        return None, set_aside(path, error, time.time() if now is None else now)


def read_or_refuse(
    path: str, parse: Callable[[bytes], T], *, now: float | None = None
) -> tuple[T | None, str | None]:
    """As :func:`read_or_set_aside`, where it would cost the user's data to go on without the file.

    Raises OSError, and leaves it alone, where it is there and cannot be read: another user's, no
    descriptor, a disk that fails. What stands in it may be right.
    """
    try:
        return read_or_fail(path, parse), None
    except (own_file.Unfit, Useless) as error:
        return None, set_aside(path, error, time.time() if now is None else now)


def read_or_fail(path: str, parse: Callable[[bytes], T]) -> T | None:
    """Return what ``parse`` makes of the file, None where there is none; it is left alone.

    Raises OSError, with ``path`` in it, for whatever else there is: Useless for what is empty, or
    what ``parse`` refuses by any exception.
    """
    try:
        data = read(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        error.filename = path
        raise
    if not data.strip(b" \t\r\n\0"):
        raise Useless("it is empty", path)
    try:
        return parse(data)
    except Exception as error:  # noqa: BLE001 - whatever a parser raises, the file is of no use
        raise Useless(str(error), path) from None


def set_aside(path: str, why: Exception, now: float) -> str:
    """Rename what is of no use to ``<name>.corrupt-<UTC time>``; return a sentence that says so.

    A link itself is renamed, not what it leads to. ``now`` is seconds since the epoch.
    """
    reason = why.strerror if isinstance(why, OSError) and why.strerror else str(why)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    aside = f"{path}.corrupt-{stamp}"
    count = 1
    while os.path.lexists(aside):
        count += 1
        aside = f"{path}.corrupt-{stamp}-{count}"
    try:
        replace(path, aside)
    except OSError as error:
        return (
            f"{path} could not be used ({reason}) nor set aside ({error.strerror});"
            " going on without it"
        )
    return f"{path} could not be used ({reason}); it was set aside as {os.path.basename(aside)}"


def _unlink(path: str) -> None:
    try:
        own_file.remove(path)
    except OSError:
        return
