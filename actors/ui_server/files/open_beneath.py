"""Files below a folder, without following a link on the way.

A path that was resolved a moment ago may lead elsewhere by now: whoever turns a folder into a link
just then must not be able to have another file sent.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

_FILE = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a named pipe would wait for a writer
)
_LED_ASTRAY = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)

if sys.platform == "win32":

    def status(root: str, names: tuple[str, ...]) -> os.stat_result:
        """Return the status of a file; OSError."""
        path = os.path.join(root, *names)
        found = os.stat(path)
        _is_itself(path)
        return found

    def opened(root: str, names: tuple[str, ...]) -> int:
        """Open a file; FileNotFoundError also for what leads elsewhere, OSError."""
        path = os.path.join(root, *names)
        descriptor = os.open(path, _FILE)
        try:
            _is_itself(path)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _is_itself(path: str) -> None:
        """Folders cannot be held open as a way here: so it is looked at again afterwards."""
        if os.path.normcase(os.path.realpath(path, strict=True)) != os.path.normcase(path):
            raise FileNotFoundError(errno.ENOENT, "a link took its place", path)

else:
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_PATH", 0)

    def status(root: str, names: tuple[str, ...]) -> os.stat_result:
        """Return the status of a file, of a link itself where there is one; OSError."""
        with _folder(root, names[:-1]) as folder:
            return os.stat(names[-1], dir_fd=folder, follow_symlinks=False)

    def opened(root: str, names: tuple[str, ...]) -> int:
        """Open a file; FileNotFoundError also for what leads elsewhere, OSError."""
        try:
            with _folder(root, names[:-1]) as folder:
                return os.open(names[-1], _FILE, dir_fd=folder)
        except OSError as error:
            if error.errno in _LED_ASTRAY:
                raise FileNotFoundError(errno.ENOENT, "a link took its place") from error
            raise

    @contextlib.contextmanager
    def _folder(root: str, names: tuple[str, ...]) -> Iterator[int]:
        """Go down one folder at a time; the root's own path may hold links."""
        folder = os.open(root, _FOLDER)
        try:
            for name in names:
                inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)
