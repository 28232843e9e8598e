from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from bundlevisor.actors.files.tail import BLOCK, last_lines, tail


def numbered(begin: int, end: int, width: int = 30) -> bytes:
    return b"".join(b"%0*d\n" % (width, number) for number in range(begin, end))


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert tail(str(tmp_path / "none.log"), 10) == b""


@pytest.mark.parametrize(
    ("text", "lines", "expected"),
    [
        (b"", 3, b""),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 2, b"b\nc"),
        (b"a\nb\nc", 1, b"c"),
        (b"a\nb\n", 5, b"a\nb\n"),
        (b"a\n\n\n", 2, b"\n\n"),
        (b"a\n", 0, b""),
        (b"a\n", -1, b""),
        (b"\xff\xfe\n\x00b\n", 1, b"\x00b\n"),
    ],
)
def test_the_last_lines_are_returned_as_they_are(
    tmp_path: Path, text: bytes, lines: int, expected: bytes
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(text)
    assert tail(str(path), lines) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="Windows fills what others leave sparse")
def test_only_as_many_blocks_are_read_as_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    with path.open("wb") as file:
        file.truncate(1 << 36)
        file.seek(0, 2)
        file.write(b"\nlast\n")
    assert tail(str(path), 1) == b"last\n"


def test_lines_longer_than_a_block_come_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    long = b"x" * (3 * BLOCK + 17)
    path.write_bytes(b"first\n" + long + b"\nlast\n")
    assert tail(str(path), 2) == long + b"\nlast\n"


def test_rotated_neighbours_continue_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.log.2").write_bytes(numbered(0, 5000))
    (tmp_path / "a.log.1").write_bytes(numbered(5000, 10_000))
    (tmp_path / "a.log").write_bytes(numbered(10_000, 10_010))
    assert tail(str(tmp_path / "a.log"), 5) == numbered(10_005, 10_010)
    assert tail(str(tmp_path / "a.log"), 3000) == numbered(7010, 10_010)
    assert tail(str(tmp_path / "a.log"), 9000) == numbered(1010, 10_010)
    assert tail(str(tmp_path / "a.log"), 99_999) == numbered(0, 10_010)


def test_a_line_that_a_rotation_cut_is_joined(tmp_path: Path) -> None:
    (tmp_path / "a.log.1").write_bytes(b"one\ntwo-and-")
    (tmp_path / "a.log").write_bytes(b"a-half\nthree\n")
    assert tail(str(tmp_path / "a.log"), 2) == b"two-and-a-half\nthree\n"


def test_a_file_that_is_being_rotated_is_not_read_twice(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"one\n")
    (tmp_path / "a.log.1").hardlink_to(tmp_path / "a.log")
    assert tail(str(tmp_path / "a.log"), 10) == b"one\n"


def test_a_file_that_has_just_been_renamed_away_does_not_hide_its_neighbours(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.log.1").write_bytes(b"one\ntwo\n")
    assert tail(str(tmp_path / "a.log"), 1) == b"two\n"


def test_the_limit_in_bytes_cuts_at_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(numbered(0, 10_000, 30))
    found = tail(str(path), 10_000, max_bytes=1000)
    assert found == numbered(10_000 - 32, 10_000)
    path.write_bytes(b"x" * 5000)
    assert tail(str(path), 10, max_bytes=1000) == b"x" * 1000


def test_what_ends_with_a_block_is_no_less_cut_at_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    line = b"x" * 998 + b"\n"
    path.write_bytes(line * (2 * BLOCK // len(line) + 1))
    fitting = BLOCK // len(line)
    assert tail(str(path), 10_000, max_bytes=BLOCK) == line * fitting
    path.write_bytes(b"y" * (BLOCK - 1) + b"\n")
    assert tail(str(path), 10_000, max_bytes=BLOCK) == path.read_bytes(), "all of it fits"


def test_any_text_gives_the_same_lines_as_reading_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    dice = random.Random(11)
    for _ in range(60):
        lines = [b"y" * dice.choice([0, 1, 7, 400, 70_000]) for _ in range(dice.randrange(1, 9))]
        text = b"\n".join(lines) + dice.choice([b"", b"\n"])
        path.write_bytes(text)
        wanted = dice.randrange(1, 10)
        assert tail(str(path), wanted) == b"".join(text.splitlines(keepends=True)[-wanted:])


def test_a_fragment_is_shown_only_when_there_is_nothing_else() -> None:
    assert last_lines(b"gment\nwhole\n", 5, whole=False) == b"whole\n"
    assert last_lines(b"gment", 5, whole=False) == b"gment"
    assert last_lines(b"gment\n", 5, whole=False) == b"gment\n"
