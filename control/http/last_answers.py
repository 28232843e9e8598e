"""The end of a server: answers that are on their way are waited for, as long as they get on."""

from __future__ import annotations

import time


class LastAnswers:
    """How long they are waited for, in monotonic seconds."""

    def __init__(self, timeout: float, longest: float) -> None:
        """``timeout`` seconds, or ``longest`` while something is sent within each ``timeout``."""
        now = time.monotonic()
        self._silence = timeout
        self._by = now + timeout
        self._cut_at = now + max(timeout, longest)

    @property
    def left(self) -> float:
        """Return the seconds that are left; 0 from then on."""
        return max(0.0, self._by - time.monotonic())

    def go_on(self, sent_at: float) -> None:
        """Wait longer for those to whom something was sent then."""
        self._by = min(max(self._by, sent_at + self._silence), self._cut_at)
