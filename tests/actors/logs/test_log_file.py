from __future__ import annotations

import errno
import os
import random
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.files.rotating_file import ROTATE_AGAIN, LogFile
from tests.full_disk import fill
from tests.waiting import wait_until


def everything(path: Path) -> bytes:
    """What the log and its neighbours hold, the oldest first."""
    numbers = sorted(
        (int(name.suffix[1:]) for name in path.parent.glob(f"{path.name}.*")), reverse=True
    )
    files = [path.with_name(f"{path.name}.{number}") for number in numbers] + [path]
    return b"".join(file.read_bytes() for file in files if file.exists())


def look_now(log: LogFile) -> None:
    log._look_at = 0.0


def test_what_is_written_is_in_the_file_at_once_and_appended_to_what_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.log"
    path.parent.mkdir()
    path.write_bytes(b"before\n")
    log = LogFile(str(path))
    assert log.write(b"one\n") == 4
    assert log.write(b"two\n") == 4
    assert path.read_bytes() == b"before\none\ntwo\n"
    log.close()
    assert log.write(b"three\n") == 6
    assert path.read_bytes().endswith(b"three\n")
    log.close()


def test_missing_folders_are_made_for_the_user_alone(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "a" / "b" / "c.log"))
    assert log.open()
    if sys.platform != "win32":
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "a" / "b" / "c.log").stat().st_mode & 0o777 == 0o600
    log.close()


def test_no_byte_is_lost_over_many_rotations_and_no_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=1000, files=150)
    dice = random.Random(3)
    text = b"".join(b"%06d %s\n" % (n, b"x" * dice.randrange(100)) for n in range(2000))
    at = 0
    while at < len(text):
        block = text[at : at + dice.randrange(1, 900)]
        assert log.write(block) == len(block)
        at += len(block)
    log.close()
    assert everything(path) == text
    files = [file for file in tmp_path.iterdir() if file != path]
    assert len(files) > 80
    assert all(file.read_bytes().endswith(b"\n") for file in files)
    assert all(file.stat().st_size <= 1000 + 125 for file in files)


def test_one_large_block_is_spread_over_the_files(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=1000, files=50)
    text = b"".join(b"%020d\n" % number for number in range(500))
    assert log.write(text) == len(text)
    log.close()
    assert everything(path) == text
    assert max(file.stat().st_size for file in tmp_path.iterdir()) <= 1000


def test_the_number_of_files_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=1000, files=3)
    for number in range(2000):
        log.write(b"%09d\n" % number)
    log.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    kept = everything(path)
    assert kept == b"".join(b"%09d\n" % n for n in range(2000 - len(kept) // 10, 2000))


def test_a_log_of_one_file_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=100, files=1)
    for number in range(25):
        log.write(b"%09d\n" % number)
    log.close()
    assert [file.name for file in tmp_path.iterdir()] == ["a.log"]
    assert path.read_bytes() == b"".join(b"%09d\n" % number for number in range(20, 25))


def test_a_line_without_end_is_cut_rather_than_kept_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=1000, files=200)
    for _ in range(100):
        log.write(b"x" * 300)
    log.close()
    assert everything(path) == b"x" * 30_000
    assert max(file.stat().st_size for file in tmp_path.iterdir()) <= 1000


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_file_that_was_removed_or_replaced_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "a.log"
    log = LogFile(str(path))
    log.write(b"one\n")
    path.unlink()
    look_now(log)
    log.write(b"two\n")
    assert path.read_bytes() == b"two\n"
    path.rename(tmp_path / "elsewhere")
    path.write_bytes(b"somebody's\n")
    look_now(log)
    log.write(b"three\n")
    assert path.read_bytes() == b"somebody's\nthree\n"
    path.unlink()
    path.parent.rmdir()
    look_now(log)
    log.write(b"four\n")
    assert path.read_bytes() == b"four\n"
    log.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps an open file")
def test_a_removed_file_is_noticed_without_help(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path))
    log.write(b"one\n")
    path.unlink()

    def is_back_after_another_line() -> bool:
        log.write(b"more\n")
        return path.exists()

    wait_until(is_back_after_another_line, what="the file")
    log.close()


@pytest.mark.parametrize("call", ["fstat", "lstat"])
def test_a_look_that_fails_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """A file that its server knows no more is opened anew, else ours is written on."""
    log = LogFile(str(tmp_path / "a.log"))
    assert log.write(b"one\n") == 4
    usual, failed = getattr(os, call), list[object]()

    def fails_once(what: int | str) -> os.stat_result:
        if not failed:
            failed.append(what)
            raise OSError(errno.ESTALE, "stale")
        found: os.stat_result = usual(what)
        return found

    monkeypatch.setattr(os, call, fails_once)
    look_now(log)
    assert (log.write(b"two\n"), log.trouble, len(failed)) == (4, None, 1)
    log.close()
    assert everything(tmp_path / "a.log") == b"one\ntwo\n"


def test_a_file_that_somebody_truncated_has_its_size_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = LogFile(str(path), max_bytes=100)
    log.write(b"x" * 89 + b"\n")
    os.truncate(path, 0)
    look_now(log)
    log.write(b"y" * 49 + b"\n")
    assert path.read_bytes() == b"y" * 49 + b"\n"
    assert not (tmp_path / "a.log.1").exists()
    log.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_a_number_and_a_reason_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.log"
    fill(path, monkeypatch)
    log = LogFile(str(path))
    assert log.write(b"lost\n") == 0
    assert log.trouble is not None
    assert log.trouble.strerror == "No space left on device"
    path.unlink()
    look_now(log)
    assert log.write(b"kept\n") == 5
    assert path.read_bytes() == b"kept\n"
    log.close()


def test_a_folder_that_cannot_be_made_is_a_reason_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    log = LogFile(str(tmp_path / "logs" / "a.log"))
    assert not log.open()
    assert log.write(b"lost\n") == 0
    assert log.trouble is not None


def test_a_disk_that_takes_a_part_is_asked_for_the_rest(tmp_path: Path) -> None:
    log = LogFile(str(tmp_path / "a.log"), write=lambda fd, data: os.write(fd, data[:7]))
    assert log.write(b"0123456789" * 10) == 100
    assert (tmp_path / "a.log").read_bytes() == b"0123456789" * 10
    log.close()


def test_where_the_rotation_is_refused_the_total_limit_holds_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    (tmp_path / "a.log.1" / "in-the-way").mkdir(parents=True)
    (tmp_path / "a.log.2" / "in-the-way").mkdir(parents=True)
    most = 1_000_000
    log = LogFile(str(path), max_bytes=most, files=3)
    line = b"x" * 999 + b"\n"
    sizes = []
    for _ in range(9000):
        assert log.write(line) == len(line)
        sizes.append(path.stat().st_size)
    log.close()
    assert max(sizes) <= 3 * most + ROTATE_AGAIN
    assert path.read_bytes().startswith(b"[bundlevisor: ")
    assert b"bytes dropped: cannot rename: " in path.read_bytes()[:200]


@pytest.mark.parametrize(("before", "whole"), [(b"", True), (b"a\n", True), (b"torn", False)])
def test_an_unfinished_last_line_is_known_when_the_file_is_opened(
    tmp_path: Path, before: bytes, whole: bool
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(before)
    log = LogFile(str(path))
    log.open()
    assert log.at_line_start is whole
    log.close()
