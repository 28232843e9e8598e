"""``GET /status``: the instance, and what each service is doing and using."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from bundlevisor.actors.files import json_text
from bundlevisor.actors.loop.wall_time import moment, set_by, timestamp
from bundlevisor.control.api.usage import Meter, Usage
from bundlevisor.control.wire.bodies import ServiceStatus, Status, Swap
from bundlevisor.control.wire.json_body import send_encoded
from bundlevisor.manifest.plan.graph import Edges, edges

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundlevisor.actors.core.snapshot import ServiceView, Snapshot
    from bundlevisor.control.wire.exchange import Request, Response
    from bundlevisor.control.wire.facade import Facts, RuntimeApi
    from bundlevisor.manifest.format import schema


class NotAtHand(Exception):
    """The answer takes a look at the processes first."""


MOMENT_S = 0.05
"""How long the answer is the same where nothing has changed: only its uptimes grow."""


class Answer(Struct, frozen=True):
    """A body that was made, and what it is the answer of."""

    snapshot: Snapshot
    measured_at: float | None
    made_at: float
    """Monotonic seconds."""
    body: bytes


class StatusResource:
    """The whole picture on one page; encoded once for each picture and moment."""

    def __init__(self, runtime: RuntimeApi, meter: Meter) -> None:
        self._runtime = runtime
        self._meter = meter
        self._encoded: Answer | None = None

    @functools.cached_property
    def _needs(self) -> Edges:
        return edges(self._runtime.facts.manifest)

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer 200."""
        snapshot = self._runtime.board.snapshot
        usage = self._meter.measure(pids(snapshot))
        send_encoded(resp, self._encode(snapshot, self._meter.measured_at, usage))

    def answer_at_once(self, _req: Request, resp: Response) -> None:
        """Answer 200, or raise NotAtHand where something would have to be measured for it."""
        snapshot, measured_at = self._runtime.board.snapshot, self._meter.measured_at
        body = self._same(snapshot, measured_at)
        if body is None:
            usage = self._meter.remembered(pids(snapshot))
            if usage is None:
                raise NotAtHand
            body = self._encode(snapshot, measured_at, usage)
        send_encoded(resp, body)

    def _same(self, snapshot: Snapshot, measured_at: float | None) -> bytes | None:
        """Return the answer given last where it is still right."""
        last = self._encoded
        if last is None or not self._meter.is_at_hand or last.snapshot is not snapshot:
            return None
        young = time.monotonic() - last.made_at < MOMENT_S
        return last.body if young and last.measured_at == measured_at else None

    def _encode(
        self, snapshot: Snapshot, measured_at: float | None, usage: Mapping[int, Usage]
    ) -> bytes:
        now, unused = moment(), Usage()
        services = tuple(
            service_status(view, usage.get(view.pid or 0, unused), now, self._needs.get(id_, ()))
            for id_, view in snapshot.services.items()
        )
        body = json_text.encode(status(self._runtime.facts, services, now))
        self._encoded = Answer(snapshot, measured_at, time.monotonic(), body)
        return body


def pids(snapshot: Snapshot) -> list[int]:
    """Return the pids of the services that run."""
    return [view.pid for view in snapshot.services.values() if view.pid is not None]


def leaders(snapshot: Snapshot) -> dict[str, int]:
    """Return the pid of each service that runs, by its id."""
    return {view.id: view.pid for view in snapshot.services.values() if view.pid is not None}


def uptime(view: ServiceView, now: float) -> float:
    """Return the seconds since a running service was started, 0 for one that does not run."""
    if view.pid is None or view.started_at is None:
        return 0.0
    return round(max(0.0, now - view.started_at), 3)


def service_status(
    view: ServiceView, usage: Usage, now: float, needs: tuple[str, ...]
) -> ServiceStatus:
    """Return a service as ``/status`` shows it."""
    return ServiceStatus(
        id=view.id,
        state=view.state,
        cpu_percent=usage.cpu_percent,
        rss_bytes=usage.rss_bytes,
        restarts=view.restarts,
        uptime_s=uptime(view, now),
        message=view.message,
        skipped=True if view.skipped else UNSET,
        pid=UNSET if view.pid is None else view.pid,
        ports=view.ports or UNSET,
        ready_after_s=_ready_after(view),
        waiting_for=view.waiting_for or UNSET,
        output=view.output or UNSET,
        dependencies=needs or UNSET,
    )


def status(facts: Facts, services: tuple[ServiceStatus, ...], now: float) -> Status:
    """Return the instance as ``/status`` shows it."""
    manifest = facts.manifest
    return Status(
        instance_id=facts.instance_id,
        started_at=timestamp(facts.started_at + set_by()),
        app_data_dir=facts.app_data_dir,
        bundle_root=facts.bundle_root,
        dry_run=facts.dry_run,
        manifest_hash=facts.manifest_hash,
        manifest_schema=manifest.schema_version,
        target=manifest.target,
        app_name=manifest.app.name,
        app_version=manifest.app.version,
        ipc_host=facts.ipc_host,
        ipc_port=facts.ipc_port,
        runtime_version=facts.runtime_version,
        build_version=facts.build_version,
        uptime_s=round(max(0.0, now - facts.started_at), 3),
        pid=facts.pid,
        services=services,
        swaps=tuple(_swap(swap) for swap in manifest.swaps),
    )


def _ready_after(view: ServiceView) -> float | UnsetType:
    if view.started_at is None or view.ready_at is None or view.ready_at < view.started_at:
        return UNSET
    return round(view.ready_at - view.started_at, 3)


def _swap(swap: schema.Swap) -> Swap:
    return Swap(
        original=swap.original,
        replacement=swap.replacement,
        reason=swap.reason or UNSET,
        limitations=swap.limitations or UNSET,
    )
