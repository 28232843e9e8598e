"""All that a service writes is in its log, whatever happens to the disk."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.loop.reactor import Loop
from tests.actors.logs.bench import (
    ENDLESS,
    NUMBERED,
    PATIENCE,
    Bench,
    everything,
)
from tests.full_disk import fill
from tests.waiting import wait_until


def test_output_is_in_the_log_as_it_came_and_the_end_is_told(bench: Bench) -> None:
    child = bench.start("import os; os.write(1, b'out\\n'); os.write(2, b'err\\r\\n\\xff\\0')")
    bench.until_end()
    assert child.wait(PATIENCE) == 0
    assert bench.path.read_bytes() == b"out\nerr\r\n\xff\0"
    assert bench.ended == ["one"]
    assert bench.stream.bytes_read == 11
    assert bench.stream.bytes_lost == 0


def test_the_log_is_there_before_the_first_byte(bench: Bench) -> None:
    write = bench.write(b"")
    wait_until(bench.path.exists, PATIENCE, "the file")
    os.close(write)


def test_a_burst_neither_blocks_the_service_nor_grows_memory(bench: Bench) -> None:
    lines = 4_000_000  # a third more than is kept
    ours = psutil.Process()
    bench.drain()
    before = most = ours.memory_info().rss
    child = bench.start(NUMBERED, 0, lines)
    while child.poll() is None:
        most = max(most, ours.memory_info().rss)
        time.sleep(0.01)
    bench.until_end()
    assert child.returncode == 0
    assert bench.stream.bytes_read == 10 * lines
    assert bench.stream.bytes_lost == 0
    assert most - before < 16 * 1024 * 1024
    assert sorted(file.name for file in bench.path.parent.iterdir()) == [
        "api.log",
        "api.log.1",
        "api.log.2",
    ]
    kept = everything(bench.path)
    assert 20 * 1024 * 1024 < len(kept) < 32 * 1024 * 1024
    assert kept.endswith(b"%09d\n" % (lines - 1))


def test_no_line_is_lost_over_many_rotations(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "api.log"
    bench = Bench(loop, path, LogFile(str(path), max_bytes=200_000, files=100))
    bench.start(NUMBERED, 0, 300_000)
    bench.until_end()
    assert everything(path) == b"".join(b"%09d\n" % number for number in range(300_000))
    assert len(list(tmp_path.iterdir())) > 10
    bench.stop()


def test_a_flood_does_not_starve_another_service_s_log(
    loop: Loop, bench: Bench, tmp_path: Path
) -> None:
    floods = [
        Bench(loop, tmp_path / f"{n}.log", LogFile(str(tmp_path / f"{n}.log"), max_bytes=10**6))
        for n in range(2)
    ]
    for flood in floods:
        flood.start(ENDLESS)
    wait_until(lambda: all(f.stream.bytes_read > 1_000_000 for f in floods), PATIENCE, "the floods")
    follower = bench.stream.follow()
    write = bench.write(b"")
    for number in range(50):
        os.write(write, b"line %d\n" % number)
        assert follower.read(PATIENCE) == b"line %d\n" % number
    assert all(flood.children[0].poll() is None for flood in floods)
    os.close(write)
    for flood in floods:
        flood.stop()


def test_a_line_without_end_passes_through(bench: Bench) -> None:
    bench.start("import os\nfor _ in range(8): os.write(1, b'x' * 1_000_000)")
    bench.until_end()
    assert bench.path.read_bytes() == b"x" * 8_000_000
    assert bench.stream.tail("one", max_bytes=8192) == b"x" * 8192


def removed(path: Path) -> bool:
    """Remove it, if it is there: a rotation takes it away for a moment."""
    with suppress(FileNotFoundError):
        path.unlink()
        return True
    return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_log_that_somebody_removes_comes_back_and_the_service_goes_on(bench: Bench) -> None:
    child = bench.start(ENDLESS)
    wait_until(lambda: removed(bench.path), PATIENCE, "the log")
    wait_until(lambda: removed(bench.path), PATIENCE, "the new log")
    bench.path.with_name("api.log.1").unlink(missing_ok=True)
    wait_until(bench.path.exists, PATIENCE, "the new log")
    assert child.poll() is None
    assert bench.stream.bytes_lost == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_loses_output_says_how_much_and_holds_nobody_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.path.parent.mkdir()
    fill(bench.path, monkeypatch)
    child = bench.start(NUMBERED, 0, 500_000)
    assert child.wait(PATIENCE) == 0
    bench.until_end()
    assert bench.stream.bytes_lost == 5_000_000
    assert bench.stream.tail("one", 2) == b"000499998\n000499999\n"
    assert len(bench.reports) == 1
    assert re.search("cannot write .*api.log: No space left on device", bench.reports[0])
    bench.path.unlink()
    bench.stream._sink.file._look_at = 0.0
    bench.start(NUMBERED, 0, 2, instance="two")
    bench.until_end("two")
    notice = b"[bundlevisor: 5000000 bytes lost: No space left on device]\n"
    assert bench.path.read_bytes() == notice + b"000000000\n000000001\n"
    assert len(bench.reports) == 2
    assert "5000000 bytes were lost" in bench.reports[1]
    assert bench.stream.bytes_lost == 5_000_000


class SmallDisk:
    """Takes ``free`` bytes more."""

    def __init__(self, free: int) -> None:
        self.free = free

    def write(self, fd: int, data: bytes) -> int:
        if self.free == 0:
            raise OSError(28, "No space left on device")
        taken = os.write(fd, data[: self.free])
        self.free -= taken
        return taken


def test_what_a_disk_takes_in_part_is_counted_to_the_byte(loop: Loop, tmp_path: Path) -> None:
    path, disk = tmp_path / "api.log", SmallDisk(1000)
    bench = Bench(loop, path, LogFile(str(path), write=disk.write))
    end = bench.write(b"a" * 1500 + b"\n")
    wait_until(lambda: bench.stream.bytes_lost == 501, PATIENCE, "the loss")
    disk.free = 10**6
    os.write(end, b"after\n")
    os.close(end)
    bench.until_end()
    assert path.read_bytes() == (
        b"a" * 1000 + b"\n[bundlevisor: 501 bytes lost: No space left on device]\nafter\n"
    )
    bench.stop()


@pytest.mark.parametrize("what_follows", ["nothing", "another run"])
def test_what_was_lost_last_is_told_where_it_is_missing(
    loop: Loop, tmp_path: Path, what_follows: str
) -> None:
    path, disk = tmp_path / "api.log", SmallDisk(3)
    bench = Bench(loop, path, LogFile(str(path), write=disk.write))
    os.close(bench.write(b"abcdefg\n"))
    bench.until_end()
    disk.free = 10**6
    if what_follows == "another run":
        os.close(bench.write(b"", instance="two"))
        bench.until_end("two")
    else:
        bench.stop()
    assert path.read_bytes() == b"abc\n[bundlevisor: 5 bytes lost: No space left on device]\n"
    bench.stop()


def test_after_a_crash_the_last_lines_are_told(bench: Bench) -> None:
    child = bench.start(NUMBERED + "\nos.write(1, b'last words')\nos.abort()", 0, 5000)
    assert child.wait(PATIENCE) != 0
    assert bench.drain() == b"".join(b"%09d\n" % n for n in range(4601, 5000)) + b"last words"


def test_each_incarnation_begins_a_line(bench: Bench) -> None:
    os.close(bench.write(b"torn"))
    bench.until_end()
    os.close(bench.write(b"next\n", "two"))
    bench.until_end("two")
    assert bench.path.read_bytes() == b"torn\nnext\n"


def test_the_tails_of_old_incarnations_are_let_go(bench: Bench) -> None:
    for number in range(10):
        os.close(bench.write(b"%d\n" % number, str(number)))
        bench.until_end(str(number))
    assert bench.stream.tail("0") == b""
    assert bench.stream.tail("9") == b"9\n"
    assert len(bench.stream._intakes) <= 4


def test_two_services_can_write_to_one_file(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "all.log"
    shared = LogFile(str(path), max_bytes=50_000, files=100)
    both = [Bench(loop, path, shared, service) for service in ("a", "b")]
    for bench in both:
        bench.start(NUMBERED, 0, 20_000)
    for bench in both:
        bench.until_end()
    assert sorted(everything(path).split()) == sorted(
        [b"%09d" % number for number in range(20_000)] * 2
    )
    for bench in both:
        bench.stop()
