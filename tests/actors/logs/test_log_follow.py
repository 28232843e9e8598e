from __future__ import annotations

import re
import threading

from bundlevisor.actors.logs.follow import LIMIT, Subscription
from tests.waiting import WITHIN

PATIENCE = WITHIN


def subscription(limit: int = 100) -> Subscription:
    return Subscription(lambda _: None, limit)


def test_a_reader_gets_the_past_first_and_then_what_comes() -> None:
    reader = subscription()
    reader.begin(b"past\n")
    reader.put(b"one\n")
    reader.put(b"two\n")
    assert reader.read(PATIENCE) == b"past\none\ntwo\n"
    assert reader.read(0.01) == b""
    reader.put(b"three\n")
    reader.end()
    assert reader.read(PATIENCE) == b"three\n"
    assert reader.read(PATIENCE) is None


def test_a_waiting_reader_is_woken_by_output_and_by_the_end() -> None:
    reader = subscription()
    output = threading.Timer(0.05, reader.put, [b"late\n"])
    output.start()
    assert reader.read(PATIENCE) == b"late\n"
    output.join()
    end = threading.Timer(0.05, reader.close)
    end.start()
    assert reader.read(PATIENCE) is None
    end.join()


def test_a_slow_reader_loses_its_oldest_lines_and_is_told_how_many() -> None:
    reader = subscription(limit=20_000)
    text = [b"%09d\n" % number for number in range(10_000)]
    for line in text:
        reader.put(line)
    assert reader._size <= 20_000
    got = reader.read(PATIENCE)
    assert got is not None
    notice, rest = got.split(b"\n", 1)
    found = re.fullmatch(rb"\[bundlevisor: (\d+) lines skipped\]", notice)
    assert found
    skipped = int(found[1])
    assert rest == b"".join(text[skipped:])
    assert 0 < skipped < 10_000
    reader.put(b"after\n")
    assert reader.read(PATIENCE) == b"after\n"


def test_the_rest_of_a_line_whose_beginning_was_dropped_goes_with_it() -> None:
    reader = subscription(limit=10_000)
    reader.put(b"x" * 6000)
    reader.put(b"tail of x\nwhole\n" + b"y" * 5000)
    assert reader.read(PATIENCE) == b"[bundlevisor: 1 lines skipped]\nwhole\n" + b"y" * 5000


def test_the_notice_stands_on_a_line_of_its_own() -> None:
    reader = subscription(limit=10_000)
    reader.put(b"unfinished")
    assert reader.read(PATIENCE) == b"unfinished"
    reader.put(b"a" * 5999 + b"\n")
    reader.put(b"b" * 5999 + b"\n")
    assert reader.read(PATIENCE) == b"\n[bundlevisor: 1 lines skipped]\n" + b"b" * 5999 + b"\n"


def test_a_dropped_part_of_an_endless_line_is_told_in_bytes() -> None:
    reader = subscription(limit=10_000)
    reader.put(b"a" * 6000)
    reader.put(b"b" * 6000)
    assert reader.read(PATIENCE) == (b"[bundlevisor: 6000 bytes of a line skipped]\n" + b"b" * 6000)


def test_what_was_written_before_is_never_dropped() -> None:
    reader = subscription(limit=100)
    reader.begin(b"past\n" * 1000)
    for _ in range(100):
        reader.put(b"x" * 4999 + b"\n")
    got = reader.read(PATIENCE)
    assert got is not None
    assert got.startswith(b"past\n" * 1000 + b"[bundlevisor: 99 lines skipped]\n")


def test_short_writes_are_joined_so_that_they_take_no_more_memory_than_they_say() -> None:
    reader = subscription(limit=LIMIT)
    for _ in range(100_000):
        reader.put(b".")
    assert len(reader._waiting) <= 100_000 / 4096 + 1
    assert reader.read(PATIENCE) == b"." * 100_000


def test_a_reader_that_has_left_keeps_nothing() -> None:
    left: list[Subscription] = []
    reader = Subscription(left.append)
    reader.put(b"x")
    reader.close()
    reader.put(b"y")
    assert reader.read(PATIENCE) is None
    assert left == [reader]
    assert not reader._waiting
