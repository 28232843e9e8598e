from __future__ import annotations

import pytest
from hypothesis import given, strategies as some

from bundlevisor.actors.ui_server.files.ranges import MOST_PARTS, Part, parse


@pytest.mark.parametrize(
    ("header", "parts"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-9", [(0, 10)]),
        ("bytes=5-", [(5, 100)]),
        ("bytes=-5", [(95, 100)]),
        ("bytes=-500", [(0, 100)]),
        ("bytes=90-500", [(90, 100)]),
        ("bytes=99-99", [(99, 100)]),
        ("Bytes = 0-1", [(0, 2)]),
        ("bytes=0-9, 20-29", [(0, 10), (20, 30)]),
        ("bytes=20-29,0-9", [(20, 30), (0, 10)]),
        ("bytes=0-9,5-14", [(0, 15)]),
        ("bytes=0-9,10-19", [(0, 20)]),
        ("bytes=50-59,0-9,5-14", [(0, 15), (50, 60)]),
        ("bytes=0-9,200-300", [(0, 10)]),
        ("bytes=100-", []),
        ("bytes=-0", []),
        ("bytes=200-300,400-", []),
    ],
)
def test_the_satisfiable_parts_are_found(header: str, parts: list[tuple[int, int]]) -> None:
    assert parse(header, 100) == [Part(*part) for part in parts]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=0-1,",
        "bytes=0-1;2-3",
        "bytes=0x0-1",
        "bytes=٣-٥",
        "bytes=--5",
        "lines=0-5",
        "bytes=" + "9" * 40 + "-",
    ],
)
def test_what_is_no_range_asks_for_the_whole_file(header: str) -> None:
    assert parse(header, 100) is None


def test_more_parts_than_a_client_needs_ask_for_the_whole_file() -> None:
    def apart(count: int) -> str:
        return "bytes=" + ",".join(f"{i * 10}-{i * 10 + 1}" for i in range(count))

    few, many = parse(apart(MOST_PARTS), 10_000), parse(apart(MOST_PARTS + 1), 10_000)
    assert few is not None
    assert len(few) == MOST_PARTS
    assert many is None


def test_a_thousand_overlapping_parts_are_one() -> None:
    assert parse("bytes=" + ",".join(["0-"] * 1000), 100) == [Part(0, 100)]


def test_an_empty_file_satisfies_no_range() -> None:
    assert parse("bytes=0-", 0) == []
    assert parse("bytes=-1", 0) == []


@given(
    some.lists(some.tuples(some.integers(0, 120), some.integers(0, 120)), min_size=1, max_size=12),
    some.integers(0, 110),
)
def test_parts_cover_exactly_the_bytes_asked_for_and_none_twice(
    pairs: list[tuple[int, int]], size: int
) -> None:
    pairs = [(min(pair), max(pair)) for pair in pairs]
    parts = parse("bytes=" + ",".join(f"{a}-{b}" for a, b in pairs), size)
    assert parts is not None
    sent = [position for part in parts for position in range(part.start, part.stop)]
    asked = {p for a, b in pairs for p in range(a, min(b + 1, size))}
    assert sorted(sent) == sorted(asked)


def test_a_part_has_as_many_bytes_as_are_sent() -> None:
    assert [part.length for part in parse("bytes=2-5", 10) or ()] == [4]


def test_content_range_names_the_last_byte() -> None:
    assert Part(0, 10).content_range(100) == "bytes 0-9/100"
