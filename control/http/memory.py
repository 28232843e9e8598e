"""All that is answered from memory; what the first answers do not need is imported later."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from bundlevisor.control.http.health_words import HealthWords

if TYPE_CHECKING:
    from bundlevisor.control.http.direct_answers import DirectAnswers
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.facade import RuntimeApi


class Memory:
    """Answers for a runtime, from its newest snapshot."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self.health = HealthWords(runtime.board)
        self._runtime = runtime
        self._closing = closing

    @functools.cached_property
    def direct(self) -> DirectAnswers:
        """What needs the token, made for the first who has it."""
        from bundlevisor.control.http.direct_answers import DirectAnswers

        return DirectAnswers(self._runtime, self._closing)
