"""What stands where a bundle is looked for: files of every kind, and none."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from pathlib import Path

import pytest

from bundlevisor.manifest.read.load import read
from bundlevisor.manifest.read.source import LIMIT, SourceRefused, read_bytes
from tests import absent
from tests.manifest.codes import codes


def test_the_sum_of_the_bytes_is_there_for_status(tmp_path: Path, picker: bytes) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(picker)
    loaded = read(str(path), "linux-x64")
    assert loaded.manifest is not None
    assert loaded.sha256 == hashlib.sha256(picker).hexdigest()


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    assert codes(read(str(tmp_path / "none.json"))) == ["manifest_missing"]
    (tmp_path / "file").touch()
    assert codes(read(str(tmp_path / "file" / "none.json"))) == ["manifest_missing"]


@pytest.mark.parametrize("path", ["a\0b", "x" * 10_000, "\ud800"])
def test_an_impossible_path_is_a_finding(path: str) -> None:
    assert codes(read(path)) == ["manifest_missing"]


def test_a_folder_is_a_finding(tmp_path: Path) -> None:
    assert codes(read(str(tmp_path))) == ["manifest_not_a_file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs in folders")
def test_pipes_devices_and_sockets_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert codes(read(str(pipe))) == ["manifest_not_a_file"]
    assert codes(read(os.devnull)) == ["manifest_not_a_file"]
    assert codes(read("/dev/zero")) == ["manifest_not_a_file"]
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert codes(read(str(tmp_path / "socket"))) == ["manifest_not_a_file"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_in_a_circle_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert codes(read(str(tmp_path / "a"))) == ["manifest_unreadable"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes mean nothing on Windows")
@pytest.mark.permissions
def test_a_file_without_permission_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_text("{}")
    path.chmod(0)
    assert codes(read(str(path))) == ["manifest_unreadable"]


def test_a_huge_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    assert codes(read(str(path))) == ["manifest_too_large"]


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(b" " * 100)
    assert len(read_bytes(str(path), limit=100)) == 100
    with pytest.raises(SourceRefused, match="larger than"):
        read_bytes(str(path), limit=99)
    assert LIMIT == 16 * 1024 * 1024


@absent.unless(os.path.exists("/proc/self/status"), "/proc")
def test_a_file_whose_size_is_not_told_is_read_to_its_end() -> None:
    assert b"Pid:" in read_bytes("/proc/self/status")
    with pytest.raises(SourceRefused, match="larger than"):
        read_bytes("/proc/self/status", limit=10)
