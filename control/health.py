"""``GET /healthz``: whether the supervisor answers, and how the bundle is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from actors.snapshot import Phase, ServiceView, Snapshot, State
from control.bodies import Health
from control.messages import send

if TYPE_CHECKING:
    import falcon

    from control.facade import Runtime

Word = Literal["ok", "degraded", "failed", "stopping"]
DOWN = frozenset({State.UNHEALTHY, State.BACKOFF, State.STOPPED, State.FAILED})


def health(snapshot: Snapshot) -> Word:
    """Say how the bundle is in one word.

    ``failed``: a critical service has given up. ``degraded``: any other service is down, blocked by
    one that is, or stopped on request; what is still starting is neither.
    """
    if snapshot.phase is not Phase.RUNNING:
        return "stopping"
    views = [view for view in snapshot.services.values() if not view.skipped]
    if any(view.critical and view.state is State.FAILED for view in views):
        return "failed"
    return "degraded" if any(_is_down(view) for view in views) else "ok"


class HealthResource:
    """The one address that needs no token."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200, and 503 while the bundle stops."""
        snapshot = self._runtime.board.snapshot
        word = health(snapshot)
        body = Health(
            status=word,
            services=len(snapshot.services),
            runtime=f"bundlevisor {self._runtime.facts.runtime_version}",
        )
        send(resp, body, 503 if word == "stopping" else 200)


def _is_down(view: ServiceView) -> bool:
    return view.blocked or view.state in DOWN
