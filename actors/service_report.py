"""What a service's actor tells the supervisor of its life."""

from __future__ import annotations

from bundlevisor.actors.core.life import Life
from bundlevisor.actors.core.report import Report, Stage
from bundlevisor.actors.launch.spec import LaunchSpec


class Moments:
    """When the present start was begun, its process spawned, and ready (``wall_time.moment``)."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self.started: float | None = None
        self.ready: float | None = None


def report_of(life: Life, spec: LaunchSpec, moments: Moments) -> Report:
    """Return the report on this life as it is now."""
    return Report(
        id=spec.service.id,
        stage=life.stage,
        heard=life.heard,
        then=life.then,
        stop_cause=life.stop_cause,
        message=life.message,
        restarts=life.history.total,
        pid=life.pid,
        incarnation=life.incarnation,
        instance=spec.instance(life.incarnation) if life.incarnation else "",
        exit_code=life.exit_code,
        output=life.output,
        doing=life.doing,
        begun_at=moments.begun,
        started_at=moments.started,
        ready_at=moments.ready if life.stage is Stage.READY else None,
    )
