"""A command on a terminal (POSIX): what it shows there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence


def on_terminal(command: Sequence[str], env: Mapping[str, str]) -> bytes:
    """Return what the command writes while its stdout is a terminal; it must end with 0."""
    import pty

    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # Linux: the other end is closed
                break
            if not data:
                break
            shown += data
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.replace(b"\r\n", b"\n")
