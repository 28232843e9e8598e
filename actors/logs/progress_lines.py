"""Lines by which a service says how far its start is: ``::progress 40 loading the model``.

The number is per cent, 0 to 100 (``40``, ``40.5`` and ``40%``); what follows it is for people, and
may be missing. Other lines, and those with another number, are ordinary output. All lines stand in
the log as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bundlevisor.actors.logs.last_line import readable

LINE = re.compile(rb"::progress[ \t]+(\d{1,3}(?:\.\d*)?)%?(?:[ \t]+(.*))?", re.DOTALL)
LONGEST = 4096
"""Bytes of a line that are looked at; a longer one is none of these."""

OnProgress = Callable[[str, float], object]
"""``on_progress(text, fraction)``, the fraction from 0 to 1."""


class ProgressLines:
    """Looks at an output as it comes, and tells of the last such line of each piece."""

    def __init__(self, on_progress: OnProgress, *, at_start: bool) -> None:
        """``at_start``: what is fed first begins a line."""
        self._on_progress = on_progress
        self._rest = b""
        self._skip = not at_start
        """Whether what comes next is the rest of a line that is none of these."""

    def feed(self, data: bytes) -> None:
        """Take more output."""
        *lines, rest = (self._rest + data).split(b"\n")
        if lines and self._skip:
            del lines[0]
            self._skip = False
        found = None
        for line in lines:
            found = parse(line) or found
        if self._skip or len(rest) > LONGEST:
            self._skip, rest = True, b""
        self._rest = rest
        if found:
            self._on_progress(*found)


def parse(line: bytes) -> tuple[str, float] | None:
    """Return what a line says, None for one that says nothing of progress."""
    if not line.startswith(b"::progress"):
        return None
    match = LINE.fullmatch(line.rstrip())
    if match is None:
        return None
    percent = float(match[1])
    return (readable(match[2] or b""), percent / 100) if percent <= 100 else None
