"""Events as they are written, numbered, rotated and read again."""

from __future__ import annotations

import datetime
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bundlevisor.actors.telemetry import writer as telemetry_writer
from bundlevisor.actors.telemetry.writer import RECENT, Event, Telemetry
from tests.actors.telemetry.conftest import lines
from tests.full_disk import fill
from tests.waiting import WITHIN

PATIENCE = WITHIN


@pytest.fixture
def events(path: Path, reports: list[str]) -> Iterator[Telemetry]:
    writer = Telemetry(str(path), reports.append)
    yield writer
    assert writer.close(PATIENCE)


def test_an_event_is_one_line_with_the_fields_of_the_format(path: Path) -> None:
    writer = Telemetry(str(path), print, now=lambda: 1_795_428_900.0625)
    writer.emit("runtime_start")
    writer.emit("service_exit", "api", code=-9, message="ended")
    assert writer.close(PATIENCE)
    assert path.read_bytes() == (
        b'{"ts":"2026-11-23T10:15:00.062Z","seq":1,"event":"runtime_start"}\n'
        b'{"ts":"2026-11-23T10:15:00.062Z","seq":2,"event":"service_exit","service_id":"api",'
        b'"details":{"code":-9,"message":"ended"}}\n'
    )


def test_numbers_go_on_across_starts(path: Path) -> None:
    for start in range(3):
        writer = Telemetry(str(path), print)
        writer.emit("first", start=start)
        writer.emit("second")
        assert writer.close(PATIENCE)
    assert [line["seq"] for line in lines(path)] == [1, 2, 3, 4, 5, 6]


def test_a_torn_last_line_is_ended_and_costs_nothing_else(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"ts":"t","seq":41,"event":"whole"}\n{"ts":"t","seq":42,"eve')
    writer = Telemetry(str(path), print)
    writer.emit("next")
    assert writer.wait(41, PATIENCE)
    assert [event.event for event in writer.page(0)] == ["whole", "next"]
    assert writer.close(PATIENCE)
    written = path.read_bytes().splitlines()
    assert written[1] == b'{"ts":"t","seq":42,"eve'
    assert msgspec.json.decode(written[2])["seq"] == 42


def test_events_of_many_threads_are_written_in_the_order_of_their_numbers(
    events: Telemetry, path: Path
) -> None:
    def emit(who: int) -> None:
        for number in range(200):
            events.emit("tick", f"service-{who}", number=number)

    threads = [threading.Thread(target=emit, args=(who,)) for who in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events.wait(999, PATIENCE)
    written = lines(path)
    assert [line["seq"] for line in written] == list(range(1, 1001))
    for who in range(5):
        mine = [line for line in written if line["service_id"] == f"service-{who}"]
        assert [line["details"]["number"] for line in mine] == list(range(200))


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Path("a"), "a"),
        (OSError(2, "No such file"), "[Errno 2] No such file"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        (Unprintable(), "<Unprintable>"),
        ({"k": Unprintable()}, None),
        (float("nan"), None),
        (10**30, 10**30),
        ((1, "two", None), [1, "two", None]),
        (datetime.date(2026, 11, 23), "2026-11-23"),
        ({1: 2}, {"1": 2}),
    ],
)
def test_a_value_that_json_does_not_know_never_costs_the_event(
    events: Telemetry, value: object, expected: object
) -> None:
    events.emit("odd", None, value=value, other="kept")
    assert events.wait(0, PATIENCE)
    (event,) = events.page(0)
    assert event.details["other"] == "kept"
    if expected is not None:
        assert event.details["value"] == expected


def test_a_value_that_contains_itself_does_not_cost_the_event(events: Telemetry) -> None:
    endless: list[object] = []
    endless.append(endless)
    events.emit("odd", None, value=endless, other="kept")
    assert events.wait(0, PATIENCE)
    assert events.page(0)[0].details == {"value": "[[...]]", "other": "kept"}


def test_details_are_those_of_the_moment_of_the_call(events: Telemetry) -> None:
    changing = {"state": "starting"}
    events.emit("one", None, value=changing)
    changing["state"] = "ready"
    assert events.wait(0, PATIENCE)
    assert events.page(0)[0].details == {"value": {"state": "starting"}}


def test_a_page_begins_after_its_number_and_is_limited(events: Telemetry) -> None:
    for number in range(50):
        events.emit("tick", None, number=number)
    assert events.wait(49, PATIENCE)
    assert [event.seq for event in events.page(10, 5)] == [11, 12, 13, 14, 15]
    assert [event.seq for event in events.page(48)] == [49, 50]
    assert events.page(50) == []


def test_events_that_memory_has_forgotten_come_from_the_file(path: Path) -> None:
    writer = Telemetry(str(path), print, limit=100_000)
    for number in range(3000):
        writer.emit("tick", None, number=number)
        if number % 500 == 0:
            assert writer.wait(number, PATIENCE)
    assert writer.wait(2999, PATIENCE)
    assert path.with_name(path.name + ".1").exists()
    first_kept = writer.page(0, 1)[0].seq
    assert 1 < first_kept < 3000 - RECENT
    seen: list[Event] = []
    while page := writer.page(seen[-1].seq if seen else 0, 700):
        seen += page
    assert [event.seq for event in seen] == list(range(first_kept, 3001))
    assert all(event.details["number"] == event.seq - 1 for event in seen)
    for after in (first_kept, first_kept + 1, 1500, 1999, 2000, 2001, 2998):
        assert [event.seq for event in writer.page(after, 3)] == [
            seq for seq in (after + 1, after + 2, after + 3) if seq <= 3000
        ]
    assert writer.close(PATIENCE)


def test_events_of_earlier_starts_can_be_read(path: Path) -> None:
    first = Telemetry(str(path), print)
    first.emit("old")
    assert first.close(PATIENCE)
    second = Telemetry(str(path), print)
    second.emit("new")
    assert second.wait(1, PATIENCE)
    assert [(event.seq, event.event) for event in second.page(0)] == [(1, "old"), (2, "new")]
    assert second.close(PATIENCE)


def test_the_file_is_rotated_at_a_line_and_one_old_file_is_kept(path: Path) -> None:
    writer = Telemetry(str(path), print, limit=5000)
    for _ in range(300):
        writer.emit("tick", None, text="x" * 50)
    assert writer.close(PATIENCE)
    assert sorted(os.listdir(path.parent)) == [path.name, path.name + ".1"]
    kept = lines(path.with_name(path.name + ".1")) + lines(path)
    assert [line["seq"] for line in kept] == list(range(kept[0]["seq"], 301))
    assert path.stat().st_size <= 5000


def test_a_wait_ends_with_the_event_and_with_the_time_out(events: Telemetry) -> None:
    assert events.wait(0, 0.01) is False
    timer = threading.Timer(0.05, lambda: events.emit("late"))
    timer.start()
    assert events.wait(0, PATIENCE) is True
    timer.join()


def test_a_wait_ends_when_the_telemetry_is_closed(path: Path) -> None:
    writer = Telemetry(str(path), print)
    timer = threading.Timer(0.05, lambda: writer.close(PATIENCE))
    timer.start()
    began = time.monotonic()
    assert writer.wait(0, PATIENCE) is False
    assert time.monotonic() - began < PATIENCE
    timer.join()


def test_the_end_does_not_wait_until_the_next_burst_is_due(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry_writer, "BREATH", 3600.0)
    writer = Telemetry(str(path), print)
    writer.emit("first")
    assert writer.wait(0, PATIENCE)
    writer.emit("second")
    assert writer.close(PATIENCE)
    assert path.read_text().count("\n") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_drops_and_counts_and_says_so_when_it_works_again(
    tmp_path: Path, reports: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "events.jsonl"
    fill(path, monkeypatch)
    writer = Telemetry(str(path), reports.append)
    for number in range(5):
        writer.emit("lost", None, number=number)
    assert writer.wait(4, PATIENCE)
    assert writer.dropped == 5
    assert [event.details["number"] for event in writer.page(0)] == [0, 1, 2, 3, 4]
    assert len(reports) == 1
    assert "No space left on device" in reports[0]
    path.unlink()
    writer._file._look_at = 0.0
    writer.emit("works")
    assert writer.wait(6, PATIENCE)
    assert writer.close(PATIENCE)
    told, works = lines(path)
    assert (told["event"], told["details"], told["seq"]) == ("telemetry_dropped", {"count": 5}, 6)
    assert (works["event"], works["seq"]) == ("works", 7)


def test_who_saw_more_than_the_file_has_goes_on_where_this_run_begins(path: Path) -> None:
    """A full disk has lost what a run told: the next one counts from what is written."""
    first = Telemetry(str(path), print)
    first.emit("one")
    assert first.close(PATIENCE)
    writer = Telemetry(str(path), print)
    for event in ("two", "three"):
        writer.emit(event)
    assert writer.wait(2, PATIENCE)
    assert [writer.resumed(after) for after in (0, 1, 3, 4, 1000)] == [0, 1, 3, 1, 1]
    assert writer.close(PATIENCE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_removed_file_is_there_again(events: Telemetry, path: Path) -> None:
    events.emit("one")
    assert events.wait(0, PATIENCE)
    path.unlink()
    path.parent.rmdir()
    events._file._look_at = 0.0
    events.emit("two")
    assert events.wait(1, PATIENCE)
    assert [line["event"] for line in lines(path)] == ["two"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_that_app_data_was_removed_is_in_the_file_that_is_made_again(
    events: Telemetry, path: Path
) -> None:
    events.emit("ready")
    assert events.wait(0, PATIENCE)
    path.rename(path.with_name("gone"))  # within the second in which nobody looks for it
    events.emit("app_data_removed", folder=str(path.parent))
    assert events.wait(1, PATIENCE)
    assert [one["event"] for one in lines(path)] == ["app_data_removed"]


def test_the_file_is_for_the_user_alone(events: Telemetry, path: Path) -> None:
    events.emit("one")
    assert events.wait(0, PATIENCE)
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_times_are_rfc_3339_in_utc(events: Telemetry) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    events.emit("now")
    assert events.wait(0, PATIENCE)
    stamp = events.page(0)[0].ts
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamp)
    assert before < datetime.datetime.fromisoformat(stamp) <= datetime.datetime.now(datetime.UTC)
