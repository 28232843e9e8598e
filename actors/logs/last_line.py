"""What a service writes, as a person may read it: one line, without what steers a terminal."""

from __future__ import annotations

import re

from bundlevisor.actors.files.json_text import visible

LONGEST = 200
"""Characters."""
SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What colours text, or moves the cursor (ECMA-48, CSI)."""
ENDS = re.compile(r"[\r\n]")
"""Bars of programs draw themselves anew after a carriage return."""


def last_line(output: bytes) -> str:
    """Return the last line that says something; empty when there is none.

    What a service says of its progress is shown elsewhere, and is no such line.
    """
    for line in reversed(ENDS.split(_uncoloured(output))):
        shown = _cut(line)
        if shown and not shown.startswith("::progress "):
            return shown
    return ""


def readable(text: bytes) -> str:
    """Return a text on one line, at most 200 characters."""
    return _cut(ENDS.sub(" ", _uncoloured(text)))


def _uncoloured(text: bytes) -> str:
    return SEQUENCE.sub("", text.decode("utf-8", "replace"))


def _cut(text: str) -> str:
    shown = visible(text.strip())
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
