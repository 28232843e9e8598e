"""A service's log on a terminal: its colours, and nothing else that a terminal would obey.

Escape sequences can move the cursor over earlier lines, change the window's title, or have the
terminal type into the shell. What is not a colour is shown instead of done: ``^[[2J``.
"""

from __future__ import annotations

import codecs
import re

from bundlevisor.actors.files.json_text import visible
from bundlevisor.control.cli.screen.colours import RESET

COLOUR = re.compile(r"\x1b\[[0-9;]{0,32}m")
CONCEALED = re.compile(r"(^|;)0*8(;|$)")
BEGUN = re.compile(r"\x1b(\[[0-9;]{0,32})?\Z")


class Harmless:
    """Makes a stream of bytes harmless, piece by piece."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._coloured = False

    def pass_on(self, data: bytes, *, last: bool = False) -> bytes:
        """Return what may be written of ``data``; a sequence that is cut waits for its end."""
        text = self._rest + self._decoder.decode(data, final=last)
        text = text.replace("\r\n", "\n")
        self._rest = ""
        begun = None if last else BEGUN.search(text)
        if begun is not None:
            self._rest, text = text[begun.start() :], text[: begun.start()]
        if not last and text.endswith("\r"):
            self._rest, text = "\r" + self._rest, text[:-1]
        shown = "".join(self._pieces(text))
        if last and self._coloured:
            shown += RESET
        return shown.encode("utf-8", "backslashreplace")

    def _pieces(self, text: str) -> list[str]:
        pieces, at = [], 0
        for found in COLOUR.finditer(text):
            pieces.append(self._plain(text[at : found.start()]))
            pieces.append(self._colour(found[0]))
            at = found.end()
        return [*pieces, self._plain(text[at:])]

    def _colour(self, sequence: str) -> str:
        codes = sequence[2:-1]
        if CONCEALED.search(codes):  # text that cannot be seen
            return visible(sequence)
        self._coloured = codes.strip("0;") != ""
        return sequence

    def _plain(self, text: str) -> str:
        shown = visible(text)
        if not self._coloured:
            return shown
        if "\n" in shown:  # a colour ends with its line
            self._coloured = False
        return shown.replace("\n", f"{RESET}\n", 1)
