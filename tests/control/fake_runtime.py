"""A runtime in memory: what the control API is tested against, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bundlevisor.actors.board import Board
from bundlevisor.actors.core.messages import Outcome
from bundlevisor.actors.core.progress import Known, Progress, measure
from bundlevisor.actors.core.snapshot import Phase, ServiceView, Snapshot, State
from bundlevisor.actors.prepare.cancelled import Wanted
from bundlevisor.actors.probes.schedule import ProbeStats
from bundlevisor.actors.telemetry.timeline import Span, Timeline
from bundlevisor.control.wire.bodies import Gpu, Validation
from bundlevisor.control.wire.facade import Action, Facts, Gauges
from bundlevisor.manifest.format.schema import Manifest
from bundlevisor.manifest.plan.secrets import Rejection
from tests.control.fake_sources import NOON, FakeEvents, FakeLogs
from tests.waiting import WITHIN, wait_until

BUNDLE: dict[str, Any] = {
    "schema_version": "v0.1",
    "target": "desktop",
    "app": {"name": "Notes", "version": "1.2.3"},
    "ipc": {
        "mode": "loopback-http",
        "host": "127.0.0.1",
        "port": 47710,
        "auth_token_path": "runtime/auth-token",
    },
    "telemetry": {"file": "telemetry/events.jsonl", "upload_url": "https://example.org/up"},
    "swaps": [{"original": "postgres", "replacement": "sqlite", "reason": "no server"}],
    "secrets": [
        {
            "id": "api_key",
            "class": "user_prompt",
            "description": "the key",
            "format": "^k-[0-9]+$",
            "prompt": {"label": "Key"},
            "target": {"type": "env", "name": "API_KEY"},
        },
        {
            "id": "session",
            "class": "per_install_generated",
            "required": False,
            "target": {"type": "env"},
        },
    ],
    "services": [
        {"id": "db", "type": "resource", "ports": {"requested": [{"name": "sql"}]}},
        {
            "id": "web.api-1",
            "type": "api-binary",
            "dependencies": ["db"],
            "ports": {"requested": [{"name": "http"}]},
        },
        {"id": "extra", "type": "worker", "critical": False},
    ],
}


def view(service_id: str, state: State = State.READY, **fields: Any) -> ServiceView:
    return ServiceView(
        id=service_id,
        state=state,
        message=fields.pop("message", state.value),
        updated_at=fields.pop("updated_at", NOON),
        **fields,
    )


def snapshot_of(*views: ServiceView, phase: Phase = Phase.RUNNING) -> Snapshot:
    return Snapshot(version=1, phase=phase, services={one.id: one for one in views})


class WatchedBoard(Board):
    """A board that remembers what those who wait on it thought of each snapshot."""

    def __init__(self, first: Snapshot) -> None:
        super().__init__(first)
        self._verdicts: list[tuple[int, bool]] = []

    def _wait(
        self, news: threading.Condition, until: Callable[[Snapshot], bool], timeout: float
    ) -> Snapshot:
        def judged(snapshot: Snapshot) -> bool:
            verdict = until(snapshot)
            self._verdicts.append((snapshot.version, verdict))
            return verdict

        return super()._wait(news, judged, timeout)

    def await_verdicts(self) -> set[bool]:
        """Return what was thought of the newest snapshot, once somebody has looked at it."""
        newest = self.snapshot.version
        return wait_until(
            lambda: {verdict for version, verdict in self._verdicts if version == newest},
            what="somebody who waits to look at the newest snapshot",
        )


class FakeRuntime:
    """Keeps what it is told; ``answers`` and ``hold`` say how it behaves."""

    def __init__(self) -> None:
        first = (
            view("db", pid=None, ports={"sql": 47001}),
            view("web.api-1", ports={"http": 47002}, started_at=NOON, ready_at=NOON + 1.5),
            view("extra", critical=False),
        )
        self.board = WatchedBoard(snapshot_of(*first))
        self.facts = Facts(
            manifest=msgspec.convert(BUNDLE, Manifest),
            manifest_hash="ab" * 32,
            instance_id="instance-1",
            started_at=NOON,
            app_data_dir="/data",
            bundle_root="/bundle",
            dry_run=False,
            ipc_host="127.0.0.1",
            ipc_port=47710,
            telemetry_path="/data/telemetry/events.jsonl",
            runtime_version="0.1.0",
            build_version="0.1.0+test",
            pid=4711,
        )
        self.logs = FakeLogs()
        self.events = FakeEvents()
        self.commands: list[tuple[str, str]] = []
        self.outcome = Outcome()
        self.note = ""
        self.command_error: Exception | None = None
        self.asked: list[tuple[str, str, int]] = []
        self.shutdowns: list[str] = []
        self.stored: dict[str, object] = {"session": "s"}
        self.pending: frozenset[str] = frozenset()
        self.report = Validation(valid=True)
        self.faults: list[tuple[str, BaseException]] = []
        self.last_line = ""
        self.measured = 0
        self.hold = threading.Event()
        self.hold.set()

    def command(self, service_id: str, action: Action, timeout_s: float) -> Outcome:
        self.commands.append((service_id, action))
        self.hold.wait(WITHIN)  # until the test lets go of it, however busy the machine is
        if self.command_error:
            raise self.command_error
        return self.outcome

    def bundle_note(self) -> str:
        return self.note

    def tell_asked(self, request: str, agent: str, port: int) -> None:
        self.asked.append((request, agent, port))

    def shutdown(self, reason: str) -> None:
        self.shutdowns.append(reason)
        self.set_phase(Phase.STOPPING)

    def secrets_pending(self) -> frozenset[str]:
        return self.pending

    def secrets_present(self) -> frozenset[str]:
        return frozenset(self.stored)

    def set_secrets(self, values: dict[str, object], timeout_s: float) -> tuple[Rejection, ...]:
        known = {secret.id for secret in self.facts.manifest.secrets}
        problems = [
            Rejection(id=name, message="is not a secret of this bundle")
            for name in values
            if name not in known
        ]
        problems += [
            Rejection(id=name, message="must be a string")
            for name, value in values.items()
            if not isinstance(value, str)
        ]
        if not problems:
            self.stored |= values
        return tuple(problems)

    def validate(self, wanted: Wanted) -> Validation:
        self.hold.wait(WITHIN)
        return self.report

    def gpu(self) -> Gpu:
        return Gpu(
            available=True, method="files", reason="/dev/dri", requirements={"extra": "optional"}
        )

    def progress(self, snapshot: Snapshot) -> Progress:
        found = measure(snapshot, Known(), NOON, last_line=lambda _: self.last_line)
        self.measured += 1  # whoever waits for that may change what has been looked at
        return found

    def timeline(self) -> Timeline:
        return Timeline(
            instance_id="now",
            started_at="2026-01-01T00:00:00.000Z",
            app_version="1.0.0",
            ready_ms=400.0,
            summary="ready after 400 ms: 390 ms of it is 'db' starting",
            runtime={"exec": 0.0, "ports": 5.0},
            services=(Span(id="db", spawned_ms=10.0, ready_ms=400.0, critical=True),),
        )

    def earlier_timelines(self) -> list[Timeline]:
        span = Span(id="db", spawned_ms=10.0, ready_ms=100.0)
        return [msgspec.structs.replace(self.timeline(), instance_id="old", services=(span,))]

    def gauges(self) -> Gauges:
        probe = ProbeStats()
        probe.count, probe.failed, probe.seconds_sum, probe.seconds_last = 3, 1, 0.5, 0.25
        return Gauges(
            probes={"db": probe},
            exits={"db": {"itself": 2, "order": 1}},
            log_bytes={"db": 12},
            events_written=7,
        )

    def fault(self, what: str, error: BaseException) -> None:
        self.faults.append((what, error))

    def publish(self, *views: ServiceView, phase: Phase | None = None) -> None:
        """Replace these services' views."""
        old = self.board.snapshot
        self.board.publish(
            Snapshot(
                version=old.version + 1,
                phase=phase or old.phase,
                services=old.services | {one.id: one for one in views},
            )
        )

    def set_phase(self, phase: Phase) -> None:
        self.publish(phase=phase)

    def change(self, service_id: str, state: State, **fields: Any) -> None:
        """Move one service."""
        old = self.board.snapshot.services[service_id]
        fields.setdefault("updated_at", time.time())
        self.publish(msgspec.structs.replace(old, state=state, **fields))
