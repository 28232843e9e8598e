"""The last line of an output that says something, as a person may read it."""

from __future__ import annotations

import re

from bundlevisor.actors.files.json_text import visible

LONGEST = 200
"""Characters."""
SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""What colours text, or moves the cursor (ECMA-48, CSI)."""
ENDS = re.compile(r"[\r\n]")
"""Bars of programs draw themselves anew after a carriage return."""


def readable_line(output: bytes) -> str:
    """Return it without colours, at most 200 characters; empty when there is none.

    What a service says of its progress is shown elsewhere, and is no such line.
    """
    text = SEQUENCE.sub("", output.decode("utf-8", "replace"))
    for line in reversed(ENDS.split(text)):
        shown = visible(line.strip())
        if shown and not shown.startswith("::progress "):
            return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    return ""
