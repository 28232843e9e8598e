"""What starts take usually, from the timelines of earlier ones."""

from __future__ import annotations

from bundlevisor.actors.telemetry.timeline import Span, Step, Timeline
from bundlevisor.actors.telemetry.usual import usual_seconds


def timeline(*spans: Span) -> Timeline:
    return Timeline(instance_id="i", started_at="t", app_version="1", services=spans)


def test_what_is_waited_for_before_a_start_is_no_part_of_it() -> None:
    secrets = Step(what="secrets", begin_ms=90_000.0, end_ms=90_100.0)
    spans = (
        Span(id="db", waiting_ms=10.0, spawned_ms=40.0, ready_ms=1040.0),
        Span(id="api", dependencies=("db",), waiting_ms=10.0, spawned_ms=1050.0, ready_ms=1550.0),
        Span(  # which somebody had to give a secret
            id="mail",
            waiting_ms=10.0,
            preparation=(secrets,),
            spawned_ms=90_110.0,
            ready_ms=90_300.0,
        ),
    )
    assert usual_seconds([timeline(*spans)]) == {"db": 1.0, "api": 0.5, "mail": 0.3}


def test_the_middle_counts_and_starts_that_failed_do_not() -> None:
    took = (1000.0, None, 3000.0, 90_000.0)
    starts = [timeline(Span(id="db", spawned_ms=0.0, ready_ms=ms)) for ms in took]
    assert usual_seconds(starts) == {"db": 3.0}
    assert usual_seconds(starts[:3]) == {"db": 2.0}
    assert usual_seconds([]) == {}
