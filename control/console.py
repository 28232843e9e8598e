"""The runtime's own log: stderr, a line for a human in a terminal and JSON lines otherwise.

It never raises: after the death of the shell stderr may be closed (EPIPE), and the orderly stop
must not die of that.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import Literal

import msgspec

Level = Literal["info", "warning", "error"]
MARKS = {"info": "", "warning": "warning: ", "error": "error: "}


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the log when it is read by a program; ``ts`` is RFC 3339 UTC."""

    ts: str
    level: Level
    message: str
    service_id: str = ""
    trace: str = ""


class Console:
    """Writes to one descriptor; safe from any thread."""

    def __init__(self, fd: int, *, human: bool) -> None:
        self._fd = fd
        self._human = human
        self._lock = threading.Lock()

    def info(self, message: str, service_id: str = "") -> None:
        """Say what happened."""
        self._write("info", message, service_id)

    def warn(self, message: str, service_id: str = "") -> None:
        """Say what somebody should look at."""
        self._write("warning", message, service_id)

    def error(self, message: str, service_id: str = "") -> None:
        """Say what failed."""
        self._write("error", message, service_id)

    def fault(self, what: str, error: BaseException) -> None:
        """Log an error of ours with its trace; ``what`` names the place."""
        import traceback

        trace = "".join(traceback.format_exception(error))
        self._write("error", f"{what}: {type(error).__name__}: {error}", trace=trace)

    def _write(self, level: Level, message: str, service_id: str = "", trace: str = "") -> None:
        now = time.time()
        if self._human:
            text = (
                f"{time.strftime('%H:%M:%S', time.localtime(now))} {MARKS[level]}{message}\n{trace}"
            )
            data = text.encode("utf-8", "replace")
        else:
            line = Line(timestamp(now), level, message, service_id, trace)
            data = msgspec.json.encode(line) + b"\n"
        try:
            with self._lock:
                os.write(self._fd, data)
        except OSError:
            pass


def timestamp(seconds: float) -> str:
    """Return a time as RFC 3339 UTC with milliseconds."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"


def open_console() -> Console:
    """Return the console on stderr; on nothing when the runtime was started without one."""
    fd = 2
    try:
        os.fstat(fd)
    except OSError:
        fd = os.open(os.devnull, os.O_WRONLY)
    return Console(fd, human=_is_terminal(fd))


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False


def print_line(document: dict[str, object]) -> None:
    """Print one JSON line on stdout, for the program that started the runtime; never raises."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(document) + b"\n")
