from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bundlevisor.actors.files import atomic

NOW = 1_795_428_900.0  # 2026-11-23T10:15:00Z

WRITER = """
import sys
from bundlevisor.actors.files import atomic
number = 0
print("writing", flush=True)
while True:
    number += 1
    try:
        atomic.write(sys.argv[1], (b"%08d" % number) * 4096, durable=False)
    except PermissionError:  # Windows, while the reader has it open
        pass
"""


def test_a_file_is_written_for_the_user_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "file"
    atomic.write(str(target), b"one")
    atomic.write(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(target.parent) == ["file"]
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "folder-in-the-way"
    target.mkdir()
    (target / "kept").write_bytes(b"kept")
    with pytest.raises(OSError, match="folder-in-the-way"):
        atomic.write(str(target), b"new")
    assert os.listdir(tmp_path) == ["folder-in-the-way"]
    assert (target / "kept").read_bytes() == b"kept"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on file sizes")
def test_a_write_that_the_disk_refuses_leaves_nothing_beside_the_old_file(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\n"
        "from bundlevisor.actors.files import atomic\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    atomic.write(sys.argv[1], b'x' * 5000)\n"
        "except OSError as error:\n"
        "    print(error.strerror)\n"
    )
    target = tmp_path / "file"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "File too large\n"
    assert os.listdir(tmp_path) == ["file"]
    assert target.read_bytes() == b"old"


def test_a_reader_never_sees_a_torn_file_while_the_writer_is_killed(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE
        )
        assert writer.stdout
        assert writer.stdout.readline().strip() == b"writing"
        until = time.monotonic() + 0.1
        while time.monotonic() < until or not target.exists():
            with suppress(FileNotFoundError, PermissionError):
                data = target.read_bytes()
                assert data == data[:8] * 4096
        writer.kill()
        writer.communicate()
        data = target.read_bytes()
        assert data == data[:8] * 4096


def test_a_good_file_is_parsed_and_a_missing_one_is_no_trouble(tmp_path: Path) -> None:
    target = tmp_path / "file"
    assert atomic.read_or_set_aside(str(target), int) == (None, None)
    target.write_bytes(b"12")
    assert atomic.read_or_set_aside(str(target), int) == (12, None)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\0" * 512, "it is empty"),
        (b" \n", "it is empty"),
        (b"12x", "invalid literal"),
        (b"\xff\xfe", "invalid literal"),
    ],
)
def test_a_file_that_is_of_no_use_is_set_aside_under_a_name_that_says_so(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    target = tmp_path / "ports.json"
    target.write_bytes(content)
    value, trouble = atomic.read_or_set_aside(str(target), int, now=NOW)
    assert value is None
    assert trouble is not None
    assert trouble.startswith(f"{target} could not be used ({reason}")
    assert trouble.endswith("it was set aside as ports.json.corrupt-20261123T101500Z")
    assert (tmp_path / "ports.json.corrupt-20261123T101500Z").read_bytes() == content
    assert not target.exists()


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    target = tmp_path / "state"
    target.write_bytes(b"\xef\xbb\xbf12")
    assert atomic.read_or_set_aside(str(target), int) == (12, None)
    target.write_bytes(b"\xef\xbb\xbf")
    value, trouble = atomic.read_or_set_aside(str(target), int, now=NOW)
    assert value is None
    assert trouble
    assert not target.exists()


def test_an_earlier_file_that_was_set_aside_is_never_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for content in (b"one", b"two", b"three"):
        target.write_bytes(content)
        atomic.read_or_set_aside(str(target), int, now=NOW)
    name = "file.corrupt-20261123T101500Z"
    assert sorted(os.listdir(tmp_path)) == [name, f"{name}-2", f"{name}-3"]
    assert (tmp_path / f"{name}-3").read_bytes() == b"three"


def test_a_folder_in_the_file_s_place_is_set_aside(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    value, trouble = atomic.read_or_set_aside(str(target), int, now=NOW)
    assert value is None
    assert trouble is not None
    assert not target.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that nobody can rename")
def test_what_cannot_be_set_aside_is_a_sentence_and_not_an_error() -> None:
    value, trouble = atomic.read_or_set_aside("/proc/version", int)
    assert value is None
    assert trouble is not None
    assert "nor set aside (" in trouble
    assert trouble.endswith("going on without it")
