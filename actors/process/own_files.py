"""Whether a process of ours can still be started: an updater may have removed the program."""

from __future__ import annotations

import os
import sys

_NEEDED = [path for path in (sys.executable, __file__) if path and os.path.exists(path)]
"""What a new process is made of, by two examples: the interpreter, and our own code."""


class OwnFilesGone(OSError):
    """No process of ours can be started any more; the text is a sentence that says why."""


def check() -> None:
    """Raise OwnFilesGone once the installed files are not there any more."""
    for path in _NEEDED:
        if not os.path.exists(path):
            raise OwnFilesGone(
                f"{path} is gone: bundlevisor was removed or moved while it runs;"
                " start the application again"
            )
