"""What every program of the bundle does: write its log, and stop when it is asked to."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Any


def say(line: str) -> None:
    """Write a line to the log, whole and at once; who reads it may be gone."""
    with suppress(OSError):
        os.write(1, f"{time.strftime('%H:%M:%S')} {line}\n".encode())


def progress(done: int, of: int, text: str) -> None:
    """Tell the runtime, which shows it to the user, how far the start of this program is."""
    with suppress(OSError):
        os.write(1, f"::progress {100 * done // of} {text}\n".encode())


def stop_on_signal() -> None:
    """Let SIGTERM and SIGINT end the program with code 0, through every ``finally``."""

    def stop(*_: Any) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
