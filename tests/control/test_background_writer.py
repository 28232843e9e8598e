"""Lines that wait for a reader: bounded, counted, in order, and all of them where one reads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from bundlevisor.control.run import background_writer
from bundlevisor.control.run.background_writer import BackgroundWriter
from tests.waiting import WITHIN, wait_until


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    os.close(read)
    os.close(write)


def told(count: int) -> bytes:
    return b"%d missing\n" % count


def read_all(fd: int, until: bytes) -> bytes:
    text = b""
    while until not in text:
        text += os.read(fd, 65536)
    return text


def has_written_all(writer: BackgroundWriter) -> bool:
    return writer.close(stalled=WITHIN, bound=WITHIN)


def test_a_reader_gets_everything_in_order(ends: tuple[int, int]) -> None:
    read, write = ends
    writer = BackgroundWriter(write, told)
    lines = [b"%d %s\n" % (number, b"x" * (number % 100)) for number in range(5000)]
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(read_all(read, lines[-1])))
    reader.start()
    for line in lines:
        writer.put(line)
    assert has_written_all(writer)
    reader.join(WITHIN)
    assert b"".join(heard) == b"".join(lines)
    assert writer.dropped == 0


def test_the_end_does_not_wait_until_the_next_burst_is_due(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_writer, "BREATH", 3600.0)
    read, write = ends
    writer = BackgroundWriter(write, told)
    writer.put(b"first\n")
    assert read_all(read, b"first\n")
    writer.put(b"second\n")
    assert has_written_all(writer)
    assert read_all(read, b"second\n") == b"second\n"


def test_the_oldest_go_and_their_place_says_how_many(ends: tuple[int, int]) -> None:
    read, write = ends
    first = b"f" * 200_000 + b"\n"  # more than a pipe takes: the thread waits in it
    writer = BackgroundWriter(write, told, limit=300_000)
    writer.put(first)
    wait_until(lambda: not writer.waiting, what="the thread's taking the first line")
    lines = [b"%05d\n" % number for number in range(100_000)]
    for line in lines:
        writer.put(line)
    text = read_all(read, lines[-1])
    kept = 300_000 // 6
    assert writer.dropped == len(lines) - kept
    assert text == first + told(len(lines) - kept) + b"".join(lines[-kept:])
    assert has_written_all(writer)


def test_the_end_waits_for_no_reader_that_takes_nothing(ends: tuple[int, int]) -> None:
    read, write = ends
    writer = BackgroundWriter(write, told)
    writer.put(b"x" * 200_000 + b"\n")
    assert not writer.close(stalled=0.05)
    read_all(read, b"\n")  # the thread is not to write into what gets this number next


def test_a_closed_pipe_costs_the_lines_and_nothing_else() -> None:
    read, write = os.pipe()
    os.close(read)
    writer = BackgroundWriter(write, told)
    writer.put(b"one\n")
    wait_until(lambda: writer.dropped, what="the lost line")
    writer.put(b"two\n")
    assert has_written_all(writer)
    assert writer.dropped == 2
    os.close(write)
