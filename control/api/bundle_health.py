"""How the bundle is, in one word: what ``GET /healthz`` says."""

from __future__ import annotations

from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.control.wire.health import Word

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


def _is_down(view: ServiceView) -> bool:
    return view.blocked or view.state in DOWN
