"""Colours of ours on a terminal: the sixteen that every one has, in its own theme."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bundlevisor.control.cli.screen.terminal import shows_colours

Paint = Callable[[str, str], str]
"""``paint(text, codes)``; returns the text alone where colours do not belong."""

BOLD = "1"
GREY = "90"
RED = "31"
GREEN = "32"
YELLOW = "33"
RESET = "\x1b[0m"


def paint_stdout() -> Paint:
    """Return how text for stdout is coloured: not at all in a pipe or with ``NO_COLOR``."""
    return coloured if shows_colours(sys.stdout) else uncoloured


def coloured(text: str, codes: str) -> str:
    """Return text in a colour; ``""`` is none."""
    return f"\x1b[{codes}m{text}{RESET}" if codes else text


def uncoloured(text: str, _codes: str) -> str:
    """Return the text."""
    return text
