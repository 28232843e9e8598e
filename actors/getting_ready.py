"""Services that wait for others are prepared meanwhile: one at a time, when the loop is idle.

One whose own turn has come may have to wait again, before it is spawned.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bundlevisor.actors.core.messages import GetReady, WaitAgain
from bundlevisor.actors.core.report import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundlevisor.actors.bundle_state import BundleState
    from bundlevisor.actors.loop.loop_actor import Loop
    from bundlevisor.actors.service_actors import ServiceActors


WITHIN = 1.0
"""Seconds: before what waits for an idle loop without an end, such as the imports of the API."""


def begin(loop: Loop, state: BundleState, actors: ServiceActors, ids: Iterable[str]) -> None:
    """Have those of these get ready, in this order, that still wait by then.

    Called, as all that follows, by the supervisor's loop. A start waits for none of this.
    """
    waiting = deque(ids)

    def next_one() -> None:
        id_ = waiting.popleft()
        if state.reports[id_].stage is Stage.WAITING:
            actors.get_ready(id_, GetReady(state.inputs(id_)))
        if waiting:
            loop.call_idle(next_one, WITHIN)

    if waiting:
        loop.call_idle(next_one, WITHIN)


def hold_back(state: BundleState, actors: ServiceActors) -> None:
    """Have those wait again that are about to be spawned, and what they need is ready no more."""
    for id_ in state.overtaken():
        actors.tell(id_, WaitAgain())
