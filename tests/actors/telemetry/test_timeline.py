"""What took how long: the critical path, the sentence, the comparison, the picture."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec

from bundlevisor.actors.telemetry.milestones import READY, SPAWNED, begin, end
from bundlevisor.actors.telemetry.timeline import Span, Timeline, assemble
from bundlevisor.actors.telemetry.timeline_compare import changes
from bundlevisor.actors.telemetry.timeline_picture import SMALL, draw
from bundlevisor.control.cli.timeline_command import blamed


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
    of_two = changes(timeline(db=(10, 310)), [timeline(db=(0, 100)), timeline(db=(0, 200))])
    assert [change.before_ms for change in of_two] == [150.0, 150.0]


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


def test_preparations_are_spans_of_their_own_and_may_be_what_took_longest() -> None:
    found = marks(db=(420, 450))
    found |= {("db", begin("assets")): 20.0, ("db", end("assets")): 30.0}
    found |= {("db", begin("migrations")): 30.0, ("db", end("migrations")): 410.0}
    found |= {("db", begin("secrets")): 10.0}
    made = assemble(found, {"db": ()}, instance_id="x", started_at="", app_version="1")
    (span,) = made.services
    assert [(step.what, step.begin_ms, step.end_ms) for step in span.preparation] == [
        ("assets", 20.0, 30.0),
        ("migrations", 30.0, 410.0),
    ]
    assert made.summary == "ready after 450 ms: 380 ms of it is the migrations of 'db'"
    assert "migrations 30.0 to 410.0 ms" in draw(made)
    before = [timeline(db=(20, 50)) for _ in range(3)]
    assert not [one for one in changes(made, before) if "migrations" in one.what]


def test_no_label_of_the_runtime_covers_another() -> None:
    runtime = {"exec": 0.0, "interpreter": 8.0, "manifest": 9.0, "socket": 9.5, "api": 900.0}
    made = msgspec.structs.replace(timeline(db=(10, 1000)), runtime=runtime)
    boxes = []
    for text in ElementTree.fromstring(draw(made)).iter("{http://www.w3.org/2000/svg}text"):
        if text.text in runtime:
            x, half = float(text.get("x", "")), SMALL * len(text.text) / 2
            boxes.append((float(text.get("y", "")), x - half, x + half))
    assert len(boxes) == len(runtime)
    for one, (y, left, right) in enumerate(boxes):
        for other_y, other_left, other_right in boxes[one + 1 :]:
            assert y != other_y or right <= other_left or other_right <= left


def test_a_long_name_is_shortened_and_still_told_whole() -> None:
    name = "a-service-with-a-name-that-needs-all-of-the-width"
    texts = list(ElementTree.fromstring(draw(timeline(**{name: (1, 2)}))).itertext())
    assert name in texts
    assert any(text.endswith("…") for text in texts)


def test_blame_names_the_longest_start_first_and_leaves_waiting_out() -> None:
    made = timeline(db=(10, 110), api=(400, 420), job=(10, 60))
    assert [(span.id, took) for span, took in blamed(made)] == [
        ("db", 100),
        ("job", 50),
        ("api", 20),
    ]
