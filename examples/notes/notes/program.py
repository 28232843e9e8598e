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


def stop_on_signal() -> None:
    """Let SIGTERM and SIGINT end the program with code 0, through every ``finally``."""

    def stop(*_: Any) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
