"""How the last start on an app-data folder ended, or why it was refused: for those who come later.

``runtime/last_end.json`` is written by a runtime that ends, and removed by the next one that has
the lock: while it is there, nothing runs and nothing has come further than to its lock. One that is
killed leaves none.

Annotations are evaluated as they stand, as in :mod:`bundlevisor.manifest.format.schema`.
"""

import os
import sys
import time
from contextlib import suppress

import msgspec

from bundlevisor.actors.files import atomic, instance, json_text, own_file

if sys.platform == "win32":
    from bundlevisor.actors.files.files_windows import distrust
else:
    from bundlevisor.actors.files.files_posix import distrust


class End(msgspec.Struct, frozen=True, kw_only=True):
    """``ended_at`` is in seconds since the epoch; ``code`` the exit code; ``reason`` a sentence."""

    pid: int
    code: int
    reason: str
    ended_at: float


def write(app_data: str, code: int, reason: str) -> None:
    """Say how this process ends.

    Nothing is said in a folder that is not there, is not writable, or is not to be trusted.
    """
    if not os.path.isdir(app_data):
        return
    end = End(pid=os.getpid(), code=code, reason=reason, ended_at=time.time())
    with suppress(OSError):
        refusal, _ = distrust(app_data)
        if refusal:
            return
        atomic.write(instance.end_path(app_data), json_text.encode_kept(end), durable=False)


def peek(app_data: str) -> End | None:
    """Return how the last one ended; None where it was killed, one runs, or none ever has."""
    try:
        return json_text.decode_kept(own_file.read(instance.end_path(app_data)), End)
    except (OSError, ValueError):
        return None
