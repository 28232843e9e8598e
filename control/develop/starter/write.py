"""Writing the files of a new bundle: all of them or none, and never over anything."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping


class InTheWay(Exception):
    """What is there already; ``paths`` are seen from the folder."""

    def __init__(self, folder: str, paths: tuple[str, ...]) -> None:
        super().__init__(f"{', '.join(paths)} in {folder}")


def write(folder: str, files: Mapping[str, str]) -> None:
    """Write texts by their paths; those that begin with ``#!`` can be run.

    Raises InTheWay before anything is written, and OSError, after which nothing of it is left.
    """
    there = tuple(path for path in files if os.path.lexists(os.path.join(folder, path)))
    if there:
        raise InTheWay(folder, there)
    made: list[str] = []
    folders: list[str] = []
    try:
        for path, text in files.items():
            whole = os.path.join(folder, *path.split("/"))
            _make_folders(os.path.dirname(whole), folders)
            _write(whole, text, made)
    except OSError as error:
        _take_back(made, folders)
        if error.errno == errno.EEXIST:  # somebody was faster
            raise InTheWay(folder, (str(error.filename),)) from error
        raise


def _make_folders(folder: str, made: list[str]) -> None:
    """Make a folder and those above it; what is made is added."""
    missing = []
    while folder and not os.path.isdir(folder):
        missing.append(folder)
        folder = os.path.dirname(folder)
    for one in reversed(missing):
        os.mkdir(one)
        made.append(one)


def _write(path: str, text: str, made: list[str]) -> None:
    mode = 0o777 if text.startswith("#!") else 0o666  # less what the user's umask takes
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        made.append(path)
        file.write(text.encode())


def _take_back(files: list[str], folders: list[str]) -> None:
    with contextlib.suppress(OSError):
        for path in files:
            os.unlink(path)
        for folder in reversed(folders):
            os.rmdir(folder)
