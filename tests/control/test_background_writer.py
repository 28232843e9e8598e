"""Lines that wait for a reader: bounded, counted, in order, and all of them where one reads."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from bundlevisor.control.run import background_writer
from bundlevisor.control.run.background_writer import BackgroundWriter
from bundlevisor.control.run.console import Console, by
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


def test_on_a_console_of_windows_the_stream_writes_which_knows_its_letters(
    ends: tuple[int, int],
) -> None:
    read, write = ends
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with open(write, "w", encoding="utf-8", closefd=False) as stream:
        console = Console(nowhere, human=True, output=nowhere, write=by(stream))
        console.info("Jürgen █")
        console.close()
    os.close(nowhere)
    assert read_all(read, b"\n").decode().endswith(" Jürgen █\n")


def test_what_is_no_line_is_followed_as_it_is(ends: tuple[int, int]) -> None:
    read, write = ends
    writer = BackgroundWriter(write, told)
    writer.put(b"\x1b[J")  # a foot is taken away
    assert read_all(read, b"\x1b[J") == b"\x1b[J"
    writer.put(b"line\n")
    assert has_written_all(writer)
    assert read_all(read, b"\n") == b"line\n"


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
    begun = os.read(read, 1)  # the thread has taken it
    lines = [b"%05d\n" % number for number in range(100_000)]
    for line in lines:
        writer.put(line)
    text = begun + read_all(read, lines[-1])
    kept = 300_000 // 6
    assert text == first + told(len(lines) - kept) + b"".join(lines[-kept:])
    assert has_written_all(writer)


def test_the_end_waits_for_no_reader_that_takes_nothing(ends: tuple[int, int]) -> None:
    read, write = ends
    writer = BackgroundWriter(write, told)
    writer.put(b"x" * 200_000 + b"\n")
    assert not writer.close(stalled=0.05)
    read_all(read, b"\n")  # the thread is not to write into what gets this number next


def test_what_could_not_be_written_is_counted_where_it_can_be_again() -> None:
    read, write = os.pipe()
    os.close(read)
    counts: list[int] = []

    def count(lost: int) -> bytes:
        counts.append(lost)
        return told(lost)

    writer = BackgroundWriter(write, count)
    put = 0

    def one_is_lost() -> bool:
        nonlocal put
        writer.put(b"line\n")
        put += 1
        return bool(counts)

    wait_until(one_is_lost, what="a lost line to be told")
    again, end = os.pipe()
    os.dup2(end, write)
    os.close(end)
    writer.put(b"last\n")
    assert has_written_all(writer)
    os.close(write)
    with open(again, "rb") as file:
        missing, *others = file.read().splitlines()
    assert int(missing.split()[0]) + len(others) == put + 1
    assert others[-1] == b"last"
