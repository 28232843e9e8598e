"""Folders that are being made: one maker each, and none that outlives a maker who was killed.

A maker holds a lock on the folder itself, which ends with him. Windows cannot lock a folder:
two makers there must not be started at the same time.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import sys
from collections.abc import Iterator

if sys.platform == "win32":

    @contextlib.contextmanager
    def _locked(path: str, *, wait: bool) -> Iterator[bool]:
        yield wait and os.path.isdir(path)

else:
    import fcntl

    @contextlib.contextmanager
    def _locked(path: str, *, wait: bool) -> Iterator[bool]:
        """Hold the folder; False where it is gone or another one by now, or somebody else's."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            yield False
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            yield _is_still(path, fd)
        except BlockingIOError:
            yield False
        finally:
            os.close(fd)

    def _is_still(path: str, fd: int) -> bool:
        try:
            return os.path.samestat(os.stat(path), os.fstat(fd))
        except FileNotFoundError:
            return False


@contextlib.contextmanager
def owned(path: str) -> Iterator[str]:
    """Wait for whoever makes this folder; then it is ours and empty, "" where it was renamed.

    What is there when the block ends was not finished, and is removed.
    """
    os.makedirs(path, exist_ok=True)
    with _locked(path, wait=True) as ours:
        try:
            for entry in os.scandir(path) if ours else ():
                _remove(entry)
            yield path if ours else ""
        finally:
            if ours:
                shutil.rmtree(path, ignore_errors=True)


def remove_abandoned(folder: str) -> None:
    """Remove what makers who were killed have left of other things in a folder."""
    for path in glob.glob(os.path.join(glob.escape(folder), "*.part")):
        with _locked(path, wait=False) as nobodys:
            if nobodys:
                shutil.rmtree(path, ignore_errors=True)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.remove(entry.path)
