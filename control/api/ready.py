"""``GET /readyz``: which services are ready, and what the others wait for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import UNSET

from bundlevisor.actors.board import DECIDED
from bundlevisor.actors.files import json_text
from bundlevisor.actors.loop.wall_time import set_by, timestamp
from bundlevisor.control.api.progress_watch import ProgressWatch, Versions
from bundlevisor.control.wire.bodies import Readiness, ServiceDetail
from bundlevisor.control.wire.json_body import send_encoded
from bundlevisor.control.wire.long_poll import wait_for, wait_seconds
from bundlevisor.control.wire.parameters import (
    CHANGE,
    CHANGED_AFTER,
    STRICT,
    whole_number,
    yes_or_no,
)

if TYPE_CHECKING:
    from bundlevisor.actors.core.progress import Progress
    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot
    from bundlevisor.control.wire.bodies import Gpu
    from bundlevisor.control.wire.closing import Closing
    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import RuntimeApi


class ReadyResource:
    """Readiness, now or as soon as it is decided; encoded once for each state."""

    def __init__(self, runtime: RuntimeApi, closing: Closing) -> None:
        self._runtime = runtime
        self._closing = closing
        self._versions = Versions()
        self._encoded: tuple[Snapshot | None, tuple[Gpu, Progress, float] | None, bytes]
        self._encoded = None, None, b""

    def on_get(self, req: Request, resp: Response) -> None:
        """Answer 200; with ``?strict=1`` 503 while not ready."""
        seconds, strict = wait_seconds(req), yes_or_no(req, STRICT)
        snapshot = self._runtime.board.snapshot
        after = None
        if req.get_param(CHANGED_AFTER.name) is not None:
            after = whole_number(req, CHANGED_AFTER)
        if yes_or_no(req, CHANGE):
            snapshot = self._changed(snapshot, after, seconds or 0.0, req)
        elif seconds is not None:
            look = self._runtime.board.wait_decided
            snapshot = wait_for(look, DECIDED, seconds, req, self._closing)
        send_encoded(resp, self._body(snapshot), 503 if strict and not snapshot.ready else 200)

    def _changed(
        self, known: Snapshot, after: int | None, seconds: float, req: Request
    ) -> Snapshot:
        """Return the first snapshot that is another one than the client knows of, or shows another
        progress: than ``after`` was given to, or than now.

        Who asks again at once is told of progress no more often than it is looked at.
        """
        board, progress = self._runtime.board, self._runtime.progress(known)
        watch = ProgressWatch(self._runtime, progress)
        number = self._versions.number(known, progress)
        if after is not None and after != number:
            if not self._versions.is_of_now(after):
                return known
            watch = ProgressWatch(self._runtime, looked=time.monotonic())

        def other(snapshot: Snapshot) -> bool:
            return snapshot is not known

        def settled(snapshot: Snapshot) -> bool:
            return other(snapshot) or watch.news(snapshot) is not None

        return wait_for(
            lambda timeout: board.wait(other, timeout), settled, seconds, req, self._closing
        )

    def _body(self, snapshot: Snapshot) -> bytes:
        gpu, progress = self._runtime.gpu(), self._runtime.progress(snapshot)
        now = gpu, progress, set_by()
        of, then, encoded = self._encoded
        if snapshot is not of or now != then:
            version = self._versions.number(snapshot, progress)
            encoded = json_text.encode(readiness(snapshot, gpu, progress, version))
            self._encoded = snapshot, now, encoded
        return encoded


def readiness(snapshot: Snapshot, gpu: Gpu, progress: Progress, version: int) -> Readiness:
    """Return the body of the answer."""
    return Readiness(
        ready=snapshot.ready,
        details={view.id: detail(view) for view in snapshot.services.values()},
        gpu=gpu,
        progress=progress,
        version=version,
    )


def detail(view: ServiceView) -> ServiceDetail:
    """Return a service as ``/readyz`` shows it."""
    behind = set_by()
    return ServiceDetail(
        ready=view.ready,
        skipped=True if view.skipped else UNSET,
        message=view.message or (view.skip_reason if view.skipped else ""),
        exit_code=UNSET if view.exit_code is None else view.exit_code,
        started_at=UNSET if view.started_at is None else timestamp(view.started_at + behind),
        ready_at=UNSET if view.ready_at is None else timestamp(view.ready_at + behind),
        updated_at=timestamp(view.updated_at + behind),
        state=view.state,
        restarts=view.restarts,
        pid=UNSET if view.pid is None else view.pid,
        waiting_for=view.waiting_for or UNSET,
        output=view.output or UNSET,
    )
