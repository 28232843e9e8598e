"""What starts take usually, from the timelines of earlier ones."""

from __future__ import annotations

from bundlevisor.actors.telemetry.timeline import Span, Timeline
from bundlevisor.actors.telemetry.usual import usual_seconds


def timeline(*spans: Span) -> Timeline:
    return Timeline(instance_id="i", started_at="t", app_version="1", services=spans)


def test_a_start_is_begun_when_its_last_dependency_is_ready() -> None:
    spans = (
        Span(id="db", waiting_ms=10.0, spawned_ms=40.0, ready_ms=1010.0),
        Span(id="api", dependencies=("db", "gone"), waiting_ms=10.0, ready_ms=1510.0),
    )
    assert usual_seconds([timeline(*spans)]) == {"db": 1.0, "api": 0.5}


def test_the_middle_counts_and_starts_that_failed_do_not() -> None:
    took = (1000.0, None, 3000.0, 90_000.0)
    starts = [timeline(Span(id="db", ready_ms=ms)) for ms in took]
    assert usual_seconds(starts) == {"db": 3.0}
    assert usual_seconds(starts[:3]) == {"db": 2.0}
    assert usual_seconds([]) == {}
