"""The events that a suite reads: their numbers, and what is on its way to the disk."""

from __future__ import annotations

import itertools

import pytest

from bundlevisor.testing import events
from tests.waiting import WITHIN


def numbered(*numbers: int) -> list[events.Event]:
    return [{"event": "service_ready", "service_id": "db", "seq": number} for number in numbers]


def test_what_is_on_its_way_to_the_disk_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of before the kill was taken for the one after it."""
    monkeypatch.setattr(events, "SETTLES_WITHIN", WITHIN)
    reads = iter([numbered(1), numbered(1, 2), numbered(1, 2, 3), numbered(1, 2, 3)])
    assert events.settled(lambda: next(reads), {}) == 3


def test_the_readiness_that_is_told_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow disk no event came for a while, and the first start was taken for the next."""
    monkeypatch.setattr(events, "SETTLES_WITHIN", WITHIN)
    of_former = [{"event": "service_start", "service_id": "db", "details": {"pid": 6}, "seq": 1}]
    of_former += numbered(2)
    start = {"event": "service_start", "service_id": "db", "details": {"pid": 7}, "seq": 3}
    reads = [of_former] * 3 + [[*of_former, start]] * 3 + [[*of_former, start, *numbered(4)]] * 2
    left = iter(reads)
    assert events.settled(lambda: next(left), {"db": 7}) == 4


def test_no_end_of_events_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SETTLES_WITHIN", 0.2)
    numbers = itertools.count(1)
    assert events.settled(lambda: numbered(next(numbers)), {}) >= 1


def test_an_event_is_found_by_name_service_and_number() -> None:
    found = numbered(1, 2, 3)
    assert events.first(found, "service_ready", "db", 1) == found[1]
    assert events.first(found, "service_ready", None, 0) == found[0]
    for name, service, after in (("ready", "db", 0), ("service_ready", "api", 0)):
        assert events.first(found, name, service, after) is None
    assert events.first(found, "service_ready", "db", 3) is None
    assert events.first([{"seq": 1}], "service_ready", None, 0) is None
