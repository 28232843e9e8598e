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


_CODE = __file__ if _stamp(__file__) else sys.executable
"""A file of our own program; a shipped folder has none but its interpreter."""
_AT_START = _stamp(_CODE)
_INTERPRETER = sys.executable if sys.executable and _stamp(sys.executable) else _CODE


def check() -> None:
    """Raise OwnFilesGone once the installed files are not those of the start any more."""
    for path in (_INTERPRETER, _CODE):
        if _AT_START and _stamp(path) is None:
            raise OwnFilesGone(_sentence(path, "is gone", "removed or moved"))
    if _stamp(_CODE) != _AT_START:
        raise OwnFilesGone(_sentence(_CODE, "is another one", "replaced"))


def _sentence(path: str, what: str, done: str) -> str:
    return f"{path} {what}: bundlevisor was {done} while it runs; start the application again"
