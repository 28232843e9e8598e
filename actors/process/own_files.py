"""Whether a process of ours can still be started: an updater may have removed the program.

Or replaced it: a process of another version would not understand what this one tells it. Imported
when the start is over at the latest; what the files are then is what they must stay.
"""

from __future__ import annotations

import os
import sys

Stamp = tuple[int, int, int]


class OwnFilesGone(OSError):
    """No process of ours can be started any more; the text is a sentence that says why."""


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


_code = __file__ if _stamp(__file__) else sys.executable
"""A file of our own program; a shipped folder has none but its interpreter."""
_AT_START = _stamp(_code)
_interpreter = sys.executable if sys.executable and _stamp(sys.executable) else _code


def check() -> None:
    """Raise OwnFilesGone once the installed files are not those of the start any more.

    A shipped folder that was renamed is followed: its interpreter finds everything from its own
    place, so processes are started by the new name from now on.
    """
    if _code == sys.executable and _stamp(_code) != _AT_START:
        _follow()
    for path in (_interpreter, _code):
        if _AT_START and _stamp(path) is None:
            raise OwnFilesGone(_sentence(path, "is gone", "removed or moved"))
    if _stamp(_code) != _AT_START:
        raise OwnFilesGone(_sentence(_code, "is another one", "replaced"))


def _follow() -> None:
    global _code, _interpreter  # noqa: PLW0603 - the names of what this process runs
    now = _running()
    if _stamp(now) != _AT_START:
        return
    sys.executable = _code = _interpreter = now
    spawn = sys.modules.get("multiprocessing.spawn")
    if spawn is not None:
        spawn.set_executable(now)


if sys.platform == "linux":

    def _running() -> str:
        """Return the file that this process runs, by the name that it has now."""
        return os.readlink("/proc/self/exe")

else:

    def _running() -> str:
        """Return the file that this process runs, by the name that it has now."""
        import psutil

        try:
            return psutil.Process().exe()
        except (psutil.Error, OSError):
            return ""


def _sentence(path: str, what: str, done: str) -> str:
    return f"{path} {what}: bundlevisor was {done} while it runs; start the application again"
