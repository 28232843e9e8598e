"""Files below a folder, without following a link on the way.

A path that was resolved a moment ago may lead elsewhere by now: whoever turns a folder into a link
just then must not be able to have another file sent.
"""

from __future__ import annotations

import errno
import os
import sys

_FILE = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a named pipe would wait for a writer
)
Statuses = list[os.stat_result | None]

_LED_ASTRAY = (errno.ELOOP, errno.ENOTDIR, errno.ENXIO)

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import open_file

    NAMES_ARE_REAL = False
    """A name may be a short or another spelling of one that is not served."""

    def statuses(root: str, names: tuple[str, ...], suffixes: tuple[str, ...]) -> Statuses:
        """Return the statuses of files beside each other; OSError when their folder is none."""
        path = os.path.join(root, *names)
        found: Statuses = []
        for suffix in suffixes:
            try:
                found.append(os.lstat(path + suffix))
            except FileNotFoundError:
                found.append(None)
        return found

    def status(root: str, names: tuple[str, ...]) -> os.stat_result:
        """Return the status of a file; OSError."""
        path = os.path.join(root, *names)
        found = os.stat(path)
        _is_itself(path)
        return found

    def opened(root: str, names: tuple[str, ...]) -> int:
        """Open a file; FileNotFoundError also for what leads elsewhere, OSError.

        One that a virus scanner has open is waited for, up to 0.4 s.
        """
        path = os.path.join(root, *names)
        descriptor = open_file(path, os.O_RDONLY, follow=True)
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

    NAMES_ARE_REAL = True
    """What is found without following a link is what its names say."""

    def statuses(root: str, names: tuple[str, ...], suffixes: tuple[str, ...]) -> Statuses:
        """Return the statuses of files beside each other, of links themselves where there are some.

        Their names are the last of ``names`` with each suffix; None: there is none. OSError when
        the way to their folder leads elsewhere.
        """
        found: Statuses = []
        folder = _folder(root, names)
        try:
            for suffix in suffixes:
                try:
                    found.append(os.stat(names[-1] + suffix, dir_fd=folder, follow_symlinks=False))
                except FileNotFoundError:
                    found.append(None)
        finally:
            os.close(folder)
        return found

    def status(root: str, names: tuple[str, ...]) -> os.stat_result:
        """Return the status of a file, of a link itself where there is one; OSError."""
        found = statuses(root, names, ("",))[0]
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such file", names[-1])
        return found

    def opened(root: str, names: tuple[str, ...]) -> int:
        """Open a file; FileNotFoundError also for what leads elsewhere, OSError."""
        try:
            folder = _folder(root, names)
            try:
                return os.open(names[-1], _FILE, dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as error:
            if error.errno in _LED_ASTRAY:
                raise FileNotFoundError(errno.ENOENT, "a link took its place") from error
            raise

    def _folder(root: str, names: tuple[str, ...]) -> int:
        """Open the folder of a file, one at a time on the way; the root's path may hold links."""
        folder = os.open(root, _FOLDER)
        for name in names[:-1]:
            try:
                inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            finally:
                os.close(folder)
            folder = inner
        return folder
