"""How far a start is, as lines of a terminal that are drawn anew while it goes on. Pure.

One line for the whole (a bar, per cent, how many are ready, what is left), then one for each
service on its way, and below the slowest the last line of its log. No line is as wide as the
terminal, and there are no more than it has room for.
"""

from __future__ import annotations

import msgspec

from bundlevisor.actors.core.progress import HELD_UP, Activity, Progress, Work
from bundlevisor.control.cli.screen.cells import cells, padded, shortened
from bundlevisor.control.cli.screen.colours import BOLD, GREEN, GREY, YELLOW, Paint
from bundlevisor.control.cli.screen.tables import plain

WORDS: dict[Activity, str] = {
    "dependencies": "waiting",
    "secrets": "waiting",
    "assets": "checking",
    "migration": "migrating",
    "spawning": "starting",
    "probing": "starting",
    "restarting": "restarting",
}
BAR = 30
"""Columns of the bar, where there is room."""
LONGEST_NAME = 24


class Screen(msgspec.Struct, frozen=True):
    """What is drawn on."""

    columns: int
    rows: int
    paint: Paint
    full: str = "#"
    empty: str = "-"


def frame(progress: Progress, screen: Screen) -> list[str]:
    """Return the lines, each shorter than the terminal is wide; colours take no room."""
    works = progress.working_on
    room = max(1, screen.rows - 3)
    shown, hidden = works[:room], works[room:]
    width = min(LONGEST_NAME, max((cells(work.service) for work in shown), default=0))
    lines = [_head(progress, screen)]
    for work in shown:
        lines.append(_of_service(work, width, screen))
        if work.service == progress.slowest and progress.last_line and len(works) < room:
            line = Line(screen)
            line.add(f"{' ' * (width + 4)}{plain(progress.last_line)}", GREY)
            lines.append(line.text)
    if hidden:
        line = Line(screen)
        line.add(f"  and {len(hidden)} more", GREY)
        lines.append(line.text)
    return lines


def _head(progress: Progress, screen: Screen) -> str:
    bar = min(BAR, max(0, screen.columns - 50))
    full = round(bar * progress.fraction)
    line = Line(screen)
    if bar:
        line.add(screen.full * full, GREEN)
        line.add(screen.empty * (bar - full), GREY)
        line.add(" ")
    line.add(f"{int(progress.fraction * 100):3} %", BOLD)
    line.add(f"  {progress.done} of {progress.total} ready")
    if progress.remaining_s is not None:
        line.add(f", about {seconds(progress.remaining_s)} left")
    return line.text


def _of_service(work: Work, width: int, screen: Screen) -> str:
    held = work.phase in HELD_UP
    word, text = WORDS[work.phase], plain(work.text)
    said = text.removeprefix(word).lstrip(": ")
    if work.fraction is not None:
        said = f"{said} ({int(work.fraction * 100)} %)" if said else f"{int(work.fraction * 100)} %"
    time = "" if held else f"  {_time(work)}"
    line = Line(screen, less=cells(time))
    line.add("  ")
    line.add(padded(shortened(plain(work.service), width), width), "" if held else BOLD)
    line.add("  ")
    line.add(word.ljust(10), YELLOW if work.phase == "restarting" else GREY if held else "")
    line.add(f"  {said}" if said else "", GREY if held else "")
    line.less = 0
    line.add(time, GREY)
    return line.text


def _time(work: Work) -> str:
    elapsed = seconds(work.elapsed_s)
    if work.usual_s is None or work.remaining_s is not None:
        return elapsed
    return f"{elapsed}, usually {seconds(work.usual_s)}"


def seconds(number: float) -> str:
    """Return a time in whole seconds, minutes or hours: it is looked at while it passes."""
    whole = round(number)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


class Line:
    """Parts in their colours, cut where the terminal ends; its last column is left free."""

    def __init__(self, screen: Screen, less: int = 0) -> None:
        self.text = ""
        self.less = less
        """Columns that are kept for what comes last."""
        self._left = screen.columns - 1
        self._paint = screen.paint

    @property
    def left(self) -> int:
        """Columns that are free."""
        return max(0, self._left - self.less)

    def add(self, text: str, colour: str = "") -> None:
        """Add as much of a text as there is room for."""
        cut = shortened(text, self.left)
        self._left -= cells(cut)
        if cut:
            self.text += self._paint(cut, colour)
