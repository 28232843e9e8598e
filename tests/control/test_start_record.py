"""When a start was that is not over when the machine has slept."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from bundlevisor.actors.telemetry.milestones import Recorder
from bundlevisor.control.run.start_record import StartRecord


def test_a_start_was_when_it_was_however_long_the_machine_has_slept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle: Any = SimpleNamespace(
        instance_id="i",
        manifest=SimpleNamespace(app=SimpleNamespace(version="1")),
        options=SimpleNamespace(dry_run=False),
    )
    board: Any = SimpleNamespace(snapshot=SimpleNamespace(services={}))
    record = StartRecord(Recorder(time.monotonic(), 0.0), bundle, board)
    before = record.make().started_at
    awake = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: awake() - 3600)
    assert record.make().started_at == before
