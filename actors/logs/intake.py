"""What one incarnation of a service writes: from its pipe to the log, the tail and the matchers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bundlevisor.actors.files.tail import last_lines

if TYPE_CHECKING:
    from bundlevisor.actors.logs.match import Matcher
    from bundlevisor.actors.logs.pipes import PipeReader
    from bundlevisor.actors.logs.progress_lines import OnProgress, ProgressLines
    from bundlevisor.actors.logs.redact import Redactor

KEPT = 16 * 1024
"""Bytes of an incarnation's output that are kept in memory for the message of its failure."""


class Watch:
    """A matcher, and who is told of its first match."""

    def __init__(self, matcher: Matcher, on_match: Callable[[str], object]) -> None:
        self.matcher = matcher
        self.on_match = on_match


class Intake:
    """One incarnation's output, as far as it has been read. The loop's thread only."""

    def __init__(
        self,
        instance: str,
        redactor: Redactor | None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.instance = instance
        self.reader: PipeReader | None = None
        self.watches: list[Watch] = []
        self.ended = False
        self._redactor = redactor
        self._on_progress = on_progress
        """Hears of lines that say how far it is."""
        self._lines: ProgressLines | None = None
        self._at_start = True
        self._kept = bytearray()
        self._length = 0

    def show(self, data: bytes) -> bytes:
        """Return what may be seen of ``data`` (and of what was held back), and remember it."""
        return self._remember(self._redactor.feed(data) if self._redactor else data)

    def hide(self, secrets: tuple[tuple[str, bytes], ...]) -> None:
        """Hide these as well from now on."""
        if self._redactor is None:
            from bundlevisor.actors.logs.redact import Redactor

            self._redactor = Redactor(secrets)
        else:
            self._redactor.add(secrets)

    @property
    def redacts(self) -> bool:
        """Whether what may be seen is not simply what was written."""
        return self._redactor is not None

    def held(self) -> bytes:
        """Return what is held back, in the form of :meth:`Redactor.save`."""
        return self._redactor.save() if self._redactor else b""

    def flush(self) -> bytes:
        """Return what was held back for a secret that did not come."""
        return self._remember(self._redactor.flush() if self._redactor else b"")

    def match(self, data: bytes) -> None:
        """Let the matchers see the output as the service wrote it; each tells its match once."""
        for watch in self.watches[:]:
            if watch.matcher.feed(data):
                self.watches.remove(watch)
                watch.matcher.close()
                watch.on_match(self.instance)

    def stop_matching(self) -> None:
        """Let go of the matchers that found nothing."""
        for watch in self.watches:
            watch.matcher.close()
        self.watches.clear()

    def tail(self, lines: int, max_bytes: int) -> bytes:
        """Return the last lines that this incarnation wrote; safe from any thread."""
        kept = bytes(self._kept)
        whole = len(kept) == self._length
        text = kept + (self._redactor.held() if self._redactor else b"")
        cut = text[max(0, len(text) - max_bytes) :]
        return last_lines(cut, lines, whole=whole and len(cut) == len(text))

    def _listen(self, text: bytes, on_progress: OnProgress) -> None:
        """Have progress looked for as soon as there could be any: few services tell of it."""
        if self._lines is None:
            if b"::" not in text and not text.endswith(b":"):
                self._at_start = text.endswith(b"\n")
                return
            from bundlevisor.actors.logs.progress_lines import ProgressLines

            self._lines = ProgressLines(on_progress, at_start=self._at_start)
        self._lines.feed(text)

    def _remember(self, text: bytes) -> bytes:
        if self._on_progress is not None and text:
            self._listen(text, self._on_progress)
        self._length += len(text)
        self._kept += text[-KEPT:]
        if len(self._kept) > 2 * KEPT:
            del self._kept[:-KEPT]
        return text
