"""Searching a stream of output that comes in blocks, whatever the engine."""

from __future__ import annotations

import re
from collections.abc import Callable

WINDOW = 64 * 1024
"""Bytes of a line without end that are searched: its last ones."""
SPAN = 16 * 1024
"""Bytes of earlier lines that are searched again for a pattern which may span lines."""

_MAY_SPAN = re.compile(r"\\[0-7nrtfvsDWCpPxBQ]|\[\^|\[:|\(\?\w*s|\n")
"""Anything by which a pattern may match a line's end; a doubt counts as one."""


class LineSearch:
    """Feeds an engine's ``search`` with whole lines, so that a block's border does not matter.

    The unfinished last line is searched as well, for prompts and progress bars without an end, but
    only for what will still be true when the line goes on: ``ready$`` has to wait for its end, and
    so has ``\\bready\\b``.
    """

    def __init__(self, pattern: str, search: Callable[[bytes], bool]) -> None:
        self._search = search
        self._span = SPAN if _MAY_SPAN.search(pattern) else 0
        self._before = b""
        self._line = b""
        self._found = False

    def feed(self, data: bytes) -> bool:
        """Return whether the output, up to the end of ``data``, has a match."""
        if data and not self._found:
            text = self._line + data
            border = text.rfind(b"\n") + 1
            self._line = text[border:][-WINDOW:]
            self._found = self._in_lines(text[:border]) or self._in_unfinished(self._line)
        return self._found

    def _in_lines(self, text: bytes) -> bool:
        if not text:
            return False
        text = _valid(self._before + text)
        if self._span:
            recent = text[-self._span :]
            self._before = recent[recent.find(b"\n") + 1 :] if len(recent) < len(text) else recent
        return self._search(text) or (
            b"\r\n" in text and self._search(text.replace(b"\r\n", b"\n"))
        )

    def _in_unfinished(self, line: bytes) -> bool:
        if not line:
            return False
        text = _valid(self._before + line)
        return self._search(text + b"x") and self._search(text + b" ")


def _valid(text: bytes) -> bytes:
    """Replace what is not UTF-8, as Go does, so that ``.`` matches it."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return text.decode("utf-8", "replace").encode()
    return text
