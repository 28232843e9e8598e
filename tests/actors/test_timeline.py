"""What took how long: the critical path, the sentence, the comparison, the picture."""

from __future__ import annotations

from xml.etree import ElementTree

from bundlevisor.actors.telemetry.milestones import READY, SPAWNED
from bundlevisor.actors.telemetry.timeline import Span, Timeline, assemble
from bundlevisor.actors.telemetry.timeline_compare import changes
from bundlevisor.actors.telemetry.timeline_picture import draw


def timeline(**services: tuple[float, float]) -> Timeline:
    spans = tuple(Span(id=i, spawned_ms=s, ready_ms=r) for i, (s, r) in services.items())
    last = max(ready for _, ready in services.values())
    return Timeline(instance_id="x", started_at="", app_version="1", ready_ms=last, services=spans)


def marks(**services: tuple[float, float]) -> dict[tuple[str, str], float]:
    found = {("", "ports"): 5.0}
    for id_, (spawned, ready) in services.items():
        found |= {(id_, SPAWNED): spawned, (id_, READY): ready}
    return found


NEEDS: dict[str, tuple[str, ...]] = {"db": (), "cache": (), "api": ("db", "cache"), "job": ()}


def test_the_critical_path_goes_through_the_dependency_that_was_ready_last() -> None:
    made = assemble(
        marks(db=(20, 410), cache=(20, 60), api=(412, 430), job=(21, 100)),
        NEEDS,
        instance_id="x",
        started_at="",
        app_version="1",
    )
    assert [span.id for span in made.services if span.critical] == ["db", "api"]
    assert made.ready_ms == 430
    assert made.summary == "ready after 430 ms: 390 ms of it is 'db' starting"
    assert made.runtime == {"ports": 5.0}


def test_a_start_that_is_not_over_says_so() -> None:
    made = assemble(
        {("db", SPAWNED): 20.0}, {"db": ()}, instance_id="x", started_at="", app_version="1"
    )
    assert made.ready_ms is None
    assert made.summary == "not ready yet"


def test_only_what_differs_beyond_the_noise_is_told_the_worst_first() -> None:
    earlier = [timeline(db=(10, 110), api=(120, 140)) for _ in range(5)]
    found = changes(timeline(db=(10, 310), api=(320, 345)), earlier)
    assert [change.what for change in found] == ["everything ready", "service 'db'"]
    assert found[1].sentence == "service 'db': 300 ms, slower than the 100 ms before"


def test_a_start_like_the_others_has_nothing_to_tell() -> None:
    assert not changes(timeline(db=(10, 112)), [timeline(db=(10, 110))])


def test_the_picture_is_xml_and_names_every_service_even_with_odd_names() -> None:
    made = timeline(**{"a<b&c": (10, 20), "db": (5, 8)})
    root = ElementTree.fromstring(draw(made))
    texts = "".join(root.itertext())
    assert "a<b&c" in texts
    assert "db" in texts


def test_a_picture_of_nothing_is_drawn_too() -> None:
    empty = Timeline(instance_id="x", started_at="", app_version="1", summary="not ready yet")
    ElementTree.fromstring(draw(empty))
