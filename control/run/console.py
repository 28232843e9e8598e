"""The runtime's own log: stderr, a line for a human in a terminal and JSON lines otherwise.

It never raises and never waits: nobody may read stderr, it may be a full disk, and after the death
of the shell it may be closed; the orderly stop must not hang in that or die of it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from bundlevisor.actors.files import json_text
from bundlevisor.actors.loop.wall_time import timestamp
from bundlevisor.control.run.background_writer import BackgroundWriter

Write = Callable[[int, bytes], int]
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
    """Writes to stderr and stdout; safe from any thread."""

    def __init__(self, fd: int, *, human: bool, output: int = 1, write: Write = os.write) -> None:
        """``fd`` takes the log, ``output`` the lines for the program that started the runtime.

        ``write`` stands for os.write where the log is written.
        """
        self._human = human
        self._log = BackgroundWriter(fd, self._missing, write=write)
        self._output = BackgroundWriter(output, lambda _: b"")
        self._around: Callable[[bytes], bytes] = _alone
        self._order = threading.Lock()

    @property
    def human(self) -> bool:
        """Whether a person reads it, on a terminal."""
        return self._human

    def put_below(self, around: Callable[[bytes], bytes] | None) -> None:
        """Have something stay below the log: ``around(line)`` is written in place of each line."""
        with self._order:
            self._around = around or _alone

    def redraw(self) -> None:
        """Write what stays below anew, without a line."""
        with self._order:
            self._log.put(self._around(b""))

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
        try:
            import traceback

            trace = "".join(traceback.format_exception(error))
        except (OSError, ImportError, MemoryError):  # what is short is short for this too
            trace = ""
        self._write("error", f"{what}: {type(error).__name__}: {error}", trace=trace)

    def tell_parent(self, document: dict[str, object]) -> None:
        """Print one JSON line on stdout, for the program that started the runtime."""
        self._output.put(json_text.encode(document) + b"\n")

    def close(self) -> None:
        """Have everything written, as far as somebody takes it within a few seconds."""
        self._output.close()
        self._log.close()

    def _write(self, level: Level, message: str, service_id: str = "", trace: str = "") -> None:
        line = self._line(level, message, service_id, trace)
        with self._order:
            self._log.put(self._around(line))

    def _line(self, level: Level, message: str, service_id: str = "", trace: str = "") -> bytes:
        now = time.time()
        if self._human:
            clock = time.strftime("%H:%M:%S", time.localtime(now))
            text = f"{clock} {MARKS[level]}{message}\n{trace}"
            return json_text.readable(json_text.visible(text)).encode()
        line = Line(timestamp(now), level, message, service_id, trace)
        return json_text.encode(line) + b"\n"

    def _missing(self, count: int) -> bytes:
        lines = "1 line is" if count == 1 else f"{count} lines are"
        return self._line(
            "warning", f"{lines} missing here: stderr was not read, or could not be written"
        )


def _alone(line: bytes) -> bytes:
    return line


class ErrorStream:
    """Stands for ``sys.stderr``: what libraries and the interpreter print goes to the console."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rest = ""

    def write(self, text: str) -> int:
        """Take text; every line that is complete is logged."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line:
                self._console.error(line)
        return len(text)

    def flush(self) -> None:
        """Nothing waits here but the beginning of a line."""

    def isatty(self) -> bool:
        """Whether colours make sense."""
        return False

    def fileno(self) -> int:
        """Return what child processes get."""
        return 2


def open_console() -> Console:
    """Return the console on stderr; on nothing when the runtime was started without one.

    From now on it is this process's ``sys.stderr`` too.
    """
    fd = 2
    try:
        os.fstat(fd)
    except OSError:
        fd = os.open(os.devnull, os.O_WRONLY)
    human = _is_terminal(fd)
    stream = sys.__stderr__ if human and sys.platform == "win32" else None
    write = os.write if stream is None else by(stream)
    console = Console(fd, human=human, write=write)
    sys.stderr = ErrorStream(console)
    return console


def by(stream: Any) -> Write:
    """Return what writes UTF-8 as this text stream does.

    A console of Windows takes os.write's bytes for letters of its code page.
    """
    raw = getattr(stream.buffer, "raw", stream.buffer)
    return lambda _fd, data: int(raw.write(data))


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
