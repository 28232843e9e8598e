"""The lines at the foot of a terminal that show how far a start is, above which others go on.

They are erased and drawn anew with every line that is written meanwhile, and whenever there is
something new; when the start is over they are gone. The terminal is asked for its size each time.
Only where somebody looks: a terminal that obeys escape sequences (not ``TERM=dumb``), while no
other program has it (``bundlevisor run &``); with ``NO_COLOR`` without colours.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TextIO

import msgspec

from bundlevisor.actors.core.progress import Progress
from bundlevisor.actors.core.snapshot import Phase
from bundlevisor.actors.files import json_text
from bundlevisor.control.cli.screen.cells import cells
from bundlevisor.control.cli.screen.colours import coloured, uncoloured
from bundlevisor.control.cli.screen.start_frame import Screen, frame
from bundlevisor.control.cli.screen.terminal import in_foreground, obeys_escapes, shows_colours

if TYPE_CHECKING:
    from bundlevisor.actors.board import Board
    from bundlevisor.actors.core.snapshot import Snapshot
    from bundlevisor.control.cli.client import Client
    from bundlevisor.control.run.console import Console

EVERY = 0.25
"""Seconds between two frames while nothing happens but that time passes."""
FAREWELL = 1.0
"""Seconds that the last frame may take to go, where the instance does not answer any more."""
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
SMALLEST = (20, 4)
"""Columns and rows of the smallest terminal that is drawn on."""


class StartView:
    """What is drawn at the foot of one terminal; not for several threads at once."""

    def __init__(self, file: TextIO) -> None:
        self.progress: Progress | None = None
        """What to show next; None shows nothing."""
        self._file = file
        self._drawn: list[str] = []

    def around(self, text: bytes) -> bytes:
        """Return what has to be written so that ``text``, whole lines, stands above the foot."""
        screen = screen_of(self._file)
        columns, rows = screen.columns, screen.rows
        lines: list[str] = []
        ours = in_foreground(self._file)
        fits = columns >= SMALLEST[0] and rows >= SMALLEST[1]
        if self.progress is not None and fits and ours:
            lines = frame(self.progress, screen)
        if not text and lines == self._drawn:
            return b""
        erased, self._drawn = self._erased(columns) if ours else b"", lines
        return erased + text + "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")

    def _erased(self, columns: int) -> bytes:
        """Return what takes the foot away; a narrower terminal has wrapped its lines."""
        widths = (cells(COLOURS.sub("", line)) for line in self._drawn)
        rows = sum(max(1, -(-width // columns)) for width in widths)
        return b"\r\x1b[%dA\x1b[J" % rows if rows else b""


def follow_start(console: Console, board: Board, measure: Callable[[Snapshot], Progress]) -> None:
    """Show at the foot of the runtime's own log how far it is, until the start is over.

    Blocks its thread; returns at once where nobody looks.
    """
    file = sys.__stderr__
    if file is None or not obeys_escapes(file):
        return
    view = StartView(file)
    console.put_below(view.around)
    snapshot = board.snapshot
    while (progress := measure(snapshot)).working_on and snapshot.phase is Phase.RUNNING:
        view.progress = progress
        console.redraw()
        snapshot = board.wait(partial(_is_another, snapshot), EVERY)
    view.progress = None
    console.redraw()
    console.put_below(None)


def _is_another(before: Snapshot, now: Snapshot) -> bool:
    return now.version != before.version


class WatchedWait:
    """Shows on stderr how far an instance is, while a command waits for it to be ready."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._over = threading.Event()
        self._view: StartView | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> WatchedWait:
        if obeys_escapes(sys.stderr):
            self._view = StartView(sys.stderr)
            self._thread = threading.Thread(target=self._watch, name="start view", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(FAREWELL)

    def _watch(self) -> None:
        from bundlevisor.control.cli.client import NoAnswer
        from bundlevisor.control.cli.find import NotRunning

        version = 0
        try:
            while not self._over.is_set():
                answer = self._client.get("/readyz", wait=EVERY, change=1, after=version)
                document = answer.json()
                if not answer.ok or "progress" not in document:
                    break
                version = document["version"]
                self._show(msgspec.convert(document["progress"], Progress))
        except (NoAnswer, NotRunning, OSError, msgspec.ValidationError):
            pass  # who waits hears of it, and says so
        self._show(None)

    def _show(self, progress: Progress | None) -> None:
        if self._view is None:
            return
        self._view.progress = progress if progress and progress.working_on else None
        sys.stderr.write(json_text.readable(self._view.around(b"").decode()))
        sys.stderr.flush()


def screen_of(file: TextIO) -> Screen:
    """Return the terminal as it is now: its size may change at any time."""
    letters = ("█", "░") if _shows_unicode() else ("#", "-")
    return Screen(*_size(file), coloured if shows_colours(file) else uncoloured, *letters)


def _size(file: TextIO) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(file.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


def _shows_unicode() -> bool:
    """Whether the bar may be drawn in letters that are not ASCII: by the locale, as everywhere."""
    if os.name == "nt":
        return True
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    chosen = next(filter(None, names), "")
    return chosen.lower().replace("-", "").endswith("utf8")
