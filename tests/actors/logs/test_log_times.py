"""When what stands in a log was written: the index, and lines with their times."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bundlevisor.actors.files import time_index
from bundlevisor.actors.files.rotating_file import LogFile
from bundlevisor.actors.files.time_index import EVERY, RECORD, TimeIndex
from bundlevisor.actors.logs.timed_lines import Line, LineAssembler, last_lines, previous_lines

NOON = 1_700_000_000


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.asleep = 0.0
        """Seconds of these in which the machine slept."""

    def monotonic(self) -> float:
        return 100 + self.passed - self.asleep

    def time(self) -> float:
        return self.time_ns() / 1e9

    def time_ns(self) -> int:
        return NOON * 10**9 + round(self.passed * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time_index, "time", made)
    return made


def log_of(path: Path, max_bytes: int = 1 << 20) -> LogFile:
    return LogFile(str(path), max_bytes=max_bytes, times=TimeIndex(str(path)))


def shown(path: Path, lines: int = 100, since: float = 0.0) -> list[tuple[float, bytes]]:
    found = last_lines(str(path), lines, NOON + since).lines
    return [(round(line.time - NOON, 3), line.text) for line in found]


def records(path: Path) -> int:
    return Path(f"{path}.times").stat().st_size // RECORD


def test_each_line_has_the_time_at_which_it_was_begun(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    for at, chunk in ((0, b"one\ntwo\nth"), (1, b"ree\n"), (2.5, b"four\n"), (4, b"five")):
        clock.passed = at
        log.write(chunk)
    assert path.read_bytes() == b"one\ntwo\nthree\nfour\nfive"
    everything = [(0, b"one"), (0, b"two"), (0, b"three"), (2.5, b"four"), (4, b"five")]
    assert shown(path) == everything
    assert shown(path, 2) == everything[-2:]
    assert shown(path, since=1) == everything[-2:]
    assert last_lines(str(path), 1).unfinished


def test_many_chunks_are_one_record(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    for _ in range(1000):
        log.write(b"x\n")
    assert records(path) == 1
    clock.passed = EVERY
    log.write(b"y\n")
    assert records(path) == 2
    assert shown(path, 1) == [(EVERY, b"y")]


def test_the_index_of_a_slow_writer_is_bounded(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_index, "SLOWER", ((10, 1.0),))
    monkeypatch.setattr(time_index, "MOST", 20)
    path = tmp_path / "a.log"
    log = log_of(path)
    for at in range(1000):
        clock.passed = at / 10
        log.write(b"x\n")
    assert records(path) == 20
    assert [at for at, _ in shown(path, 1000)][:12] == [*(at / 10 for at in range(10)), 0.9, 0.9]


def test_a_writer_of_many_months_still_has_times_to_an_hour(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"old\n")
    written = (0).to_bytes(8, "little") + (NOON * 10**6).to_bytes(8, "little")
    Path(f"{path}.times").write_bytes(written * 128 * 1024)
    log = log_of(path)
    for hour in range(1, 4):
        clock.passed = hour * 3600
        log.write(b"x\n")
    assert shown(path) == [(0, b"old"), *((hour * 3600, b"x") for hour in range(1, 4))]


def test_what_is_written_after_a_sleep_is_not_of_before_it(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the pause between two records is by then."""
    monkeypatch.setattr(time_index, "SLOWER", ((1, 60.0),))
    path = tmp_path / "a.log"
    log = log_of(path)
    log.write(b"before\n")
    clock.passed, clock.asleep = 8 * 3600 + 1, 8 * 3600
    log.write(b"awake\n")
    clock.passed -= 3600
    log.write(b"set back\n")
    assert shown(path) == [(0, b"before"), (28_801, b"awake"), (25_201, b"set back")]


def test_what_stood_in_a_log_without_an_index_is_not_of_today(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"old\n")
    os.utime(path, (NOON - 86_400, NOON - 86_400))
    log = log_of(path)
    log.open()
    log.mark_start()
    log.write(b"new\n")
    assert shown(path, since=-100_000) == [(-86_400, b"old"), (0, b"new")]
    assert shown(path) == [(0, b"new")]
    assert [line.text for line in previous_lines(str(path), 100)] == [b"old"]


def test_the_index_goes_with_its_log_when_that_is_rotated(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    log = log_of(path, max_bytes=64)
    for at in range(60):
        clock.passed = at
        log.write(b"line %d\n" % at)
    assert Path(f"{path}.1.times").exists()
    assert Path(f"{path}.2.times").exists()
    lines = shown(path)
    assert len(lines) > 10
    assert lines == [(at, b"line %d" % at) for at in range(60 - len(lines), 60)]


def test_the_run_before_the_newest_one_is_known_across_rotations(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "a.log"
    log = log_of(path, max_bytes=64)
    log.open()
    assert previous_lines(str(path), 100) == []
    for run in range(3):
        clock.passed = 10 * run
        log.mark_start()
        for line in range(6):
            log.write(b"run %d, line %d\n" % (run, line))
    clock.passed = 30
    log.mark_start()
    assert [line.text for line in previous_lines(str(path), 3)] == [
        b"run 2, line %d" % line for line in (3, 4, 5)
    ]
    log.write(b"newest\n")
    assert len(previous_lines(str(path), 100)) == 6


def test_the_run_before_is_found_though_the_clock_was_set_back_in_between(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    for at, run in ((86_400, b"crashed\n"), (0, b"newest\n")):
        clock.passed = at
        log.open()
        log.mark_start()
        log.write(run)
    assert [line.text for line in previous_lines(str(path), 100)] == [b"crashed"]


def test_the_run_before_is_found_behind_all_that_the_newest_has_written(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    for run in (b"crashed\n", b"newest\n" * 100):
        log.open()
        log.mark_start()
        log.write(run)
    assert [line.text for line in previous_lines(str(path), 100, 64)] == [b"crashed"]


def test_of_a_run_whose_beginning_is_no_longer_kept_the_end_is_found(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "a.log"
    log = log_of(path, max_bytes=64)
    log.open()
    log.mark_start()
    for line in range(60):
        log.write(b"line %d\n" % line)
    log.mark_start()
    log.write(b"newest\n")
    found = [line.text for line in previous_lines(str(path), 100)]
    assert len(found) > 10
    assert found == [b"line %d" % line for line in range(60 - len(found), 60)]
    assert [line.text for line in previous_lines(str(path), 100, 10)] == [b"line 59"]


def test_a_log_that_is_begun_anew_forgets_the_times_of_the_old_one(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    for at in range(5):
        clock.passed = at
        log.write(b"old\n")
    log.close()
    path.unlink()
    clock.passed = 10
    log.write(b"new\nand more of it\n")
    assert shown(path) == [(10, b"new"), (10, b"and more of it")]


@pytest.mark.parametrize("left", [b"", b"\x01" * (RECORD - 1), b"\xff" * 2 * RECORD])
def test_without_a_usable_index_the_time_is_that_of_the_file(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\n")
    os.utime(path, (NOON + 7, NOON + 7))
    if left:
        Path(f"{path}.times").write_bytes(left)
    assert shown(path) == [(7, b"one"), (7, b"two")]


def test_a_torn_record_costs_only_itself(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "a.log"
    log = log_of(path)
    log.write(b"one\n")
    log.close()
    with Path(f"{path}.times").open("ab") as file:
        file.write(b"torn")
    clock.passed = 3
    log.write(b"two\n")
    assert shown(path) == [(0, b"one"), (3, b"two")]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_an_index_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_bytes(b"precious")
    path = tmp_path / "a.log"
    Path(f"{path}.times").symlink_to(other)
    assert log_of(path).write(b"one\n") == 4
    assert other.read_bytes() == b"precious"
    assert [text for _, text in shown(path)] == [b"one"]


def test_a_line_in_pieces_has_the_time_of_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assembler = LineAssembler(Line(5.0, b"be"))
    monkeypatch.setattr("bundlevisor.actors.logs.timed_lines.time.time", lambda: 9.0)
    assert assembler.feed(b"gun\nwhole\nre") == [Line(5.0, b"begun"), Line(9.0, b"whole")]
    monkeypatch.setattr("bundlevisor.actors.logs.timed_lines.time.time", lambda: 11.0)
    assert assembler.feed(b"st") == []
    assert assembler.flush() == [Line(9.0, b"rest")]
    assert assembler.flush() == []
